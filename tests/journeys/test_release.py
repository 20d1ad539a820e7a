"""A number is given up on one account and had on another, with two members of staff."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from accounts import numbers
from accounts.models import NumberEvent, NumberRelease, Profile
from tests.factories import ANN, NumberReleaseFactory, UserFactory

from . import hands
from .manners import for_everybody

pytestmark = pytest.mark.browser
CAROL, SPARE = "+447700900789", "+447700900777"
PEOPLE = "/admin/accounts/user/"
RELEASES = "/admin/accounts/numberrelease/"
NEW_PASSWORD = "an entirely n3w one"


@pytest.fixture
def carol(site):
    """She lost her phone, and has nothing else on file."""
    user = UserFactory(email="carol@example.com", phone=CAROL)
    numbers.note(NumberEvent.What.ADDED, CAROL, user)
    return user


@pytest.fixture
def new_staff(new_phone):
    """Members of staff, each with an app, in browsers of their own."""

    def new(email):
        desk = new_phone({"width": 1280, "height": 800})
        desk.user = UserFactory(email=email, staff=True)
        hands.give_app(desk.user)
        desk.become(desk.user)
        return desk

    return new


def tool(desk, words):
    desk.page.get_by_role("link", name=words, exact=True).click()


def ask(desk, person):
    desk.open(f"{PEOPLE}?q={person.email.replace('@', '%40')}")
    desk.page.locator("#result_list tbody a").first.click()
    tool(desk, "Ask for the release of the number")
    hands.prove_by_app(desk, desk.user)
    desk.field("reason").select_option("lost")
    desk.fill(evidence="Showed her passport in Leeds.")
    desk.press("Ask for the release")
    desk.reads("Asked. Another member of staff has to decide, after a day.")


def a_day_passes():
    for release in NumberRelease.objects.all():
        release.asked_at -= timedelta(hours=24)
        release.save()


def approve(desk):
    desk.open(RELEASES)
    desk.page.locator("#result_list tbody a").first.click()
    desk.press("Approve: release the number")
    desk.sees("Confirm it's you to act as staff")
    hands.prove_by_app(desk, desk.user)
    desk.press("Approve: release the number")
    desk.reads("Decided.")


def owner_of(number):
    return Profile.objects.get(phone=number).user.email


def what_happened(desk):
    return desk.page.locator("#result_list tbody strong").all_inner_texts()


@for_everybody
def test_a_lost_number_is_released_and_somebody_else_signs_up_with_it(
    phone, new_phone, new_staff, carol, mails
):
    first, second = new_staff("first@example.com"), new_staff("second@example.com")
    ask(first, carol)
    second.open(RELEASES)
    second.page.locator("#result_list tbody a").first.click()
    second.reads("The person has a day to object.")
    assert second.page.get_by_role("button", name="Approve").count() == 0
    a_day_passes()
    approve(second)

    phone.hold(number=CAROL)
    phone.sign_up("new@example.com", phone=CAROL)
    assert phone.is_signed_in
    assert owner_of(CAROL) == "new@example.com"

    # Carol gets back in by her mailbox, with the number that she has now.
    hers = new_phone()
    hers.hold(number=SPARE)
    (told,) = [m for m in mails() if "Our support took" in m.subject]
    assert told.to == [carol.email]
    hers.open(next(link for link in told.links if "reset" in link))
    hers.fill(email=carol.email)
    hers.press("Send me a link")
    (link,) = [x for m in mails() for x in m.links if re.search(r"reset/\w+/\w", x)]
    hers.open(link)
    hers.page.get_by_role("main").get_by_role("button").first.click()
    hers.fill(new_password1=NEW_PASSWORD, new_password2=NEW_PASSWORD)
    hers.press("Set the password")
    hers.log_in(carol, NEW_PASSWORD)
    hers.open("/accounts/phone/")
    hers.fill(phone=SPARE)
    hers.press("Check my number")
    hers.reads("Your number is confirmed.")
    assert owner_of(SPARE) == carol.email

    second.open(f"{RELEASES}{NumberRelease.objects.get().pk}/change/")
    tool(second, "+44 •••• •••789")
    expect(second.main).to_contain_text("is on the account of new@example.com")
    assert what_happened(second) == [
        "Put on file",
        "Released by two members of staff",
        "Release asked for",
        "Put on file",
    ]
    assert not second.shows_a_number


def test_who_asked_cannot_decide(new_staff, carol):
    desk = new_staff("first@example.com")
    ask(desk, carol)
    a_day_passes()
    tool(desk, "Release of the number")

    desk.reads("waits for a second member of staff")
    assert desk.page.get_by_role("button", name="Decline").count() == 0


def test_the_owner_reads_the_mail_and_keeps_the_number(phone, new_staff, carol, mails):
    desk = new_staff("first@example.com")
    ask(desk, carol)
    (told,) = [mail for mail in mails() if mail.to == [carol.email]]
    phone.hold(number=CAROL)
    phone.become(carol)
    phone.open(told.links[0])
    phone.sees("Confirm it's you to keep your mobile number")
    phone.press("Check my number")
    phone.press("Keep my number")

    phone.reads("You keep your number.")
    desk.open(f"{RELEASES}{NumberRelease.objects.get().pk}/change/")
    desk.reads("Stopped: the person has the number")
    assert owner_of(CAROL) == carol.email


def test_a_person_moves_the_number_to_a_new_account(phone, site):
    """Given up on one account, by the person alone, and had on a new one."""
    old = UserFactory(email="old@example.com", phone=ANN)
    phone.become(old)
    phone.open("/accounts/profile/")
    phone.follow("Remove it")
    phone.press("Check my number")
    phone.press("Remove the number")
    phone.press("Log out")
    phone.sign_up("new@example.com")

    assert phone.is_signed_in
    assert owner_of(ANN) == "new@example.com"


def test_a_person_closes_the_account_and_signs_up_anew(phone, site):
    phone.become(UserFactory(email="old@example.com", phone=ANN))
    phone.open("/accounts/close/")
    phone.press("Check my number")
    phone.tick("sure")
    phone.press("Close my account")
    phone.sign_up("new@example.com")

    assert phone.is_signed_in
    assert owner_of(ANN) == "new@example.com"


def test_an_empty_request_says_what_is_missing(new_staff, carol):
    desk = new_staff("first@example.com")
    desk.open(f"{RELEASES}ask/{carol.pk}/")
    hands.prove_by_app(desk, desk.user)
    desk.press("Ask for the release")

    for label in ("Reason:", "Evidence:"):
        field = desk.page.get_by_label(label)
        expect(field).to_have_attribute("aria-invalid", "true")
    desk.reads("Please correct the errors below.")
    assert not NumberRelease.objects.exists()


def test_a_number_is_searched_for_and_gets_into_no_address(new_staff, carol):
    desk = new_staff("first@example.com")
    NumberReleaseFactory(person=carol, msisdn=CAROL)
    desk.open("/admin/accounts/numberevent/")
    desk.page.get_by_label("Whole phone number").fill("07700 900789")
    desk.press("Search")

    expect(desk.main).to_contain_text("is on the account of carol@example.com")
    assert "900789" not in desk.page.url


def test_the_page_of_a_number_fits_into_a_small_screen(phone, carol):
    phone.become(UserFactory(staff=True, email="a.rather.long.name@staff.example.com"))
    numbers.note(NumberEvent.What.KEPT, CAROL, carol)
    NumberReleaseFactory(person=carol, msisdn=CAROL)
    phone.open(f"{PEOPLE}{carol.pk}/change/")
    tool(phone, "What happened to this number")
    phone.page.wait_for_url("**/number/**")

    width = phone.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 360
