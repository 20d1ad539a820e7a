"""The moves that every verification makes, written once (`prepared`).

What is rarer goes through the queryset. Each is one conditional statement all the same.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from .choices import Method, Purpose, Status
from .models import Verification, digest
from .policy import MANUAL_RECEIPT_FOR
from .prepared import MakeGap, Select, Update

FEW = 5  # receipts for one and the same: of two tabs, of a hurried person
# What a callback goes on with; the rest of the row would be fetched when it is used.
OF_A_CLAIM = (
    "user",
    "purpose",
    "action",
    "method",
    "operator",
    "operator_chosen",
    "status",
    "number",
    "number_fingerprint",
    "nonce",
    "code_verifier",
    "device_digest",
    "holder_digest",
    "browser_known",
    "ip",
    "sim_swap",
    "next",
)
OF_A_RECEIPT = (
    "user",
    "method",
    "operator",
    "operator_chosen",
    "number_fingerprint",
    "holder_digest",
    "browser_known",
    "settled_at",
)
CLAIM = Update(
    Verification,
    lambda gap: Verification.objects.filter(
        state_digest=gap("state_digest"),
        device_digest=gap("device_digest"),
        operator=gap("operator"),
        status=Status.PENDING,
        expires_at__gt=gap("now", "expires_at"),
    ),
    lambda gap: {"status": Status.EXCHANGING, "claimed_at": gap("now", "claimed_at")},
    returning=OF_A_CLAIM,
)
SETTLE = Update(
    Verification,
    lambda gap: Verification.objects.filter(pk=gap("id"), status=Status.EXCHANGING),
    lambda gap: Verification.objects.settled(
        gap("status"),
        now=gap("now", "settled_at"),
        reason=gap("reason"),
        operator_subject=gap("operator_subject"),
        operator_ms=gap("operator_ms"),
    ),
)


def claim(
    *, state: str, device: str, operator: str, now: datetime
) -> Verification | None:
    """Take the pending row for the exchange of its code."""
    return CLAIM.one(
        state_digest=digest(state),
        device_digest=digest(device),
        operator=operator,
        now=now,
    )


class Receipts:
    """The verified, unspent rows that may pay for exactly this."""

    def __init__(
        self,
        *,
        purpose: Purpose,
        action: str,
        user_id: Any,
        holder: str,
        details: bytes,
        methods: Iterable[Method],
        fingerprints: Iterable[bytes],
        now: datetime,
        max_age: timedelta,
    ) -> None:
        methods, fingerprints = sorted(methods), list(fingerprints)
        self.shape = (len(methods), len(fingerprints), user_id is not None)
        self.values = {
            "purpose": purpose,
            "action": action,
            "user": user_id,
            "holder_digest": digest(holder),
            "details_digest": details,
            "since": now - max_age,
            # Nobody sits at the page while staff decide: the person is told by mail.
            "since_by_staff": now - MANUAL_RECEIPT_FOR,
            **{f"method_{n}": each for n, each in enumerate(methods)},
            **{f"fingerprint_{n}": each for n, each in enumerate(fingerprints)},
        }

    def newest(self) -> list[Verification]:
        return _newest(*self.shape).all(**self.values)

    def redeem(self, pk: UUID, *, now: datetime, **columns: Any) -> bool:
        """Spend this one of them, and write `columns` with it."""
        statement = _redeem(*self.shape, *sorted(columns))
        asked = {f"new_{name}": value for name, value in columns.items()}
        return statement.ask(id=pk, now=now, **asked, **self.values) == 1


@cache
def _newest(methods: int, fingerprints: int, has_user: bool) -> Select[Verification]:
    return Select(
        Verification,
        lambda gap: (
            _receipts(gap, methods, fingerprints, has_user)
            .only(*OF_A_RECEIPT)
            .order_by("-id")[:FEW]
        ),
    )


@cache
def _redeem(
    methods: int, fingerprints: int, has_user: bool, *columns: str
) -> Update[Verification]:
    return Update(
        Verification,
        lambda gap: _receipts(gap, methods, fingerprints, has_user).filter(
            pk=gap("id")
        ),
        lambda gap: {
            "redeemed_at": gap("now", "redeemed_at"),
            **{name: gap(f"new_{name}", name) for name in columns},
        },
    )


def _receipts(
    gap: MakeGap, methods: int, fingerprints: int, has_user: bool
) -> QuerySet[Verification]:
    fresh = Q(settled_at__gt=gap("since", "settled_at"))
    by_staff = Q(
        method=Method.MANUAL, settled_at__gt=gap("since_by_staff", "settled_at")
    )
    return Verification.objects.filter(
        fresh | by_staff,
        status=Status.VERIFIED,
        redeemed_at=None,
        purpose=gap("purpose"),
        action=gap("action"),
        details_digest=gap("details_digest"),
        method__in=[gap(f"method_{n}", "method") for n in range(methods)],
        user=gap("user") if has_user else None,
        holder_digest=gap("holder_digest"),
        number_fingerprint__in=[
            gap(f"fingerprint_{n}", "number_fingerprint") for n in range(fingerprints)
        ],
    )
