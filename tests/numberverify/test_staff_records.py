"""The record of what staff did: complete, read by few, and changed by nobody."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import account
from accounts.models import User
from numberverify import records
from numberverify.models import StaffRecord
from tests.conftest import step_up
from tests.factories import UserFactory, VerificationFactory
from tests.numberverify.history import HISTORY
from tests.staff import at_desk

pytestmark = pytest.mark.django_db
PLACE = "/admin/numberverify/staffrecord/"
VIEW = "numberverify.view_staffrecord"
NUMBER = "+447700900456"
Ending = StaffRecord.Ending


@pytest.fixture
def exported():
    return StaffRecord.objects.create(
        staff=UserFactory(email="ann@example.com"),
        kind="export",
        details={"format": "csv", "filters": {"outcome": "mismatched"}},
        address="10.0.0.7",
    )


def refusals():
    return list(StaffRecord.objects.filter(kind="refused"))


# Pages that are refused


def pages(person, row):
    return [
        HISTORY,
        f"{HISTORY}{row}/change/",
        f"{HISTORY}export/",
        f"/admin/accounts/user/{person}/number/",
        f"/admin/accounts/user/{person}/forget/",
        f"/admin/accounts/user/{person}/change/",
        f"/admin/numberverify/manualrequest/ask/{row}/",
        PLACE,
    ]


@pytest.mark.parametrize("at", range(8))
def test_v5_0_0_16_2_1_a_page_that_is_refused_leaves_who_what_when_and_where(
    browser, at
):
    staff, person = at_desk(browser), UserFactory()
    step_up(browser, staff, "administer")  # what guards some of them comes first
    page = pages(person.pk, VerificationFactory().pk)[at]
    before = timezone.now()

    answer = browser.get(page, REMOTE_ADDR="10.0.0.7")

    assert answer.status_code == 403
    (found,) = refusals()
    assert (found.staff, found.address) == (staff, "10.0.0.7")
    assert found.details == {"page": page, "method": "GET"}
    assert before <= found.at <= timezone.now()
    assert found.complete


def test_of_who_is_no_staff_the_log_tells_and_no_record(browser, caplog):
    """Records are for good, and a link in a mail is enough to be led there."""
    person = UserFactory()
    browser.force_login(person)

    answer = browser.get(f"{HISTORY}?fingerprint=ab", follow=True)

    assert answer.status_code == 403
    assert refusals() == []
    assert f"the admin was refused to account {person.pk}" in caplog.text
    account.delete(person)
    assert not User.objects.filter(pk=person.pk).exists()


def test_who_is_not_signed_in_is_sent_to_the_login_and_not_recorded(browser):
    assert browser.get(HISTORY).status_code == 302
    assert refusals() == []


@pytest.mark.parametrize("page", [HISTORY, "/admin/login/"])
def test_v5_0_0_16_2_5_what_is_typed_behind_a_path_is_not_recorded(browser, page):
    at_desk(browser)

    browser.get(page, {"q": NUMBER, "next": f"{HISTORY}?q={NUMBER}"})

    (found,) = refusals()
    assert found.details["page"] in (HISTORY, page)
    assert "900456" not in str(found.details)


def test_v5_0_0_16_2_5_a_refused_page_about_a_number_is_recorded_without_its_mark(
    browser,
):
    """The record is for good, and the person may be forgotten."""
    at_desk(browser)
    mark = "ab" * 16

    browser.get(f"/admin/accounts/numberevent/number/{mark}-{mark}/")

    (found,) = refusals()
    assert found.details["page"] == "/admin/accounts/numberevent/number/…/"


def test_a_page_outside_the_admin_is_none_of_these(browser, rf):
    request = rf.get("/accounts/profile/")
    request.user = UserFactory()

    records.refused(request)

    assert refusals() == []


def test_one_account_does_not_fill_the_record(browser, settings):
    settings.NV_LIMITS = "staff_refused=2/h"
    at_desk(browser)

    statuses = [browser.get(HISTORY).status_code for _ in range(4)]

    assert statuses == [403] * 4
    assert len(refusals()) == 2


# Reading it


def test_it_is_read_by_who_may(browser, exported):
    at_desk(browser, VIEW)

    for page in (PLACE, f"{PLACE}{exported.pk}/change/"):
        text = browser.get(page).text
        for words in ("ann@example.com", "format: csv", "outcome: mismatched"):
            assert words in text
        assert "not ended" in text
        assert 'name="_save"' not in text


def test_an_end_is_said_in_words(browser, exported):
    at_desk(browser, VIEW)
    other = StaffRecord.objects.create(staff=exported.staff, kind="export")
    records.end(exported, rows=12)
    records.end(other, rows=5, ending=Ending.GONE)

    text = browser.get(PLACE).text

    assert "✓ done" in text
    assert "✗ broken off: the connection was closed" in text


@pytest.mark.parametrize("lookup", ["staff__password__startswith", "address", "x"])
def test_no_column_is_guessed_by_the_address(browser, exported, lookup):
    at_desk(browser, VIEW)

    answer = browser.get(PLACE, {lookup: "a"})

    assert answer.status_code in (302, 400)


def test_kinds_are_filtered(browser, exported):
    at_desk(browser, VIEW)

    assert "ann@example.com" not in browser.get(PLACE, {"kind__exact": "refused"}).text
    assert "ann@example.com" in browser.get(PLACE, {"kind__exact": "export"}).text


# Nobody changes it


@pytest.mark.parametrize("page", ["add/", "{}/change/", "{}/delete/", ""])
def test_v5_0_0_16_4_2_superusers_add_change_and_delete_nothing(client, exported, page):
    client.force_login(UserFactory(staff=True))
    post = {"action": "delete_selected", "_selected_action": exported.pk, "rows": 9}

    answer = client.post(PLACE + page.format(exported.pk), post)

    assert answer.status_code in (200, 302, 403)
    exported.refresh_from_db()
    assert (StaffRecord.objects.filter(kind="export").count(), exported.rows) == (
        1,
        None,
    )


def test_an_end_is_written_once(exported):
    assert records.end(exported, rows=5, ending=Ending.GONE)

    assert not records.end(exported, rows=9)
    records.count(exported, 12)

    exported.refresh_from_db()
    assert (exported.rows, exported.complete) == (5, False)


def refused_by_database(call):
    try:
        with transaction.atomic():
            call()
    except IntegrityError:
        return True
    return False


CHANGES = {
    "at": timezone.now(),
    "staff": None,  # somebody else
    "kind": "refused",
    "details": {},
    "reason": "another",
    "by_command": "a command",
    "address": "10.0.0.8",
}


@pytest.mark.postgresql
@pytest.mark.parametrize("is_over", [False, True])
@pytest.mark.parametrize("column", CHANGES)
def test_v5_0_0_16_4_2_postgresql_refuses_a_change_of(exported, column, is_over):
    if is_over:
        records.end(exported, rows=3)
    value = UserFactory() if column == "staff" else CHANGES[column]
    mine = StaffRecord.objects.filter(pk=exported.pk)

    assert refused_by_database(lambda: mine.update(**{column: value}))


@pytest.mark.postgresql
def test_v5_0_0_16_4_2_postgresql_refuses_fewer_rows_an_end_twice_and_a_delete(
    exported,
):
    mine = StaffRecord.objects.filter(pk=exported.pk)
    records.count(exported, 10)
    assert refused_by_database(lambda: mine.update(rows=9))
    assert records.end(exported, rows=12)

    assert refused_by_database(lambda: mine.update(rows=13))
    assert refused_by_database(lambda: mine.update(ended_at=None, complete=None))
    assert refused_by_database(lambda: mine.delete())


FILTERED = {
    "format": "csv",
    "filters": {"outcome": "verified", "fingerprint": "ab" * 16, "address": "10.0.0.7"},
}


@pytest.fixture
def filtered(exported):
    record = StaffRecord.objects.create(
        staff=exported.staff, kind="export", details=FILTERED
    )
    records.end(record, rows=3)
    return StaffRecord.objects.filter(pk=record.pk)


def with_filters(**changes):
    return FILTERED | {"filters": FILTERED["filters"] | changes}


@pytest.mark.postgresql
@pytest.mark.parametrize("name", ["fingerprint", "address"])
def test_postgresql_lets_what_leads_to_the_forgotten_be_blanked(filtered, name):
    filtered.update(details=with_filters(**{name: "forgotten"}))

    assert filtered.get().details["filters"][name] == "forgotten"


@pytest.mark.postgresql
@pytest.mark.parametrize(
    "changes",
    [
        {"details": with_filters(fingerprint="cd" * 16)},
        {"details": with_filters(outcome="forgotten")},
        {"details": with_filters(address="forgotten", outcome="mismatched")},
        {"details": with_filters(person="forgotten")},
        {"details": {"format": "csv", "filters": {"outcome": "verified"}}},
        {"details": with_filters(address="forgotten"), "rows": 4},
        {"details": with_filters(address="forgotten"), "complete": False},
        {"details": with_filters(address="forgotten"), "ending": "gone"},
    ],
)
def test_postgresql_refuses_any_other_change_with_it(filtered, changes):
    assert refused_by_database(lambda: filtered.update(**changes))


def test_a_record_is_of_staff_or_of_a_command(exported):
    for who in ({}, {"staff": exported.staff, "by_command": "a command"}):
        assert refused_by_database(
            lambda who=who: StaffRecord.objects.create(kind="export", **who)
        )


def test_who_is_named_in_it_leaves_an_empty_account(exported):
    account.delete(exported.staff)

    exported.refresh_from_db()
    assert exported.staff.email.startswith("closed-")
