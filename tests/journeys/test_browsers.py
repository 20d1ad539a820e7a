"""A person sees where the account is signed in, and stops a stranger's browser."""

import pytest
from playwright.sync_api import expect

from tests.factories import ANN, PASSWORD, UserFactory

from .browser_scenes import let_run_out
from .manners import for_everybody
from .phone import Phone

pytestmark = pytest.mark.browser
BROWSERS = "/accounts/browsers/"


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


@pytest.fixture
def stranger(new_phone, ann) -> Phone:
    """Who has the password, and had the phone for a moment."""
    someone = new_phone()
    someone.log_in(ann)
    assert someone.is_signed_in
    return someone


def entries(phone: Phone):
    return phone.main.locator(".browsers li")


def sign_out_the_other(phone: Phone) -> None:
    theirs = entries(phone).filter(has_not_text="This browser")
    with phone.page.expect_navigation():
        theirs.get_by_role("button").click()


def test_a_stranger_s_browser_is_seen_and_stopped(phone, stranger, ann, mails):
    phone.log_in(ann)
    phone.open("/accounts/profile/")
    phone.follow("See where you are signed in")
    phone.sees("Your browsers")
    assert entries(phone).count() == 2
    expect(entries(phone).first).to_contain_text("This browser")
    expect(entries(phone).first).to_contain_text("Chrome on Linux")
    expect(entries(phone).last).to_contain_text("Signed in")
    assert not phone.shows_a_number

    sign_out_the_other(phone)

    phone.reads("That browser is signed out.")
    expect(entries(phone).last).to_contain_text("Signed out")
    stranger.open("/accounts/phone/")
    stranger.sees("Log in")
    assert stranger.at == "/accounts/login/?next=/accounts/phone/"
    assert not stranger.is_signed_in
    assert phone.is_signed_in
    said = "You were signed out of your account in a browser"
    assert [mail.to for mail in mails() if mail.subject == said] == [[ann.email]]


@for_everybody
def test_a_stranger_s_browser_is_forgotten_and_asked_again(phone, stranger, ann):
    phone.log_in(ann)
    phone.open(BROWSERS)
    entries(phone).last.get_by_role("link").press("Enter")
    phone.sees("Confirm it's you to forget another browser")
    phone.press("Check my number")
    phone.press("Forget this browser")

    phone.reads("That browser is forgotten and signed out.")
    assert entries(phone).count() == 1
    stranger.hold(number="+447700900456")  # the phone is back in its owner's hand
    stranger.log_in(ann)
    assert not stranger.is_signed_in


def test_this_browser_is_forgotten_like_a_logout(phone, ann):
    phone.log_in(ann)
    phone.open(BROWSERS)
    entries(phone).first.get_by_role("link").click()
    phone.press("Forget this browser")

    phone.reads("This browser is forgotten, and you are signed out.")
    assert not phone.is_signed_in
    assert phone.cookie("nv_known") is None


def test_a_session_that_ran_out_says_so_and_goes_on_after_a_login(phone, ann):
    phone.log_in(ann)
    let_run_out()
    phone.open(BROWSERS)

    phone.sees("Log in")
    phone.reads("You were signed out, since nothing happened for 14 days.")
    phone.fill(username=ann.email, password=PASSWORD)
    phone.press("Log in")
    phone.sees("Your browsers")
    assert phone.at == BROWSERS


def test_a_form_of_another_tab_works_after_a_proof(phone, ann):
    phone.log_in(ann)
    phone.open("/accounts/profile/")
    tab = phone.context.new_page()
    tab.goto(f"{phone.site}/accounts/sessions/end/")
    tab.get_by_role("button", name="Check my number").click()
    expect(tab.get_by_role("button", name="End all other sessions")).to_be_visible()

    phone.press("Send it again")

    phone.reads("The mail is on its way.")
    assert phone.is_signed_in
