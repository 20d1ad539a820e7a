"""Which ways are open to prove something: policy, what the person has, what is closed.

Decided by rows, so that a second tab, another network or a new start reopens nothing.
"""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet, Sum
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from . import conf, policy
from .choices import Method, Purpose, Status
from .factors import recovery, totp
from .models import RecoveryCode, Verification, VerificationQuerySet
from .uuid7 import uuid7

# Most secure first; staff and the paper in the drawer last.
ORDER = (Method.TOTP, Method.SMS, Method.MANUAL, Method.RECOVERY_CODE)


def open_to(row: Verification) -> list[Method]:
    """Return the ways, beside the network, by which this row's question may go on."""
    accepted = conf.accepts(Purpose(row.purpose), row.action)
    return [method for method in ORDER if method in accepted and is_open(row, method)]


def is_open(row: Verification, method: Method) -> bool:
    if method == Method.TOTP:
        return totp.device_of(row.user_id) is not None
    if method == Method.SMS:
        has_number = bool(row.number_fingerprint) and conf.sms_backend() is not None
        return (
            has_number
            and not sms_is_closed(row)
            and texts_lately(row) < policy.MOST_CODES
            and tries_left(row, method) > 0
        )
    if method == Method.RECOVERY_CODE:
        return recovery.left(row.user_id) > 0 and tries_left(row, method) > 0
    return method == Method.MANUAL and row.user_id is not None


def sms_is_closed(row: Verification) -> bool:
    """Whether a "no match" of the last hour closes SMS.

    For that account in browsers that it does not know, so that a dual-SIM person in a
    known one keeps it; for somebody without an account, for that number and browser.
    """
    if row.user_id and row.browser_known:
        return False
    same = Q(user_id=row.user_id) if row.user_id else of_the_same(row)
    said_no = _lately().filter(method=Method.NETWORK, status=Status.MISMATCHED)
    return said_no.filter(same).exists()


def of_the_same(row: Verification) -> Q:
    """The rows that share their tries with this one: the account's, from known or from
    unknown browsers, so that a stranger does not use up a known browser's tries; or,
    without an account, those for this number in this browser."""
    if row.user_id:
        return Q(user_id=row.user_id, browser_known=row.browser_known)
    return Q(
        user=None,
        number_fingerprint=row.number_fingerprint,
        holder_digest=row.holder_digest,
    )


def tries_left(row: Verification, method: Method) -> int:
    """Return how many wrong codes are left within the hour, over all rows."""
    same = Verification.objects.filter(of_the_same(row), method=method)
    last_right = same.filter(status=Status.VERIFIED).values_list("pk", flat=True)
    counted = same.filter(pk__gte=_an_hour_ago())
    if newest := last_right.first():
        counted = counted.filter(pk__gt=newest)
    wrong = counted.aggregate(all=Sum("tries"))["all"] or 0
    return max(0, policy.TRIES - int(wrong))


def sends_sms() -> bool:
    return conf.sms_backend() is not None


def has_app(user: Any) -> bool:
    return totp.device_of(user.pk) is not None


def codes_left(user: Any) -> int:
    return recovery.left(user.pk)


def has_any(user: Any) -> bool:
    """Whether the person has a way of their own, beside a number."""
    return has_app(user) or codes_left(user) > 0


def held_by(user: Any) -> list[int | None]:
    """Return what changes when the person's own ways do."""
    app = totp.device_of(user.pk)
    codes = RecoveryCode.objects.filter(user=user).order_by("pk")
    return [app.pk if app else None, codes.values_list("pk", flat=True).first()]


def forget(user: Any) -> None:
    """Take the person's own ways off file; nobody is told."""
    TOTPDevice.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()


def without_any(people: QuerySet[Any]) -> QuerySet[Any]:
    """Keep the people who have no way of their own, beside a number."""
    apps = TOTPDevice.objects.filter(confirmed=True).values("user_id")
    codes = RecoveryCode.objects.filter(used_at=None).values("user_id")
    return people.exclude(pk__in=apps).exclude(pk__in=codes)


def texts_lately(row: Verification) -> int:
    """Return how many text messages the number has had within the hour, whoever asked
    for them."""
    sent = _lately().filter(
        number_fingerprint=row.number_fingerprint, method=Method.SMS
    )
    return sent.aggregate(all=Sum("sends"))["all"] or 0


def _an_hour_ago() -> UUID:
    # The key is in the order of time.
    return uuid7((timezone.now() - policy.CLOSED_FOR).timestamp())


def _lately() -> VerificationQuerySet:
    return Verification.objects.filter(pk__gte=_an_hour_ago())
