"""Signing up, from the home page to the profile."""

import pytest

from accounts.models import User
from numberverify.choices import Status
from numberverify.models import Verification
from tests.factories import ANN, UserFactory

from .manners import for_everybody

pytestmark = pytest.mark.browser
PASSWORD = "a l0ng enough one"


@for_everybody
def test_a_person_signs_up_on_a_phone_without_a_click_in_between(phone):
    phone.open("/")
    phone.follow("Sign up")
    phone.fill(email="Ann@Example.com", phone="07700 900123")
    phone.fill(password1=PASSWORD, password2=PASSWORD)
    phone.press("Check my number and sign up")

    assert phone.at == "/accounts/profile/"
    assert phone.is_signed_in
    phone.reads("ann@example.com")
    phone.reads("+44 •••• •••123")
    assert not phone.shows_a_number


def test_no_cookie_opens_a_session_before_the_network_has_answered(phone):
    phone.hold(network="wifi")
    phone.sign_up()

    assert phone.cookie("nv_binding")
    assert phone.cookie("sessionid") is None


def test_signing_up_leads_to_the_page_that_was_wanted(phone):
    phone.open("/accounts/signup/?next=/accounts/password/change/")
    phone.fill(email="ann@example.com", phone="07700 900123")
    phone.fill(password1=PASSWORD, password2=PASSWORD)
    phone.press("Check my number and sign up")

    assert phone.at == "/accounts/password/change/"
    phone.sees("Confirm it's you to change your password")


def test_a_number_with_an_account_is_told_to_the_person_who_has_it(phone):
    UserFactory(phone=ANN)
    phone.sign_up(email="second@example.com")

    assert phone.at == "/accounts/signup/number-taken/"
    phone.sees("This number already has an account")
    assert not phone.is_signed_in
    assert not User.objects.filter(email="second@example.com").exists()


def test_an_e_mail_with_an_account_is_told_and_its_owner_is_written_to(phone, mails):
    ann = UserFactory(phone="+447700900999")
    phone.sign_up(email=ann.email)

    assert phone.at == "/accounts/signup/email-taken/"
    phone.sees("This e-mail address already has an account")
    assert not phone.is_signed_in
    assert mails()[0].to == [ann.email]
    assert "tried to sign up" in mails()[0].subject


def test_nothing_is_told_of_an_account_before_the_number_is_proved(phone, mails):
    ann = UserFactory(phone=ANN)
    phone.hold(number="+447700900456")
    phone.sign_up(email=ann.email)

    phone.sees("The number does not match this SIM")
    assert mails() == []


def test_signed_in_people_who_open_the_form_go_to_their_profile(phone):
    phone.sign_up()
    phone.open("/accounts/signup/")

    assert phone.at == "/accounts/profile/"


def test_a_form_opened_under_another_name_of_the_host_is_sent_to_the_sites(phone):
    by_name = phone.site.replace("127.0.0.1", "localhost")
    phone.hosts.add(by_name.removeprefix("http://"))
    phone.open(f"{by_name}/accounts/signup/")
    phone.fill(email="ann@example.com", phone="07700 900123")
    phone.fill(password1=PASSWORD, password2=PASSWORD)
    phone.press("Check my number and sign up")

    assert phone.at == "/accounts/profile/"
    assert Verification.objects.get().status == Status.VERIFIED
