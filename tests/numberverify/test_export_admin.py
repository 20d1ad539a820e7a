"""The export in the admin: who may, what they confirm, what is recorded of it."""

from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from django.db import DatabaseError, connections
from django.urls import reverse

from numberverify.choices import Status
from numberverify.history import export
from numberverify.models import StaffRecord, Verification
from tests.numberverify.history import HISTORY, row_of
from tests.staff import at_desk, confirmed, done, permitted

pytestmark = pytest.mark.django_db
EXPORT = f"{HISTORY}export/"
MAY = ("numberverify.view_verification", "numberverify.export_verification")
JUNE = datetime(2026, 6, 12, 14, 30, tzinfo=UTC)
MISMATCHES = f"{EXPORT}?outcome=mismatched&since=2026-06-01&until=2026-06-30"


@pytest.fixture
def auditor(browser):
    return at_desk(browser, *MAY)


@pytest.fixture
def few(monkeypatch):
    """One row a batch."""
    monkeypatch.setattr(export, "AT_ONCE", 1)


@pytest.fixture
def mismatches():
    row_of(JUNE, verified=True)
    return [
        str(row_of(JUNE + timedelta(seconds=n), mismatched=True).pk) for n in (2, 1, 0)
    ]


def record():
    return StaffRecord.objects.get(kind="export")


def goes_away(response):
    """Close it as a server does, but for the connection, which is the test's own."""
    with patch.object(connections["default"], "close"):
        response.close()


def ids_of(response):
    lines = response.getvalue().decode().splitlines()[1:]
    return [line.partition(",")[0] for line in lines]


def test_the_list_has_a_button_that_exports_what_its_filters_show(browser, auditor):
    page = browser.get(HISTORY, {"outcome": "mismatched", "country": "GB"})

    assert f'href="{EXPORT}?outcome=mismatched&amp;country=GB"' in page.text
    assert "Export what the filters show" in page.text


def test_who_may_not_export_sees_no_button(browser):
    at_desk(browser, MAY[0])

    assert EXPORT not in browser.get(HISTORY).text


def test_the_page_says_what_is_exported(browser, auditor):
    page = browser.get(MISMATCHES)

    for words in ("No match", "2026-06-01", "2026-06-30", "It is recorded"):
        assert words in page.text
    assert "All verifications are exported." in browser.get(EXPORT).text


def test_junes_mismatches_leave_as_csv(browser, auditor, operator, mismatches):
    answer = done(browser, operator, MISMATCHES, form="csv")

    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="verif')
    assert "no-store" in answer["Cache-Control"]
    assert answer.streaming
    assert ids_of(answer) == mismatches


def test_v5_0_0_16_2_1_an_export_is_recorded_with_who_when_what_and_how_many(
    browser, auditor, operator, mismatches
):
    done(browser, operator, MISMATCHES, form="jsonl").getvalue()

    found = record()
    assert found.staff == auditor
    assert found.address == "127.0.0.1"
    assert found.rows == 3
    assert found.complete
    assert found.at <= found.ended_at
    assert found.details == {
        "format": "jsonl",
        "filters": {
            "outcome": "mismatched",
            "since": "2026-06-01",
            "until": "2026-06-30",
        },
    }


def test_it_is_recorded_before_the_first_row_leaves(
    browser, auditor, operator, mismatches
):
    done(browser, operator, MISMATCHES, form="csv")

    assert (record().rows, record().ended_at) == (None, None)


@pytest.mark.parametrize(("taken", "rows"), [(0, 0), (1, 0), (2, 1), (3, 2)])
def test_of_one_that_goes_away_the_rows_so_far_are_recorded(
    browser, auditor, operator, mismatches, few, taken, rows
):
    answer = done(browser, operator, MISMATCHES, form="csv")
    for _ in range(taken):
        next(answer.streaming_content)

    goes_away(answer)

    assert (record().rows, record().complete) == (rows, False)


def test_one_that_runs_out_of_time_is_recorded_as_cut(
    browser, auditor, operator, mismatches, few, settings, monkeypatch
):
    settings.NV_EXPORT_SECONDS = 7
    answer = done(browser, operator, MISMATCHES, form="csv")
    sent = [next(answer.streaming_content) for _ in range(2)]
    now = export.time.monotonic()
    monkeypatch.setattr(export.time, "monotonic", lambda: now + 7)

    sent += list(answer.streaming_content)

    assert sent[-1].startswith(b'"CUT: not all rows are here. Rows written: 1, down')
    found = record()
    assert (found.rows, found.complete, found.ending) == (1, False, "time")
    permitted(auditor, "numberverify.view_staffrecord")
    said = browser.get("/admin/numberverify/staffrecord/").text
    assert "✗ cut: the time limit was reached" in said


def test_closing_after_the_end_changes_nothing(browser, auditor, operator, mismatches):
    answer = done(browser, operator, MISMATCHES, form="csv")
    answer.getvalue()
    ended = record().ended_at

    goes_away(answer)

    assert (record().complete, record().ended_at) == (True, ended)


def test_of_one_that_fails_the_rows_so_far_are_recorded(
    browser, auditor, operator, mismatches, few, monkeypatch
):
    answer = done(browser, operator, MISMATCHES, form="csv")
    next(answer.streaming_content), next(answer.streaming_content)

    def fails(*args):
        raise DatabaseError

    monkeypatch.setattr(export, "_statement", fails)
    with pytest.raises(DatabaseError):
        next(answer.streaming_content)

    assert (record().rows, record().complete) == (1, False)


def test_a_process_that_dies_leaves_how_many_it_was_so_far(
    browser, auditor, operator, mismatches, few, monkeypatch
):
    monkeypatch.setattr("numberverify.export_admin.COUNT_EVERY", 2)
    answer = done(browser, operator, MISMATCHES, form="csv")
    for _ in range(3):
        next(answer.streaming_content)

    assert (record().rows, record().ended_at) == (1, None)


def test_v5_0_0_8_4_2_it_takes_a_proof_for_just_these_filters_and_serves_once(
    browser, auditor, operator, mismatches
):
    done(browser, operator, MISMATCHES, form="csv").getvalue()

    for page, form in ((MISMATCHES, "csv"), (EXPORT, "csv"), (MISMATCHES, "jsonl")):
        again = browser.submit(page, form=form)
        assert "Confirm it's you to export the history" in again.text
    assert StaffRecord.objects.count() == 1


@pytest.mark.parametrize("other", ["?outcome=verified", "", "?outcome=mismatched"])
def test_v5_0_0_8_4_2_a_proof_for_some_filters_opens_no_others(
    browser, auditor, operator, other
):
    confirmed(browser, operator, MISMATCHES, form="csv")

    again = browser.submit(f"{EXPORT}{other}", form="csv")

    assert "Confirm it's you" in again.text
    assert not StaffRecord.objects.exists()


def test_the_page_that_asks_shows_what_is_confirmed(browser, auditor, operator):
    asked = browser.submit(MISMATCHES, form="jsonl")

    for words in ("No match", "2026-06-01", "2026-06-30", "jsonl"):
        assert words in asked.text


def test_the_format_is_chosen_once(browser, auditor, operator):
    back = confirmed(browser, operator, MISMATCHES, form="jsonl")

    assert "It is you: now export." in back.text
    assert back.context["form"]["form"].value() == "jsonl"


@pytest.mark.parametrize("form", ["", "xlsx"])
def test_an_unknown_format_is_named(browser, auditor, operator, form):
    page = browser.submit(EXPORT, form=form)

    assert page.status_code == 200
    assert page.context["form"].errors
    assert not StaffRecord.objects.exists()


@pytest.mark.parametrize(
    "query",
    ["outcome=won", "since=2026-06-30&until=2026-06-01", "colour=red", "person=x"],
)
def test_filters_that_are_not_understood_export_nothing(browser, auditor, query):
    """Left out they would export more than was meant."""
    answer = browser.get(f"{EXPORT}?{query}", follow=True)

    assert answer.request["PATH_INFO"] == HISTORY
    assert "Not all of the filters were understood." in answer.text
    assert browser.post(f"{EXPORT}?{query}").status_code == 403  # no token


PERSON = f"{EXPORT}?address=192.0.2.7&fingerprint={'ab' * 16}"


def test_v5_0_0_14_2_1_whom_it_is_about_is_in_no_row_of_who_exports(
    browser, auditor, operator
):
    """Such a row is sealed, and the person may be forgotten."""
    row_of(JUNE, verified=True)

    back = confirmed(browser, operator, PERSON, form="csv")

    assert back.request["QUERY_STRING"] == PERSON.partition("?")[2]
    assert "It is you: now export." in back.text
    proof = Verification.objects.get(purpose="step_up")
    assert proof.next.startswith(f"{EXPORT}?nv_at=")
    for mark in ("192.0.2.7", "abab"):
        assert mark not in proof.next
    assert ids_of(browser.submit(PERSON, form="csv")) == []


def keys(many):
    """Filters by a number with so many keys of the fingerprints."""
    prints = "-".join(f"{n:032x}" for n in range(many))
    return f"{EXPORT}?outcome=mismatched&fingerprint={prints}"


def test_filters_of_any_usual_length_stay_as_they_are(browser, auditor, operator):
    row_of(JUNE, verified=True)

    answer = done(browser, operator, keys(12), form="csv")

    assert ids_of(answer) == []
    assert record().details["filters"]["outcome"] == "mismatched"


@pytest.mark.parametrize("lost", ["too long", "in another session"])
def test_filters_that_are_lost_export_nothing(
    browser, auditor, operator, monkeypatch, lost
):
    """Dropped on the way they would export all rows."""
    row_of(JUNE, verified=True)
    if lost == "too long":
        monkeypatch.setattr("numberverify.stepup.held.MAX_ADDRESS", 50)
    asked = browser.submit(MISMATCHES, form="csv")
    said = {"confirmed": asked.context["confirmed"]}
    started = browser.submit(asked.context["confirm_at"], page=MISMATCHES, **said)
    if lost != "too long":
        session = browser.session
        del session["nv_addresses"]
        session.save()

    back = browser.follow(browser.come_back(operator, started))

    assert back.request["PATH_INFO"] == HISTORY
    assert "Not all of the filters were understood." in back.text
    assert not StaffRecord.objects.exists()


@pytest.mark.parametrize("names", [(), MAY[:1], MAY[1:]])
def test_v5_0_0_8_2_1_without_the_permission_it_is_403_and_a_record(browser, names):
    staff = at_desk(browser, *names)

    assert browser.get(MISMATCHES).status_code == 403

    found = StaffRecord.objects.get()
    assert (found.staff, found.kind) == (staff, "refused")
    assert found.details == {"page": EXPORT, "method": "GET"}


def test_v5_0_0_8_3_2_a_permission_that_is_taken_away_is_gone_at_once(
    browser, operator, mismatches
):
    auditor = at_desk(browser, *MAY)
    confirmed(browser, operator, MISMATCHES, form="csv")
    auditor.user_permissions.clear()
    permitted(auditor, MAY[0])

    assert browser.submit(MISMATCHES, page=HISTORY, form="csv").status_code == 403
    assert not StaffRecord.objects.filter(kind="export").exists()


def test_of_two_exports_at_once_with_one_proof_one_is_made(
    browser, auditor, operator, mismatches
):
    confirmed(browser, operator, MISMATCHES, form="csv")
    proof = Verification.objects.filter(purpose="step_up", status=Status.VERIFIED)

    browser.submit(MISMATCHES, form="csv")
    browser.submit(MISMATCHES, form="csv")

    assert StaffRecord.objects.count() == 1
    assert proof.get().redeemed_at


def test_the_address_has_a_name():
    assert reverse("admin:numberverify_verification_export") == EXPORT
