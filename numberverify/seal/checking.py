"""Is everything as it was sealed? What is not is named.

Rows may be written, forgotten and purged meanwhile: each check bears with it.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from ..models import Seal, Verification
from .chain import NOBODY, Kind, digest_of_link, first_key, links
from .leaf import AT_ONCE, ID, VERSION, is_forgotten, leaf_of, read

CLOCKS_DIFFER = timedelta(minutes=10)
ALWAYS = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and where: at a row, or at a link of the chain."""

    what: str  # changed, missing, added, link, purge, forgotten
    says: str
    row: UUID | None = None

    def __str__(self) -> str:
        if self.row is None:
            return f"{self.what}: {self.says}"
        try:
            began = datetime.fromtimestamp((self.row.int >> 80) / 1000, UTC)
        except (ValueError, OverflowError):  # no key of ours
            return f"{self.what}: {self.row}: {self.says}"
        return (
            f"{self.what}: {self.row}, begun {began:%Y-%m-%d %H:%M:%S} UTC: {self.says}"
        )


@dataclass(slots=True)
class Checked:
    """How much was looked at: filled in on the way."""

    links: int = 0
    batches: int = 0
    rows: int = 0
    forgotten: int = 0
    purged: int = 0
    head: Seal | None = None
    _told: int = 0  # rows that the chain says are forgotten, and there yet
    _batches: list[int] = field(default_factory=list)
    _purged: set[int] = field(default_factory=set)


def check(
    done: Checked,
    *,
    since: datetime = ALWAYS[0],
    until: datetime = ALWAYS[1],
    rows: bool = True,
) -> Iterator[Finding]:
    """Yield what is wrong with the chain, and with the rows that began in the time
    given."""
    first, last = first_key(since), first_key(until)
    yield from _check_chain(done, first, last)
    if not rows:
        return
    for number in done._batches:
        yield from _check_batch(done, number)
    if (since, until) == ALWAYS:
        yield from _check_what_is_open(done)
        yield from _check_forgotten(done)


def _check_chain(done: Checked, first: UUID, last: UUID) -> Iterator[Finding]:
    was: Seal | None = None
    batches: dict[int, tuple[UUID, int, datetime]] = {}
    for link in links().iterator(AT_ONCE):
        for says in _faults_of(link, was):
            yield Finding("link", f"{link.number} {says}")
        if link.kind == Kind.ROWS:
            batches[link.number] = (link.last_id, link.rows, link.made_at)
            begins = min(filter(None, [link.after_id, link.first_id]))
            if begins < last and link.last_id >= first:
                done._batches.append(link.number)
        elif link.kind == Kind.PURGED:
            yield from _faults_of_purge(link, batches.get(link.of or 0))
            done._purged.add(link.of or 0)
        done._told += link.rows if link.kind == Kind.FORGOTTEN else -link.forgotten
        done.links += 1
        done.head = was = link
    done.purged = len(done._purged)


def _faults_of(link: Seal, was: Seal | None) -> Iterator[str]:
    """Say what is wrong with a link, after the one that was before it."""
    expected = was.number + 1 if was else 1
    if link.number > expected:
        gone = range(expected, link.number)
        yield f"follows on none: {', '.join(map(str, gone[:9]))} missing"
    elif bytes(link.previous_digest) != (bytes(was.digest) if was else b""):
        yield "does not hold the digest of the link before it"
    if link.version != VERSION:
        yield f"is of version {link.version}, which this program does not know"
    elif bytes(link.digest) != digest_of_link(link):
        yield "was changed: its digest does not hold"
    if was and link.made_at < was.made_at - CLOCKS_DIFFER:
        yield "says to be older than the link before it"
    if link.made_at > timezone.now() + CLOCKS_DIFFER:
        yield "says to be of a time that has not come"
    after = was.last_id if was else NOBODY
    if link.number == expected and link.after_id != after:
        yield "does not begin where the link before it ends"
    if link.last_id < link.after_id or (
        link.kind != Kind.ROWS and link.last_id != link.after_id
    ):
        yield "ends where it cannot"


def _faults_of_purge(
    link: Seal, batch: tuple[UUID, int, datetime] | None
) -> Iterator[Finding]:
    if batch is None:
        yield Finding("purge", f"{link.number} is of no batch before it: {link.of}")
        return
    last_id, rows, _made = batch
    newest = datetime.fromtimestamp((last_id.int >> 80) / 1000, UTC)
    if not link.days or link.made_at - newest < timedelta(days=link.days):
        kept = link.made_at - newest
        yield Finding(
            "purge",
            f"{link.number} took batch {link.of} after {kept.days} days, before its "
            f"time of {link.days}",
        )
    if link.rows != rows or link.purged_to != last_id:
        yield Finding("purge", f"{link.number} is not of what batch {link.of} holds")


def _check_batch(done: Checked, number: int) -> Iterator[Finding]:
    link = Seal.objects.filter(pk=number).first()
    if link is None:
        yield Finding("link", f"{number} went missing meanwhile")
        return
    if hashlib.sha256(link.leaves).digest() != bytes(link.leaves_digest):
        yield Finding("link", f"{number} was changed: its leaves are not those sealed")
    if hashlib.sha256(link.left_open).digest() != bytes(link.left_open_digest):
        yield Finding("link", f"{number} was changed: its open rows are not those kept")
    leaves = link.digests
    if len(leaves) != link.rows:
        yield Finding("link", f"{number} has {len(leaves)} leaves for {link.rows} rows")
    left_open = set(link.open_ids)
    in_range = Verification.objects.filter(pk__gt=link.after_id, pk__lte=link.last_id)
    for row in read(in_range.order_by("pk")):
        key = row[ID].bytes
        if key in leaves:
            yield from _check_row(done, row, leaves.pop(key), number)
        elif key not in left_open:
            yield Finding("added", f"not there when batch {number} was sealed", row[ID])
    yield from _check_late(done, link, leaves)
    done.batches += 1


def _check_late(
    done: Checked, link: Seal, leaves: dict[bytes, bytes]
) -> Iterator[Finding]:
    """Check the leaves that are left: of rows that began before the batch's own, or
    are gone."""
    late = [UUID(bytes=key) for key in leaves if key <= link.after_id.bytes]
    for at in range(0, len(late), AT_ONCE):
        some = Verification.objects.filter(pk__in=late[at : at + AT_ONCE])
        for row in read(some):
            digest = leaves.pop(row[ID].bytes)
            yield from _check_row(done, row, digest, link.number)
    # Asked only now, since a purge may have begun meanwhile.
    if leaves and not Seal.objects.filter(kind=Kind.PURGED, of=link.number).exists():
        for key in sorted(leaves):
            says = f"sealed in batch {link.number}"
            yield Finding("missing", says, UUID(bytes=key))


def _check_row(
    done: Checked, row: Any, digest: bytes, number: int
) -> Iterator[Finding]:
    done.rows += 1
    if is_forgotten(row) and number not in done._purged:
        done.forgotten += 1
    if leaf_of(row) != digest:
        yield Finding("changed", f"not what batch {number} sealed", row[ID])


def _check_what_is_open(done: Checked) -> Iterator[Finding]:
    """Find the rows that were open when their range was sealed, and are gone."""
    newest = Seal.objects.filter(kind=Kind.ROWS).order_by("-number").first()
    keys = [UUID(bytes=key) for key in newest.open_ids] if newest else []
    for at in range(0, len(keys), AT_ONCE):
        some = keys[at : at + AT_ONCE]
        there = Verification.objects.filter(pk__in=some).values_list("pk", flat=True)
        for key in sorted(set(some) - set(there)):
            yield Finding("missing", "it was open when its range was sealed", key)


def _check_forgotten(done: Checked) -> Iterator[Finding]:
    """Count the rows that say to be forgotten: no more than the chain tells of."""
    newest = done.head.last_id if done.head else NOBODY
    not_sealed = Verification.objects.filter(pk__gt=newest).exclude(commitment=b"")
    there = done.forgotten + not_sealed.count()
    head = done.head.number if done.head else 0
    since = Seal.objects.filter(kind=Kind.FORGOTTEN, number__gt=head)
    told = done._told + sum(since.values_list("rows", flat=True))
    if there > told:
        says = f"{there} rows are erased, and the chain tells of {told}"
        yield Finding("forgotten", says)
