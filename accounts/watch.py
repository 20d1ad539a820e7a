"""What numberverify has to say of a person (NV_TELL): a factor, or no match."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from numberverify import history
from numberverify.choices import Event

from . import notices
from .models import User
from .notice import Kind

MANY = 3
WITHIN = timedelta(hours=1)
CHANGES_A_FACTOR = {Event.TOTP_ADDED, Event.TOTP_REMOVED, Event.RECOVERY_CODES_MADE}
NEWS = {
    Event.TOTP_ADDED: Kind.APP_ADDED,
    Event.TOTP_REMOVED: Kind.APP_REMOVED,
    Event.RECOVERY_CODES_MADE: Kind.CODES_MADE,
    Event.RECOVERY_CODE_USED: Kind.CODE_USED,
    Event.RECOVERY_CODES_GONE: Kind.CODES_GONE,
    Event.MANUAL_APPROVED: Kind.STAFF_APPROVED,
}


def hear(user: User, event: Event) -> None:
    """Tell the person; where a factor has changed, end the proofs in sessions."""
    if event == Event.NO_MATCH:
        _count_no_matches(user)
        return
    if event == Event.NOT_ME:
        asked = history.said_not_me(user, since=timezone.now() - WITHIN)
        notices.tell_sparingly(user, Kind.NOT_ME, asked)
        return
    if event in CHANGES_A_FACTOR:
        user.end_proofs()
    notices.tell(user, NEWS[event])


def _count_no_matches(user: User) -> None:
    """Tell of three in an hour, once an hour: of many at once, one UPDATE does."""
    now = timezone.now()
    tried = history.no_matches(user, since=now - WITHIN, most=MANY)
    if len(tried) < MANY:
        return
    not_lately = Q(warned_at=None) | Q(warned_at__lte=now - WITHIN)
    with transaction.atomic():
        if User.objects.filter(not_lately, pk=user.pk).update(warned_at=now):
            notices.tell(user, Kind.NO_MATCH, tried[0])
