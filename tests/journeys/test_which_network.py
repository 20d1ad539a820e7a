"""Two networks serve German numbers: the person says which one it is."""

import re

import pytest
from playwright.sync_api import expect

from accounts.models import Profile
from numberverify.choices import Status
from numberverify.factors import sms
from numberverify.models import Verification

from . import hands
from .manners import for_everybody

pytestmark = pytest.mark.browser
QUESTION = "Which network is your SIM on?"
GERMAN = "+4915228817386"
ONE, OTHER = "the sandbox network", "the sandbox's other network"


def sign_up(phone):
    phone.sign_up(phone="+49 1522 8817386")


def choose(phone, network):
    phone.choose(network)
    phone.press("Ask this network")


def networks(phone):
    return phone.main.locator(".choice label").all_inner_texts()


@for_everybody
@pytest.mark.parametrize(
    ("network", "name"), [(ONE, "sandbox"), (OTHER, "sandbox-camara")]
)
def test_a_person_chooses_and_is_signed_up(phone, network, name):
    phone.hold(number=GERMAN)
    sign_up(phone)

    phone.sees(QUESTION)
    assert networks(phone) == [ONE, OTHER]
    assert not re.search(r"1522|8817386", phone.main.inner_text())
    choose(phone, network)

    assert phone.is_signed_in
    assert Profile.objects.get().operator == name
    assert Verification.objects.get().status == Status.VERIFIED


def test_the_next_login_asks_the_same_network_without_a_question(phone, new_phone):
    phone.hold(number=GERMAN)
    sign_up(phone)
    choose(phone, OTHER)
    elsewhere = new_phone()
    elsewhere.hold(number=GERMAN)

    elsewhere.log_in(Profile.objects.get().user)

    assert elsewhere.is_signed_in
    assert Verification.objects.order_by("-id")[0].operator == "sandbox-camara"


def test_who_chooses_none_is_told_and_nobody_is_asked(phone):
    phone.hold(number=GERMAN)
    sign_up(phone)
    phone.press("Ask this network")

    expect(phone.page).to_have_title(re.compile("^Error:"))
    phone.reads("Choose the network that your SIM is on")
    assert phone.page.evaluate("document.activeElement.className") == "error-summary"
    assert Verification.objects.get().operator == ""


def test_on_wifi_the_other_network_can_be_chosen_instead(phone):
    phone.hold(number=GERMAN, network="wifi")
    sign_up(phone)
    choose(phone, ONE)
    phone.sees("We could not check your number")
    ending = phone.at
    phone.hold(network="mobile")
    phone.open(ending)

    phone.press("My SIM is on another network")
    phone.sees(QUESTION)
    choose(phone, OTHER)

    assert phone.is_signed_in
    assert Profile.objects.get().operator == "sandbox-camara"


def test_trying_again_keeps_the_network(phone):
    phone.hold(number=GERMAN, network="wifi")
    sign_up(phone)
    choose(phone, OTHER)
    ending = phone.at
    phone.hold(network="mobile")
    phone.open(ending)

    phone.press("Try again")

    assert phone.is_signed_in


def test_who_is_on_neither_goes_on_by_a_text_message(phone):
    sign_up(phone)
    phone.press("My network is not here, or I am not on my phone")

    phone.sees("Choose another way")
    hands.prove_by_sms(phone)

    assert phone.is_signed_in
    assert Profile.objects.get().operator == ""


def test_the_operator_s_own_text_message_arrives_at_the_handset(phone, settings):
    settings.SMS_BACKEND = "numberverify.factors.operator_sms.OperatorBackend"
    phone.hold(number=GERMAN, network="wifi")
    sign_up(phone)
    choose(phone, OTHER)
    hands.choose(phone, hands.SMS)
    typing = phone.at
    phone.open("/sandbox/handset/")
    code = re.search(r"#(\d{6})", phone.main.inner_text())[1]
    phone.open(typing)

    hands.type_code(phone, code)

    assert phone.is_signed_in
    assert sms.outbox == []


def test_the_question_works_by_the_keyboard_alone(phone):
    phone.hold(number=GERMAN)
    sign_up(phone)
    phone.main.get_by_role("radio", name=ONE).focus()
    phone.page.keyboard.press("Space")
    phone.page.keyboard.press("ArrowDown")
    with phone.page.expect_navigation(url=re.compile("/accounts/profile/")):
        phone.page.keyboard.press("Enter")

    assert Profile.objects.get().operator == "sandbox-camara"
