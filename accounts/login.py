"""Login: the password, then the network where policy wants it."""

from datetime import timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from numberverify import flow, policy, ways
from numberverify.browser import Browser, Way
from numberverify.choices import Because, Method, Purpose
from numberverify.errors import VerificationNotUsable
from numberverify.msisdn import Msisdn

from .models import STAFF_TAKE, Device, Pending, Profile, User


def begin(
    user: User, *, browser: Browser, device: Device | None, next: str, way: Way
) -> str | None:
    """Return where to prove it, or None when the password is enough.

    `device` is this browser as the account knows it. The caller has checked the
    password.
    """
    msisdn = _msisdn(user)
    facts = policy.LoginFacts(
        can_prove=msisdn is not None or ways.has_any(user),
        browser_is_known=device is not None,
        last_proof_at=device.last_proof_at if device else None,
    )
    because = policy.login_needs(
        facts,
        policy=settings.NV_LOGIN_POLICY,
        max_age=timedelta(days=settings.NV_LOGIN_MAX_AGE_DAYS),
        now=timezone.now(),
    )
    if because is None:
        return None
    if msisdn is None and way.method == Method.NETWORK:
        way = Way(not_on_phone=True)  # no number: the network has nothing to say
    pending = Pending.begin(Pending.Kind.LOGIN, browser.binding, user=user, next=next)
    proof = _proof(user, msisdn, browser)
    if not browser.is_new and flow.find_receipt(proof):  # by staff, meanwhile
        return reverse("accounts:login-journey", args=[pending.pk])
    return _ask(pending, user, msisdn, browser, because, way)


def ask_again(pending: Pending, browser: Browser, way: Way) -> str:
    """Return where to prove it, once more; raise VerificationNotUsable."""
    user, msisdn = _still(pending)
    return _ask(pending, user, msisdn, browser, Because.REQUIRED, way)


def resume(
    pending: Pending, browser: Browser, receipt: flow.Receipt | None = None
) -> User:
    """Return who may be signed in now; raise VerificationNotUsable."""
    user, msisdn = _still(pending)
    proof = _proof(user, msisdn, browser)
    receipt = receipt or flow.find_receipt(proof)
    if receipt is None:
        raise VerificationNotUsable
    # This decides, of requests that race. No transaction with it: the effect is a
    # session, which the caller opens in a store that may know none.
    flow.redeem(receipt, proof)
    if not pending.take():
        raise VerificationNotUsable
    return user


def _msisdn(user: User) -> Msisdn | None:
    """The verified number on file of a person who was read with the profile, as for
    a login everybody is."""
    profile: Profile | None = getattr(user, "profile", None)
    is_verified = profile is not None and profile.phone_verified_at is not None
    return Msisdn(profile.phone) if profile and is_verified else None


def _proof(user: User, msisdn: Msisdn | None, browser: Browser) -> flow.Proof:
    return flow.Proof(Purpose.LOGIN, user, browser.binding, msisdn)


def _still(pending: Pending) -> tuple[User, Msisdn | None]:
    """The person, if still as at the password, and the number on file."""
    user = pending.user
    if user is None or not pending.still_holds():
        raise VerificationNotUsable
    return user, _msisdn(user)


def _ask(
    pending: Pending,
    user: User,
    msisdn: Msisdn | None,
    browser: Browser,
    because: Because,
    way: Way,
) -> str:
    if way.method == Method.MANUAL:
        pending.live_on(STAFF_TAKE)
    return flow.start(
        purpose=Purpose.LOGIN,
        msisdn=msisdn,
        user=user,
        browser=browser,
        next=reverse("accounts:login-journey", args=[pending.pk]),
        asked_because=because,
        way=way,
    )
