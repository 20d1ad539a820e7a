"""Where the focus goes, for who uses nothing but keys. See `for_everybody`, too."""

import pytest
from playwright.sync_api import expect

from tests.factories import ANN, PASSWORD, UserFactory

from . import hands
from .manners import Manner

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("manner", [Manner.BY_KEYBOARD], indirect=True, ids=str),
]


def test_a_wrong_login_then_another_way(phone):
    user = UserFactory(email="ann@example.com", phone=ANN)
    phone.open("/accounts/login/")
    expect(phone.field("username")).to_be_focused()
    phone.keys.types(user.email)
    phone.fill(password="wrong")
    phone.press("Log in")
    expect(phone.page.locator(".error-summary")).to_be_focused()

    phone.fill(password=PASSWORD)
    phone.press(hands.ELSEWHERE)
    hands.choose(phone, hands.SMS)
    expect(phone.field("code")).to_be_focused()
    phone.keys.types(hands.the_code())
    phone.press("Go on")
    phone.sees("Your profile")


def test_a_number_that_is_none_leads_back_to_its_field(phone):
    phone.become(UserFactory(phone=ANN))
    phone.open("/accounts/profile/")

    phone.follow("Change the number")
    phone.press("Check my number")
    phone.fill(phone="12")
    phone.press("Check my number")
    expect(phone.page.locator(".error-summary")).to_be_focused()
    phone.keys.tab_to(phone.page.locator(".error-summary a"))
    phone.keys.press("Enter")
    expect(phone.field("phone")).to_be_focused()
