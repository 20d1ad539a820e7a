"""A number added by somebody who signed up without one."""

import pytest
from playwright.sync_api import expect

from accounts.models import Profile
from numberverify.choices import Purpose
from numberverify.models import Verification
from tests.factories import ANN, PASSWORD, UserFactory

from .manners import for_everybody

pytestmark = pytest.mark.browser


@pytest.fixture
def person(phone):
    """Signed in on `phone`, without a number."""
    user = UserFactory()
    phone.become(user)
    return user


def add(phone, number="07700 900123"):
    phone.open("/accounts/profile/")
    phone.follow("Add a number")
    phone.fill(phone=number, password=PASSWORD)
    phone.press("Check my number")


@for_everybody
def test_a_person_adds_a_number_and_the_network_verifies_it(phone, person):
    add(phone)

    assert phone.at == "/accounts/profile/"
    phone.reads("Your number is confirmed.")
    phone.open("/accounts/phone/")
    phone.reads("The number on file is +44 •••• •••123.")
    assert not phone.shows_a_number
    asked = Verification.objects.get()
    assert (asked.purpose, asked.user) == (Purpose.PHONE_CHANGE, person)


def test_a_number_that_the_sim_does_not_have_is_not_put_on_file(phone, person):
    add(phone, "07700 900124")

    phone.sees("The number does not match this SIM")
    assert not Profile.objects.filter(phone_verified_at__isnull=False).exists()
    phone.follow("Correct the number")
    expect(phone.field("phone")).not_to_be_empty()
    phone.fill(phone="07700 900123")
    phone.press("Check my number")
    phone.reads("Your number is confirmed.")


def test_the_password_that_is_wrong_is_named_and_the_number_stays_typed(phone, person):
    phone.open("/accounts/phone/")
    phone.fill(phone="07700 900123", password="wrong")
    phone.press("Check my number")

    phone.reads("That is not your password")
    expect(phone.field("phone")).to_have_value("07700 900123")
    expect(phone.field("password")).to_be_empty()
    phone.fill(password=PASSWORD)
    phone.press("Check my number")
    phone.reads("Your number is confirmed.")


def test_a_number_of_another_account_is_not_added(phone, person):
    UserFactory(phone=ANN)
    add(phone)

    phone.sees("This number already has an account")
    assert phone.is_signed_in
    assert not Profile.objects.filter(user=person, phone=ANN).exists()
    phone.follow("Back to your profile")
    phone.reads("Add a number")
