"""Settled rows are sealed in batches, an hour behind."""

from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db import transaction

from .. import clocks, rollup
from ..models import Seal, Verification
from .chain import NOBODY, Kind, Until, append, hold, last_key_before
from .leaf import COLUMNS, ID, SETTLED_AT, Row, leaf_of, read

# No row is written or settled as late as this after its key was made, but those that
# wait for staff; and no server's clock is so wrong.
BEHIND = timedelta(hours=1)
A_BATCH = 10_000
# A quiet site seals that nothing was: nobody can add rows to those hours later.
QUIET = timedelta(hours=1)
_COUNTED = itemgetter(*map(COLUMNS.index, rollup.COUNTED))


def seal_due(*, seconds: float = 60, batch: int = A_BATCH) -> int:
    """Seal what is settled and old enough; return how many rows.

    In batches, each a transaction of its own, for as long as `seconds`. Does nothing
    while another process adds to the chain. Raise ClocksDiffer.
    """
    until, sealed = Until(seconds), 0
    while not until.is_over():
        link = _seal_next(clocks.agreed(), batch)
        if link is None:
            break
        sealed += link.rows
    return sealed


@transaction.atomic
def _seal_next(now: datetime, most: int) -> Seal | None:
    if not hold(wait=False):
        return None
    after, was_open = NOBODY, []
    if last := Seal.objects.filter(kind=Kind.ROWS).order_by("-number").first():
        after, was_open = last.last_id, last.open_ids
    upto = max(after, last_key_before(now - BEHIND))  # clocks may be set back
    # In one statement: of two, a row that settles meanwhile might be in neither.
    window = Verification.objects.filter(pk__gt=after, pk__lte=upto).order_by("pk")
    found = list(read(window[:most]))
    if len(found) == most:
        upto = found[-1][ID]
    late = Verification.objects.filter(pk__in=[UUID(bytes=key) for key in was_open])
    rows = [row for row in read(late) if row[SETTLED_AT]]
    rows += [row for row in found if row[SETTLED_AT]]
    if not rows and len(found) < most and not _is_quiet(last, now):
        return None
    # What was open and is gone stays on the list: the check names it.
    left_open = {*was_open, *(row[ID].bytes for row in found)}
    left_open -= {row[ID].bytes for row in rows}
    return _seal(sorted(rows, key=_id), left_open, now=now, after=after, upto=upto)


def _seal(
    rows: list[Row], left_open: set[bytes], *, now: datetime, after: UUID, upto: UUID
) -> Seal:
    rollup.add(map(_COUNTED, rows))
    return append(
        Kind.ROWS,
        now=now,
        rows=len(rows),
        after_id=after,
        last_id=upto,
        first_id=rows[0][ID] if rows else None,
        leaves=b"".join(row[ID].bytes + leaf_of(row) for row in rows),
        left_open=b"".join(sorted(left_open)),
    )


def _is_quiet(last: Seal | None, now: datetime) -> bool:
    return last is not None and now - last.made_at >= QUIET


def _id(row: Row) -> Any:
    return row[ID]
