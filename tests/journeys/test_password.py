"""A new password: changed after a step-up, or reset by a mailed link."""

import pytest

from numberverify.choices import Purpose
from numberverify.models import Verification
from tests.factories import ANN, PASSWORD, UserFactory

from .manners import for_everybody

pytestmark = pytest.mark.browser
NEW = "an entirely n3w one"


@pytest.fixture
def ann(site):
    return UserFactory(email="ann@example.com", phone=ANN)


def test_the_confirm_page_names_the_action_and_has_one_button(phone, ann):
    phone.become(ann)
    phone.open("/accounts/profile/")
    phone.follow("Change your password")

    phone.sees("Confirm it's you to change your password")
    phone.reads("+44 •••• •••123")
    assert phone.main.get_by_role("button").all_inner_texts() == ["Check my number"]
    assert not phone.main.locator("input:visible").count()
    assert not phone.shows_a_number
    assert not Verification.objects.exists()


@for_everybody
def test_a_password_is_changed_after_the_network_has_confirmed(phone, new_phone, ann):
    phone.become(ann)
    phone.open("/accounts/password/change/")
    phone.press("Check my number")
    phone.fill(old_password=PASSWORD, new_password1=NEW, new_password2=NEW)
    phone.press("Change the password")

    assert phone.at == "/accounts/profile/"
    phone.reads("Your password is changed.")
    other = new_phone()
    other.log_in(ann, PASSWORD)
    other.reads("The e-mail address or the password is not right")
    other.log_in(ann, NEW)
    assert other.is_signed_in


def test_a_change_ends_the_other_sessions_and_not_this_one(phone, new_phone, ann):
    other = new_phone()
    other.become(ann)
    phone.become(ann)
    phone.open("/accounts/password/change/")
    phone.press("Check my number")
    phone.fill(old_password=PASSWORD, new_password1=NEW, new_password2=NEW)
    phone.press("Change the password")

    assert phone.is_signed_in
    other.open("/accounts/profile/")
    assert not other.is_signed_in


def test_a_confirmation_pays_for_one_change(phone, ann):
    phone.become(ann)
    phone.open("/accounts/password/change/")
    phone.press("Check my number")
    phone.fill(old_password=PASSWORD, new_password1=NEW, new_password2=NEW)
    phone.press("Change the password")
    phone.open("/accounts/password/change/")

    phone.sees("Confirm it's you to change your password")


def test_a_slip_in_the_form_does_not_cost_the_confirmation(phone, ann):
    phone.become(ann)
    phone.open("/accounts/password/change/")
    phone.press("Check my number")
    phone.fill(old_password="wrong", new_password1=NEW, new_password2=NEW)
    phone.press("Change the password")
    phone.sees("Change your password")
    phone.fill(old_password=PASSWORD, new_password1=NEW, new_password2=NEW)
    phone.press("Change the password")

    phone.reads("Your password is changed.")


def test_another_sim_changes_no_password(phone, ann):
    phone.become(ann)
    phone.hold(number="+447700900456")
    phone.open("/accounts/password/change/")
    phone.press("Check my number")

    phone.sees("The number does not match this SIM")
    phone.open("/accounts/password/change/")
    phone.sees("Confirm it's you to change your password")


def test_a_person_without_a_number_is_asked_to_add_one_first(phone):
    phone.become(UserFactory())
    phone.open("/accounts/password/change/")

    phone.sees("Add a number first")
    phone.follow("Add a number")
    assert phone.at == "/accounts/phone/"


def ask_for_a_link(phone, person, mails):
    phone.open("/accounts/login/")
    phone.follow("Forgotten your password?")
    phone.fill(email=person.email)
    phone.press("Send me a link")
    phone.sees("Look into your mail")
    return mails()[0].links[0]


@pytest.fixture
def mailed(phone, mails, ann):
    """The link that Ann asked for."""
    return ask_for_a_link(phone, ann, mails)


@for_everybody
def test_a_reset_asks_the_network_and_signs_nobody_in(phone, ann, mailed):
    phone.open(mailed)
    assert not Verification.objects.exists()
    phone.press("Check my number")
    phone.sees("Choose a new password")
    assert Verification.objects.get().purpose == Purpose.PASSWORD_RESET
    phone.fill(new_password1=NEW, new_password2=NEW)
    phone.press("Set the password")

    assert phone.at == "/accounts/login/"
    phone.reads("Your password is changed. Log in with it.")
    assert not phone.is_signed_in
    phone.log_in(ann, NEW)
    assert phone.is_signed_in


def test_a_stolen_mailbox_resets_nothing_without_the_sim(new_phone, ann, mailed):
    thief = new_phone()
    thief.hold(number="+447700900456")
    thief.open(mailed)
    thief.press("Check my number")

    thief.sees("The number does not match this SIM")
    assert not thief.shows_a_number
    thief.press("Try again")
    thief.sees("The number does not match this SIM")
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)


def test_a_reset_ends_every_session_and_the_link(phone, new_phone, ann, mails):
    other = new_phone()
    other.become(ann)
    mailed = ask_for_a_link(phone, ann, mails)
    phone.open(mailed)
    phone.press("Check my number")
    phone.fill(new_password1=NEW, new_password2=NEW)
    phone.press("Set the password")

    other.open("/accounts/profile/")
    assert not other.is_signed_in
    phone.open(mailed, status=410)
    phone.sees("This link does not work any more")


def test_an_unknown_address_gets_the_same_answer_and_no_mail(phone, mails):
    phone.open("/accounts/password/reset/")
    phone.fill(email="nobody@example.com")
    phone.press("Send me a link")

    phone.sees("Look into your mail")
    assert mails() == []
