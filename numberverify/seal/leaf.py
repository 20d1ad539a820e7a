"""The digest of one settled row, the same wherever it is computed.

docs/reference/seal.md describes it for who writes a verifier of their own.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from json.encoder import encode_basestring
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BigIntegerField, F, Func, QuerySet

VERSION = 1
EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
# In the leaf as they are: final once the row is settled, and no person's.
FIXED = (
    "action",
    "asked_because",
    "attention",
    "browser_known",
    "claimed_at",
    "country",
    "created_at",
    "expires_at",
    "id",
    "method",
    "notice_version",
    "operator",
    "operator_chosen",
    "operator_ms",
    "previous",
    "purpose",
    "reason",
    "sends",
    "sent_at",
    "settled_at",
    "sim_swap",
    "status",
    "test",
    "tries",
    "tries_allowed",
)
# In the leaf by a salted commitment; what stands there once a person is forgotten.
PERSONAL: Mapping[str, Any] = {
    "code_reference": "",
    "details_digest": b"",
    "device_digest": b"",
    "fingerprint_key": "",
    "holder_digest": b"",
    "ip": None,
    "next": "",  # the path of a page, which may name its person
    "number_fingerprint": b"",
    "number_mask": "",
    "operator_subject": "",
    "salt": b"",
    "state_digest": None,
    "user_agent": "",
}
# What a row is read by, in this order.
COLUMNS = (*FIXED, *PERSONAL, "commitment")
ID, CREATED_AT = FIXED.index("id"), FIXED.index("created_at")
SETTLED_AT = FIXED.index("settled_at")
TIMES = {"claimed_at", "created_at", "expires_at", "sent_at", "settled_at"}
AT_ONCE = 2000  # rows
Row = Sequence[Any]


# How JSON writes a value, by its type: three times as fast as json's own encoder,
# which is made anew for each row. The tests hold the two together.
_JSON: Mapping[type, Callable[[Any], str]] = {
    str: encode_basestring,
    int: int.__repr__,
    bool: lambda value: "true" if value else "false",
    type(None): lambda value: "null",
    UUID: lambda value: f'"{value.hex}"',
    bytes: lambda value: f'"{value.hex()}"',
    memoryview: lambda value: f'"{value.hex()}"',
    datetime: lambda value: str(microseconds(value)),
}


def microseconds(at: datetime) -> int:
    """Return the whole microseconds since 1970, in UTC."""
    aware = at if at.tzinfo else at.astimezone(UTC)
    return (aware - EPOCH) // MICROSECOND


class Form:
    """How values under these names are written and digested.

    As a JSON object in the form of RFC 8785: names in the order of the alphabet, no
    spaces. `kind` keeps digests of different things apart.
    """

    def __init__(self, kind: str, names: Iterable[str]) -> None:
        self.kind, self.names = f"{kind}\n".encode(), tuple(sorted(names))
        members = ",".join(f'"{name}":%s' for name in self.names)
        self.text = f"{{{members}}}"

    def canonical(self, values: Iterable[Any]) -> bytes:
        """Write the values, given in the order of the names."""
        return (self.text % tuple([_JSON[type(v)](v) for v in values])).encode()

    def digest(self, values: Iterable[Any]) -> bytes:
        """Return the SHA-256 of the kind, a line feed and the values."""
        return hashlib.sha256(self.kind + self.canonical(values)).digest()


PERSON = Form("nv-personal-1", PERSONAL)
ROW = Form("nv-row-1", (*FIXED, "personal"))
_AT = ROW.names.index("personal")


class _Microseconds(Func):
    """PostgreSQL's own reckoning: to make a `datetime` of each costs more than all the
    rest of a leaf."""

    template = "(extract(epoch from %(expressions)s) * 1000000)::bigint"
    output_field = BigIntegerField()

    def get_db_converters(self, connection: BaseDatabaseWrapper) -> list[Any]:
        return []  # a whole number, or None, as it comes: one call less for each time


def read(rows: QuerySet[Any]) -> Iterator[Row]:
    """Read rows by COLUMNS, the times in whole microseconds."""
    if connections[rows.db].vendor == "postgresql":
        asked = [_Microseconds(n) if n in TIMES else F(n) for n in COLUMNS]
        yield from rows.values_list(*asked).iterator(AT_ONCE)
        return
    for row in rows.values_list(*COLUMNS).iterator(AT_ONCE):
        yield tuple(microseconds(v) if type(v) is datetime else v for v in row)


def commitment_of(row: Row) -> bytes:
    """Return what the row's leaf says of its personal fields.

    The salt, which is erased with them, keeps anybody from guessing them.
    """
    return PERSON.digest(row[len(FIXED) : -1])


def is_forgotten(row: Row) -> bool:
    return bool(row[-1])


def leaf_of(row: Row) -> bytes:
    """Return the digest of a row that was read by COLUMNS. One that says to be
    forgotten and is not has another than it had before, and than it would have."""
    if not is_forgotten(row):
        commitment = commitment_of(row)
    elif any(row[len(FIXED) : -1]):
        commitment = hashlib.sha256(commitment_of(row) + bytes(row[-1])).digest()
    else:
        commitment = bytes(row[-1])
    return ROW.digest((*row[:_AT], commitment, *row[_AT : len(FIXED)]))
