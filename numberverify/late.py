"""Rows that nobody came back to in time, or that came back the wrong way."""

import logging
from datetime import datetime

from . import metrics, policy
from .choices import Reason, Status
from .models import Verification

logger = logging.getLogger(__name__)


def settle(row: Verification, *, now: datetime) -> bool:
    """Settle this row if nobody came back to it in time; say whether."""
    mine = Verification.objects.filter(pk=row.pk)
    died = now - policy.EXCHANGING_FOR
    if row.status == Status.PENDING and row.expires_at <= now:
        settled, outcome, reason = mine.expire(now=now), Status.EXPIRED, ""
    elif row.status == Status.EXCHANGING and row.claimed_at and row.claimed_at <= died:
        settled, outcome = mine.interrupt(now=now), Status.UNAVAILABLE
        reason = Reason.INTERRUPTED
    else:
        return False
    if settled:
        metrics.ended(row, outcome, reason)
    return settled == 1


def abort(row: Verification, reason: Reason, *, now: datetime) -> None:
    """Settle a row whose callback came the wrong way; nothing is exchanged."""
    settle(row, now=now)  # one that is late as well has expired, and is no attack
    pending = Verification.objects.filter(pk=row.pk, status=Status.PENDING)
    if pending.settle(Status.UNAVAILABLE, now=now, reason=reason, attention=True):
        metrics.ended(row, Status.UNAVAILABLE, reason)
    logger.warning("verification %s: %s", row.pk, reason)
