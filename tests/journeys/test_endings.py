"""The endings of a check that did not match, and the ways on from them."""

import re

import pytest
from django.conf import settings as site_settings
from playwright.sync_api import expect

from numberverify.choices import Reason, Status
from numberverify.models import Verification
from tests.factories import ANN, BINDING, PASSWORD, UserFactory, VerificationFactory

from .manners import for_everybody

pytestmark = pytest.mark.browser
COULD_NOT_TELL = "We could not check your number"
NO_MATCH = "The number does not match this SIM"
LATER = "Nothing was charged and nothing was blocked."


def the_row():
    """The one verification, as (status, reason)."""
    row = Verification.objects.get()
    return row.status, row.reason


def test_another_sim_is_no_match(phone):
    phone.hold(number="+447700900456")
    phone.sign_up()

    phone.sees(NO_MATCH)
    phone.reads("+44 •••• •••123")
    phone.reads("Two SIMs in your phone?")
    assert not phone.shows_a_number
    assert not phone.is_signed_in
    assert the_row() == (Status.MISMATCHED, "")


def test_wifi_is_no_verdict_and_says_what_to_do(phone):
    phone.hold(network="wifi")
    phone.sign_up()

    phone.sees(COULD_NOT_TELL)
    phone.reads("Turn Wi-Fi and any VPN off for a moment")
    phone.reads("nothing is held against you")
    assert "match" not in phone.main.inner_text().lower()
    assert the_row() == (Status.UNAVAILABLE, Reason.NOT_ON_MOBILE_NETWORK)


def test_a_handset_without_a_sim_is_no_verdict(phone):
    phone.hold(number="")
    phone.sign_up()

    phone.sees(COULD_NOT_TELL)


@pytest.mark.parametrize(
    ("fault", "reason", "words"),
    [
        ("refused", Reason.ACCESS_DENIED, "did not allow the check"),
        ("consent", Reason.CONSENT_REQUIRED, "needs your permission"),
        ("token_error", Reason.OPERATOR_REFUSED, LATER),
        ("503", Reason.OPERATOR_UNREACHABLE, LATER),
        ("malformed", Reason.MALFORMED_ANSWER, LATER),
        ("wrong_nonce", Reason.BAD_ID_TOKEN, LATER),
        ("wrong_sub", Reason.SUBJECT_MISMATCH, LATER),
    ],
)
def test_a_fault_of_the_operator_is_no_verdict(phone, fault, reason, words):
    phone.hold(fault=fault)
    phone.sign_up()

    phone.sees(COULD_NOT_TELL)
    phone.reads(words)
    assert the_row() == (Status.UNAVAILABLE, reason)


def test_an_operator_that_takes_too_long_is_no_verdict(phone, settings):
    settings.SANDBOX_SLOW_SECONDS = 2
    table = settings.NV_OPERATORS["sandbox"]
    settings.NV_OPERATORS = {"sandbox": table | {"deadline": 0.5}}
    phone.hold(fault="slow")
    phone.sign_up()

    phone.sees(COULD_NOT_TELL)
    phone.reads(LATER)
    assert the_row() == (Status.UNAVAILABLE, Reason.OPERATOR_TIMEOUT)


def test_a_country_without_an_operator_is_no_verdict(phone):
    phone.sign_up(phone="+33 6 39 98 12 34")

    phone.sees(COULD_NOT_TELL)
    phone.reads("We cannot check numbers of that country")
    assert the_row() == (Status.UNAVAILABLE, Reason.NO_OPERATOR)


def test_each_ending_gives_a_reference_for_support(phone):
    phone.hold(network="wifi")
    phone.sign_up()

    phone.reads(f"Reference for support: {Verification.objects.get().pk}")


def test_correcting_the_number_keeps_what_was_typed_but_not_the_password(phone):
    phone.sign_up(phone="07700 900124")
    phone.follow("Correct the number")

    phone.sees("Sign up")
    expect(phone.field("email")).to_have_value("ann@example.com")
    expect(phone.field("phone")).to_have_value(re.compile(r"7700 ?900124$"))
    expect(phone.field("password1")).to_have_value("")
    expect(phone.field("password2")).to_have_value("")


@for_everybody
def test_the_corrected_number_ends_signed_in(phone):
    phone.sign_up(phone="07700 900124")
    phone.follow("Correct the number")
    phone.fill(phone="07700 900123", password1=PASSWORD, password2=PASSWORD)
    phone.press("Check my number and sign up")

    assert phone.at == "/accounts/profile/"
    assert phone.is_signed_in


@for_everybody
def test_trying_again_on_mobile_data_ends_signed_up(phone):
    phone.hold(network="wifi")
    phone.sign_up()
    phone.page.get_by_role("link", name="Change the handset").click()
    phone.sees("The handset")
    phone.change_handset(network="mobile")
    phone.sees(COULD_NOT_TELL)
    phone.press("Try again")

    assert phone.at == "/accounts/profile/"
    assert phone.is_signed_in
    second, first = Verification.objects.all()
    assert second.previous == first.pk


def test_trying_again_on_mobile_data_ends_logged_in(phone):
    phone.hold(network="wifi")
    phone.log_in(UserFactory(phone=ANN), next="/accounts/phone/")
    phone.sees(COULD_NOT_TELL)
    assert phone.main.get_by_role("link", name="Correct the number").count() == 0
    ending = phone.at
    phone.hold(network="mobile")
    phone.open(ending)
    phone.press("Try again")

    assert phone.at == "/accounts/phone/"
    assert phone.is_signed_in


def test_a_check_in_another_tab_goes_on_by_itself_when_it_is_settled(phone):
    row = VerificationFactory(exchanging=True)
    phone.context.add_cookies(
        [{"name": "nv_binding", "value": BINDING, "url": site_settings.SITE_URL}]
    )
    phone.open(f"/verify/{row.pk}/")
    phone.reads("Checking with your mobile network…")
    Verification.objects.settle(Status.MISMATCHED, now=row.claimed_at)

    phone.sees(NO_MATCH)


def test_an_ending_is_nobody_elses_to_see(phone, new_phone):
    phone.hold(network="wifi")
    phone.sign_up()

    new_phone().open(phone.at, status=404)


def test_a_person_sees_an_old_check_of_their_own_in_another_browser(phone, new_phone):
    ann = UserFactory(phone=ANN)
    phone.log_in(ann)
    other = new_phone()
    other.become(ann)
    other.open("/accounts/profile/")
    other.main.locator("table").get_by_role("link").click()

    other.sees("Your number was confirmed")
    other.reads("and the check was used for: Login")
