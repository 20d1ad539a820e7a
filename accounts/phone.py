"""The number of a person: on file, and added by somebody who is signed in."""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from numberverify import flow
from numberverify.browser import Browser
from numberverify.choices import Purpose
from numberverify.errors import VerificationNotUsable
from numberverify.msisdn import Msisdn

from .models import Pending, Profile, User


class NumberTaken(Exception):
    """The number, just proved, belongs to another account."""


def number_of(user: User) -> str | None:
    """Return the verified number on file in E.164 form, or None (NV_NUMBER_OF)."""
    mine = Profile.objects.filter(user=user, phone_verified_at__isnull=False)
    return mine.values_list("phone", flat=True).first()


def msisdn_of(user: User) -> Msisdn | None:
    number = number_of(user)
    return Msisdn(number) if number else None


def begin(user: User, msisdn: Msisdn, browser: Browser, *, typed: str) -> str:
    """Write down the number to add and return the operator's URL."""
    pending = Pending.begin(
        Pending.Kind.PHONE_CHANGE,
        browser.binding,
        user=user,
        phone=msisdn.e164,
        phone_typed=typed,
    )
    return ask(pending, browser)


def ask(pending: Pending, browser: Browser, previous: UUID | None = None) -> str:
    return flow.start(
        purpose=Purpose.PHONE_CHANGE,
        msisdn=Msisdn(pending.phone),
        user=pending.user,
        browser=browser,
        next=reverse("accounts:phone-journey", args=[pending.pk]),
        previous=previous,
    )


def resume(pending: Pending, browser: Browser) -> None:
    """Put the proved number on file.

    Raise VerificationNotUsable without a receipt, or when a number came on file
    meanwhile; NumberTaken when another account has it, which spends the receipt.
    """
    user = pending.user
    msisdn = Msisdn(pending.phone)
    proof = flow.Proof(Purpose.PHONE_CHANGE, user, browser.binding, msisdn)
    receipt = flow.find_receipt(proof)
    if receipt is None or user is None or not pending.still_holds():
        raise VerificationNotUsable
    try:
        if not _is_taken(pending.phone):
            return _put_on_file(user, pending, receipt, proof)
    except IntegrityError:
        pass
    with transaction.atomic():
        _spend(pending, receipt, proof)
    raise NumberTaken


@transaction.atomic
def _put_on_file(
    user: User, pending: Pending, receipt: flow.Receipt, proof: flow.Proof
) -> None:
    _spend(pending, receipt, proof)
    Profile.objects.get_or_create(user=user)
    empty = Profile.objects.filter(user=user, phone_verified_at=None)
    if not empty.update(
        phone=pending.phone,
        phone_verified_at=timezone.now(),
        phone_verification=receipt.id,
    ):
        raise VerificationNotUsable


def _spend(pending: Pending, receipt: flow.Receipt, proof: flow.Proof) -> None:
    if not pending.take():
        raise VerificationNotUsable
    flow.redeem(receipt, proof)


def _is_taken(phone: str) -> bool:
    return Profile.objects.filter(phone=phone, phone_verified_at__isnull=False).exists()
