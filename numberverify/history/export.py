"""The rows that the filters show as CSV or JSON Lines, in batches by key.

Nothing is held between two batches: no transaction, no cursor, no pooled connection.
PostgreSQL writes the CSV itself; elsewhere we do, to the same bytes. What is cut, by
the time limit or by the database, says so in its last line.
"""

import csv
import io
import json
import math
import re
import time
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import CharField, F, Func, Q, TextField, Value
from django.db.models.functions import Cast, NullIf

from ..browser import give_back_connections
from ..deadline import TooSlow, deadline
from ..models import StaffRecord, Verification
from ..uuid7 import first_at
from .filters import Filters

AT_ONCE = 4_000  # rows
BATCH_SECONDS = 10.0  # in the database; one takes a twentieth of a second
Ending = StaffRecord.Ending
STOPPED_BY = {
    Ending.TIME: "the time limit was reached",
    Ending.DATABASE: "the database took too long over the next ones",
}
FORMATS = ("csv", "jsonl")
# The name of a column in the file, and what it is read from.
SOURCES = {
    "id": "pk",
    "started": "created_at",
    "settled": "settled_at",
    "redeemed": "redeemed_at",
    "outcome": "status",
    "reason": "reason",
    "asked_because": "asked_because",
    "purpose": "purpose",
    "action": "action",
    "method": "method",
    "operator": "operator",
    "operator_ms": "operator_ms",
    "sim_swap": "sim_swap",
    "country": "country",
    "number": "number_mask",
    "number_fingerprint": "number_fingerprint",
    "person": "user_id",
    "person_name": "user__{name}",
    "address": "ip",
    "browser": "user_agent",
    "follows": "previous",
    "attention": "attention",
    "test": "test",
    "wrong_codes": "tries",
    "text_messages": "sends",
}
COLUMNS = list(SOURCES)
TIMES = {"started", "settled", "redeemed"}
FLAGS = {"attention", "test"}
# These may begin with anything; all others are codes, keys and counts of ours.
FREE = {"action", "operator", "number", "person", "person_name", "browser"}
MAY_BE_EMPTY = {"reason", "sim_swap", "country"}
# What a spreadsheet takes for a formula, as East Asian keyboards type it, too, or does
# not show.
FORMULA = "=+-@\x7f\uff1d\uff0b\uff0d\uff20" + "".join(map(chr, range(32)))
CODES = ", ".join(str(ord(each)) for each in FORMULA if each != "\0")
# Where the comma is a decimal point, spreadsheets take these for the ends of cells.
INSIDE = "([;\t])([=+@\uff1d\uff0b\uff0d\uff20-])"

# Some whole lines, and how many rows they are.
Batch = tuple[bytes, int]
# The lines of a batch, and the key that the next one lies behind.
Read = tuple[list[bytes], UUID | None]


def batches(
    filters: Filters, form: str, *, seconds: float = math.inf
) -> Generator[Batch, None, Ending | None]:
    """Yield the rows in one of FORMATS, newest first, as many as have begun by now;
    return why not all of them, if so, for the last line has said it.

    What comes first is there at once: the names of a CSV's columns, and no row.
    """
    behind: UUID | None = first_at(time.time() + 1)
    yield (_Csv().lines([COLUMNS])[0] if form == "csv" else b""), 0
    read, until, written = _reader(form), time.monotonic() + seconds, 0
    while behind is not None:
        # A client that takes its time uses it up, too: a thread waits for it.
        late = time.monotonic() >= until
        found = Ending.TIME if late else _in_time(read, filters, behind)
        if isinstance(found, Ending):
            yield _cut(form, found, written, behind), 0
            return found
        lines, behind = found
        written += len(lines)
        if lines:
            yield b"".join(lines), len(lines)
    return None


def _in_time(
    read: Callable[[Filters, UUID], Read], filters: Filters, behind: UUID
) -> Read | Ending:
    try:
        with deadline(BATCH_SECONDS):
            return read(filters, behind)
    except TooSlow:
        return Ending.DATABASE
    finally:
        give_back_connections()  # the client may take its time


def _cut(form: str, ending: Ending, written: int, behind: UUID) -> bytes:
    """The last line of what is cut: in a CSV as wide as the others."""
    day = datetime.fromtimestamp((behind.int >> 80) / 1000, UTC).date().isoformat()
    so_far, go_on = (
        (f", down to {day}", f", or go on with To {day}") if written else ("", "")
    )
    says = (
        f"CUT: not all rows are here. Rows written: {written}{so_far}; then "
        f"{STOPPED_BY[ending]}. Narrow the dates{go_on}."
    )
    if form == "csv":
        return _Csv().lines([[says, *[""] * (len(COLUMNS) - 1)]])[0]
    cut = {"because": ending.value, "rows": written, "says": says}
    return f"{_JSON({'cut': cut | ({'until': day} if written else {})})}\n".encode()


def _reader(form: str) -> Callable[[Filters, UUID], Read]:
    if form == "jsonl":
        return _json_lines
    return _copied if connection.vendor == "postgresql" else _Csv().read


def _statement(filters: Filters, behind: UUID, columns: list[Any]) -> Any:
    """Return the statement of a batch, the key first in each of its rows."""
    within = filters.bounds() & Q(pk__lt=behind)
    parts = [Verification.objects.filter(part, within) for part in filters.parts()]
    if len(parts) == 1:
        return parts[0].order_by("-pk").values_list(*columns)[:AT_ONCE]
    found = []
    for part in parts:
        keys = part.order_by("-pk").values("pk")[:AT_ONCE]
        rows = Verification.objects.filter(pk__in=keys).order_by()
        found.append(rows.values_list(*columns))
    return found[0].union(*found[1:], all=True).order_by("-pk")[:AT_ONCE]


def _source(name: str) -> str:
    return SOURCES[name].format(name=get_user_model().USERNAME_FIELD)


def _values(filters: Filters, behind: UUID) -> tuple[list[Any], UUID | None]:
    rows = list(_statement(filters, behind, [_source(name) for name in COLUMNS]))
    return rows, rows[-1][0] if len(rows) == AT_ONCE else None


# By the database


class _Harmless(Func):
    template = (
        f"CASE WHEN ascii(%(expressions)s) IN ({CODES}) THEN '''' ELSE '' END "
        rf"|| regexp_replace(%(expressions)s, '{INSIDE}', '\1''\2', 'g')"
    )
    output_field = TextField()


class _Time(Func):
    template = """to_char(%(expressions)s, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
    output_field = TextField()


class _Hex(Func):
    template = "encode(%(expressions)s, 'hex')"
    output_field = TextField()


class _Host(Func):
    function = "host"
    output_field = TextField()


def _in_sql(name: str) -> Any:
    """The text of a cell; what is empty is NULL, which COPY does not quote."""
    column = F(_source(name))
    if name == "id":
        return "pk"
    if name in TIMES:
        return _Time(column)
    if name in FREE:
        text = Cast(column, TextField()) if name == "person" else column
        return NullIf(_Harmless(text), Value("", TextField()))
    if name in FLAGS:
        return Cast(column, TextField())
    if name == "number_fingerprint":
        return NullIf(_Hex(column), Value("", TextField()))
    if name == "address":
        return _Host(column)
    return NullIf(column, Value("", CharField())) if name in MAY_BE_EMPTY else column


def _copied(filters: Filters, behind: UUID) -> Read:
    rows = _statement(filters, behind, [_in_sql(name) for name in COLUMNS])
    compose: Any = connection.ops  # PostgreSQL's: COPY takes no parameters
    sql = compose.compose_sql(*rows.query.sql_with_params())
    copied = f"COPY ({sql}) TO STDOUT (FORMAT csv)"
    with (
        connection.wrap_database_errors,  # Django's own does not know COPY
        connection.cursor() as cursor,
        cursor.copy(copied) as copy,
    ):
        lines = [bytes(line) for line in copy]
    if len(lines) < AT_ONCE:
        return lines, None
    return lines, UUID(lines[-1].partition(b",")[0].decode())


# By us


class _Csv:
    """One writer over one buffer, for all rows."""

    def __init__(self) -> None:
        self.buffer = io.StringIO()
        # Its own end of line, since what is in that is quoted: both of \r and \n.
        self.writer = csv.writer(self.buffer, lineterminator="\r\n")

    def read(self, filters: Filters, behind: UUID) -> Read:
        rows, last = _values(filters, behind)
        return self.lines(map(_cells, rows)), last

    def lines(self, rows: Any) -> list[bytes]:
        found = []
        for row in rows:
            self.writer.writerow(row)
            found.append(f"{self.buffer.getvalue()[:-2]}\n".encode())
            self.buffer.seek(0)
            self.buffer.truncate()
        return found


def harmless(text: str) -> str:
    """Return the cell so that no spreadsheet takes it for a formula (OWASP, "CSV
    injection"): behind an apostrophe, where it or a part of it begins like one."""
    text = re.sub(INSIDE, r"\1'\2", text)
    return f"'{text}" if text[:1] and text[0] in FORMULA else text


def _time(at: datetime | None) -> str | None:
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds")[:23] + "Z"


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _free(value: Any) -> str:
    return "" if value is None else harmless(str(value))


def _bare(name: str) -> Callable[[Any], Any] | None:
    if name in TIMES:
        return _time
    return (lambda value: bytes(value).hex()) if name == "number_fingerprint" else None


def _in_python(name: str) -> Callable[[Any], Any] | None:
    if name in FREE:
        return _free
    return _flag if name in FLAGS else _bare(name)


# By the column's place, said once and not for every row.
IN_JSON = [(at, made) for at, name in enumerate(COLUMNS) if (made := _bare(name))]
IN_CSV = [(at, made) for at, name in enumerate(COLUMNS) if (made := _in_python(name))]


def _made(row: Any, by: list[tuple[int, Callable[[Any], Any]]]) -> list[Any]:
    cells = list(row)
    for at, make in by:
        cells[at] = make(cells[at])
    return cells


def _cells(row: Any) -> list[Any]:
    return _made(row, IN_CSV)


def _json_lines(filters: Filters, behind: UUID) -> Read:
    rows, last = _values(filters, behind)
    return [
        f"{_JSON(dict(zip(COLUMNS, _made(row, IN_JSON), strict=True)))}\n".encode()
        for row in rows
    ], last


_JSON = json.JSONEncoder(ensure_ascii=False, default=str).encode
