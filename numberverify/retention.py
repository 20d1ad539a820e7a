"""Verifications are kept no longer than needed.

Whole sealed batches go, oldest first. The chain says so before the first row is
deleted, so that a row that is gone is never one that somebody took away.
"""

import time
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from . import clocks, conf, seal
from .deadline import TooSlow, deadline
from .models import ManualRequest, Seal, Verification

STEP_TAKES = 0.01  # seconds: a tenth of what a login may be held up
LIMIT = 0.05  # seconds after which the database stops a statement of it
LEAST, FIRST, MOST = 50, 100, 2_000  # rows in a step
# After each step, as many times as long as it took: logins come first.
PAUSE = 6


@dataclass(slots=True)
class Purged:
    batches: int = 0
    rows: int = 0


def due(now: datetime) -> list[Seal]:
    """Return the batches that are older than NV_RETENTION_DAYS, oldest first."""
    days = conf.retention_days()
    if not days:
        return []
    purged = Seal.objects.filter(kind=seal.Kind.PURGED).order_by("-number").first()
    batches = Seal.objects.filter(
        kind=seal.Kind.ROWS,
        rows__gt=0,
        number__gt=(purged.of or 0) if purged else 0,
        last_id__lte=seal.last_key_before(now - timedelta(days=days)),
    )
    return list(batches.defer("leaves", "left_open").order_by("number"))


def purge_due(*, seconds: float = 60) -> Purged:
    """Delete what is due, in small steps, for as long as `seconds`; the next call goes
    on where this one stopped. Raise ClocksDiffer."""
    until, purged, step = seal.Until(seconds), Purged(), FIRST
    waiting = [*_under_way(), *due(clocks.agreed())]
    for batch in waiting:
        if until.is_over():
            break
        there = _there_of(batch)  # before the mark, so that the chain is held briefly
        is_marked = Seal.objects.filter(of=batch.number).exists()
        if not is_marked and not _mark(batch, forgotten=sum(there.values())):
            break  # another process is at it
        left = list(there)
        while left and not until.is_over():
            began = time.monotonic()
            deleted = _delete_within(left[:step])
            took = max(time.monotonic() - began, 0.001)
            time.sleep(min(took, 2 * LIMIT) * PAUSE)  # not for a lock's long wait
            if deleted is None:
                step = max(1, step // 4)
                continue
            purged.rows += deleted
            left = left[step:]
            step = next_step(step, took)
        if not left:
            purged.batches += 1
    return purged


def next_step(step: int, took: float) -> int:
    """Return how many rows the next step deletes, when one of `step` took so long."""
    fitting = min(int(step * STEP_TAKES / took), step * 2)
    return max(min(LEAST, step * 2), min(fitting, MOST))


def _under_way() -> list[Seal]:
    """Return the batch whose purge has begun and not ended, if there is one."""
    last = Seal.objects.filter(kind=seal.Kind.PURGED).order_by("-number").first()
    if last is None:
        return []
    batch = Seal.objects.defer("leaves", "left_open").get(pk=last.of or 0)
    return [batch] if _there_of(batch) else []


@transaction.atomic
def _mark(batch: Seal, *, forgotten: int) -> bool:
    """Have the chain say that this batch goes; False if another process was quicker."""
    if not seal.hold(wait=True) or Seal.objects.filter(of=batch.number).exists():
        return False
    seal.append(
        seal.Kind.PURGED,
        now=timezone.now(),
        rows=batch.rows,
        of=batch.number,
        purged_to=batch.last_id,
        days=conf.retention_days(),
        forgotten=forgotten,
    )
    return True


def _delete_within(keys: list[UUID]) -> int | None:
    """Delete these rows; return how many there were. None: it took too long, and they
    are there."""
    try:
        # A single row has to go in the end, on the slowest disk as well.
        with deadline(LIMIT) if len(keys) > 1 else nullcontext():
            return _delete(keys)
    except TooSlow:
        return None


@transaction.atomic
def _delete(keys: list[UUID]) -> int:
    """Delete these rows, with what staff wrote about them, without loading them."""
    if connection.vendor == "postgresql":
        # No step waits for the disk: what a crash brings back, the next run deletes.
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit TO OFF")
    ManualRequest.objects.filter(verification__in=keys).delete()
    rows = Verification.objects.filter(pk__in=keys)
    return rows._raw_delete(rows.db)


def _there_of(batch: Seal) -> dict[UUID, bool]:
    """Return the keys of the batch's rows that are there, oldest first, and of each
    whether it was forgotten.

    Its range is read in one piece: ten thousand keys are slow to ask for. By its key is
    read what began before; what is in the range and of another batch is left out.
    """
    sealed = Seal.objects.get(pk=batch.number).digests
    late = [UUID(bytes=key) for key in sealed if key <= batch.after_id.bytes]
    of_range = Q(pk__gt=batch.after_id, pk__lte=batch.last_id)
    rows = Verification.objects.filter(of_range | Q(pk__in=late)).order_by("pk")
    found = rows.values_list("pk", "commitment")
    return {key: bool(told) for key, told in found if key.bytes in sealed}
