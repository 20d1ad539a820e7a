"""Is everything as it was sealed? What is not is named.

Rows may be written, forgotten and purged meanwhile: each check bears with it.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.utils import timezone

from .. import conf
from ..models import Seal, Verification
from ..models.seals import keys_in
from .chain import NOBODY, Kind, first_key, last_key_before
from .findings import Checked, Finding
from .leaf import AT_ONCE, CREATED_AT, ID, is_forgotten, leaf_of, read
from .links import check_chain, read_erased

# The key of a row and its `created_at` are of one reading of one clock.
APART = timedelta(minutes=5) // timedelta(microseconds=1)
AHEAD = timedelta(hours=1)
ALWAYS = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
LAST = UUID(int=2**128 - 1)


def check(
    done: Checked,
    *,
    since: datetime = ALWAYS[0],
    until: datetime = ALWAYS[1],
    rows: bool = True,
    days: int | None = None,
) -> Iterator[Finding]:
    """Yield what is wrong with the chain, and with the rows that began in the time
    given. `days` is the least that rows were ever kept; now, where it is not given.
    """
    first = first_key(since)
    last = LAST if until == ALWAYS[1] else first_key(until)
    if days is None:
        days = conf.retention_days()
    yield from check_chain(done, first, last, days=days)
    if not rows:
        return
    was: tuple[int, set[bytes]] = (0, set())
    for number, before in done.wanted:
        link = Seal.objects.filter(pk=number).first()
        if link is None:
            yield Finding("link", f"{number} went missing meanwhile")
            continue
        was_open = was[1] if was[0] == before else set()
        yield from _check_batch(done, link, was_open)
        was = number, set(link.open_ids)
    yield from _check_what_was_open(done, first, last)
    yield from _check_what_is_open(done, first, last)
    yield from _check_what_is_not_sealed(done, first, last)
    yield from _check_what_is_ahead(first, last)


def _check_batch(done: Checked, link: Seal, was_open: set[bytes]) -> Iterator[Finding]:
    number, leaves, left_open = link.number, link.digests, set(link.open_ids)
    yield from _check_lists(link, leaves)
    for key in sorted(was_open - left_open - leaves.keys()):
        yield _left_out(number, key)
    in_range = Verification.objects.filter(pk__gt=link.after_id, pk__lte=link.last_id)
    for row in read(in_range.order_by("pk")):
        key = row[ID].bytes
        if key in leaves:
            yield from _check_row(done, row, key, leaves.pop(key), number)
        elif key not in left_open:
            yield Finding("added", f"not there when batch {number} was sealed", row[ID])
    yield from _check_late(done, link, leaves)
    done.batches += 1


def _check_lists(link: Seal, leaves: dict[bytes, bytes]) -> Iterator[Finding]:
    number = link.number
    if hashlib.sha256(link.leaves).digest() != bytes(link.leaves_digest):
        yield Finding("link", f"{number} was changed: its leaves are not those sealed")
    if hashlib.sha256(link.left_open).digest() != bytes(link.left_open_digest):
        yield Finding("link", f"{number} was changed: its open rows are not those kept")
    if len(leaves) != link.rows:
        yield Finding("link", f"{number} has {len(leaves)} leaves for {link.rows} rows")


def _check_late(
    done: Checked, link: Seal, leaves: dict[bytes, bytes]
) -> Iterator[Finding]:
    """Check the leaves that are left: of rows that began before the batch's own, or
    are gone."""
    late = [UUID(bytes=key) for key in leaves if key <= link.after_id.bytes]
    for at in range(0, len(late), AT_ONCE):
        some = Verification.objects.filter(pk__in=late[at : at + AT_ONCE])
        for row in read(some):
            key = row[ID].bytes
            yield from _check_row(done, row, key, leaves.pop(key), link.number)
    # Asked only now, since a purge may have begun meanwhile.
    if leaves and not Seal.objects.filter(kind=Kind.PURGED, of=link.number).exists():
        for key in sorted(leaves):
            says = f"sealed in batch {link.number}"
            yield Finding("missing", says, UUID(bytes=key))


def _check_row(
    done: Checked, row: Any, key: bytes, digest: bytes, number: int
) -> Iterator[Finding]:
    done.rows += 1
    if leaf_of(row) != digest:
        yield Finding("changed", f"not what batch {number} sealed", row[ID])
    began = row[CREATED_AT]
    if not -APART <= (row[ID].int >> 80) * 1000 - began <= APART:
        yield _of_another_time(row[ID], began)
    if is_forgotten(row):
        done.forgotten += 1
        yield from _check_erased(done, key)
    elif key in done.erased:
        yield from _check_kept(done, key)


def _of_another_time(key: UUID, began: int) -> Finding:
    says = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=began)
    return Finding("time", f"it says that it began {says:%Y-%m-%d %H:%M:%S} UTC", key)


def _check_erased(done: Checked, key: bytes) -> Iterator[Finding]:
    if key not in done.erased:
        read_erased(done)  # a person may have been forgotten meanwhile
    if key not in done.erased:
        says = "erased, and the chain does not tell of it"
        yield Finding("forgotten", says, UUID(bytes=key))


def _check_kept(
    done: Checked, key: bytes, *, or_gone: bool = False
) -> Iterator[Finding]:
    """Is a row that the chain tells was erased there as it was before?"""
    row, says = UUID(bytes=key), f"link {done.erased[key]} tells that it was erased"
    # Asked once more: it may have been erased after it was read.
    asked = Verification.objects.filter(pk=row).values_list("commitment", flat=True)
    there = asked.first()
    if there is not None and not there:
        yield Finding("forgotten", f"{says}, and it is not", row)
    elif there is None and or_gone:
        yield Finding("missing", says, row)


def _check_what_was_open(done: Checked, first: UUID, last: UUID) -> Iterator[Finding]:
    """Find the rows that a list of open ones left out, in the batches of other parts:
    a row of this one may be left out of any that follows."""
    looked_at = {
        number for (was, _), (number, before) in pairwise(done.wanted) if before == was
    }
    was_open: set[bytes] = set()
    batches = Seal.objects.filter(kind=Kind.ROWS).order_by("number")
    for number, packed in batches.values_list("number", "left_open").iterator(AT_ONCE):
        keys = keys_in(bytes(packed))
        now_open = {key for key in keys if first.bytes <= key < last.bytes}
        over = was_open - now_open
        if over and number not in looked_at:
            over -= Seal.objects.get(pk=number).digests.keys()
            for key in sorted(over):
                yield _left_out(number, key)
        was_open = now_open


def _left_out(number: int, key: bytes) -> Finding:
    says = f"open before batch {number}, and in neither of its lists"
    return Finding("missing", says, UUID(bytes=key))


def _check_what_is_open(done: Checked, first: UUID, last: UUID) -> Iterator[Finding]:
    """Find the rows that were open when their range was sealed, and are gone, or are
    erased since."""
    newest = Seal.objects.filter(kind=Kind.ROWS).order_by("-number").first()
    keys = [UUID(bytes=key) for key in newest.open_ids] if newest else []
    keys = [key for key in keys if first <= key < last]
    for at in range(0, len(keys), AT_ONCE):
        some = keys[at : at + AT_ONCE]
        rows = Verification.objects.filter(pk__in=some)
        there = dict(rows.values_list("pk", "commitment"))
        for key in some:
            if key not in there:
                yield Finding("missing", "it was open when its range was sealed", key)
            elif there[key]:
                yield from _check_erased(done, key.bytes)
            elif key.bytes in done.erased:
                yield from _check_kept(done, key.bytes)


def _check_what_is_not_sealed(
    done: Checked, first: UUID, last: UUID
) -> Iterator[Finding]:
    """Of rows that are not sealed yet one thing is known: which of them are erased."""
    read_erased(done)
    end = done.head.last_id if done.head else NOBODY
    rows = Verification.objects.filter(pk__gt=end, pk__gte=first, pk__lt=last)
    erased = rows.exclude(commitment=b"").order_by("pk").values_list("pk", flat=True)
    there = {key.bytes for key in erased}
    for key in sorted(there):
        yield from _check_erased(done, key)
    for key in sorted(done.erased.keys() - there):
        if key > end.bytes and first.bytes <= key < last.bytes:
            yield from _check_kept(done, key, or_gone=True)


def _check_what_is_ahead(first: UUID, last: UUID) -> Iterator[Finding]:
    latest = last_key_before(timezone.now() + AHEAD)
    ahead = Verification.objects.filter(pk__gt=latest, pk__gte=first, pk__lte=last)
    for key in ahead.order_by("pk").values_list("pk", flat=True).iterator(AT_ONCE):
        yield Finding("time", "its key is of a time that has not come", key)
