"""A person is forgotten: what identifies them is erased from the history.

What remains says that somebody was verified, when, how and with what outcome. The seal
holds: in the place of what is erased stands the commitment that is in the row's leaf.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from . import conf, policy, seal
from .choices import Status
from .models import ManualRequest, Verification
from .msisdn import Msisdn

STEP = 100  # rows in a transaction


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
    """Erase the person from the rows of theirs, and from those of nobody about the
    number on file. The account stays.

    `by` and `reason` stay in the chain, for good: neither may name the person.
    """
    return _forget(_of_person(user), by=by, reason=reason)


def outlook(user: Any) -> Forgotten:
    """Say what `person` would erase now and what it would leave."""
    now = timezone.now()
    rows = Verification.objects.filter(_of_person(user))
    settled = rows.filter(settled_at__lte=now - policy.CLOSED_FOR)
    left, at = _left(rows.filter(settled_at__gt=now - policy.CLOSED_FOR))
    if still_open := rows.filter(settled_at=None).count():  # ended by it
        left, at = left + still_open, now + policy.CLOSED_FOR
    return Forgotten(settled.count(), left, at)


def number(msisdn: Msisdn, *, by: str, reason: str) -> Forgotten:
    """Erase a number from the rows that belong to no account: of those who never
    finished a signup, or have closed theirs."""
    return _forget(_of_nobody(msisdn), by=by, reason=reason)


def others_with(msisdn: Msisdn) -> list[Any]:
    """Return the keys of the accounts that have rows about this number."""
    rows = Verification.objects.filter(
        number_fingerprint__in=conf.fingerprints(msisdn),
        user__isnull=False,
        settled_at__isnull=False,
    )
    return sorted(set(rows.order_by().values_list("user", flat=True)))


def _of_person(user: Any) -> Q:
    rows = Q(user=user)
    if msisdn := conf.number_of(user):
        rows |= _of_nobody(msisdn)
    return rows


def _of_nobody(msisdn: Msisdn) -> Q:
    return Q(user=None, number_fingerprint__in=conf.fingerprints(msisdn))


def _forget(which: Q, *, by: str, reason: str) -> Forgotten:
    now = timezone.now()
    rows = Verification.objects.filter(which)
    rows.settle(Status.EXPIRED, now=now)  # nobody goes on with what is erased
    settled = rows.filter(settled_at__isnull=False)
    since = now - policy.CLOSED_FOR
    erased = 0
    for keys in _steps(settled.filter(settled_at__lte=since)):
        erased += _erase(keys, now=now, by=by, reason=reason)
    return Forgotten(erased, *_left(settled.filter(settled_at__gt=since)))


def _left(rows: Any) -> tuple[int, datetime | None]:
    newest = rows.aggregate(at=Max("settled_at"))["at"]
    return rows.count(), newest + policy.CLOSED_FOR if newest else None


def _steps(rows: Any) -> Iterator[list[UUID]]:
    """Yield the keys of the rows, some at a time; each is in one step."""
    keys = list(rows.order_by("pk").values_list("pk", flat=True))
    for at in range(0, len(keys), STEP):
        yield keys[at : at + STEP]


@transaction.atomic
def _erase(keys: list[UUID], *, now: datetime, by: str, reason: str) -> int:
    seal.hold(wait=True)
    # What staff wrote about the person, though not that they did. Before the rows, as
    # the purge does: so neither waits for the other in a circle.
    written = ManualRequest.objects.filter(verification__in=keys)
    written.update(reason="", evidence="")
    rows = Verification.objects.filter(pk__in=keys, commitment=b"").order_by("pk")
    found = list(rows.select_for_update().values_list(*seal.COLUMNS))
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
    for row in found:
        Verification.objects.filter(pk=row[seal.ID]).update(
            user=None, commitment=seal.commitment_of(row), **seal.PERSONAL
        )
    return len(found)
