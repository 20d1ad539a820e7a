"""A number is taken off an account by two members of staff: one asks, another decides.

The account is frozen by it, so that what is left of its protection, a password, opens
nothing before its owner has set a new one by a mailed link (decision 0023).
"""

from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from numberverify import flow, history
from numberverify.browser import browser_of
from numberverify.errors import VerificationNotUsable
from numberverify.stepup import redeem_step_up

from . import claims, notices, numbers
from .models import NumberEvent, NumberRelease, Pending, User
from .notice import Kind
from .number_models import ReleaseQuerySet
from .phone import msisdn_of, number_of

# Time for the owner to read the mail and object.
WAIT = timedelta(hours=24)
OPEN_FOR = timedelta(days=7)
Outcome = NumberRelease.Outcome
What = NumberEvent.What


class Hindrance(models.TextChoices):
    """Why a release cannot be approved (yet)."""

    OVER = "over", _("It was decided already, or has run out.")
    EARLY = "early", _("The person has a day to object.")
    FROZEN = "frozen", _("The account is frozen until its password is reset.")
    IN_USE = "in_use", _("The person has proved the number since it was asked for.")
    ELSEWHERE = "elsewhere", _("The number is not on this account any more.")
    ASKER = "asker", _("Who asked may not act for staff any more.")


def is_within_reach(person: User | None, staff: User) -> bool:
    """Nobody frees a number of their own, nor of who may do more than they."""
    if person is None or person.pk == staff.pk:
        return False
    if staff.is_superuser or not (person.is_staff or person.is_superuser):
        return True
    # Of somebody inactive Django does not say what they might do.
    more = person.get_all_permissions() - staff.get_all_permissions()
    return person.is_active and not person.is_superuser and not more


def may_be_asked_for(person: User, staff: User) -> bool:
    within_reach = is_within_reach(person, staff)
    if not within_reach or person.frozen_at or number_of(person) is None:
        return False
    return open_for(person) is None


def open_for(person: User) -> NumberRelease | None:
    """Return the request that a second member of staff has yet to decide, if any."""
    return _undecided().filter(person=person).first()


def ask(person: User, staff: User, *, reason: str, evidence: str) -> NumberRelease:
    """Ask a second member of staff; the person is told. Raise VerificationNotUsable."""
    expire_releases()
    msisdn = msisdn_of(person)
    if msisdn is None or not may_be_asked_for(person, staff):
        raise VerificationNotUsable
    mark, key = history.mark_of(msisdn)
    try:
        with transaction.atomic():
            release = NumberRelease.objects.create(
                person=person,
                number_mask=str(msisdn),
                number_fingerprint=mark,
                fingerprint_key=key,
                reason=reason,
                evidence=evidence,
                asked_by=staff,
            )
            numbers.note_release(What.RELEASE_ASKED, release, by=staff)
            when = may_be_approved_at(release)
            # A thief of the mailbox reads the mail; of the phone, the message.
            notices.tell_of_number(
                person, Kind.RELEASE_ASKED, None, before=msisdn, due=when
            )
    except IntegrityError:  # somebody has asked already
        raise VerificationNotUsable from None
    return release


def may_be_approved_at(release: NumberRelease) -> datetime:
    return release.asked_at + WAIT


def hindrance(release: NumberRelease) -> Hindrance | None:
    """Return why it cannot be approved now, or None."""
    person, now = release.person, timezone.now()
    if person is None or release.ended_at or now >= release.asked_at + OPEN_FOR:
        return Hindrance.OVER
    msisdn = msisdn_of(person)
    marks = history.marks_of(msisdn) if msisdn else []
    if bytes(release.number_fingerprint) not in marks:
        return Hindrance.ELSEWHERE
    if person.frozen_at:
        return Hindrance.FROZEN
    if not release.asked_by.is_staff or claims.is_shut(release.asked_by):
        return Hindrance.ASKER
    if history.has_proved(person, marks, since=release.asked_at):
        return Hindrance.IN_USE
    return Hindrance.EARLY if now < may_be_approved_at(release) else None


def decide(release: NumberRelease, staff: User, *, approve: bool) -> None:
    """Release the number or decline to, once; the person is told.

    Raise PermissionDenied to who asked and to the person it is about,
    VerificationNotUsable when it is over, or may not be approved (`hindrance`).
    """
    person = release.person
    if person is None:
        raise VerificationNotUsable
    if staff.pk == release.asked_by_id or not is_within_reach(person, staff):
        raise PermissionDenied
    undecided = _undecided().filter(pk=release.pk).exclude(asked_by=staff)
    with transaction.atomic():
        if approve:
            _release(release, person, undecided, staff)
        elif not undecided.end(Outcome.DECLINED, by=staff):
            raise VerificationNotUsable
        else:
            numbers.note_release(What.RELEASE_DECLINED, release, by=staff)
            notices.tell(person, Kind.RELEASE_DECLINED)


def _release(
    release: NumberRelease,
    person: User,
    undecided: ReleaseQuerySet,
    staff: User,
) -> None:
    number = number_of(person)
    # What is under way ends with its sessions.
    Pending.objects.filter(user=person).delete()
    flow.withdraw(person)
    claims.withdraw(person)
    # The number before the request, as whoever changes or removes it does: in another
    # order two that race would wait for each other.
    if hindrance(release) or not number or not claims.free(person, number):
        raise VerificationNotUsable
    waited = undecided.filter(asked_at__lte=timezone.now() - WAIT)
    if not waited.end(Outcome.RELEASED, by=staff):
        raise VerificationNotUsable
    # Of a freeze meanwhile and this, one wins.
    unfrozen = User.objects.filter(pk=person.pk, frozen_at=None)
    if not unfrozen.update(frozen_at=timezone.now()):
        raise VerificationNotUsable
    person.freeze()
    withdraw(person)
    numbers.note_release(What.RELEASED, release, by=staff)
    claims.freed(number)
    notices.tell(person, Kind.NUMBER_RELEASED)


def stop(request: HttpRequest, user: User) -> bool:
    """End the request to release the number that its person has just proved; say
    whether there was one still. Raise VerificationNotUsable."""
    with transaction.atomic():
        redeem_step_up(request)
        release = open_for(user)
        if release is None or not _undecided().filter(pk=release.pk).end(
            Outcome.STOPPED
        ):
            return False
        numbers.note_release(What.RELEASE_STOPPED, release)
        notices.tell(user, Kind.NUMBER_KEPT, browser_of(request))
    return True


def expire_releases() -> int:
    """End what nobody decided in time (NV_HOUSEKEEPING); how many."""
    late = Q(asked_at__lte=timezone.now() - OPEN_FOR)
    found = NumberRelease.objects.filter(late, ended_at=None)
    return sum(numbers.end_release(each, Outcome.EXPIRED) for each in found)


def withdraw(staff: User) -> None:
    """End the requests of a member of staff whose account is frozen or disabled: they
    may be a thief's. Call it after the numbers, before the person's own row."""
    for release in _undecided().filter(asked_by=staff).order_by("pk"):
        numbers.end_release(release, Outcome.WITHDRAWN)


def names(user: User) -> bool:
    """Say whether the record of releases names this person as staff."""
    did = Q(asked_by=user) | Q(decided_by=user)
    return NumberRelease.objects.filter(did).exists()


def _undecided() -> ReleaseQuerySet:
    in_time = Q(asked_at__gt=timezone.now() - OPEN_FOR)
    return NumberRelease.objects.filter(in_time, ended_at=None)
