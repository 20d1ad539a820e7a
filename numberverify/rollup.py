"""Totals of the history, by the hour and the day on which a verification began."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from django.db import connection, models

from .models import DayDuration, DayTotal, HourDuration, HourTotal

# What is read of a row, in this order.
COUNTED = (
    "created_at",
    "operator",
    "country",
    "purpose",
    "test",
    "method",
    "status",
    "reason",
    "previous",
    "operator_ms",
)
TOTAL = (*COUNTED[1:8], "fallback")
DURATION = (*COUNTED[1:5], "bucket")
HOUR = 3_600_000_000  # microseconds
TO_THE_OCTAVE = 4


@lru_cache(maxsize=100_000)
def bucket_of(milliseconds: int) -> int:
    """Return the bucket: 0 holds up to 1 ms, n what is above `bound_of(n - 1)`."""
    if milliseconds <= 1:
        return 0
    return math.ceil(TO_THE_OCTAVE * math.log2(milliseconds))


def bound_of(bucket: int) -> float:
    """Return the most milliseconds that a bucket holds: a fifth above its least."""
    return float(2 ** (bucket / TO_THE_OCTAVE))


def percentile(rows_of: Mapping[int, int], share: float) -> float | None:
    """Return the milliseconds below which `share` of the answers came, by buckets."""
    wanted = share * sum(rows_of.values())
    for bucket in sorted(rows_of):
        wanted -= rows_of[bucket]
        if wanted <= 0:
            return bound_of(bucket)
    return None


def add(rows: Iterable[Sequence[Any]]) -> None:
    """Count settled rows in, each once: in the transaction that seals them, which is
    one at a time. A row's `created_at` is in microseconds since 1970."""
    counted: Counter[tuple[Any, ...]] = Counter()
    for at, *said, previous, took in rows:
        bucket = None if took is None else bucket_of(took)
        counted[(at // HOUR, *said, previous is not None, bucket)] += 1
    for time, total, duration, of in (
        ("hour", HourTotal, HourDuration, _hour),
        ("day", DayTotal, DayDuration, _day),
    ):
        totals: Counter[tuple[Any, ...]] = Counter()
        durations: Counter[tuple[Any, ...]] = Counter()
        for (hour, *said, bucket), number in counted.items():
            totals[(of(hour), *said)] += number
            if bucket is not None:
                durations[(of(hour), *said[:4], bucket)] += number
        _add_to(total, (time, *TOTAL), totals)
        _add_to(duration, (time, *DURATION), durations)


def _hour(hour: int) -> datetime:
    return datetime.fromtimestamp(hour * 3600, UTC)


def _day(hour: int) -> date:
    return _hour(hour).date()


def _add_to(
    model: type[models.Model], names: tuple[str, ...], counted: Counter[tuple[Any, ...]]
) -> None:
    """In one statement, and its rows in one value: that the ORM first reads what there
    is, and that each value is bound by itself, took a third of the sealing."""
    table, columns = model._meta.db_table, (*names, "rows")
    when: Any = model._meta.get_field(names[0])  # an hour, or a day
    rows = [
        (when.get_db_prep_value(key[0], connection), *key[1:], number)
        for key, number in counted.items()
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) "
            f"{_select(model, columns)} WHERE true "
            f"ON CONFLICT ({', '.join(names)}) "
            f"DO UPDATE SET rows = {table}.rows + excluded.rows",
            [json.dumps(rows, default=str)],
        )


def _select(model: type[models.Model], columns: tuple[str, ...]) -> str:
    """Select the columns from a JSON array of arrays, which is the one parameter."""
    if connection.vendor == "sqlite":
        some = [f"json_extract(value, '$[{at}]')" for at in range(len(columns))]
        return f"SELECT {', '.join(some)} FROM json_each(%s)"  # noqa: S608
    types = [model._meta.get_field(name).db_type(connection) for name in columns]
    some = [f"(value->>{at})::{kind}" for at, kind in enumerate(types)]
    return f"SELECT {', '.join(some)} FROM json_array_elements(%s)"  # noqa: S608
