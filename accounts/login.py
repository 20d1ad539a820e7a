"""Login: the password, then the network where policy wants it."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from numberverify import flow, policy
from numberverify.browser import Browser
from numberverify.choices import Because, Purpose
from numberverify.errors import VerificationNotUsable
from numberverify.msisdn import Msisdn

from .models import Device, Pending, User
from .phone import msisdn_of


def begin(
    user: User, *, browser: Browser, device: Device | None, next: str
) -> str | None:
    """Return the operator's URL, or None when the password is enough.

    `device` is this browser as the account knows it. The caller has checked the
    password.
    """
    msisdn = msisdn_of(user)
    facts = policy.LoginFacts(
        has_number=msisdn is not None,
        browser_is_known=device is not None,
        last_proof_at=device.last_proof_at if device else None,
    )
    because = policy.login_needs(
        facts,
        policy=settings.NV_LOGIN_POLICY,
        max_age=timedelta(days=settings.NV_LOGIN_MAX_AGE_DAYS),
        now=timezone.now(),
    )
    if because is None or msisdn is None:
        return None
    pending = Pending.begin(Pending.Kind.LOGIN, browser.binding, user=user, next=next)
    return _ask(pending, user, msisdn, browser, because)


def ask_again(pending: Pending, browser: Browser, previous: UUID | None) -> str:
    """Return the operator's URL once more; raise VerificationNotUsable."""
    user, msisdn = _still(pending)
    return _ask(pending, user, msisdn, browser, Because.REQUIRED, previous)


def resume(pending: Pending, browser: Browser) -> User:
    """Return who may be signed in now; raise VerificationNotUsable."""
    user, msisdn = _still(pending)
    proof = flow.Proof(Purpose.LOGIN, user, browser.binding, msisdn)
    receipt = flow.find_receipt(proof)
    if receipt is None:
        raise VerificationNotUsable
    with transaction.atomic():
        if not pending.take():
            raise VerificationNotUsable
        flow.redeem(receipt, proof)
    return user


def _still(pending: Pending) -> tuple[User, Msisdn]:
    """The person and the number on file, if both are as they were at the password."""
    user = pending.user
    msisdn = msisdn_of(user) if user and pending.still_holds() else None
    if user is None or msisdn is None:
        raise VerificationNotUsable
    return user, msisdn


def _ask(
    pending: Pending,
    user: User,
    msisdn: Msisdn,
    browser: Browser,
    because: Because,
    previous: UUID | None = None,
) -> str:
    return flow.start(
        purpose=Purpose.LOGIN,
        msisdn=msisdn,
        user=user,
        browser=browser,
        next=reverse("accounts:login-journey", args=[pending.pk]),
        asked_because=because,
        previous=previous,
    )
