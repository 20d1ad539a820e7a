"""An auditor's questions, answered in the history by somebody who uses no mouse."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.core.management.base import CommandError
from playwright.sync_api import expect

from accounts.models import User
from numberverify import seal
from numberverify.choices import Because, Method, Purpose, Reason, Status
from numberverify.models import StaffRecord, Verification
from tests.factories import ANN, UserFactory
from tests.numberverify.history import HISTORY, row_of
from tests.numberverify.seal.past import alter

from .keyboard import Keyboard

pytestmark = pytest.mark.browser
TUESDAY = datetime(2026, 5, 5, 10, 12, 30, tzinfo=UTC)
BEN = "+447700900456"


@pytest.fixture
def auditor(desk):
    """Ann's week, with what others did; the auditor may look and no more."""
    ann, ben = UserFactory(email="ann@example.com"), UserFactory()
    common = {"purpose": Purpose.LOGIN, "asked_because": Because.NEW_BROWSER}
    for days in (-3, -1, 1, 2):
        at = TUESDAY + timedelta(days=days)
        row_of(at, verified=True, user=ann, **common)
        refused = {"settled": True, "status": Status.REFUSED}
        row_of(at, user=ben, msisdn=BEN, reason=Reason.WRONG_CODES, **refused, **common)
    network = row_of(TUESDAY, unavailable=True, user=ann, **common)
    row_of(
        TUESDAY + timedelta(seconds=40),
        settled=True,
        status=Status.REFUSED,
        reason=Reason.WRONG_CODES,
        method=Method.SMS,
        operator="",
        user=ann,
        previous=network.pk,
        sends=1,
        tries=5,
        **common,
    )
    staff = UserFactory(is_staff=True, phone=ANN)
    view = Permission.objects.get(codename="view_verification")
    staff.user_permissions.add(view)
    desk.become(staff)
    desk.open(HISTORY)
    return desk


def test_why_was_this_person_refused_on_tuesday(auditor):
    page, keys = auditor.page, Keyboard(auditor.page)

    keys.tab_to(page.get_by_label("Whole id, e-mail"))
    keys.types("ann@example.com", "Enter")
    page.wait_for_url("**person=*")
    expect(page.locator(".history-rows tbody tr")).to_have_count(6)

    keys.tab_to(page.get_by_label("Outcome"))
    keys.types("Refused")
    keys.tab_to(page.get_by_label("From"))
    keys.types("05052026")  # a day in any language's order
    keys.tab_to(page.get_by_label("To, that day included"))
    keys.types("05052026", "Enter")
    page.wait_for_url("**since=2026-05-05**")
    expect(page.locator(".history-rows tbody tr")).to_have_count(1)

    keys.tab_to(page.get_by_role("link", name="2026-05-05 10:13:10"))
    keys.press("Enter")
    page.wait_for_url("**/change/")
    auditor.sees("⊘ Refused")
    said = page.locator(".history-story")
    expect(said).to_contain_text("Asked because this browser was new.")
    expect(said).to_contain_text("Too many wrong codes were typed.")
    expect(
        page.get_by_role("cell", name="1 text message, 5 wrong codes")
    ).to_be_visible()

    # What came before: the row that this one follows.
    keys.tab_to(page.get_by_role("link", name="2026-05-05 10:12:30"))
    keys.press("Enter")
    auditor.sees("? Could not tell")
    expect(page.locator(".history-story")).to_contain_text("did not see the device")


def test_export_junes_mismatches(auditor):
    """With the mouse, as somebody who has never done it."""
    page, june = auditor.page, datetime(2026, 6, 12, 14, 30, tzinfo=UTC)
    wanted = row_of(june, mismatched=True, msisdn=BEN)
    row_of(june, verified=True, msisdn=BEN)
    row_of(june + timedelta(days=30), mismatched=True, msisdn=BEN)
    export = Permission.objects.get(codename="export_verification")
    User.objects.get(is_staff=True).user_permissions.add(export)

    page.get_by_label("Outcome").select_option("No match")
    page.get_by_label("From").fill("2026-06-01")
    page.get_by_label("To, that day included").fill("2026-06-30")
    auditor.press("Show")
    page.get_by_role("link", name="Export what the filters show").click()
    page.wait_for_url("**/export/**")
    auditor.sees("Export the history")
    auditor.press("Export")
    auditor.sees("Confirm it's you to export the history")
    auditor.reads("No match")
    auditor.press("Check my number")
    auditor.sees("Export the history")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export", exact=True).click()

    assert download.value.suggested_filename.endswith(".csv")
    lines = download.value.path().read_text("utf-8").splitlines()
    assert len(lines) == 2
    assert lines[1].startswith(f"{wanted.pk},2026-06-12T14:30:00.000Z,")
    assert "'+44 •••• •••456" in lines[1]
    record = StaffRecord.objects.get()
    assert (record.rows, record.complete) == (1, True)


def test_show_that_nothing_was_changed_in_may(auditor, tmp_path):
    """As the guide says it: the chain in the admin, the rows by the command."""
    seal.seal_due()
    page, heads = auditor.page, tmp_path / "heads.jsonl"
    call_command("verify_history", "--chain", "--export", str(heads))

    page.get_by_role("link", name="Seal: that nothing was changed").click()
    page.wait_for_url("**/seal/")
    auditor.sees("Seal")
    page.get_by_label("Month (UTC)").fill("2026-05")
    auditor.press("Show")
    page.wait_for_url("**month=2026-05")

    auditor.reads("Batches with rows of 2026-05")
    table = page.get_by_role("region", name="Batches with rows of 2026-05")
    shown = table.locator("tbody tr").all()
    kept = [json.loads(line) for line in heads.read_text().splitlines()]
    assert len(shown) == len(kept) == 1
    for row, head in zip(shown, kept, strict=True):
        expect(row.get_by_role("rowheader")).to_have_text(str(head["number"]))
        expect(row.locator("code")).to_have_text(head["digest"])
    command = page.get_by_text("manage.py verify_history --since").inner_text()
    said = io.StringIO()
    call_command(*command.removeprefix("manage.py ").split(), stdout=said)
    assert "looked at 10 rows" in said.getvalue()
    digest = page.locator("dl .digest").inner_text()
    assert digest in said.getvalue()


def test_a_row_of_may_that_was_changed_is_named(auditor):
    seal.seal_due()
    row = Verification.objects.filter(reason=Reason.WRONG_CODES).first()
    alter(row, reason="", status=Status.VERIFIED)

    said = io.StringIO()
    with pytest.raises(CommandError, match="1 things are not as they were sealed"):
        call_command(
            "verify_history", "--since", "2026-05", "--until", "2026-05", stderr=said
        )

    assert f"changed: {row.pk}, begun 2026-05" in said.getvalue()
    auditor.open(f"{HISTORY}{row.pk}/change/")
    auditor.sees("✓ Match")


def test_the_first_tab_leads_past_the_header(auditor):
    keys = Keyboard(auditor.page)

    keys.tab_to(auditor.page.get_by_role("link", name="Skip to main content"))
    keys.press("Enter")
    keys.press("Tab")
    expect(auditor.page.locator("#content a:focus")).to_have_count(1)

    keys.press("Tab")  # past the overview
    keys.press("Tab")  # and the seal
    expect(auditor.page.get_by_label("Whole id, e-mail")).to_be_focused()


def test_what_has_the_focus_is_seen_to_have_it(auditor):
    keys = Keyboard(auditor.page)
    unseen = []
    for thing in [
        auditor.page.get_by_label("Whole id, e-mail"),
        auditor.page.locator(".history-rows tbody a").first,
        auditor.page.get_by_label("Outcome"),
        auditor.page.get_by_role("button", name="Show"),
    ]:
        keys.tab_to(thing)
        style = (
            "e => getComputedStyle(e).outlineStyle + getComputedStyle(e).outlineWidth"
        )
        if thing.evaluate(style) in ("none0px", "none3px"):
            unseen.append(str(thing))

    assert unseen == []


def test_a_screen_reader_finds_headings_a_table_and_named_regions(auditor):
    page = auditor.page

    auditor.sees("Verifications")
    table = page.get_by_role("table", name="Verifications, newest first; times in UTC")
    heads = table.get_by_role("columnheader")
    assert [each.lower() for each in heads.all_inner_texts()] == [
        "time (utc)",
        "outcome, reason",
        "person",
        "number, country",
        "purpose, action",
        "method, operator",
        "took",
    ]
    expect(table.get_by_role("rowheader")).to_have_count(10)
    expect(page.get_by_role("search")).to_be_visible()
    expect(page.get_by_role("navigation", name="Filter")).to_be_visible()
    current = page.locator('[aria-current="page"]')
    expect(current).to_have_text("Verifications")


def test_the_jump_to_a_time_by_keyboard(auditor):
    page, keys = auditor.page, Keyboard(auditor.page)

    keys.tab_to(page.get_by_label("Go to a time (UTC)"))
    keys.types("05052026", "Tab")
    keys.types("1012a", "Enter")  # a.m., where there are twelve hours
    page.wait_for_url("**at=2026-05-05T10%3A12**")

    first = page.locator(".history-rows tbody tr").first
    expect(first.get_by_role("link")).to_have_text("2026-05-05 10:12:30")
    keys.tab_to(page.get_by_role("link", name="Newer").first)
    keys.press("Enter")
    page.wait_for_url("**newer=**")
    expect(page.locator(".history-rows tbody tr")).to_have_count(5)
