"""Settled rows are sealed, so that nobody alters them unnoticed.

`seal_due` seals, `check` finds what is not as it was sealed, `lines` and `compare`
are for the chain's heads, `append` adds what was purged or forgotten.
"""

from .chain import Kind, Until, append, head, hold, last_key_before
from .checking import check
from .findings import Checked, Finding, Told
from .heads import compare, lines
from .leaf import COLUMNS, ID, PERSONAL, commitment_of
from .sealing import BEHIND, seal_due

__all__ = [
    "BEHIND",
    "COLUMNS",
    "ID",
    "PERSONAL",
    "Checked",
    "Finding",
    "Kind",
    "Told",
    "Until",
    "append",
    "check",
    "commitment_of",
    "compare",
    "head",
    "hold",
    "last_key_before",
    "lines",
    "seal_due",
]
