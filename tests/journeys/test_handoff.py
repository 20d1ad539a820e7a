"""The phone as the desktop's key: two browsers at once, a desk and a small phone."""

import pytest
from playwright.sync_api import expect

from accounts.models import Profile
from numberverify.choices import Reason, Status
from numberverify.models import Handoff, Verification
from tests.factories import ANN, PASSWORD, UserFactory

from . import hands
from .manners import for_everybody
from .phone import Phone

pytestmark = pytest.mark.browser
SOON = 15_000  # milliseconds: the desktop asks every three seconds


def at_signup(desk):
    desk.open("/accounts/signup/")
    desk.fill(email="ann@example.com", phone="07700 900123")
    desk.fill(password1=PASSWORD, password2=PASSWORD)
    desk.press(hands.ELSEWHERE)
    hands.choose(desk, hands.PHONE)


def at_login(desk, user):
    desk.open("/accounts/login/")
    desk.fill(username=user.email, password=PASSWORD)
    desk.press(hands.ELSEWHERE)
    hands.choose(desk, hands.PHONE)


def address(desk):
    shown = desk.main.locator(".address code").inner_text()
    return "/" + shown.partition("/")[2]


def digits(desk):
    return desk.main.locator(".digits").inner_text()


def says(desk):
    return desk.page.get_by_role("status")


def confirm(desk, phone):
    typed, link = digits(desk), address(desk)
    phone.open(link)
    phone.sees("Is this you?")
    phone.fill(digits=typed)
    phone.press("Yes, it's me")


def last():
    return Verification.objects.latest("pk")


def arrives(desk):
    expect(desk.page).to_have_url(f"{desk.site}/accounts/profile/", timeout=SOON)
    assert desk.is_signed_in


def test_a_signup_goes_from_the_desk_to_the_phone_and_on_by_itself(desk, phone):
    at_signup(desk)
    expect(says(desk)).to_have_text("Waiting for your phone.")
    typed, link = digits(desk), address(desk)
    phone.open(link)
    expect(says(desk)).to_contain_text("Opened on your phone", timeout=SOON)
    assert not desk.main.locator(".qr").is_visible()
    phone.reads("a•••@example.com")
    assert not phone.shows_a_number
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 360
    phone.fill(digits=typed)
    phone.press("Yes, it's me")

    phone.sees("Done. Go on at your computer.")
    arrives(desk)
    assert not phone.is_signed_in
    assert Profile.objects.get().phone == ANN


@for_everybody
def test_on_wifi_the_phone_tries_again_and_the_login_goes_on(desk, phone):
    phone.hold(network="wifi")
    at_login(desk, UserFactory(phone=ANN))
    confirm(desk, phone)

    phone.sees("We could not check your number")
    phone.reads("Turn Wi-Fi")
    expect(says(desk)).to_contain_text("can try again", timeout=SOON)
    here = phone.at
    phone.hold(network="mobile")
    phone.open(here)
    phone.press("Try again")

    phone.sees("Done. Go on at your computer.")
    arrives(desk)


def test_without_scripts_the_desk_goes_on_all_the_same(
    chromium, site, phone, new_phone
):

    context = chromium.new_context(java_script_enabled=False, locale="en-GB")
    desk = Phone(context, site)
    at_login(desk, UserFactory(phone=ANN))
    confirm(desk, phone)

    expect(desk.page).to_have_url(f"{site}/accounts/profile/", timeout=SOON)
    desk.close()


def test_who_opens_the_link_second_gets_nothing(desk, phone, new_phone):
    at_login(desk, UserFactory(phone=ANN))
    link, typed, thief = address(desk), digits(desk), new_phone()
    thief.open(link)

    phone.open(link, status=409)
    phone.sees("Opened on another phone")
    # The first that opened it has no SIM with the number, whatever it types.
    thief.hold(number=hands.BEN)
    thief.open(link)
    thief.fill(digits=typed)
    thief.press("Yes, it's me")
    thief.sees("The number does not match this SIM")
    expect(desk.page.get_by_role("heading", level=1)).to_have_text(
        "The number does not match this SIM", timeout=SOON
    )
    assert not desk.is_signed_in


def test_digits_that_are_guessed_end_it(desk, phone):
    at_login(desk, UserFactory(phone=ANN))
    wrong = f"{(int(digits(desk)) + 1) % 100:02}"
    phone.open(address(desk))
    for _ in range(2):
        phone.fill(digits=wrong)
        phone.press("Yes, it's me")

    phone.sees("The digits were wrong twice")
    expect(desk.page.get_by_role("heading", level=1)).to_have_text(
        "The digits were wrong twice", timeout=SOON
    )
    assert last().reason == Reason.WRONG_DIGITS


def test_a_no_is_told_at_the_desk_and_offers_to_secure_the_account(desk, phone):
    at_login(desk, UserFactory(phone=ANN))
    phone.open(address(desk))
    phone.press("No")

    phone.sees("You said no")
    phone.follow("Secure my account")
    assert phone.at == "/accounts/password/reset/"
    expect(desk.page.get_by_role("heading", level=1)).to_have_text(
        "Your phone said no", timeout=SOON
    )
    row = last()
    assert (row.status, row.reason) == (Status.REFUSED, Reason.NOT_ME)
    assert row.attention


def test_a_copied_session_of_the_desk_sees_no_link_and_gets_no_receipt(
    desk, phone, new_phone
):
    """Of a person who is signed in: the binding is another cookie, and not copied."""
    desk.become(UserFactory(phone=ANN))
    thief = new_phone()
    desk.open("/accounts/close/?nv_other=1")
    hands.choose(desk, hands.PHONE)
    session = [c for c in desk.context.cookies() if c["name"] == "sessionid"]
    thief.context.add_cookies(session)
    page = desk.at
    thief.open(page)

    assert thief.main.locator(".digits, .qr").count() == 0
    assert address(desk) not in thief.page.content()
    confirm(desk, phone)
    thief.open(page)
    thief.open("/accounts/close/")
    thief.sees("Confirm it's you to close your account")
    expect(desk.page).to_have_url(f"{desk.site}/accounts/close/", timeout=SOON)
    assert Handoff.objects.get().ended == "verdict"
