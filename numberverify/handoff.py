"""The phone as the desktop's key: a verification that another device carries out.

A link, its digits, a "yes" or "no" on the phone; then the check by the network, with
the phone as the row's device and the desktop as its holder.
docs/decisions/0036-handoff.md says why so.
"""

import logging
import secrets
from datetime import datetime
from enum import Enum
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from . import conf, limits, metrics, network, policy, ways
from .browser import Browser
from .choices import Event, Method, Reason, Status
from .models import Ended, Handoff, Verification, digest
from .msisdn import Msisdn
from .uuid7 import uuid7
from .waiting import State, tell_desktop

logger = logging.getLogger(__name__)
# Crockford's: no letter that is taken for a digit or for another letter.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SIGNS = 10  # of 5 bits each
# What a further try has of the one before: what is asked, of whom, by which two.
CARRIED_OVER = (
    "purpose",
    "action",
    "details_digest",
    "user_id",
    "asked_because",
    "next",
    "number_mask",
    "number_fingerprint",
    "fingerprint_key",
    "country",
    "device_digest",
    "holder_digest",
    "browser_known",
    "ip",
    "user_agent",
    "notice_version",
)
AS_MEANT = str.maketrans("OIL", "011", "- ")


class Said(Enum):
    """What became of an answer on the phone."""

    TAKEN = 1
    WRONG = 2
    TOO_LATE = 3


def start(row: Verification, msisdn: Msisdn | None, browser: Browser) -> str:
    """Save a described row that waits for a phone, and its link; return its page."""
    if closed := _closed(row, msisdn):
        return row.save_closed(closed)
    assert msisdn is not None  # noqa: S101  else it was closed
    row.number = msisdn.e164
    # No browser's, until a phone has said yes.
    row.device_digest = digest(secrets.token_urlsafe(32))
    link = Handoff(
        id=row.pk,
        verification=row.pk,
        token_digest=_digest(token_of(row.pk, browser.binding)),
        digits=f"{secrets.randbelow(100):02}",
        holder_digest=row.holder_digest,
        created_at=row.created_at,
        expires_at=row.created_at + policy.HANDOFF_FOR,
    )
    with transaction.atomic():
        row.save(force_insert=True)
        link.save(force_insert=True)
    return row.get_absolute_url()


def is_open_to(row: Verification) -> bool:
    """Whether a phone may be asked to go on with what this row asks.

    Never where the network has just named another number, in this row or, as for a text
    message, in another one within the hour.
    """
    return (
        bool(row.number_fingerprint)
        and row.status != Status.MISMATCHED
        and Method.NETWORK in conf.accepts_of(row)
        and conf.hands_over(row.purpose, row.action)
        and not ways.is_closed_by_a_swap(row, Method.NETWORK)
        and not ways.is_closed_by_a_no(row)
    )


def _closed(row: Verification, msisdn: Msisdn | None) -> Reason | None:
    if row.previous:
        followed = Verification.objects.filter(pk=row.previous)
        if followed.filter(status=Status.MISMATCHED).exists():
            return Reason.METHOD_CLOSED
    if not conf.hands_over(row.purpose, row.action) or ways.is_closed_by_a_no(row):
        return Reason.METHOD_CLOSED
    return network.closed(row, msisdn)


def token_of(key: UUID, binding: str) -> str:
    """Return what stands in the link: made anew from the desktop's binding each time
    that its page is shown, so that only its digest is stored."""
    made = salted_hmac("numberverify.handoff", f"{key}:{binding}", algorithm="sha256")
    number = int.from_bytes(made.digest()[:8], "big")
    signs = "".join(ALPHABET[number >> (5 * n) & 31] for n in range(SIGNS))
    return f"{signs[:5]}-{signs[5:]}"


def _digest(typed: str) -> bytes:
    return digest(typed.upper().translate(AS_MEANT))


def of(row: Verification) -> Handoff | None:
    """Return the handoff by which a row went, be it the first, the current or one of
    those that could not tell on the way."""
    if not row.is_handed_over:
        return None
    later = Verification.objects.filter(previous=row.pk).values("pk")
    by = Q(pk=row.pk) | Q(verification=row.pk) | Q(verification__in=later)
    mine = Handoff.objects.filter(by, holder_digest=row.holder_digest)
    return mine.order_by("-pk").first()


def find(token: str) -> Handoff | None:
    """Return what a link is for, over or not."""
    return Handoff.objects.filter(token_digest=_digest(token)).first()


def claim(link: Handoff, browser: Browser) -> bool:
    """Let this phone have it, if no other has."""
    device = digest(browser.binding)
    token = bytes(link.token_digest)
    if not Handoff.objects.claim(token=token, device=device, now=timezone.now()):
        return False
    tell_desktop(link, State.OPENED)
    return True


def say_yes(link: Handoff, digits: str, binding: str) -> Said:
    """Take the "yes" of the phone with what it has typed; make it the row's device."""
    now, device = timezone.now(), digest(binding)
    mine = Handoff.objects.filter(pk=link.pk)
    with transaction.atomic():
        said = mine.confirm(digits=digits, device=device, now=now)
        bound = said and _bind(link.verification, device, now)
        transaction.set_rollback(said and not bound)
    if bound:
        tell_desktop(link, State.CONFIRMED)
        return Said.TAKEN
    if said:  # the row was ended meanwhile: at the desktop, by a freeze
        end(link, Ended.VERDICT)
        return Said.TOO_LATE
    with transaction.atomic():
        counted = mine.wrong_digits(digits=digits, device=device, now=now)
        over = counted and mine.filter(ended=Ended.WRONG_DIGITS).update(details={}) == 1
        refused = over and _refuse(link.verification, Reason.WRONG_DIGITS, now)
    if refused:
        _refused(link)
    return Said.WRONG if counted else Said.TOO_LATE


def _bind(row: UUID, device: bytes, now: datetime) -> bool:
    waiting = Verification.objects.filter(
        pk=row, status=Status.PENDING, state_digest=None, expires_at__gt=now
    )
    return waiting.update(device_digest=device) == 1


def say_no(link: Handoff, binding: str) -> bool:
    """Refuse what is asked, also while the phone is at its operator; tell the person.

    Return False when there is a verdict already.
    """
    now = timezone.now()
    mine = Handoff.objects.filter(pk=link.pk, device_digest=digest(binding))
    with transaction.atomic():
        refused = False
        if mine.end(Ended.NOT_ME, now=now):
            link.refresh_from_db()  # a further try may have begun meanwhile
            refused = _refuse(link.verification, Reason.NOT_ME, now, attention=True)
        transaction.set_rollback(not refused)
    if refused:
        logger.warning("verification %s: %s", link.verification, Reason.NOT_ME)
        _refused(link)
    return refused


def _refuse(row: UUID, reason: Reason, now: datetime, **columns: bool) -> bool:
    pending = Verification.objects.filter(pk=row, status=Status.PENDING)
    return pending.settle(Status.REFUSED, now=now, reason=reason, **columns) == 1


def _refused(link: Handoff) -> None:
    tell_desktop(link, State.OVER)
    row = Verification.objects.get(pk=link.verification)
    metrics.ended(row, row.status, row.reason)
    limits.settled(row, row.status)
    if row.reason != Reason.NOT_ME or row.user is None:
        return
    try:
        conf.tell(row.user, Event.NOT_ME)
    except Exception as error:  # its words may quote the person's address
        kind = type(error).__name__
        logger.error("verification %s: the site was not told, %s", row.pk, kind)


def cancel(link: Handoff) -> None:
    """The person at the desktop wants another way: the link is good for nothing."""
    if not end(link, Ended.CANCELLED):
        return
    pending = Verification.objects.filter(pk=link.verification, status=Status.PENDING)
    now, reason = timezone.now(), Reason.NOT_ON_PHONE
    if pending.settle(Status.UNAVAILABLE, now=now, reason=reason):
        row = Verification.objects.get(pk=link.verification)
        metrics.ended(row, row.status, row.reason)
        limits.settled(row, row.status)


def send(
    link: Handoff, row: Verification, name: str, browser: Browser, *, chosen: bool
) -> str:
    """Send the phone to the operator `name`, which the person has `chosen` or not;
    return the URL for its browser."""
    msisdn = Msisdn(row.number)
    is_further = row.pk != link.pk  # the first was counted when it began
    if is_further:
        limits.before_start(row, msisdn, browser, asks=True)
    url = network.send(row, name, device=browser.binding, operator_chosen=chosen)
    if url == row.get_absolute_url():  # it could not be reached
        now = Verification.objects.get(pk=row.pk)
        settled(now, now.status, msisdn)
    else:
        tell_desktop(link, State.CONFIRMED)
    return url


def settled(row: Verification, status: str, msisdn: Msisdn | None = None) -> None:
    """Follow the row's end: tell the desktop, or have the phone try again where nobody
    could tell. `msisdn` is what the row was about; without it there is no other try.

    Costs nothing where a row has gone by no phone.
    """
    if not row.is_handed_over or status in (Status.PENDING, Status.EXCHANGING):
        return
    link = Handoff.objects.filter(verification=row.pk).first()
    if link is None:
        return
    if status == Status.UNAVAILABLE and msisdn and _follow(link, row.pk, msisdn):
        tell_desktop(link, State.AGAIN)
    else:
        end(link, Ended.VERDICT)


def aborted(row: Verification) -> None:
    """The same for a row whose callback may have ended it just now."""
    if row.is_handed_over:
        row.refresh_from_db(fields=["status"])
        settled(row, row.status)


def _follow(link: Handoff, before: UUID, msisdn: Msisdn) -> bool:
    """Write the row of a further try while the number is at hand: it stands in no row
    that is over, and at a signup on no file that we know."""
    now, was = timezone.now(), Verification.objects.get(pk=before)
    row = Verification(**{name: getattr(was, name) for name in CARRIED_OVER})
    row.pk, row.previous, row.number = uuid7(now.timestamp()), was.pk, msisdn.e164
    row.created_at, row.expires_at = now, link.expires_at
    live = Handoff.objects.filter(
        pk=link.pk, verification=before, ended_at=None, expires_at__gt=now
    )
    with transaction.atomic():
        if not live.update(verification=row.pk):
            return False
        row.save(force_insert=True)
    metrics.started(row)
    return True


def end(link: Handoff, how: Ended) -> bool:
    ended = Handoff.objects.filter(pk=link.pk).end(how, now=timezone.now())
    tell_desktop(link, State.OVER)
    return ended


def purge() -> int:
    """Delete what is over for long, and no later than its verification goes."""
    days = conf.retention_days()
    kept = policy.HANDOFF_KEPT.days
    since = timezone.now() - policy.HANDOFF_KEPT * (min(days or kept, kept) / kept)
    return Handoff.objects.filter(expires_at__lt=since).delete()[0]
