"""Which operator to ask."""

from collections.abc import Mapping
from typing import Any

from . import conf
from .msisdn import Msisdn
from .operators.base import OperatorSettings
from .operators.registry import Line, line_to
from .operators.tables import read_tables

_read: tuple[Mapping[str, Any], dict[str, OperatorSettings]] | None = None


def operators() -> dict[str, OperatorSettings]:
    """Return the configured operators by name; raise ConfigurationError."""
    global _read
    tables = conf.operator_tables()
    if _read is None or _read[0] is not tables:
        _read = (tables, read_tables(tables))
    return _read[1]


def operator_for(msisdn: Msisdn) -> OperatorSettings | None:
    """Return the first operator, in the order of the file, that serves the country.

    Never guessed from the number's prefix: numbers are ported between operators.
    """
    serving = (o for o in operators().values() if o.serves(msisdn.countries))
    return next(serving, None)


def line(name: str) -> Line:
    """Return the line to the operator; KeyError when it is configured no more."""
    return line_to(operators()[name])
