"""What happened to a number: noted in the transaction of the effect, and read back by
its fingerprint. The plain number is nowhere in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from numberverify import history
from numberverify.msisdn import Msisdn

from . import notices
from .models import NumberEvent, NumberRelease, Profile, User
from .notice import Kind

# Of events, and of verifications: a number that proves a login each day has many.
SHOWN = 100
FEW = 20  # people who have had one number
EXPORTED = ("what", "number_mask", "verification", "at")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of what happened: an event, or a verification that has settled."""

    at: datetime
    number_mask: str
    what: str
    outcome: str = ""
    person: Any = None
    by: User | None = None
    verification: UUID | None = None


def note(
    what: NumberEvent.What,
    phone: str,
    person: User | None,
    *,
    verification: UUID | None = None,
) -> None:
    """Write down what happens to the number, in the transaction that does it."""
    msisdn = Msisdn(phone)
    mark, key = history.mark_of(msisdn)
    NumberEvent.objects.create(
        what=what,
        person=person,
        number_mask=str(msisdn),
        number_fingerprint=mark,
        fingerprint_key=key,
        verification=verification,
    )


def left(what: NumberEvent.What, phone: str, person: User | None) -> None:
    """Note that it has left the person's file, which ends a request to release it.

    Call it after the profile's UPDATE, as `releases` does: of two that wait for each
    other the database would break one.
    """
    note(what, phone, person)
    for release in NumberRelease.objects.filter(person=person, ended_at=None):
        closed = what == NumberEvent.What.CLOSED
        end_release(release, NumberRelease.Outcome.LAPSED, tell=not closed)


@transaction.atomic
def end_release(
    release: NumberRelease, outcome: NumberRelease.Outcome, *, tell: bool = True
) -> bool:
    """End a request that nobody has decided, once: the person, who was told that
    something might happen, is told that nothing does. Say whether it ended here."""
    ended = NumberRelease.objects.filter(pk=release.pk).end(outcome)
    if ended:
        expired = outcome == NumberRelease.Outcome.EXPIRED
        what = NumberEvent.What
        note_release(what.RELEASE_EXPIRED if expired else what.RELEASE_LAPSED, release)
        if tell and release.person:
            notices.tell(release.person, Kind.RELEASE_OVER)
    return ended


def note_release(
    what: NumberEvent.What, release: NumberRelease, *, by: User | None = None
) -> None:
    NumberEvent.objects.create(
        what=what,
        person=release.person,
        by=by,
        number_mask=release.number_mask,
        number_fingerprint=release.number_fingerprint,
        fingerprint_key=release.fingerprint_key,
    )


def all_of_person(user: User) -> list[dict[str, Any]]:
    """Return what happened to a person's numbers, newest first, to be exported."""
    mine = NumberEvent.objects.filter(person=user)
    return [dict(event) for event in mine.values(*EXPORTED)]


def marks_of_person(user: User) -> list[bytes]:
    """Return the fingerprints of all numbers that something happened to and the person
    had a part in (NV_FINGERPRINTS_OF)."""
    mine = NumberEvent.objects.filter(person=user).order_by()
    marks = mine.values_list("number_fingerprint", flat=True).distinct()
    return [bytes(mark) for mark in marks]


def holder_by(marks: Sequence[bytes]) -> Profile | None:
    """Return the profile that has the number with one of these fingerprints, if it is
    of somebody whom an event names: a profile has no fingerprint to be found by."""
    named = NumberEvent.objects.filter(number_fingerprint__in=marks)
    people = named.order_by().values_list("person", flat=True).distinct()[:FEW]
    profiles = Profile.objects.filter(
        user__in=list(people), phone_verified_at__isnull=False
    )
    for profile in profiles.select_related("user"):
        if set(history.marks_of(Msisdn(profile.phone))) & set(marks):
            return profile
    return None


def happened(marks: Sequence[bytes], *, verifications: bool) -> list[Entry]:
    """Return what happened to the number of these fingerprints, newest first."""
    entries: list[Entry] = []
    for mark in marks:
        events = NumberEvent.objects.filter(number_fingerprint=mark)
        entries += map(_of_event, events.select_related("person", "by")[:SHOWN])
    if verifications:
        entries += map(_of_verification, history.of_number(marks, limit=SHOWN))
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


def _of_event(event: NumberEvent) -> Entry:
    return Entry(
        at=event.at,
        number_mask=event.number_mask,
        what=event.get_what_display(),
        person=event.person,
        by=event.by,
        verification=event.verification,
    )


def _of_verification(row: Any) -> Entry:
    purpose = f"{row.get_purpose_display()} {row.action}".strip()
    return Entry(
        at=row.settled_at,
        number_mask=row.number_mask,
        what=f"{purpose}: {row.get_method_display()}",
        outcome=row.get_status_display(),
        person=row.user,
        verification=row.pk,
    )
