"""A number changes hands between two people with two phones (NV_TAKEOVER)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import claims
from accounts.models import Claim, Profile
from tests.factories import ANN, UserFactory

from .manners import for_everybody

pytestmark = pytest.mark.browser
SPARE = "+447700900777"


@pytest.fixture
def ann(site, settings):
    settings.NV_TAKEOVER = "challenge"
    return UserFactory(email="ann@example.com", phone=ANN)


def owner_of(number) -> str:
    return Profile.objects.get(phone=number).user.email


def a_week_passes() -> None:
    Claim.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    claims.move_due()


@for_everybody
def test_a_new_holder_of_the_sim_gets_the_number_in_a_week(
    phone, new_phone, ann, mails
):
    phone.sign_up("new@example.com")

    assert phone.is_signed_in
    phone.reads("It moves to yours on")
    assert owner_of(ANN) == ann.email
    assert [m for m in mails() if "Somebody else has proved" in m.subject]
    a_week_passes()

    phone.open("/accounts/profile/")
    phone.reads("+44 •••• •••123")
    assert owner_of(ANN) == "new@example.com"
    old = new_phone()
    old.become(ann)
    old.open("/accounts/profile/")
    old.reads("Add a number")


@for_everybody
def test_the_holder_reads_the_mail_and_keeps_the_number(phone, new_phone, ann, mails):
    thief = new_phone()
    thief.sign_up("new@example.com")
    links = [each for mail in mails() for each in mail.links]
    (link,) = [each for each in links if "claim" in each]

    phone.become(ann)
    phone.open(link)
    phone.sees("Confirm it's you to keep your mobile number")
    phone.press("Check my number")
    phone.press("Keep my number")

    phone.reads("You keep your number.")
    a_week_passes()
    assert owner_of(ANN) == ann.email


def test_a_holder_with_another_sim_now_cannot_keep_it(phone, new_phone, ann):
    new_phone().sign_up("new@example.com")
    phone.become(ann)
    phone.hold(number=SPARE)
    phone.open("/accounts/phone/claim/")
    phone.press("Check my number")

    phone.sees("The number does not match this SIM")
    assert Claim.objects.get().ended_at is None


@for_everybody
def test_a_person_removes_the_number_and_is_warned(phone, ann):
    phone.become(ann)
    phone.open("/accounts/profile/")
    phone.follow("Remove it")
    phone.press("Check my number")
    phone.reads("It is your last way to prove that it is you.")
    phone.press("Remove the number")

    phone.reads("Your number is removed.")
    assert not Profile.objects.filter(phone=ANN).exists()
