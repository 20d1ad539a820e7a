"""Does the chain hold, and what does it tell of?"""

import hashlib
from collections import deque
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.db.models import BinaryField, Case, F, QuerySet, When
from django.utils import timezone

from ..models import Seal
from ..models.seals import keys_in
from .chain import NOBODY, Kind, digest_of_link, last_key_before, links
from .findings import Batch, Checked, Finding, Told, time_of
from .leaf import VERSION
from .sealing import BEHIND

CLOCKS_DIFFER = timedelta(minutes=10)


def check_chain(
    done: Checked, first: UUID, last: UUID, *, days: int
) -> Iterator[Finding]:
    """Yield what is wrong with the links, and fill in what they tell of.

    `days`: no purge may have taken what was younger; nought: there may be none.
    """
    was: Seal | None = None
    batches: dict[int, Batch] = {}
    full: deque[int] = deque()  # those with rows that are there yet, oldest first
    before = 0
    for link in _links():
        for says in _faults_of(link, was):
            yield Finding("link", f"{link.number} {says}")
        if link.kind == Kind.ROWS:
            batches[link.number] = _batch_of(link)
            if link.rows:
                full.append(link.number)
            begins = min(filter(None, [link.after_id, link.first_id]))
            if begins < last and link.last_id >= first:
                done.wanted.append((link.number, before))
            before = link.number
        elif link.kind == Kind.PURGED:
            yield from _check_purge(done, link, batches.get(link.of or 0), full, days)
        else:
            yield from _check_erasing(done, link)
        done.links += 1
        done.head = was = link


def read_erased(done: Checked) -> None:
    """Take in who was forgotten since the chain was read."""
    for link in _links().filter(number__gt=done.erased_to, kind=Kind.FORGOTTEN):
        _tell(done, link)


def _links() -> QuerySet[Seal]:
    """Read what a link is, and of the long only the keys of what was erased."""
    keys = When(kind=Kind.FORGOTTEN, then=F("leaves"))
    return links().annotate(erased=Case(keys, output_field=BinaryField()))


def _batch_of(link: Seal) -> Batch:
    return Batch(link.number, link.rows, link.first_id, link.last_id)


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
    if not _ends_well(link):
        yield "ends where it cannot"


def _ends_well(link: Seal) -> bool:
    if link.kind != Kind.ROWS:
        return link.last_id == link.after_id
    # One that ends in the time to come would keep all rows until then from a seal.
    latest = last_key_before(link.made_at - BEHIND + CLOCKS_DIFFER)
    return link.after_id <= link.last_id <= max(latest, link.after_id)


def _check_purge(
    done: Checked, link: Seal, batch: Batch | None, full: deque[int], days: int
) -> Iterator[Finding]:
    if batch is None:
        yield Finding("purge", f"{link.number} is of no batch before it: {link.of}")
        return
    says = f"of batch {batch.number}, begun {batch.span}, after {link.days} days"
    done.purges.append(Told(link.number, link.made_at, link.rows, says))
    for fault in _faults_of_purge(link, batch, full, days):
        yield Finding("purge", f"{link.number} {fault}")
    if batch.number in full:
        full.remove(batch.number)


def _faults_of_purge(
    link: Seal, batch: Batch, full: deque[int], days: int
) -> Iterator[str]:
    newest = time_of(batch.last_id)
    kept = link.made_at - newest if newest else timedelta()
    what = f"took batch {batch.number}, {batch.rows} rows begun {batch.span}, after"
    if not link.days or kept < timedelta(days=link.days):
        yield f"{what} {kept.days} days, before its time of {link.days}"
    elif not days or link.days < days:
        limit = f"rows are kept for {days}" if days else "all is kept for ever"
        yield f"{what} {link.days} days, where {limit}"
    if full and full[0] < batch.number:
        yield f"took batch {batch.number} while {full[0]}, which is older, was kept"
    if link.rows != batch.rows or link.purged_to != batch.last_id:
        yield f"is not of what batch {batch.number} holds"


def _check_erasing(done: Checked, link: Seal) -> Iterator[Finding]:
    says = f"by {link.by or 'nobody'}: {link.reason or 'no reason'}"
    done.erasings.append(Told(link.number, link.made_at, link.rows, says))
    if again := _tell(done, link):
        says = f"{link.number} tells again of what {again} tells"
        yield Finding("link", says)
    if hashlib.sha256(_erased(link)).digest() != bytes(link.leaves_digest):
        says = f"{link.number} was changed: its keys are not those told of"
        yield Finding("link", says)
    if len(_erased(link)) != 16 * link.rows:
        found = len(_erased(link)) // 16
        yield Finding("link", f"{link.number} has {found} keys for {link.rows} rows")


def _tell(done: Checked, link: Seal) -> int | None:
    """Return the link that told of one of its keys before."""
    again = None
    for key in keys_in(_erased(link)):
        again = done.erased.get(key, again)
        done.erased[key] = link.number
    done.erased_to = link.number
    return again


def _erased(link: Seal) -> bytes:
    keys: bytes = getattr(link, "erased")  # noqa: B009 - an annotation
    return bytes(keys or b"")
