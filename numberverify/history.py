"""Reads over many rows."""

import time
from typing import Any
from uuid import UUID

from django.utils import timezone

from . import policy
from .models import Verification, digest
from .uuid7 import uuid7

SHOWN_TO_A_PERSON = 20
REFERENCE_FOR = 60 * 60  # seconds


def of_person(user: Any) -> list[Verification]:
    """Return a person's last verifications, newest first, none left open for dead."""
    now = timezone.now()
    mine = Verification.objects.filter(user_id=user.pk)
    rows = list(mine[:SHOWN_TO_A_PERSON])
    if any(row.is_open for row in rows):
        mine.overdue(now=now, claimed_before=now - policy.EXCHANGING_FOR)
        rows = list(mine[:SHOWN_TO_A_PERSON])
    return rows


def reference_of(page: str, binding: str) -> UUID | None:
    """Return the id of this browser's last verification that `page` goes on from,
    for support, when the journey itself is gone.

    Of the last hour alone: the key is in the order of time, so that bounds the search.
    """
    lately = Verification.objects.filter(pk__gte=uuid7(time.time() - REFERENCE_FOR))
    mine = lately.filter(next=page, holder_digest=digest(binding))
    return mine.values_list("pk", flat=True).first()
