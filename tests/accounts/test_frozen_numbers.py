"""While an account is frozen its number stays where it is: nobody claims it away, and
a claim that runs waits (NV_TAKEOVER)."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail as outbox
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from accounts import account, claims, mail, password
from accounts.models import Claim, Pending, Profile, User
from numberverify.browser import Browser as AsSeen
from numberverify.choices import Method, Purpose
from numberverify.flow import Receipt
from tests.factories import (
    ANN,
    BINDING,
    PASSWORD,
    PendingFactory,
    UserFactory,
    VerificationFactory,
)
from tests.numberverify.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "batt3ry staple"
WEEK = timedelta(days=7)


@pytest.fixture
def holder(settings):
    settings.NV_TAKEOVER = "challenge"
    return UserFactory(email="ann@example.com", phone=ANN)


@pytest.fixture
def claimant():
    return UserFactory(email="ben@example.com")


@pytest.fixture
def claim(holder, claimant) -> Claim:
    return begin(holder, claimant)


def begin(holder, claimant, **how) -> Claim:
    row = VerificationFactory(verified=True, purpose=Purpose.PHONE_CHANGE)
    receipt = Receipt(row.pk, Method.NETWORK, timezone.now())
    return claims.begin(claimant, ANN, holder.profile, receipt, **how)


def has(user) -> bool:
    return Profile.objects.filter(
        user=user, phone=ANN, phone_verified_at__isnull=False
    ).exists()


def weeks_later(number=1):
    return time_machine.travel(timezone.now() + number * WEEK + timedelta(minutes=1))


def reset(user) -> None:
    """Reset the password, with the proof that it takes."""
    user = User.objects.get(pk=user.pk)
    pending = PendingFactory(kind="password_reset", user=user, email="")
    VerificationFactory(verified=True, purpose=Purpose.PASSWORD_RESET, user=user)
    password.reset(pending, AsSeen(BINDING), NEW)


def subjects(address) -> list[str]:
    mail.wait()
    return [message.subject for message in outbox.outbox if message.to == [address]]


# A holder who is frozen


def test_a_claim_that_is_due_waits_while_its_holder_is_frozen(holder, claim):
    account.freeze(holder)

    with weeks_later(3):
        call_command("housekeeping")
        assert not claims.move(claim)

    assert has(holder)
    assert Claim.objects.get().outcome == Claim.Outcome.OPEN
    assert Claim.objects.get().phone == ANN
    assert "moved" not in str(subjects("ben@example.com"))


def test_after_the_reset_the_holder_has_the_whole_time_again(holder, claimant, claim):
    account.freeze(holder)
    with weeks_later(3):
        reset(holder)
        due = Claim.objects.get().due_at
        assert due - timezone.now() == pytest.approx(WEEK, abs=timedelta(seconds=5))
        assert Profile.objects.get(user=holder).claimed_until == due
        call_command("housekeeping")
        assert has(holder)
    with weeks_later(4):
        call_command("housekeeping")
        assert has(claimant)


def test_a_reset_without_a_freeze_gives_no_more_time(holder, claim):
    reset(holder)

    assert Claim.objects.get().due_at == claim.due_at


def test_a_holder_without_a_claim_is_marked_with_none(holder):
    account.freeze(holder)
    reset(holder)

    assert Profile.objects.get(user=holder).claimed_until is None


@pytest.mark.parametrize("policy", ["challenge", "recycled"])
def test_the_number_of_a_frozen_account_is_taken_for_who_claims_it(
    browser, operator, settings, holder, policy
):
    settings.NV_TAKEOVER = policy
    account.freeze(holder)
    typed = {"password1": PASSWORD, "password2": PASSWORD, "phone": ANN}
    started = browser.submit("/accounts/signup/", email="new@example.com", **typed)

    page = browser.follow(browser.come_back(operator, started))

    assert "already has an account" in page.text
    assert has(holder)
    assert not Claim.objects.exists()
    assert not User.objects.filter(email="new@example.com").exists()


@pytest.mark.parametrize("at_once", [False, True])
def test_a_claim_that_begins_as_the_account_is_frozen_is_none(
    holder, claimant, at_once
):
    """What `may_be_claimed` saw is over by then."""
    seen = User.objects.select_related("profile").get(pk=holder.pk)
    account.freeze(holder)

    with pytest.raises(claims.ClaimRuns):
        begin_in_a_transaction(seen, claimant, at_once)

    assert has(holder)


def begin_in_a_transaction(holder, claimant, now) -> None:
    with transaction.atomic():
        begin(holder, claimant, at_once=now)


def test_a_number_that_staff_have_released_moves_though_its_holder_is_frozen(
    holder, claimant, claim
):
    account.freeze(holder)
    claims.free(holder, ANN)

    claims.freed(ANN)

    assert has(claimant)


# A claimant who is frozen


def test_the_claim_of_an_account_that_is_frozen_is_withdrawn(holder, claimant, claim):
    account.freeze(claimant)

    ended = Claim.objects.get()
    assert (ended.outcome, ended.phone) == (Claim.Outcome.WITHDRAWN, "")
    with weeks_later():
        call_command("housekeeping")
    assert has(holder)


def test_the_holder_is_not_warned_of_it_any_more(holder, claimant, claim):
    account.freeze(claimant)

    assert Profile.objects.get(user=holder).claimed_until is None


def test_a_claim_of_somebody_else_is_left_alone(holder, claim):
    account.freeze(UserFactory())

    assert Claim.objects.get().outcome == Claim.Outcome.OPEN
    assert Profile.objects.get(user=holder).claimed_until == claim.due_at


def test_somebody_else_may_claim_it_then(holder, claimant, claim):
    account.freeze(claimant)

    assert begin(holder, UserFactory()).outcome == Claim.Outcome.OPEN


def test_a_frozen_account_does_not_get_a_number_at_once(holder, claimant):
    User.objects.filter(pk=claimant.pk).update(frozen_at=timezone.now())

    with pytest.raises(claims.ClaimRuns):
        begin_in_a_transaction(holder, claimant, True)

    assert has(holder)


# Races


@pytest.mark.parametrize("round", range(5))
def test_a_freeze_and_a_move_at_once_leave_one_owner_and_no_deadlock(
    holder, claimant, claim, round
):
    moved, _ = at_once(
        [
            lambda: claims.move(claim),
            lambda: account.freeze(User.objects.get(pk=holder.pk)),
        ]
    )

    assert has(claimant) is moved
    assert has(holder) is not moved
    assert User.objects.get(pk=holder.pk).frozen_at


@pytest.mark.parametrize("round", range(5))
def test_a_move_while_the_holder_removes_the_number_is_no_deadlock(
    holder, claimant, claim, round
):
    def remove():
        with transaction.atomic():
            return claims.free(holder, ANN)

    moved, _ = at_once([lambda: claims.move(claim), remove])

    assert moved
    assert has(claimant)
    assert not has(holder)


@pytest.mark.parametrize("round", range(5))
def test_a_freeze_and_a_reset_of_the_two_at_once_end_well(
    holder, claimant, claim, round
):
    account.freeze(holder)

    at_once(
        [
            lambda: reset(holder),
            lambda: account.freeze(User.objects.get(pk=claimant.pk)),
            lambda: claims.move(claim),
        ]
    )

    assert has(holder) or has(claimant)
    assert Claim.objects.filter(ended_at=None).count() == 0
    assert not Pending.objects.exists()
