"""A claim made from within somebody else's account, or while accounts are shut."""

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts import account, claims, mail, releases
from accounts.models import Claim, NumberEvent, Profile, User
from numberverify.browser import Browser as AsSeen
from numberverify.choices import Method, Purpose
from numberverify.factors import sms
from numberverify.flow import Receipt
from tests.accounts.browsers import AGENTS
from tests.accounts.steps import by_network, sign_in
from tests.accounts.test_frozen_numbers import has as has_ann
from tests.accounts.test_frozen_numbers import reset, subjects, weeks_later
from tests.accounts.test_not_me import by_staff, staff_disable
from tests.factories import (
    ANN,
    PASSWORD,
    NumberReleaseFactory,
    UserFactory,
    VerificationFactory,
)
from tests.numberverify.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
BEN = "+447700900456"
ASKED = "Somebody asked for another mobile number on your account"
HERE = AsSeen("", "200.87.100.1", AGENTS["laptop"])
NEW = {"new_password1": "batt3ry staple", "new_password2": "batt3ry staple"}


@pytest.fixture
def ann(settings):
    settings.NV_TAKEOVER = "challenge"
    return UserFactory(email="ann@example.com", phone=ANN)


@pytest.fixture
def ben(settings):
    return UserFactory(email="ben@example.com", phone=BEN)


def claim(claimant, number, holder, *, replaces="", browser=HERE) -> Claim:
    row = VerificationFactory(verified=True, purpose=Purpose.PHONE_CHANGE)
    receipt = Receipt(row.pk, Method.NETWORK, timezone.now())
    return claims.begin(
        claimant, number, holder.profile, receipt, replaces=replaces, browser=browser
    )


def number_of(user) -> str:
    return Profile.objects.get(user=user).phone


def texts_to(number) -> list[str]:
    mail.wait()
    return [each.text for each in sms.outbox if each.msisdn.e164 == number]


# From within Ann's account


def test_v5_0_0_6_3_7_who_claims_another_number_is_told_by_mail_and_by_message(
    ann, ben
):
    claim(ann, BEN, ben, replaces=ANN)

    assert ASKED in subjects("ann@example.com")
    (text,) = texts_to(ANN)
    assert ASKED in text
    assert texts_to(BEN) == []


def test_without_a_number_that_could_go_the_mail_is_all(ben, settings):
    settings.NV_TAKEOVER = "challenge"
    carol = UserFactory(email="carol@example.com")

    claim(carol, BEN, ben)

    assert ASKED in subjects("carol@example.com")
    assert sms.outbox == []


def test_the_journey_tells_in_which_browser(browser, operator, ann, ben):
    sign_in(browser, ann)
    by_network(browser, operator, "/accounts/phone/change/")
    operator.sim = BEN
    started = browser.submit("/accounts/phone/change/", phone=BEN)
    page = browser.follow(browser.come_back(operator, started))

    assert "It moves to yours on" in page.text
    assert "A new password before then" in page.text
    assert ASKED in subjects("ann@example.com")
    assert Claim.objects.get().ended_at is None


def changes_the_password(browser, operator, ann):
    by_network(browser, operator, "/accounts/password/change/")
    browser.submit("/accounts/password/change/", old_password=PASSWORD, **NEW)


def ends_the_other_sessions(browser, operator, ann):
    by_network(browser, operator, "/accounts/sessions/end/")
    browser.submit("/accounts/sessions/end/", end="1")


@pytest.mark.parametrize(
    "acts",
    [
        pytest.param(lambda browser, operator, ann: reset(ann), id="reset"),
        pytest.param(changes_the_password, id="change"),
        pytest.param(ends_the_other_sessions, id="sessions"),
    ],
)
@pytest.mark.parametrize("replaces", [ANN, ""])
def test_what_shuts_a_thief_out_ends_the_claim(
    browser, operator, ann, ben, acts, replaces
):
    sign_in(browser, ann)
    claim(ann, BEN, ben, replaces=replaces)

    acts(browser, operator, ann)

    assert Claim.objects.get().outcome == Claim.Outcome.WITHDRAWN
    assert Profile.objects.get(user=ben).claimed_until is None
    with weeks_later():
        call_command("housekeeping", verbosity=0)
    assert (number_of(ann), number_of(ben)) == (ANN, BEN)


def test_the_number_that_is_replaced_is_told_so(ann, ben):
    claim(ann, BEN, ben, replaces=ANN)
    with weeks_later():
        call_command("housekeeping", verbosity=0)

    asked, moved = texts_to(ANN)
    assert "Your mobile number was changed" in moved
    assert "is yours now" not in asked + moved
    assert "The mobile number that you proved is yours now" in subjects(ann.email)


# Two who have swapped their SIMs


def test_two_who_claim_each_others_number_both_have_one_in_the_end(ann, ben):
    claim(ann, BEN, ben, replaces=ANN)
    claim(ben, ANN, ann, replaces=BEN)

    with weeks_later():
        call_command("housekeeping", verbosity=0)

    assert (number_of(ann), number_of(ben)) == (BEN, ANN)
    assert Profile.objects.filter(phone_verified_at=None).count() == 0
    assert Profile.objects.exclude(claimed_until=None).count() == 0
    events = NumberEvent.objects.order_by("pk").values_list("what", flat=True)
    assert list(events)[2:] == ["lost", "changed", "moved", "moved"]


@pytest.mark.parametrize("round", range(4))
def test_v5_0_0_2_3_4_both_at_once_are_no_deadlock(ann, ben, round):
    hers = claim(ann, BEN, ben, replaces=ANN)
    his = claim(ben, ANN, ann, replaces=BEN)

    at_once([lambda: claims.move(hers), lambda: claims.move(his)])

    assert {number_of(ann), number_of(ben)} == {ANN, BEN}


def test_a_number_that_a_move_frees_goes_to_who_has_claimed_it(ann, ben):
    carol = UserFactory()
    claim(carol, ANN, ann)
    claim(ann, BEN, ben, replaces=ANN)

    assert claims.move(Claim.objects.get(claimant=ann))

    assert (number_of(ann), number_of(carol)) == (BEN, ANN)


# Who is disabled


@pytest.fixture
def carol():
    return UserFactory(email="carol@example.com")


def test_the_claim_of_who_is_disabled_is_withdrawn(ann, carol):
    claim(carol, ANN, ann)

    by_staff(carol, staff_disable)

    assert Claim.objects.get().outcome == Claim.Outcome.WITHDRAWN


@pytest.mark.parametrize("who", ["holder", "claimant"])
def test_nothing_moves_while_one_of_the_two_is_disabled(ann, carol, who):
    """Not by the admin alone: a site may do it in code of its own."""
    open_claim = claim(carol, ANN, ann)
    disabled = ann if who == "holder" else carol
    User.objects.filter(pk=disabled.pk).update(is_active=False)

    with weeks_later(3):
        call_command("housekeeping", verbosity=0)
        assert not claims.move(open_claim)

    assert has_ann(ann)
    assert Claim.objects.get().outcome == Claim.Outcome.OPEN


def test_a_holder_who_is_active_again_has_the_whole_time_again(ann, carol):
    claim(carol, ANN, ann)
    by_staff(ann, staff_disable)
    with weeks_later(3):
        by_staff(
            ann,
            lambda client, ann: client.submit(
                f"/admin/accounts/user/{ann.pk}/change/", is_active="on", _save="Save"
            ),
        )
        call_command("housekeeping", verbosity=0)
        assert has_ann(ann)
        assert Claim.objects.get().due_at > timezone.now()
    with weeks_later(4):
        call_command("housekeeping", verbosity=0)
    assert has_ann(carol)


def test_the_number_of_who_is_disabled_is_not_claimed(ann):
    receipt = Receipt(VerificationFactory().pk, Method.NETWORK, timezone.now())
    assert claims.may_be_claimed(receipt, claims.holder_of(ANN))

    User.objects.filter(pk=ann.pk).update(is_active=False)

    assert not claims.may_be_claimed(receipt, claims.holder_of(ANN))


def test_staff_release_the_number_of_who_stays_disabled(ann, carol):
    claim(carol, ANN, ann)
    by_staff(ann, staff_disable)
    release = NumberReleaseFactory(person=User.objects.get(pk=ann.pk))

    releases.decide(release, UserFactory(staff=True), approve=True)

    assert has_ann(carol)


def test_an_account_that_is_closed_takes_its_claim_along(ann, ben):
    claim(ann, BEN, ben, replaces=ANN)

    account.delete(ann)

    assert not Claim.objects.exists()
    assert Profile.objects.get(user=ben).claimed_until is None
