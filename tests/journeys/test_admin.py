"""The history in the admin: found, filtered and read by staff."""

import re

import pytest
from playwright.sync_api import expect

from numberverify.choices import Reason
from tests.factories import ANN, PASSWORD, UserFactory, VerificationFactory

pytestmark = pytest.mark.browser
HISTORY = "/admin/numberverify/verification/"
BEN = "+447700900456"


@pytest.fixture
def history(desk):
    """Two verifications of Ann's number, one of Ben's, with staff at the desk."""
    staff = UserFactory(email="staff@example.com", staff=True, phone=ANN)
    VerificationFactory(verified=True, user=UserFactory(email="ann@example.com"))
    VerificationFactory(unavailable=True, reason=Reason.OPERATOR_TIMEOUT)
    VerificationFactory(mismatched=True, msisdn=BEN)
    desk.become(staff)
    desk.open(HISTORY)
    return desk


def rows(desk):
    """The numbers in the list, from the top."""
    cells = desk.page.locator(".history-rows .field-number_mask").all_inner_texts()
    return [cell.splitlines()[0] for cell in cells]


def search(desk, typed):
    words = "Whole id, e-mail, client address or phone number"
    desk.page.get_by_label(words).fill(typed)
    desk.press("Search")


def test_the_admins_login_page_is_the_sites(desk):
    staff = UserFactory(staff=True)
    desk.open(HISTORY)
    assert desk.at == f"/accounts/login/?next={HISTORY}"
    desk.fill(username=staff.email, password=PASSWORD)
    desk.press("Log in")

    assert desk.at == HISTORY


def test_the_admin_has_the_sites_icon(history):
    # Without one the browser asks for /favicon.ico, which nobody has.
    assert history.page.locator("link[rel=icon]").count() == 1


def test_staff_leave_the_admin_by_the_sites_own_door(history):
    history.press("Log out")

    assert history.at == "/"
    history.reads("You are not signed in.")


@pytest.mark.parametrize("outcome", ["✗ No match", "? Could not tell", "✓ Match"])
def test_each_outcome_is_seen_without_scrolling(history, outcome):
    cell = history.page.locator(".history-rows td").filter(has_text=outcome)

    expect(cell).to_be_in_viewport(ratio=1)


def test_the_history_shows_numbers_masked(history):
    # In any order: all three may have begun in one millisecond.
    assert sorted(rows(history)) == [*["+44 •••• •••123"] * 2, "+44 •••• •••456"]
    assert not history.shows_a_number


def test_the_history_is_filtered_by_outcome(history):
    history.page.get_by_label("Outcome").select_option(label="No match")
    history.press("Show")

    assert "outcome=mismatched" in history.at
    assert rows(history) == ["+44 •••• •••456"]
    chip = history.page.get_by_role("link", name="Remove the filter Outcome: No match")
    with history.page.expect_navigation():
        chip.click()
    assert len(rows(history)) == 3


def test_a_wrong_filter_says_so_and_leads_to_its_field(history):
    history.open(f"{HISTORY}?since=2026-05-02&until=2026-05-01")

    note = history.page.get_by_role("alert")
    expect(note).to_contain_text("It ends before it begins")
    note.get_by_role("link", name="To, that day included").click()
    field = history.page.get_by_label("To, that day included")
    expect(field).to_have_accessible_description(
        "It ends before it begins: turn the days round."
    )
    assert len(rows(history)) == 3


@pytest.mark.parametrize("typed", ["07700 900123", "+447700900123"])
def test_a_number_is_searched_for_and_gets_into_no_address(history, typed):
    search(history, typed)

    assert rows(history) == ["+44 •••• •••123"] * 2
    assert "900123" not in history.page.url
    assert not history.shows_a_number


def test_a_person_is_searched_for_by_e_mail(history):
    search(history, "ann@example.com")

    assert rows(history) == ["+44 •••• •••123"]
    assert "example.com" not in history.page.url


def test_a_search_that_finds_nothing_says_so_beside_what_was_typed(history):
    search(history, "nonsense")

    field = history.page.get_by_label("Whole id, e-mail")
    expect(field).to_have_value("nonsense")
    expect(field).to_have_accessible_description(re.compile("Nothing found"))
    assert len(rows(history)) == 3


def test_a_row_shows_its_steps_and_nothing_to_change(desk):
    staff = UserFactory(staff=True, phone=ANN)
    desk.log_in(staff, next=HISTORY)
    desk.page.locator(".history-rows tbody a").first.click()

    steps = desk.page.locator(".history-steps li")
    steps.first.wait_for()
    words = " ".join(steps.all_inner_texts())
    for step in ("Started", "came back", "Settled", "Redeemed"):
        assert step in words
    assert not desk.shows_a_number
    assert desk.page.locator("#content input:visible, #content button").count() == 0


def test_a_person_who_is_not_staff_sees_no_history(desk):
    desk.become(UserFactory())
    desk.open(HISTORY, status=403)

    assert rows(desk) == []


def test_staff_find_a_person_and_end_their_sessions(history, new_phone):
    ann = new_phone()
    ann.become(UserFactory(email="late@example.com"))
    people = "/admin/accounts/user/?q=late%40example.com"

    def end_sessions() -> None:
        history.page.locator(".action-select").first.check()
        history.page.get_by_label("Action:").select_option(label="End all sessions")
        history.press("Go")

    history.open(people)
    end_sessions()
    history.sees("Confirm it's you to act as staff")
    history.press("Check my number")
    assert history.at == people
    end_sessions()

    assert "Ended the sessions of 1 person." in history.page.inner_text(".messagelist")
    ann.open("/accounts/profile/")
    assert not ann.is_signed_in
