"""A confirmation that is good for one amount to one payee."""

import pytest
from playwright.sync_api import expect

from tests.factories import ANN, UserFactory

from . import hands
from .manners import for_everybody

pytestmark = pytest.mark.browser
MONEY = "/sandbox/send-money/"
CONFIRM = "Confirm it's you to send this money"
SENT = "Sent £250.00 to Ben Okafor."


@pytest.fixture
def ann(phone):
    user = UserFactory(email="ann@example.com", phone=ANN)
    hands.give_app(user)
    phone.become(user)
    return user


def send(phone, *, payee="Ben Okafor", amount="250"):
    phone.fill(payee=payee, amount=amount)
    phone.press("Send")


def panel(phone):
    return phone.main.locator("dl.panel dd").all_inner_texts()


@for_everybody
def test_money_is_sent_after_the_person_has_seen_and_confirmed_it(phone, ann):
    phone.open(MONEY)
    send(phone)
    phone.sees(CONFIRM)
    assert panel(phone) == ["Ben Okafor", "£250.00"]
    phone.press("Check my number")
    phone.sees("Send money")
    assert SENT not in phone.main.inner_text()  # nothing is sent by itself
    expect(phone.field("payee")).to_have_value("Ben Okafor")
    expect(phone.field("amount")).to_have_value("250")
    phone.press("Send")
    phone.reads(SENT)
    send(phone)

    phone.sees(CONFIRM)  # one confirmation sends it once


def test_what_is_changed_after_confirming_is_asked_about_again(phone, ann):
    phone.open(MONEY)
    send(phone)
    phone.press("Check my number")
    phone.fill(payee="Mallory")
    phone.press("Send")
    phone.sees(CONFIRM)
    assert panel(phone) == ["Mallory", "£250.00"]
    phone.press("Check my number")
    phone.fill(amount="2500")
    phone.press("Send")

    phone.sees(CONFIRM)
    assert panel(phone) == ["Mallory", "£2500.00"]


def test_at_a_desk_money_is_sent_by_the_app(phone, ann):
    phone.open(MONEY)
    send(phone)
    phone.press(hands.ELSEWHERE)
    hands.prove_by_app(phone, ann)
    expect(phone.field("amount")).to_have_value("250")
    phone.press("Send")

    phone.reads(SENT)


def test_on_wifi_money_is_sent_after_one_more_try(phone, ann):
    phone.hold(network="wifi")
    phone.open(MONEY)
    send(phone)
    phone.press("Check my number")
    phone.sees("We could not check your number")
    ending = phone.at
    phone.hold(network="mobile")
    phone.open(ending)
    phone.press("Try again")
    phone.press("Send")

    phone.reads(SENT)


def test_a_form_with_errors_asks_for_no_confirmation(phone, ann):
    phone.open(MONEY)
    send(phone, payee="", amount="much")

    phone.sees("Send money")
    phone.reads("There is a problem")
    expect(phone.field("amount")).to_have_value("much")
