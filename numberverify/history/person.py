"""What a person sees, and what is asked about one."""

import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from .. import conf
from ..browser import Browser
from ..choices import Method, Reason, Status
from ..models import ManualRequest, StaffRecord, Verification, digest
from ..msisdn import Msisdn
from ..policy import EXCHANGING_FOR, NEW_NUMBERS, PENDING_FOR, PROVES_NUMBER
from ..uuid7 import first_at

SHOWN_TO_A_PERSON = 20
REFERENCE_FOR = 60 * 60  # seconds
# docs/reference/personal-data.md says why not the others.
EXPORTED = (
    "id",
    "purpose",
    "action",
    "method",
    "operator",
    "operator_chosen",
    "operator_subject",
    "operator_ms",
    "sim_swap",
    "previous",
    "test",
    "status",
    "reason",
    "asked_because",
    "attention",
    "country",
    "number_mask",
    "ip",
    "user_agent",
    "browser_known",
    "next",
    "notice_version",
    "tries",
    "tries_allowed",
    "sends",
    "sent_at",
    "created_at",
    "expires_at",
    "claimed_at",
    "settled_at",
    "redeemed_at",
)
WRITTEN = (
    "verification",
    "reason",
    "evidence",
    "asked_at",
    "decided_at",
    "approved",
)


def of_person(user: Any) -> list[Verification]:
    """Return a person's last verifications, newest first, none left open for dead."""
    now = timezone.now()
    mine = Verification.objects.filter(user_id=user.pk)
    rows = list(mine[:SHOWN_TO_A_PERSON])
    if any(row.is_open for row in rows):
        mine.expire(now=now)
        mine.interrupt(now=now)
        rows = list(mine[:SHOWN_TO_A_PERSON])
    return rows


def all_of_person(user: Any) -> list[dict[str, Any]]:
    """Return all of a person's verifications, newest first, as data to be exported:
    no digests, nothing of the protocol."""
    rows = Verification.objects.filter(user_id=user.pk)
    return [dict(row) for row in rows.values(*EXPORTED)]


def by_staff(user: Any) -> dict[str, Any]:
    """Return what staff did about a person and wrote of one, not who of them it was."""
    asked = ManualRequest.objects.filter(verification__user=user)
    about = Q(details__person=user.pk)
    exports = Q(kind=StaffRecord.Kind.EXPORT, details__filters__person=str(user.pk))
    records = StaffRecord.objects.filter(about | exports)
    return {
        "manual_verifications": list(asked.values(*WRITTEN)),
        "staff_records": list(records.values("kind", "at", "reason", "rows")),
    }


def no_matches(user: Any, *, since: datetime, most: int) -> list[Browser]:
    """Return in which browsers the network has said *no match* of this person's number
    since then, the newest first. A new number that was mistyped is not theirs."""
    began = since - PENDING_FOR - EXCHANGING_FOR  # bounds the search, by the key
    said_no = Verification.objects.filter(
        user_id=user.pk,
        pk__gte=first_at(began.timestamp()),
        settled_at__gt=since,
        method=Method.NETWORK,
        status=Status.MISMATCHED,
    ).exclude(purpose__in=NEW_NUMBERS)
    return [
        Browser("", ip, user_agent)
        for ip, user_agent in said_no.values_list("ip", "user_agent")[:most]
    ]


def said_not_me(user: Any, *, since: datetime) -> Browser | None:
    """Return the browser for which the person's phone has said no last, since then."""
    began = since - 2 * PENDING_FOR
    said_no = Verification.objects.filter(
        user_id=user.pk,
        pk__gte=first_at(began.timestamp()),
        settled_at__gt=since,
        reason=Reason.NOT_ME,
    )
    for ip, user_agent in said_no.values_list("ip", "user_agent")[:1]:
        return Browser("", ip, user_agent)
    return None


def mark_of(msisdn: Msisdn) -> tuple[bytes, str]:
    """Return the number's fingerprint, as rows are written with it, and its key's id:
    for rows of the site's own that must find a number and not hold it."""
    return conf.fingerprints(msisdn)[0], conf.fingerprint_key_id()


def marks_of(msisdn: Msisdn) -> list[bytes]:
    """Return the number's fingerprint under each key: to search with."""
    return conf.fingerprints(msisdn)


def of_number(marks: Iterable[bytes], *, limit: int) -> list[Verification]:
    """Return the last settled verifications of a number, newest first."""
    rows: list[Verification] = []
    for mark in marks:  # one by one, so that the index gives each its last
        mine = Verification.objects.filter(
            number_fingerprint=mark, settled_at__isnull=False
        )
        rows += mine.select_related("user")[:limit]
    return sorted(rows, key=lambda row: row.pk, reverse=True)[:limit]


def has_proved(user: Any, marks: Iterable[bytes], *, since: datetime) -> bool:
    """Say whether the person has shown since then to have the number's SIM."""
    return Verification.objects.filter(
        user_id=user.pk,
        number_fingerprint__in=list(marks),
        method__in=list(PROVES_NUMBER),
        status=Status.VERIFIED,
        settled_at__gt=since,
    ).exists()


def names(user: Any) -> bool:
    """Say whether a record names this person as staff."""
    mine = Q(asked_by=user) | Q(decided_by=user)
    asked = ManualRequest.objects.filter(mine)
    return asked.exists() or StaffRecord.objects.filter(staff=user).exists()


def reference_of(page: str, binding: str) -> UUID | None:
    """Return the id of this browser's last verification that `page` goes on from,
    for support, when the journey itself is gone.

    Of the last hour alone: the key is in the order of time, so that bounds the search.
    """
    lately = Verification.objects.filter(pk__gte=first_at(time.time() - REFERENCE_FOR))
    mine = lately.filter(next=page, holder_digest=digest(binding))
    return mine.values_list("pk", flat=True).first()
