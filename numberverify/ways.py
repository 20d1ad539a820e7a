"""Which ways are open to prove something: policy, what the person has, what is closed.

Decided by rows, so that a second tab, another network or a new start reopens nothing.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet, Subquery, Sum, UUIDField, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from . import conf, policy, routing
from .choices import Method, Purpose, SimSwap, Status
from .factors import recovery, totp
from .models import RecoveryCode, Verification, VerificationQuerySet
from .uuid7 import uuid7

CLOSED_BY_A_NO = (Method.SMS, Method.MANUAL)
# Most secure first; staff and the paper in the drawer last.
ORDER = (Method.TOTP, Method.SMS, Method.MANUAL, Method.RECOVERY_CODE)
BEFORE_ALL = Value(UUID(int=0), output_field=UUIDField())


def open_to(row: Verification) -> list[Method]:
    """Return the ways, beside the network, by which this row's question may go on."""
    return [method for method in ORDER if is_open_to(row, method)]


def is_open_to(row: Verification, method: Method) -> bool:
    accepted = conf.accepts(Purpose(row.purpose), row.action)
    return method in accepted and is_open(row, method)


def is_open(row: Verification, method: Method, *, left: int | None = None) -> bool:
    """`left` are the tries that are, if they are counted already."""
    if method == Method.MANUAL:
        return row.user_id is not None and not is_closed(row, method)
    if method == Method.SMS:
        has_it = bool(row.number_fingerprint) and sends_sms()
        has_it = has_it and texts_lately(row) < policy.MOST_CODES
        has_it = has_it and not is_closed_by_a_swap(row, method)
    elif method == Method.TOTP:
        has_it = totp.device_of(row.user_id) is not None
    else:
        has_it = method == Method.RECOVERY_CODE and recovery.left(row.user_id) > 0
    if not has_it or is_closed(row, method):
        return False
    return (tries_left(row, method) if left is None else left) > 0


def is_closed(row: Verification, method: str) -> bool:
    """Whether a "no match" of the last hour closes SMS and staff: no weaker way may
    go around it.

    For that account in browsers that it does not know, so that a dual-SIM person in a
    known one keeps them; for somebody without an account, for that number and browser.
    """
    return method in CLOSED_BY_A_NO and is_closed_by_a_no(row)


def is_closed_by_a_no(row: Verification) -> bool:
    if row.user_id and row.browser_known:
        return False
    same = Q(user_id=row.user_id) if row.user_id else of_the_same(row)
    said_no = _lately().filter(method=Method.NETWORK, status=Status.MISMATCHED)
    # Of a settled row, so that the index of settled rows serves.
    return said_no.filter(same, settled_at__isnull=False).exists()


def is_closed_by_a_swap(row: Verification, method: Method) -> bool:
    """Whether what was said of the number's SIM closes SMS or the network here.

    A recent swap closes SMS; for an action that the step-up table marks the network as
    well, if the person has a way of their own: nobody is blocked by it alone. *Unknown*
    is not safe: for such an action it closes SMS.
    """
    marked = conf.is_marked(row.action or row.purpose)
    if method != Method.SMS and not (marked and method == Method.NETWORK):
        return False
    if not row.number_fingerprint or not hears_of_swaps():
        return False
    said = row.sim_swap or said_of_sim(row, since=timezone.now() - policy.CLOSED_FOR)
    if method == Method.NETWORK:
        return said == SimSwap.YES and row.user_id is not None and has_any(row.user)
    return said == SimSwap.YES or (marked and said == SimSwap.UNKNOWN)


def hears_of_swaps() -> bool:
    """Whether anybody is asked about SIM swaps at all."""
    tables = routing.operators().values()
    return bool(conf.sim_swap_within()) and any(each.sim_swap_url for each in tables)


def said_of_sim(row: Verification, *, since: datetime) -> str:
    """Return what an operator said last of the number's SIM, of any row, or ""."""
    of_number = Verification.objects.filter(
        number_fingerprint=row.number_fingerprint,
        pk__gte=uuid7(since.timestamp()),
        settled_at__isnull=False,
    ).exclude(sim_swap="")
    return of_number.values_list("sim_swap", flat=True).first() or ""


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
    """Return how many wrong codes are left within the hour, over all rows.

    None once a hundred were wrong in a row (NIST SP 800-63B-4, 3.2.2), until the
    person gets one right, for which a browser that the account knows has its own.
    """
    same = _since_the_last_right(row, method).filter(of_the_same(row), method=method)
    wrong = same.aggregate(
        in_a_row=Sum("tries"), lately=Sum("tries", filter=_within_the_hour())
    )
    if (wrong["in_a_row"] or 0) >= policy.MOST_FAILURES:
        return 0
    return max(0, policy.TRIES - (wrong["lately"] or 0))


def texts_lately(row: Verification) -> int:
    """Return how many text messages went out in vain within the hour: to this account,
    from known or from unknown browsers; or to this number, to people without one.

    Apart, so that nobody without the password uses up an account's messages.
    """
    to = of_the_same(row)
    if not row.user_id:
        to = Q(user=None, number_fingerprint=row.number_fingerprint)
    sent = _since_the_last_right(row, Method.SMS).filter(to, method=Method.SMS)
    return sent.filter(_within_the_hour()).aggregate(all=Sum("sends"))["all"] or 0


def _since_the_last_right(row: Verification, method: Method) -> VerificationQuerySet:
    """The rows after the account's last right code, from whatever browser."""
    if not row.user_id:
        return Verification.objects.all()
    mine = Verification.objects.filter(user_id=row.user_id, method=method)
    right = mine.filter(status=Status.VERIFIED, settled_at__isnull=False)
    newest = Subquery(right.order_by("-pk").values("pk")[:1])
    return mine.filter(pk__gt=Coalesce(newest, BEFORE_ALL))


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


def on_file(user: Any) -> dict[str, Any]:
    """Return what is on file of the person's own ways, to be given out: no secret."""
    apps = TOTPDevice.objects.filter(user=user).order_by("pk")
    codes = RecoveryCode.objects.filter(user=user).order_by("pk")
    return {
        "authenticator_app": has_app(user),
        "authenticator_apps": list(
            apps.values("confirmed", "created_at", "last_used_at")
        ),
        "recovery_codes_unused": codes_left(user),
        "recovery_codes": list(codes.values("created_at", "used_at")),
    }


def forget(user: Any) -> None:
    """Take the person's own ways off file; nobody is told."""
    TOTPDevice.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()


def without_any(people: QuerySet[Any]) -> QuerySet[Any]:
    """Keep the people who have no way of their own, beside a number."""
    apps = TOTPDevice.objects.filter(confirmed=True).values("user_id")
    codes = RecoveryCode.objects.filter(used_at=None).values("user_id")
    return people.exclude(pk__in=apps).exclude(pk__in=codes)


def _lately() -> VerificationQuerySet:
    return Verification.objects.filter(_within_the_hour())


def _within_the_hour() -> Q:
    """What is open, or was settled within the hour. Messages that are sent again keep
    a row open for a while; the key, in the order of time, bounds the search."""
    now = timezone.now()
    since = now - policy.CLOSED_FOR
    oldest = uuid7((since - policy.MOST_CODES * policy.CODE_FOR).timestamp())
    settled = Q(settled_at=None, expires_at__gt=since) | Q(settled_at__gt=since)
    return Q(pk__gte=oldest) & settled
