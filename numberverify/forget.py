"""A person is forgotten: what identifies them is erased from the history.

What remains says that somebody was verified, when, how and with what outcome. The seal
holds: in the place of what is erased stands the commitment that is in the row's leaf.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import BinaryField, Case, Max, Q, Value, When
from django.utils import timezone

from . import conf, policy, seal
from .choices import Status
from .models import Handoff, ManualRequest, StaffRecord, Verification
from .msisdn import Msisdn

STEP = 100  # rows in a statement
A_LINK = 5_000  # rows: PostgreSQL looks for each of them in the whole link
BLANK = "forgotten"
COLUMNS = {"fingerprint": "number_fingerprint", "address": "ip"}  # by the filter's name


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many rows were erased; and `left` that may not be yet, but from `at` on.

    Rows of the last hour count wrong codes and close ways: erased, they would open
    again what a "no match" has closed.
    """

    rows: int
    left: int
    at: datetime | None


def person(user: Any, *, by: str, reason: str) -> Forgotten:
    """Erase the person from the rows of theirs, and from those of nobody about a number
    that is on file or was (NV_FINGERPRINTS_OF). The site erases what leads to them from
    its own (NV_FORGET). The account stays. All of it happens, or nothing.

    `by` and `reason` stay in the chain, for good: neither may name the person.
    """
    return _forget(user, conf.fingerprints_of(user), by=by, reason=reason)


def outlook(user: Any) -> Forgotten:
    """Say what `person` would erase now and what it would leave."""
    now = timezone.now()
    rows = Verification.objects.filter(_of(user, conf.fingerprints_of(user)))
    settled = rows.filter(settled_at__lte=now - policy.CLOSED_FOR)
    left, at = _left(rows.filter(settled_at__gt=now - policy.CLOSED_FOR))
    if still_open := rows.filter(settled_at=None).count():  # ended by it
        left, at = left + still_open, now + policy.CLOSED_FOR
    return Forgotten(settled.count(), left, at)


def number(msisdn: Msisdn, *, by: str, reason: str) -> Forgotten:
    """Erase a number from the rows that belong to no account: of those who never
    finished a signup, or have closed theirs."""
    return _forget(None, set(conf.fingerprints(msisdn)), by=by, reason=reason)


def others_with(msisdn: Msisdn) -> list[Any]:
    """Return the keys of the accounts that have rows about this number."""
    rows = Verification.objects.filter(
        number_fingerprint__in=conf.fingerprints(msisdn),
        user__isnull=False,
        settled_at__isnull=False,
    )
    return sorted(set(rows.order_by().values_list("user", flat=True)))


def _of(user: Any, marks: Collection[bytes]) -> Q:
    """Never of another person: numbers are given to somebody else."""
    nobodys = Q(user=None, number_fingerprint__in=marks)
    return nobodys if user is None else nobodys | Q(user=user)


@transaction.atomic
def _forget(user: Any, marks: set[bytes], *, by: str, reason: str) -> Forgotten:
    now = timezone.now()
    which = _of(user, marks)
    rows = Verification.objects.filter(which)
    # Nobody goes on with what is erased. By the index of open rows.
    rows.filter(settled_at=None).settle(Status.EXPIRED, now=now)
    settled = rows.filter(settled_at__isnull=False)
    since = now - policy.CLOSED_FOR
    due, late = (
        settled.filter(settled_at__lte=since),
        settled.filter(settled_at__gt=since),
    )
    addresses = set(due.exclude(ip=None).order_by().values_list("ip", flat=True))
    keys = list(due.order_by("pk").values_list("pk", flat=True))
    # What staff wrote about the person, though not that they did. Before any row, as
    # the purge does: so neither waits for the other in a circle.
    for some in _steps(keys, STEP):
        written = ManualRequest.objects.filter(verification__in=some)
        written.update(reason="", evidence="")
    erased = 0
    for some in _steps(keys, A_LINK):
        erased += _erase(which, some, now=now, by=by, reason=reason)
    # The site finds rows of the last hour by its own the next time.
    stay = late.order_by().values_list("number_fingerprint", flat=True)
    over = marks - set(map(bytes, stay))
    # After the verifications, in the order in which everybody locks rows.
    conf.forget(user, over)
    _blank_records("fingerprint", {mark.hex(): mark for mark in over})
    _blank_records("address", {str(address): address for address in addresses})
    return Forgotten(erased, *_left(late))


def _blank_records(name: str, values: Mapping[str, Any]) -> None:
    """Blank the filters of exports that led to the person, where no row is left with
    that value: one that others share leads to nobody."""
    column = COLUMNS[name]
    exports = StaffRecord.objects.filter(
        kind=StaffRecord.Kind.EXPORT, details__filters__has_key=name
    )
    for record in exports:
        filters = record.details["filters"]
        mine = [values[each] for each in _parts(filters[name]) if each in values]
        if mine and not any(_is_left(column, value) for value in mine):
            blanked = record.details | {"filters": filters | {name: BLANK}}
            StaffRecord.objects.filter(pk=record.pk).update(details=blanked)


def _parts(value: str) -> list[str]:
    return [value, *value.split("-")]  # a number has a fingerprint under each key


def _is_left(column: str, value: Any) -> bool:
    """Each of the two has its index."""
    rows = Verification.objects.filter(**{column: value})
    in_time = rows.filter(settled_at__isnull=False).exists()
    return in_time or rows.filter(settled_at=None).exists()


def _left(rows: Any) -> tuple[int, datetime | None]:
    newest = rows.aggregate(at=Max("settled_at"))["at"]
    return rows.count(), newest + policy.CLOSED_FOR if newest else None


def _steps(all_of_them: list[Any], size: int) -> Iterator[list[Any]]:
    for at in range(0, len(all_of_them), size):
        yield all_of_them[at : at + size]


def _erase(which: Q, keys: list[UUID], *, now: datetime, by: str, reason: str) -> int:
    seal.hold(wait=True)
    found: list[Any] = []
    for some in _steps(keys, STEP):
        rows = Verification.objects.filter(which, pk__in=some, commitment=b"")
        locked = rows.order_by("pk").select_for_update()
        found += locked.values_list(*seal.COLUMNS)
    if found:
        # First: PostgreSQL erases no sealed row that the chain does not tell of.
        seal.append(
            seal.Kind.FORGOTTEN,
            now=now,
            rows=len(found),
            leaves=b"".join(row[seal.ID].bytes for row in found),
            by=by[:100],
            reason=reason[:200],
        )
    for some in _steps(found, STEP):
        _blank(some)
    return len(found)


def _blank(rows: list[Any]) -> None:
    _forget_links([row[seal.ID] for row in rows])
    _blank_rows(rows)


def _forget_links(keys: list[UUID]) -> None:
    """Links to phones know two browsers, and a while what was to be confirmed."""
    by = Q(pk__in=keys) | Q(verification__in=keys)
    Handoff.objects.filter(by).delete()


def _blank_rows(rows: list[Any]) -> None:
    """In one statement: one for each row is a hundred times as many, and on SQLite
    everybody waits for them."""
    told = [When(pk=row[seal.ID], then=Value(seal.commitment_of(row))) for row in rows]
    Verification.objects.filter(pk__in=[row[seal.ID] for row in rows]).update(
        user=None,
        commitment=Case(*told, output_field=BinaryField()),
        **seal.PERSONAL,
    )
