"""The seal in the admin: the chain as it is, for who may see the history."""

from datetime import timedelta

import pytest
from django.utils import timezone

from numberverify import forget, records, retention, seal
from numberverify.models import Seal, Verification
from tests.factories import UserFactory
from tests.numberverify.history import HISTORY
from tests.numberverify.seal.past import begun, past
from tests.staff import at_desk

pytestmark = pytest.mark.django_db
PAGE = f"{HISTORY}seal/"
VIEW = "numberverify.view_verification"


@pytest.fixture
def auditor(browser):
    return at_desk(browser, VIEW)


@pytest.fixture
def sealed():
    """Two batches of three, the first of them old enough to be purged."""
    person = UserFactory()
    for days in (40, 2):
        for n in range(3):
            begun(timedelta(days=days, minutes=-n), user=person)
    seal.seal_due(batch=3)
    return person


def digest_of(number):
    return bytes(Seal.objects.get(pk=number).digest).hex()


def month_of(ago):
    return f"{timezone.now() - ago:%Y-%m}"


def test_it_says_how_far_the_seal_goes(browser, auditor, sealed):
    page = browser.get(PAGE)

    newest = Seal.objects.get(pk=2)
    assert page.context["newest"].link == newest
    assert f"{newest.made_at:%Y-%m-%d %H:%M:%S} UTC" in page.text
    assert digest_of(2) in page.text
    last = Verification.objects.first()
    assert page.context["newest"].until == last.created_at.replace(
        microsecond=last.created_at.microsecond // 1000 * 1000
    )


def test_the_list_leads_there(browser, auditor):
    assert f'href="{PAGE}"' in browser.get(HISTORY).text


def test_a_months_batches_are_named_by_number_and_digest(browser, auditor, sealed):
    page = browser.get(PAGE, {"month": month_of(timedelta(days=40))})

    (batch,) = page.context["batches"]
    assert (batch.link.number, batch.link.rows) == (1, 3)
    assert batch.digest == digest_of(1)
    assert digest_of(1) in page.text
    assert f"verify_history --since {page.context['month']}" in page.text


def test_a_month_without_rows_says_so(browser, auditor, sealed):
    page = browser.get(PAGE, {"month": "2020-01"})

    assert page.context["batches"] == []
    assert "No batch has rows of this month." in page.text


@pytest.mark.parametrize(
    "month", ["", "May", "2026-13", "2026-5", "1999-01", "2026-05\0", "20११-01"]
)
def test_a_month_that_is_none_is_named_and_the_page_is_as_it_was(
    browser, auditor, sealed, month
):
    page = browser.get(PAGE, {"month": month})

    assert page.status_code == 200
    assert page.context["form"].errors["month"]
    assert page.context["month"] == f"{timezone.now():%Y-%m}"
    assert "This is no month." in page.text


def test_purges_and_erasings_are_told_with_when_and_how_many(
    browser, auditor, sealed, settings
):
    forget.person(sealed, by="staff 7", reason="request 2026-114")
    settings.NV_RETENTION_DAYS = 30
    retention.purge_due()

    page = browser.get(PAGE, {"month": month_of(timedelta(days=40))})

    (purge,) = page.context["purges"]
    assert (purge.link.of, purge.link.rows, purge.link.days) == (1, 3, 30)
    assert purge.since is not None
    assert purge.since < purge.until < timezone.now() - timedelta(days=39)
    (erasing,) = page.context["erasings"]
    assert (erasing.link.rows, erasing.link.by) == (6, "staff 7")
    assert "request 2026-114" in page.text
    assert page.context["batches"][0].is_purged


@pytest.mark.parametrize(
    ("complete", "words"),
    [(True, "✓ all as it was sealed"), (False, "✗ not as it was sealed")],
)
def test_the_last_check_on_record_is_said(browser, auditor, sealed, complete, words):
    by = "root, by command"
    kind = records.Kind.CHECKED
    records.note_command(by, kind, {"part": "all"}, rows=6, complete=complete)
    records.note_command(by, kind, {"part": "2026-05"}, rows=9)

    page = browser.get(PAGE)

    assert words in page.text
    assert "6 rows" in page.text
    assert by in page.text


def test_a_check_that_was_told_to_let_purges_pass_says_so(browser, auditor, sealed):
    said = {"part": "all", "findings": 0, "retention_was": 30}
    records.note_command("root, by command", records.Kind.CHECKED, said, rows=6)

    assert "kept for 30 days once" in browser.get(PAGE).text


@pytest.mark.parametrize(("hours", "said"), [(24, False), (26, True)])
def test_a_seal_that_stopped_is_said(browser, auditor, monkeypatch, hours, said):
    past(1)
    seal.seal_due()
    at = timezone.now() + timedelta(hours=hours)
    monkeypatch.setattr("numberverify.seal_admin.timezone.now", lambda: at)

    assert ("Nothing has been sealed for" in browser.get(PAGE).text) is said


def test_where_nothing_is_sealed_it_says_what_to_do(browser, auditor):
    page = browser.get(PAGE)

    assert "Nothing is sealed yet." in page.text
    assert "manage.py housekeeping" in page.text


def test_it_costs_five_statements_and_looks_at_no_row(
    browser, auditor, sealed, django_assert_max_num_queries, settings
):
    forget.person(sealed, by="staff 7", reason="asked")
    settings.NV_RETENTION_DAYS = 30
    retention.purge_due()
    browser.get(PAGE)

    with django_assert_max_num_queries(20) as captured:
        browser.get(PAGE)

    said = [each["sql"] for each in captured]
    of_it = [sql for sql in said if "numberverify_s" in sql]
    assert len(of_it) == 5
    assert not [sql for sql in said if "numberverify_verification" in sql]
    assert not [sql for sql in of_it if '"leaves"' in sql or '"left_open"' in sql]


@pytest.mark.parametrize("names", [(), ("numberverify.view_staffrecord",)])
def test_v5_0_0_8_2_1_without_the_permission_it_is_403(browser, names):
    at_desk(browser, *names)

    assert browser.get(PAGE).status_code == 403


def test_it_is_looked_at_alone(browser, auditor):
    browser.get(PAGE)

    answer = browser.submit(PAGE, page=HISTORY)

    assert answer.status_code == 405
