"""Logging in and out, and where that leads."""

import pytest

from numberverify.choices import Because, Purpose
from numberverify.models import Verification
from tests.factories import ANN, PASSWORD, UserFactory

from .manners import for_everybody

pytestmark = pytest.mark.browser


@pytest.fixture
def ann(site):
    return UserFactory(email="ann@example.com", phone=ANN)


@for_everybody
def test_a_new_browser_asks_the_network(phone, ann):
    phone.log_in(ann)

    assert phone.at == "/accounts/profile/"
    assert phone.is_signed_in
    asked = Verification.objects.get()
    assert (asked.purpose, asked.asked_because) == (Purpose.LOGIN, Because.NEW_BROWSER)
    assert asked.redeemed_at is not None


def test_the_browser_of_the_signup_is_known_and_the_network_is_left_alone(phone):
    phone.sign_up()
    phone.press("Log out")
    phone.open("/accounts/login/")
    phone.fill(username="ann@example.com", password=PASSWORD)
    phone.press("Log in")

    assert phone.is_signed_in
    assert not Verification.objects.filter(purpose=Purpose.LOGIN).exists()


def test_a_browser_is_known_from_its_first_login(phone, ann):
    phone.log_in(ann)
    phone.press("Log out")
    phone.log_in(ann)

    assert phone.is_signed_in
    assert Verification.objects.count() == 1


def test_another_browser_is_not_known_by_the_first(phone, new_phone, ann):
    phone.log_in(ann)
    other = new_phone()
    other.hold(number="+447700900456")
    other.log_in(ann)

    other.sees("The number does not match this SIM")
    assert not other.is_signed_in


def test_a_wrong_password_says_one_thing_and_asks_nobody(phone, ann):
    phone.log_in(ann, "wrong")

    phone.reads("The e-mail address or the password is not right")
    assert not phone.is_signed_in
    assert not Verification.objects.exists()


def test_a_person_without_a_number_signs_in_by_password_alone(phone):
    phone.log_in(UserFactory())

    assert phone.is_signed_in
    assert phone.main.get_by_role("link", name="Add a number").is_visible()
    assert not Verification.objects.exists()


@for_everybody
def test_the_page_that_was_wanted_comes_after_the_network(phone, ann):
    phone.open("/accounts/phone/")
    assert phone.at == "/accounts/login/?next=/accounts/phone/"
    phone.fill(username=ann.email, password=PASSWORD)
    phone.press("Log in")

    assert phone.at == "/accounts/phone/"
    assert Verification.objects.count() == 1


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example/", "/%5Cevil.example/", "javascript:alert(1)"]
)
def test_a_page_of_another_host_becomes_the_profile(phone, elsewhere):
    phone.log_in(UserFactory(), next=elsewhere)

    assert phone.at == "/accounts/profile/"


def test_so_it_does_after_the_network(phone, ann):
    phone.log_in(ann, next="https://evil.example/")

    assert phone.at == "/accounts/profile/"


@for_everybody
def test_logging_out_ends_the_session_and_what_was_begun_in_it(phone, ann):
    phone.log_in(ann)
    phone.open("/accounts/password/change/")
    phone.press("Check my number")
    phone.sees("Change your password")
    before = phone.cookie("nv_binding")
    phone.press("Log out")

    assert phone.at == "/"
    phone.reads("You are not signed in.")
    assert phone.cookie("nv_binding") != before
    phone.log_in(ann, next="/accounts/password/change/")
    phone.sees("Confirm it's you to change your password")


def test_the_profile_after_a_logout_is_nobodys(phone, ann):
    phone.log_in(ann)
    phone.press("Log out")
    phone.page.go_back()
    phone.page.reload()

    assert phone.at == "/accounts/login/?next=/accounts/profile/"
