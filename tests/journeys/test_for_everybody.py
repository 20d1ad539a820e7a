"""Whole journeys by keyboard, at 200 % zoom with less motion; and without scripts."""

import pytest
from playwright.sync_api import expect

from tests.factories import ANN, PASSWORD, UserFactory

from . import hands
from .inspection import AT_200
from .keyboard import Keyboard

pytestmark = pytest.mark.browser
NEW = "an entirely n3w one"


class Typist(Keyboard):
    """Nothing but keys, on the page of `phone`."""

    def __init__(self, phone):
        super().__init__(phone.page)
        self.phone = phone

    def fills(self, **fields):
        for name, value in fields.items():
            self.tab_to(self.phone.field(name))
            self.types(value)

    def presses(self, words, role="button"):
        thing = self.page.get_by_role(role, name=words, exact=True).last
        self.tab_to(thing)
        assert thing.evaluate("e => e.matches(':focus-visible')"), words
        with self.page.expect_navigation():
            self.press("Enter")
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= AT_200["width"], self.page.url


@pytest.fixture
def typist(new_phone):
    return Typist(new_phone(AT_200, reduced_motion="reduce"))


def test_signup_step_up_and_a_new_password_by_keyboard_at_200_percent(typist):
    typist.phone.open("/")
    typist.presses("Sign up", "link")
    typist.fills(
        email="ann@example.com",
        phone="07700 900123",
        password1=PASSWORD,
        password2=PASSWORD,
    )
    typist.presses("Check my number and sign up")
    typist.phone.sees("Your profile")

    typist.presses("Change your password", "link")
    typist.presses("Check my number")
    typist.fills(old_password=PASSWORD, new_password1=NEW, new_password2=NEW)
    typist.presses("Change the password")
    typist.phone.reads("Your password is changed")

    typist.presses("Log out")
    assert not typist.phone.is_signed_in


def test_a_wrong_login_then_another_way_by_keyboard_at_200_percent(typist):
    UserFactory(email="ann@example.com", phone=ANN)
    typist.phone.open("/accounts/login/")
    expect(typist.phone.field("username")).to_be_focused()
    typist.types("ann@example.com")
    typist.fills(password="wrong")
    typist.presses("Log in")
    expect(typist.page.locator(".error-summary")).to_be_focused()

    typist.fills(password=PASSWORD)
    typist.presses("I am not on my phone")
    typist.tab_to(typist.page.get_by_role("radio").first)
    sms = typist.page.get_by_role("radio", name=hands.SMS, exact=True)
    for _ in range(9):  # a group of radios is one stop; its arrows choose
        if sms.evaluate("e => e === document.activeElement"):
            break
        typist.press("ArrowDown")
    expect(sms).to_be_checked()
    typist.presses("Go on this way")
    expect(typist.phone.field("code")).to_be_focused()
    typist.types(hands.the_code())
    typist.presses("Go on")
    typist.phone.sees("Your profile")


def test_a_signed_in_person_proves_it_by_another_number_by_keyboard(typist):
    typist.phone.become(UserFactory(phone=ANN))
    typist.phone.open("/accounts/profile/")

    typist.presses("Change the number", "link")
    typist.presses("Check my number")
    typist.fills(phone="12")
    typist.presses("Check my number")
    expect(typist.page.locator(".error-summary")).to_be_focused()
    link = typist.page.locator(".error-summary a")
    typist.tab_to(link)
    typist.press("Enter")
    expect(typist.phone.field("phone")).to_be_focused()


@pytest.fixture
def plain(new_phone):
    """A phone whose browser runs no scripts."""
    return new_phone(java_script_enabled=False)


def test_signup_and_a_new_password_without_scripts(plain):
    plain.sign_up()
    plain.sees("Your profile")

    plain.open("/accounts/password/change/")
    plain.press("Check my number")
    plain.fill(old_password=PASSWORD, new_password1=NEW, new_password2=NEW)
    plain.press("Change the password")
    plain.reads("Your password is changed")


def test_login_and_a_code_without_scripts(plain):
    user = UserFactory(email="ann@example.com", phone=ANN)
    plain.log_in(user)
    plain.sees("Your profile")
    plain.press("Log out")

    plain.context.clear_cookies()
    plain.hold(network="wifi")
    plain.log_in(user)
    plain.sees("We could not check your number")
    hands.choose(plain, hands.SMS)
    hands.type_code(plain, hands.the_code())
    plain.sees("Your profile")


def test_a_first_number_without_scripts(plain):
    plain.become(UserFactory())
    plain.open("/accounts/phone/")
    plain.fill(phone="07700 900123", password=PASSWORD)
    plain.press("Check my number")

    plain.reads("+44 •••• •••123")
