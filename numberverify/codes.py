"""Proofs that a person types: opened as a row, tried, settled.

A wrong, late or used code costs one write at most. What is right and what is left of
the tries is decided by the UPDATE that counts, never by the look before it.
"""

import hmac
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone, translation

from . import conf, metrics, policy, ways
from .browser import Browser, give_back_connections
from .choices import Method, Reason, Status
from .errors import CodeOver, SmsNotSent
from .factors import recovery, sms, totp
from .models import Verification, VerificationQuerySet
from .msisdn import Msisdn

logger = logging.getLogger(__name__)
DIGITS = 6


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a typed code; `left` are the tries."""

    right: bool
    left: int


def open_row(row: Verification, msisdn: Msisdn | None, browser: Browser) -> None:
    """Save a described row of a typed method; a text message leaves after the commit,
    and within the request: the page says at once if nobody has taken it.

    It takes the place of an older one, and what is left of its tries.
    """
    row.expires_at = row.created_at + policy.CODE_FOR
    code = _set_code(row, msisdn) if row.method == Method.SMS and msisdn else ""
    for _ in range(3):
        try:
            _replace_open(row)
            break
        except IntegrityError:  # an equal request was quicker: replace that one
            continue
    else:  # and one more each time: theirs stands
        row.close(Reason.REPLACED, Status.EXPIRED)
        row.save(force_insert=True)
    if code and row.status == Status.PENDING:
        _send(row, code, browser)


def _set_code(row: Verification, msisdn: Msisdn) -> str:
    """Give the row a new code; only its HMAC stays."""
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    row.number = msisdn.e164
    row.code_digest = _digest(row, code)
    row.sent_at, row.sends = timezone.now(), row.sends + 1
    return code


@transaction.atomic
def _replace_open(row: Verification) -> None:
    same = Verification.objects.filter(ways.of_the_same(row), method=row.method)
    # First, so that the old row takes no try more while its tries are counted.
    same.filter(status=Status.PENDING).settle(
        Status.EXPIRED, now=row.created_at, reason=Reason.REPLACED
    )
    left = row.tries_allowed = ways.tries_left(row, Method(row.method))
    # It may have been closed by a request that was quicker.
    if not ways.is_open(row, Method(row.method), left=left):
        row.close(Reason.METHOD_CLOSED)
    row.save(force_insert=True)
    # Counted once more: another row may have been opened and tried between the count
    # and the insert. From the insert on, no other is open.
    left = ways.tries_left(row, Method(row.method))
    if row.status == Status.PENDING and left < row.tries_allowed:
        row.tries_allowed = left
        if not left:
            row.close(Reason.METHOD_CLOSED)
        row.save()


def _send(row: Verification, code: str, browser: Browser) -> None:
    """Hand the message over; one that nobody takes settles the row."""
    if ways.texts_lately(row) > policy.MOST_CODES:
        # Counted again now that this one is written: of many at once in as many
        # browsers, those that were written first go out.
        mine = Verification.objects.filter(pk=row.pk)
        mine.settle(Status.UNAVAILABLE, now=timezone.now(), reason=Reason.METHOD_CLOSED)
        mine.update(sends=F("sends") - 1)
        row.status, row.reason = Status.UNAVAILABLE, Reason.METHOD_CLOSED
        return
    # Of whom it is for: a stranger's browser must not choose what the owner reads.
    language = (row.user_id and conf.language_of(row.user)) or browser.language
    give_back_connections()
    try:
        with translation.override(language or settings.LANGUAGE_CODE):
            reference = _hand_over(Msisdn(row.number), code)
    except Exception as error:  # its words may quote the number or the code
        logger.error("verification %s: no message, %s", row.pk, type(error).__name__)
        now = timezone.now()
        Verification.objects.filter(pk=row.pk).settle(
            Status.UNAVAILABLE, now=now, reason=Reason.SMS_NOT_SENT
        )
        row.status, row.reason = Status.UNAVAILABLE, Reason.SMS_NOT_SENT
        return
    if reference:
        mine = Verification.objects.filter(pk=row.pk, status=Status.PENDING)
        mine.update(code_reference=reference, code_digest=b"")


def _hand_over(msisdn: Msisdn, code: str) -> str:
    """Return the reference of a code that the operator made, or "" for ours."""
    backend = conf.sms_backend()
    if backend is None:
        raise SmsNotSent
    if backend.makes_codes:
        return str(backend.send_code(msisdn, sms.code_message(sms.CODE)))
    backend.send(msisdn, sms.code_message(code))
    return ""


def resend(row: Verification, browser: Browser) -> int:
    """Send a new code, with the tries that are left. Return 0, or the seconds to wait
    for it; -1 when this number has had its messages for now."""
    now = timezone.now()
    since = now - (row.sent_at or row.created_at)
    if since < policy.RESEND_AFTER:
        return int((policy.RESEND_AFTER - since).total_seconds()) + 1
    if not ways.is_open(row, Method.SMS):
        return -1
    was = row.sends
    code = _set_code(row, Msisdn(row.number))
    row.expires_at = now + policy.CODE_FOR
    live = Verification.objects.filter(
        pk=row.pk, status=Status.PENDING, sends=was, expires_at__gt=now
    )
    if live.update(
        code_digest=row.code_digest,
        code_reference="",
        sent_at=row.sent_at,
        sends=row.sends,
        expires_at=row.expires_at,
    ):
        _send(row, code, browser)
    return 0


def try_code(row: Verification, typed: str) -> Tried:
    """Try a code on an open row; right, it makes the row a receipt.

    Raise SmsNotSent when the operator that made the code cannot be asked: no try.
    """
    now, was_open = timezone.now(), row.is_open
    mine = Verification.objects.filter(pk=row.pk)
    if row.expires_at <= now:
        return Tried(right=False, left=0)
    if ways.is_closed(row, row.method):
        # A "no match" since it was sent: another tab or Wi-Fi must not get around it.
        if mine.settle(Status.UNAVAILABLE, now=now, reason=Reason.METHOD_CLOSED):
            metrics.ended(row, Status.UNAVAILABLE, Reason.METHOD_CLOSED)
        return Tried(right=False, left=0)
    if row.code_reference:
        taken = _ask_who_made_it(row, typed, now)
    else:
        spend = _found(row, typed)
        taken = spend is not None and _take(row, spend, now)
        if spend is None:
            logger.warning("verification %s: wrong code, %s", row.pk, row.method)
            mine.wrong_code(now=now)
    if taken:
        metrics.ended(row, Status.VERIFIED)
        return Tried(right=True, left=0)
    row.refresh_from_db()
    if was_open and not row.is_open:
        metrics.ended(row, row.status, row.reason)
    return Tried(right=False, left=max(0, row.tries_allowed - row.tries))


def _found(row: Verification, typed: str) -> Callable[[], bool] | None:
    """Return what spends the code if it looks right, or None: a look, no write."""
    if row.method == Method.SMS:
        known = bytes(row.code_digest)
        right = any(hmac.compare_digest(known, each) for each in _digests(row, typed))
        return (lambda: True) if right else None
    if row.method == Method.TOTP:
        device = totp.device_of(row.user_id)
        right = device is not None and totp.looks_right(device, typed)
        return (lambda: totp.use(device, typed)) if right and device else None
    code = recovery.find(row.user_id, typed)
    return (lambda: recovery.spend(code)) if code else None


def _take(row: Verification, spend: Callable[[], bool], now: datetime) -> bool:
    """Take the row and spend the code, or neither."""
    # The digest again: a new code may have been sent meanwhile.
    mine = Verification.objects.filter(pk=row.pk, code_digest=row.code_digest)
    if row.method == Method.SMS:  # the row itself is the code
        return mine.right_code(now=now)
    with transaction.atomic():
        taken = mine.right_code(now=now)
        spent = taken and spend()
        transaction.set_rollback(taken and not spent)
    return spent


def _ask_who_made_it(row: Verification, typed: str, now: datetime) -> bool:
    """Have the operator check its code. The try is taken first, and given back when
    nobody can say: of many at once no more than five are asked about."""
    mine = Verification.objects.filter(pk=row.pk)
    if not mine.reserve_try(now=now):
        return False
    backend = conf.sms_backend()
    give_back_connections()
    try:
        if backend is None:
            raise SmsNotSent
        right = backend.check_code(row.code_reference, typed)
        if not isinstance(right, bool):  # no answer, and no "no"
            raise SmsNotSent
    except CodeOver as over:
        # Late, or replaced by a message that somebody else asked for: a new one helps.
        if not over.was_tried:
            _give_back(mine)
        same = mine.filter(code_reference=row.code_reference)
        same.settle(Status.EXPIRED, now=timezone.now(), reason=Reason.CODE_OVER)
        return False
    except Exception as error:  # its words may quote the number or the code
        kind = type(error).__name__
        logger.error("verification %s: code not checked, %s", row.pk, kind)
        _give_back(mine)
        raise SmsNotSent from None
    if right:
        same = mine.filter(status=Status.PENDING, code_reference=row.code_reference)
        # The try that was taken for it was no wrong code.
        columns = {"tries": F("tries") - 1}
        return same.settle(Status.VERIFIED, now=timezone.now(), **columns) == 1
    logger.warning("verification %s: wrong code, %s", row.pk, row.method)
    spent = mine.filter(status=Status.PENDING, tries__gte=F("tries_allowed"))
    spent.settle(Status.REFUSED, now=now, reason=Reason.WRONG_CODES)
    return False


def _give_back(mine: VerificationQuerySet) -> None:
    mine.filter(status=Status.PENDING).update(tries=F("tries") - 1)


def _digest(row: Verification, code: str) -> bytes:
    return _digests(row, code)[0]


def _digests(row: Verification, code: str) -> list[bytes]:
    return conf.code_digests(f"sms:{row.pk}:{code}")
