"""A lost phone, and nothing but our support: two members of staff in their browsers."""

import re

import pytest
from playwright.sync_api import expect

from numberverify.choices import Method, Status
from numberverify.models import ManualRequest, Verification
from tests.factories import ANN, PASSWORD, UserFactory, VerificationFactory

from . import hands
from .hands import SMS, SUPPORT, choose
from .manners import for_everybody

pytestmark = pytest.mark.browser
WAITS = "Our support has to confirm that it is you"
HISTORY = "/admin/numberverify/verification/"
REQUESTS = "/admin/numberverify/manualrequest/"
CAROL = "+447700900789"


@pytest.fixture
def carol(phone):
    """Her phone is lost; she sits at a computer."""
    phone.hold(network="wifi")
    return UserFactory(email="carol@example.com", phone=CAROL)


@pytest.fixture
def new_staff(new_phone):
    """Members of staff, each with an app, in browsers of their own."""

    def new(email):
        desk = new_phone({"width": 1280, "height": 800})
        user = UserFactory(email=email, staff=True)
        hands.give_app(user)
        desk.become(user)
        desk.user = user
        return desk

    return new


def hurry(phone):
    """Have the waiting page look every second, instead of every twenty."""

    def sooner(route):
        answer = route.fetch(max_redirects=0)
        if answer.headers.get("content-type", "").startswith("text/html"):
            page = answer.text().replace('data-again="20"', 'data-again="1"')
            route.fulfill(response=answer, body=page)
        else:
            route.fulfill(response=answer)

    phone.context.route(re.compile(r"/verify/[0-9a-f-]{36}/$"), sooner)
    phone.page.reload()  # what a redirect leads to goes through no route


def reference_of(phone):
    return phone.main.locator(".reference code").inner_text()


def ask(desk, reference):
    """Find the person who waits by the reference, and ask for a verification."""
    desk.open(HISTORY)
    desk.page.locator("#searchbar").fill(reference)
    desk.press("Search")
    desk.page.get_by_role("link", name="Ask for a manual verification").click()
    hands.prove_by_app(desk, desk.user)
    desk.fill(reason="Lost her phone.", evidence="Showed her passport in Leeds.")
    desk.press("Ask for the verification")
    desk.reads("Asked. Another member of staff has to decide.")


def decide(desk, button="Approve: it is this person"):
    """Open what waits, and decide; the step-up comes between."""
    desk.open(REQUESTS)
    desk.page.locator("#result_list tbody a").first.click()
    desk.press(button)
    desk.sees("Confirm it's you to act as staff")
    hands.prove_by_app(desk, desk.user)
    desk.press(button)
    desk.reads("Decided.")


@for_everybody
def test_with_a_lost_phone_two_members_of_staff_let_a_person_in(
    phone, new_staff, mails, carol
):
    phone.log_in(carol)
    phone.sees("We could not check your number")
    assert hands.ways_on(phone) == [SMS, SUPPORT]
    choose(phone, SUPPORT)
    hurry(phone)
    phone.sees(WAITS)
    ask(new_staff("first@example.com"), reference_of(phone))
    phone.sees(WAITS)
    decide(new_staff("second@example.com"))

    # Without scripts it looks every twenty seconds.
    phone.page.wait_for_url("**/accounts/profile/", timeout=30_000)
    assert phone.is_signed_in
    told = [mail for mail in mails() if mail.to == [carol.email]]
    assert {mail.subject for mail in told} == {
        "Two members of our staff confirmed that it is you",
        "Your account was opened in a new browser",
    }


def test_staff_open_no_more_than_the_login(phone, carol):
    phone.become(carol)
    phone.open("/accounts/profile/")
    phone.follow("Add an authenticator app")
    phone.follow(hands.ELSEWHERE)

    assert hands.ways_on(phone) == [SMS]


def test_with_somebody_elses_sim_support_opens_an_hour_later(phone, carol):
    phone.hold(number=hands.BEN, network="mobile")
    phone.log_in(carol)

    phone.sees("The number does not match this SIM")
    assert hands.ways_on(phone) == []
    phone.reads("In an hour our support can help you.")


def test_a_declined_person_is_told_and_has_ways_on(phone, new_staff, carol):
    hands.give_app(carol)
    hands.log_in_elsewhere(phone, carol, PASSWORD)
    choose(phone, SUPPORT)
    hurry(phone)
    ask(new_staff("first@example.com"), reference_of(phone))
    decide(new_staff("second@example.com"), "Decline")

    phone.sees("This check was refused")
    phone.reads("Our support could not confirm that it is you.")
    hands.prove_by_app(phone, carol)
    assert phone.is_signed_in


@pytest.fixture
def asked(site):
    """Somebody waits, and the first member of staff has asked."""
    first = UserFactory(email="first@example.com", staff=True, phone=ANN)
    row = VerificationFactory(
        user=UserFactory(), purpose="login", method=Method.MANUAL, number=""
    )
    return ManualRequest.objects.create(
        verification=row, asked_by=first, reason="Lost.", evidence="Passport."
    )


def test_who_asked_cannot_decide(desk, asked):
    desk.become(asked.asked_by)
    desk.open(f"{REQUESTS}{asked.pk}/change/")

    desk.reads("waits for a second member of staff")
    assert desk.page.get_by_role("button", name="Approve").count() == 0


def test_the_second_finds_the_request_on_the_page_of_the_check(desk, asked):
    desk.become(UserFactory(staff=True))
    desk.open(f"{HISTORY}{asked.verification_id}/change/")
    desk.page.get_by_role("link", name="Manual verification").click()

    assert desk.at == f"{REQUESTS}{asked.pk}/change/"
    expect(desk.page.get_by_role("button", name="Decline")).to_be_visible()


def test_an_empty_request_says_what_is_missing(desk, site):
    row = VerificationFactory(
        user=UserFactory(), purpose="login", method=Method.MANUAL, number=""
    )
    staff = UserFactory(staff=True, phone=ANN)
    desk.become(staff)
    desk.open(f"{REQUESTS}ask/{row.pk}/")
    desk.press("Check my number")
    desk.press("Ask for the verification")

    for label in ("Reason:", "Evidence:"):
        field = desk.page.get_by_label(label)
        expect(field).to_have_attribute("aria-invalid", "true")
    desk.reads("Please correct the errors below.")
    assert not ManualRequest.objects.exists()


def test_the_waiting_person_who_finds_the_paper_need_not_wait(phone, carol):
    paper = hands.give_paper(carol)
    hands.log_in_elsewhere(phone, carol, PASSWORD)
    choose(phone, SUPPORT)
    phone.press("Use another way")
    choose(phone, hands.PAPER)
    hands.type_code(phone, paper[9])

    assert phone.is_signed_in
    row = Verification.objects.get(method=Method.MANUAL)
    assert row.status == Status.PENDING


def test_the_overview_counts_who_has_no_way_but_the_network(desk, settings, site):
    settings.SMS_BACKEND = ""
    for number in range(3):
        UserFactory(phone=f"+44770090030{number}")
    hands.give_app(UserFactory(phone=hands.BEN))
    UserFactory(is_active=False, phone="+447700900400")
    UserFactory()
    desk.become(UserFactory(staff=True, phone=ANN))
    desk.open("/admin/")

    box = desk.page.locator("#ways-overview")
    expect(box).to_contain_text("4 accounts have no way but the network.")
    expect(box).to_contain_text("1 account has nothing but a password.")


def test_staff_confirm_who_they_are_before_they_change_a_person(desk, site):
    staff, person = UserFactory(staff=True), UserFactory()
    hands.give_app(staff)
    desk.become(staff)
    desk.open(f"/admin/accounts/user/{person.pk}/change/")
    desk.field("is_active").uncheck()
    desk.press("Save")
    desk.sees("Confirm it's you to act as staff")
    desk.reads("Nothing has been sent yet")
    person.refresh_from_db()
    assert person.is_active
    hands.prove_by_app(desk, staff)
    desk.field("is_active").uncheck()
    desk.press("Save")

    person.refresh_from_db()
    assert not person.is_active
