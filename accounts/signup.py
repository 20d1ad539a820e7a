"""Signup: a form, the network, an account. Nothing on the way tells who has one."""

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from numberverify import flow
from numberverify.browser import Browser, Way
from numberverify.choices import Purpose
from numberverify.errors import VerificationNotUsable
from numberverify.msisdn import Msisdn

from . import claims, mail, numbers
from .models import NumberEvent, Pending, Profile, User


class NumberTaken(Exception):
    """The number, just proved, belongs to an account already."""


class EmailTaken(Exception):
    """The e-mail belongs to an account already; its owner has been told."""


def begin(
    *,
    email: str,
    password: str,
    msisdn: Msisdn,
    typed: str,
    browser: Browser,
    next: str,
    way: Way,
) -> str:
    """Write the signup down and return the operator's URL. Says and reads nothing of
    existing accounts, and hashes the password in every case."""
    pending = Pending.begin(
        Pending.Kind.SIGNUP,
        browser.binding,
        email=email,
        password=make_password(password),
        phone=msisdn.e164,
        phone_typed=typed,
        next=next,
    )
    return ask(pending, browser, way)


def ask(pending: Pending, browser: Browser, way: Way) -> str:
    return flow.start(
        purpose=Purpose.SIGNUP,
        msisdn=Msisdn(pending.phone),
        user=None,
        browser=browser,
        next=reverse("accounts:signup-journey", args=[pending.pk]),
        way=way,
    )


def resume(
    pending: Pending,
    browser: Browser,
    receipt: flow.Receipt | None = None,
    *,
    language: str = "",
) -> User:
    """Open the account that a receipt pays for.

    Raise VerificationNotUsable without one; NumberTaken or EmailTaken to somebody
    who has just proved the number, which spends the receipt as well. Where the site
    lets a SIM claim a number (NV_TAKEOVER), the account is opened and the claim made.
    """
    receipt = receipt or flow.find_receipt(_proof(pending, browser))
    if receipt is None:
        raise VerificationNotUsable
    holder = claims.holder_of(pending.phone)
    try:
        # Asked first for the database's log, where a violated constraint would
        # print the number. The constraint is still what decides.
        if not _has_account(pending.email):
            if holder is None:
                return _open_account(pending, browser, receipt, language)
            if claims.may_be_claimed(receipt, holder):
                recycled = claims.is_recycled(pending.phone, holder)
                return _open_with_claim(
                    pending, browser, receipt, language, holder, recycled
                )
    except (IntegrityError, claims.ClaimRuns):
        pass
    raise _tell_what_is_taken(pending, browser, receipt)


@transaction.atomic
def _open_account(
    pending: Pending, browser: Browser, receipt: flow.Receipt, language: str
) -> User:
    user = _create(pending, browser, receipt, language)
    Profile.objects.create(
        user=user,
        phone=pending.phone,
        operator=receipt.operator if receipt.chosen else "",
        phone_verified_at=timezone.now(),
        phone_verification=receipt.id,
    )
    added = NumberEvent.What.ADDED
    numbers.note(added, pending.phone, user, verification=receipt.id)
    return user


@transaction.atomic
def _open_with_claim(
    pending: Pending,
    browser: Browser,
    receipt: flow.Receipt,
    language: str,
    holder: Profile,
    recycled: bool,
) -> User:
    """Open it without the number, which is another's until the claim is through."""
    user = _create(pending, browser, receipt, language)
    Profile.objects.create(user=user)
    claims.begin(user, pending.phone, holder, receipt, at_once=recycled)
    return user


def _create(
    pending: Pending, browser: Browser, receipt: flow.Receipt, language: str
) -> User:
    _take(pending)
    user = User.objects.create(
        email=pending.email, password=pending.password, language=language
    )
    flow.redeem(receipt, _proof(pending, browser), new_user=user)
    mail.send_confirmation(user)
    return user


@transaction.atomic
def _tell_what_is_taken(
    pending: Pending, browser: Browser, receipt: flow.Receipt
) -> Exception:
    """Spend the receipt on the answer; tell the e-mail's owner, unless it is the
    person who has just proved the number."""
    _take(pending)
    flow.redeem(receipt, _proof(pending, browser))
    holder = claims.holder_of(pending.phone)
    owner = holder.user if holder else None
    namesake = User.objects.filter(email=pending.email).first()
    if namesake and namesake != owner:
        mail.send_email_taken(namesake)
    return NumberTaken() if owner else EmailTaken()


def _take(pending: Pending) -> None:
    # Before anything is created: the second of two equal requests stops here, and
    # does not mistake the first one's account for somebody else's.
    if not pending.take():
        raise VerificationNotUsable


def _proof(pending: Pending, browser: Browser) -> flow.Proof:
    return flow.Proof(
        purpose=Purpose.SIGNUP,
        user=None,
        holder=browser.binding,
        msisdn=Msisdn(pending.phone),
    )


def _has_account(email: str) -> bool:
    return User.objects.filter(email=email).exists()
