"""A sensitive action at a desktop, confirmed by the phone."""

import re

import pytest

from numberverify.choices import Purpose, Status
from numberverify.models import Handoff, Verification
from tests.factories import ANN, UserFactory
from tests.numberverify import handed

pytestmark = pytest.mark.django_db
MONEY = "/sandbox/send-money/"
CLOSE = "/accounts/close/"


@pytest.fixture
def desktop():
    found = handed.new_desktop()
    found.force_login(UserFactory(phone=ANN))
    return found


@pytest.fixture
def money(desktop, operator):
    """Ten pounds to Ben, waiting for the phone."""
    confirm = desktop.submit(MONEY, payee="Ben", amount="10")
    confirmed = re.search(r'name="confirmed" value="([^"]+)"', confirm.text)[1]
    chooser = desktop.submit(MONEY, confirmed=confirmed, method="other")
    before = Verification.objects.get()
    asked = desktop.submit(
        MONEY, page=chooser["Location"], previous=str(before.pk), method="phone"
    )
    return handed.Handed(desktop, asked["Location"])


def test_the_phone_shows_exactly_what_is_confirmed(money):
    money.open()

    text = money.phone.get(money.phone_page).text.split("<main")[1]

    for words in ("send this money", "Ben", "£10.00"):
        assert words in text


def test_what_cannot_be_shown_cannot_be_confirmed(money):
    digits = money.digits
    money.open()
    Handoff.objects.update(details={})

    page = money.phone.get(money.phone_page).text
    assert "cannot be shown here" in page
    assert "Yes, it" not in page.split("<main")[1]
    money.say("yes", digits)
    assert Handoff.objects.get().confirmed_at is None


def test_the_proof_is_for_just_that(money, operator):
    money.phone.come_back(operator, money.yes())
    money.desktop.follow(money.desktop.get(money.page))

    other = money.desktop.submit(MONEY, payee="Mallory", amount="10")
    assert "Confirm it" in other.text
    sent = money.desktop.follow(money.desktop.submit(MONEY, payee="Ben", amount="10"))

    assert "Sent £10.00 to Ben" in sent.text


def test_what_was_to_be_confirmed_is_not_kept(money, operator):
    assert Handoff.objects.get().details == {}, "before the desktop has shown it"
    money.phone.come_back(operator, money.yes())

    assert Handoff.objects.get().details == {}


def test_the_confirm_page_of_an_action_offers_the_phone(desktop, operator):
    page = desktop.get(f"{CLOSE}?nv_other=1")
    asked = desktop.submit(CLOSE, page=f"{CLOSE}?nv_other=1", method="phone")
    close = handed.Handed(desktop, asked["Location"])
    text = close.open().phone.get(close.phone_page).text

    assert 'value="phone"' in page.text
    assert "close your account" in text
    row = Verification.objects.get()
    assert (row.purpose, row.action) == (Purpose.STEP_UP, "close_account")
    close.phone.come_back(operator, close.say("yes", close.link.digits))
    desktop.follow(desktop.get(close.page))
    assert Verification.objects.get().status == Status.VERIFIED
    assert "Confirm it" not in desktop.get(CLOSE).text


def test_an_action_that_is_taken_out_does_not_offer_it(desktop, operator):
    page = desktop.get("/accounts/phone/change/?nv_other=1")

    assert 'value="phone"' not in page.text
