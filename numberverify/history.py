"""Reads over many rows."""

from typing import Any

from django.utils import timezone

from . import policy
from .models import Verification

SHOWN_TO_A_PERSON = 20


def of_person(user: Any) -> list[Verification]:
    """Return a person's last verifications, newest first, none left open for dead."""
    now = timezone.now()
    mine = Verification.objects.filter(user_id=user.pk)
    rows = list(mine[:SHOWN_TO_A_PERSON])
    if any(row.is_open for row in rows):
        mine.overdue(now=now, claimed_before=now - policy.EXCHANGING_FOR)
        rows = list(mine[:SHOWN_TO_A_PERSON])
    return rows
