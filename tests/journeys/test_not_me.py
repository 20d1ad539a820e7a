"""A person is mailed that a stranger has logged in, and stops them by one button."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Notice, User
from tests.factories import ANN, PASSWORD, UserFactory

from .manners import for_everybody
from .phone import Phone

pytestmark = pytest.mark.browser
NEWS = "Your account was opened in a new browser"
NEW = "a much longer passphrase"


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


def the_link(mails) -> str:
    """That of the news about a login, the last one."""
    news = [mail for mail in mails() if mail.subject == NEWS]
    return next(link for link in news[-1].links if "/not-me/" in link)


def try_to_log_in(phone, user):
    phone.open("/accounts/login/")
    phone.fill(username=user.email, password=PASSWORD)
    phone.press("Log in", status=403)
    phone.sees("Your account is frozen")


@for_everybody
def test_a_person_sees_a_stranger_s_login_and_stops_it(phone, stranger, ann, mails):
    stranger.hold(number="+447700900456")  # the phone is back in its owner's hand
    phone.open(the_link(mails))
    phone.sees("Was this not you?")
    phone.reads("Your account was opened in a new browser")
    phone.reads("Chrome on Linux")
    assert not phone.shows_a_number

    phone.press("This wasn't me")

    phone.sees("Your account is frozen")
    stranger.open("/accounts/profile/")
    stranger.sees("Log in")
    assert not stranger.is_signed_in
    try_to_log_in(stranger, ann)
    stranger.follow("Reset the password")
    stranger.fill(email=ann.email)
    stranger.press("Send me a link")  # to a mailbox that they have not
    phone.follow("Choose a new password")
    phone.fill(email=ann.email)
    phone.press("Send me a link")
    phone.open(mails()[-1].links[0])
    phone.press("Check my number")
    phone.fill(new_password1=NEW, new_password2=NEW)
    phone.press("Set the password")
    phone.log_in(ann, NEW)
    phone.sees("Your profile")
    stranger.log_in(ann)
    stranger.reads("The e-mail address or the password is not right")


def test_a_scanner_that_opens_the_link_stops_nobody(phone, stranger, ann, mails):
    link = the_link(mails)
    for _ in range(3):
        phone.open(link)
    phone.follow("It was me: leave everything as it is")

    stranger.open("/accounts/profile/")
    assert stranger.is_signed_in
    assert User.objects.get().frozen_at is None


def test_a_second_press_and_a_late_one_are_plain_pages(phone, desk, stranger, mails):
    link = the_link(mails)
    desk.open(link)
    phone.open(link)
    phone.press("This wasn't me")

    desk.press("This wasn't me")
    desk.sees("This was done already")
    phone.open(link)
    phone.sees("This was done already")
    week_ago = timezone.now() - timedelta(days=7, minutes=1)
    Notice.objects.update(created_at=week_ago)
    phone.open(link, status=410)
    phone.sees("This link does not work any more")


def test_an_e_mail_that_a_thief_has_changed_is_given_back(phone, stranger, ann, mails):
    stranger.open("/accounts/email/change/")
    stranger.press("Check my number")
    stranger.fill(email="thief@example.com")
    stranger.page.locator("main form button").last.click()
    theirs = next(m for m in mails() if m.to == ["thief@example.com"])
    stranger.open(theirs.links[0])
    stranger.press("Yes, change it")
    told = next(m for m in mails() if m.subject == "Your e-mail address was changed")
    assert told.to == [ann.email]

    phone.open(told.links[0])
    phone.reads("gets the e-mail address back")
    phone.press("This wasn't me")

    phone.reads("The account has its former e-mail address again.")
    assert User.objects.get().email == ann.email
    try_to_log_in(stranger, ann)
