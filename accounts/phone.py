"""The number of a person: on file, added and changed by somebody who is signed in."""

from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from numberverify import flow
from numberverify.browser import Browser, Way, browser_of, way_of
from numberverify.choices import Purpose
from numberverify.errors import VerificationNotUsable
from numberverify.msisdn import Msisdn
from numberverify.stepup import redeem_step_up

from . import claims, notices, numbers
from .models import NumberEvent, Pending, Profile, User
from .notice import Kind

What = NumberEvent.What


class NumberTaken(Exception):
    """The number, just proved, belongs to another account."""


class Claimed(Exception):
    """It belongs to another account still, and moves if that one does not object."""


def number_of(user: User) -> str | None:
    """Return the verified number on file in E.164 form, or None (NV_NUMBER_OF)."""
    mine = Profile.objects.filter(user=user, phone_verified_at__isnull=False)
    return mine.values_list("phone", flat=True).first()


def msisdn_of(user: User) -> Msisdn | None:
    number = number_of(user)
    return Msisdn(number) if number else None


def operator_of(user: User) -> str:
    """Return the short name of the network that the number was proved by last, as far
    as the person had to choose it, or "" (NV_OPERATOR_OF)."""
    mine = Profile.objects.filter(user=user).values_list("operator", flat=True)
    return mine.first() or ""


def remember_operator(user: User, name: str) -> None:
    """Ask that network first from now on (NV_REMEMBER_OPERATOR)."""
    Profile.objects.filter(user=user).exclude(operator=name).update(operator=name)


def begin(user: User, msisdn: Msisdn, browser: Browser, *, typed: str, way: Way) -> str:
    """Write down the number to add and return where to prove it."""
    pending = _write_down(user, msisdn, browser, typed, replaces="")
    return ask(pending, browser, way)


def begin_change(
    request: HttpRequest, user: User, msisdn: Msisdn, *, typed: str
) -> str:
    """Do the same for a person who has just proved to be who they are, which is spent
    on it; raise VerificationNotUsable."""
    browser = browser_of(request, user)
    with transaction.atomic():
        redeem_step_up(request)
        old = number_of(user) or ""
        pending = _write_down(user, msisdn, browser, typed, replaces=old)
    return ask(pending, browser, way_of(request))


def _write_down(
    user: User, msisdn: Msisdn, browser: Browser, typed: str, *, replaces: str
) -> Pending:
    return Pending.begin(
        Pending.Kind.PHONE_CHANGE,
        browser.binding,
        user=user,
        phone=msisdn.e164,
        phone_typed=typed,
        replaces=replaces,
    )


def correct(pending: Pending, msisdn: Msisdn, *, typed: str) -> None:
    """Put another number into the journey; what was proved is about the old one."""
    pending.phone, pending.phone_typed = msisdn.e164, typed
    pending.save(update_fields=["phone", "phone_typed"])


def ask(pending: Pending, browser: Browser, way: Way) -> str:
    return flow.start(
        purpose=Purpose.PHONE_CHANGE,
        msisdn=Msisdn(pending.phone),
        user=pending.user,
        browser=browser,
        next=reverse("accounts:phone-journey", args=[pending.pk]),
        way=way,
    )


def resume(pending: Pending, browser: Browser) -> None:
    """Put the proved number on file.

    Raise VerificationNotUsable without a receipt, or when the number on file is another
    than at the start; NumberTaken when another account has it, which spends the
    receipt; Claimed when the SIM has claimed it from that account (NV_TAKEOVER).
    """
    user = pending.user
    msisdn = Msisdn(pending.phone)
    proof = flow.Proof(Purpose.PHONE_CHANGE, user, browser.binding, msisdn)
    receipt = flow.find_receipt(proof)
    if receipt is None or user is None or not pending.still_holds():
        raise VerificationNotUsable
    holder = claims.holder_of(pending.phone)
    try:
        if holder is None:
            return _put_on_file(user, pending, receipt, proof, browser)
        if holder.user != user and claims.may_be_claimed(receipt, holder):
            return _claim(user, pending, holder, receipt, proof, browser)
    except (IntegrityError, claims.ClaimRuns):
        pass
    with transaction.atomic():
        _spend(pending, receipt, proof)
    raise NumberTaken


def _claim(
    user: User,
    pending: Pending,
    holder: Profile,
    receipt: flow.Receipt,
    proof: flow.Proof,
    browser: Browser,
) -> None:
    recycled = claims.is_recycled(pending.phone, holder)
    with transaction.atomic():
        _spend(pending, receipt, proof)
        claims.begin(
            user,
            pending.phone,
            holder,
            receipt,
            replaces=pending.replaces,
            at_once=recycled,
            browser=browser,
        )
    if not recycled:
        raise Claimed


@transaction.atomic
def _put_on_file(
    user: User,
    pending: Pending,
    receipt: flow.Receipt,
    proof: flow.Proof,
    browser: Browser,
) -> None:
    _spend(pending, receipt, proof)
    Profile.objects.get_or_create(user=user)
    mine = Profile.objects.filter(user=user)
    # As it was when the person began: of two changes that race, one wins.
    as_it_was = (
        mine.filter(phone=pending.replaces, phone_verified_at__isnull=False)
        if pending.replaces
        else mine.filter(phone_verified_at=None)
    )
    if not as_it_was.update(
        phone=pending.phone,
        operator=receipt.operator if receipt.chosen else "",
        phone_verified_at=timezone.now(),
        phone_verification=receipt.id,
        claimed_until=None,
    ):
        raise VerificationNotUsable
    user.end_proofs()
    numbers.note(What.ADDED, pending.phone, user, verification=receipt.id)
    if not pending.replaces:
        notices.tell(user, Kind.NUMBER_ADDED, browser)
        return
    numbers.left(What.CHANGED, pending.replaces, user)
    claims.freed(pending.replaces)
    before = Msisdn(pending.replaces)
    notices.tell_of_number(user, Kind.NUMBER_CHANGED, browser, before=before)


def remove(request: HttpRequest, user: User) -> None:
    """Take the number off file. Raise VerificationNotUsable."""
    number = number_of(user)
    with transaction.atomic():
        redeem_step_up(request)
        if not number or not claims.free(user, number):
            raise VerificationNotUsable
        numbers.left(What.REMOVED, number, user)
        claims.freed(number)
        before, browser = Msisdn(number), browser_of(request)
        notices.tell_of_number(user, Kind.NUMBER_REMOVED, browser, before=before)


def _spend(pending: Pending, receipt: flow.Receipt, proof: flow.Proof) -> None:
    if not pending.take():
        raise VerificationNotUsable
    flow.redeem(receipt, proof)
