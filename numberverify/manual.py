"""Manual verification: one member of staff asks, another decides.

Never for a password reset or a change of number (policy.MAY_ACCEPT).
"""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from . import conf, metrics, ways
from .choices import Event, Method, Purpose, Reason, Status
from .errors import VerificationNotUsable
from .models import ManualRequest, Verification


def may_be_asked_for(row: Verification, staff: Any) -> bool:
    """Whether `staff` may ask: the person waits for it and is within reach."""
    waits = row.method == Method.MANUAL and row.status == Status.PENDING
    accepts = Method.MANUAL in conf.accepts(Purpose(row.purpose), row.action)
    in_time = row.expires_at > timezone.now()
    is_open = not ways.is_closed(row, Method.MANUAL)  # by a "no match"
    return (
        waits and accepts and in_time and is_open and _is_within_reach(row.user, staff)
    )


def _is_within_reach(person: Any | None, staff: Any) -> bool:
    """Nobody vouches for themselves, nor for who may do more than they."""
    if person is None or person.pk == staff.pk:
        return False
    return staff.is_superuser or not person.is_superuser


def _may_act(staff: Any) -> bool:
    """Whether a member of staff who has asked is one still, and not frozen."""
    stamp_of = conf.proof_stamp()
    is_frozen = stamp_of is not None and stamp_of(staff) is None
    return staff.is_active and staff.is_staff and not is_frozen


def ask(row: Verification, staff: Any, *, reason: str, evidence: str) -> ManualRequest:
    """Ask a second member of staff; raise VerificationNotUsable."""
    if not may_be_asked_for(row, staff):
        raise VerificationNotUsable
    try:
        with transaction.atomic():
            return ManualRequest.objects.create(
                verification=row, asked_by=staff, reason=reason, evidence=evidence
            )
    except IntegrityError:  # somebody has asked already
        raise VerificationNotUsable from None


@transaction.atomic
def decide(request: ManualRequest, staff: Any, *, approve: bool) -> None:
    """Approve or decline, once; the person is told of an approval at once.

    Raise PermissionDenied to who asked and to the person it is about,
    VerificationNotUsable when it is decided or has run out, or is to be approved though
    who asked has been frozen or disabled.
    """
    row = request.verification
    if staff.pk == request.asked_by_id or not _is_within_reach(row.user, staff):
        raise PermissionDenied
    if approve and not (may_be_asked_for(row, staff) and _may_act(request.asked_by)):
        raise VerificationNotUsable
    now = timezone.now()
    undecided = ManualRequest.objects.filter(pk=request.pk, decided_at=None)
    decided = undecided.exclude(asked_by=staff).update(
        decided_by=staff, decided_at=now, approved=approve
    )
    waiting = Verification.objects.filter(
        pk=row.pk, method=Method.MANUAL, status=Status.PENDING, expires_at__gt=now
    )
    settled = (
        waiting.settle(Status.VERIFIED, now=now)
        if approve
        else waiting.settle(Status.REFUSED, now=now, reason=Reason.NOT_APPROVED)
    )
    if not decided or not settled:
        raise VerificationNotUsable
    metrics.ended(row, Status.VERIFIED if approve else Status.REFUSED)
    if approve:
        conf.tell(row.user, Event.MANUAL_APPROVED)
