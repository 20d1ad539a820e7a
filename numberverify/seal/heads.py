"""The heads of the chain, a line each, to be kept where nobody here can change them.

The chain needs no key: who may write the whole database can make a new one that holds.
It will not be the one that was exported.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from ..models import Seal
from .chain import links
from .findings import Finding

AT_ONCE = 500


def lines() -> Iterator[str]:
    for link in links().iterator():
        yield json.dumps(_head(link))


def _head(link: Seal) -> dict[str, Any]:
    return {
        "number": link.number,
        "kind": link.kind,
        "digest": bytes(link.digest).hex(),
        "rows": link.rows,
        "first": str(link.first_id) if link.first_id else None,
        "last": str(link.last_id),
        "made_at": link.made_at.isoformat(),
    }


def compare(exported: Iterable[str]) -> Iterator[Finding]:
    """Yield what is not in the chain any more as it was exported.

    Raise ValueError about a line that is no head.
    """
    heads = (_read(at, line) for at, line in enumerate(exported, 1))
    while said := dict(islice(heads, AT_ONCE)):
        found = dict(Seal.objects.filter(pk__in=said).values_list("number", "digest"))
        for number, digest in said.items():
            if number not in found:
                yield Finding("link", f"{number} was exported, and is gone")
            elif bytes(found[number]) != digest:
                yield Finding("link", f"{number} is not the one that was exported")


def _read(at: int, line: str) -> tuple[int, bytes]:
    try:
        head = json.loads(line)
        number, digest = head["number"], bytes.fromhex(head["digest"])
        if type(number) is not int or not 0 < number < 2**31 or len(digest) != 32:
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"line {at} is no head of a chain") from None
    return number, digest
