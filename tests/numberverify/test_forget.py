"""A person is forgotten: what identifies them goes, totals and seal stay."""

import io
import json
import sys
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from numberverify import forget, retention, seal, ways
from numberverify.choices import Method, Purpose, Status
from numberverify.models import (
    HourTotal,
    ManualRequest,
    Seal,
    StaffRecord,
    Verification,
)
from numberverify.msisdn import Msisdn
from numberverify.seal import leaf
from tests.factories import (
    ANN,
    ManualRequestFactory,
    UserFactory,
    VerificationFactory,
)
from tests.numberverify.seal.past import begun, erase, findings, found
from tests.staff import at_desk

pytestmark = pytest.mark.django_db
DAYS, HOURS = timedelta(days=1), timedelta(hours=1)
BEN = "+447700900456"
WHO = {"by": "staff 7", "reason": "asked for"}
WHY = "request 2026-114"


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


def of(user, ago=3 * DAYS, **columns):
    full = {
        "ip": "192.0.2.7",
        "user_agent": "Ann's phone",
        "operator_subject": "sub of Ann",
        "next": "/accounts/password/reset/Ann/",
        "code_reference": "ref",
        "details_digest": b"d" * 32,
    }
    return begun(ago, user=user, **full | columns)


def again(row) -> Verification:
    return Verification.objects.get(pk=row.pk)


def test_what_identifies_the_person_is_erased_and_the_rest_stays(ann):
    row = of(ann, purpose=Purpose.LOGIN, country="GB", operator_ms=300)
    before = {name: getattr(again(row), name) for name in leaf.FIXED}

    done = forget.person(ann, **WHO)

    assert (done.rows, done.left) == (1, 0)
    after = again(row)
    assert after.user is None
    for name, blank in leaf.PERSONAL.items():
        assert getattr(after, name) == blank, name
    assert {name: getattr(after, name) for name in leaf.FIXED} == before


@pytest.mark.parametrize("sealed_first", [True, False])
def test_the_seal_holds_whichever_came_first(ann, sealed_first):
    of(ann), of(UserFactory())
    if sealed_first:
        seal.seal_due()

    assert forget.person(ann, **WHO).rows == 1
    seal.seal_due()

    assert findings() == []
    assert sum(link.rows for link in Seal.objects.filter(kind="rows")) == 2


def test_statistics_stay(ann):
    of(ann)
    seal.seal_due()
    before = list(HourTotal.objects.values())

    forget.person(ann, **WHO)

    assert list(HourTotal.objects.values()) == before


def test_nobody_else_is_forgotten(ann):
    ben = UserFactory(phone=BEN)
    others = [of(ben, msisdn=BEN), of(ben, msisdn=ANN), of(None, msisdn=BEN)]

    assert forget.person(ann, **WHO).rows == 0

    assert not any(again(row).commitment for row in others)


def test_tries_of_nobody_at_the_number_on_file_go_with_the_person(ann):
    tried = of(None, msisdn=ANN)

    assert forget.person(ann, **WHO).rows == 1
    assert again(tried).number_mask == ""


def test_a_person_without_a_number_takes_nobody_s_rows_along():
    stranger = of(None, msisdn=ANN)

    assert forget.person(UserFactory(), **WHO).rows == 0
    assert again(stranger).number_mask


def test_a_number_without_an_account_is_forgotten(ann):
    closed, hers = of(None), of(ann)

    assert forget.number(Msisdn(ANN), **WHO).rows == 1

    assert again(closed).number_fingerprint == b""
    assert again(hers).user == ann
    assert forget.others_with(Msisdn(ANN)) == [ann.pk]


def test_what_is_open_ends_and_what_is_fresh_stays_an_hour(ann):
    """A "no match" that closes a way may not be erased: through staff, too."""
    fresh = of(ann, timedelta(minutes=20), mismatched=True, purpose=Purpose.LOGIN)
    waits = of(ann, 5 * HOURS, status=Status.PENDING, method=Method.MANUAL)
    old = of(ann)
    asks = VerificationFactory.build(user=ann, browser_known=False)
    assert ways.is_closed(asks, Method.SMS)

    done = forget.person(ann, **WHO)

    assert (done.rows, done.left) == (1, 2)
    assert again(old).user is None
    assert again(waits).status == Status.EXPIRED
    assert again(fresh).user == ann
    assert ways.is_closed(asks, Method.SMS)
    assert done.at == again(waits).settled_at + HOURS


def test_once_forgotten_there_is_nothing_left_to_do(ann):
    of(ann)

    assert forget.person(ann, **WHO).rows == 1
    assert forget.person(ann, **WHO).rows == 0
    assert Seal.objects.filter(kind="forgotten").count() == 1


def test_what_staff_wrote_is_erased_and_that_they_did_stays(ann):
    row = of(ann, method=Method.MANUAL)
    request = ManualRequestFactory(verification=row)

    forget.person(ann, **WHO)

    request.refresh_from_db()
    assert (request.reason, request.evidence) == ("", "")
    assert request.asked_by


def test_the_chain_tells_which_rows_were_erased_who_did_it_and_not_whose(ann):
    rows = [of(ann, n * DAYS) for n in (3, 2, 1)]
    seal.seal_due()

    forget.person(ann, **WHO)

    link = Seal.objects.get(kind="forgotten")
    assert (link.rows, link.by, link.reason) == (3, "staff 7", "asked for")
    assert bytes(link.leaves) == b"".join(row.pk.bytes for row in rows)
    assert link.last_id == Seal.objects.first().last_id


def many(ann, count):
    rows = [of(ann, (n + 1) * DAYS) for n in range(count)]
    seal.seal_due()
    return rows


def test_one_person_is_one_erasing_of_the_chain(ann, monkeypatch):
    """Else a long history would push the erasings of others off an auditor's list."""
    monkeypatch.setattr(forget, "STEP", 2)
    rows = many(ann, 5)
    commitments = {
        row[leaf.ID]: leaf.commitment_of(row)
        for row in leaf.read(Verification.objects.all())
    }

    assert forget.person(ann, **WHO).rows == 5

    assert Seal.objects.get(kind="forgotten").rows == 5
    for row in map(again, rows):
        assert (bytes(row.commitment), row.ip) == (commitments[row.pk], None)
    assert findings() == []


def test_a_very_long_history_is_more_than_one(ann, monkeypatch):
    monkeypatch.setattr(forget, "A_LINK", 2)
    many(ann, 5)

    assert forget.person(ann, **WHO).rows == 5
    links = Seal.objects.filter(kind="forgotten")
    assert [link.rows for link in links] == [2, 2, 1]
    assert findings() == []


def test_a_hundred_rows_are_no_hundred_statements(ann, django_assert_max_num_queries):
    """One after the other they kept everybody else from writing, on SQLite."""
    many(ann, 40)

    with django_assert_max_num_queries(30):
        assert forget.person(ann, **WHO).rows == 40


def test_a_forgotten_row_can_be_purged(ann, settings):
    of(ann, 40 * DAYS)
    seal.seal_due(batch=1)
    forget.person(ann, **WHO)
    settings.NV_RETENTION_DAYS = 30

    assert retention.purge_due().rows == 1
    assert Seal.objects.get(kind="purged").forgotten == 1
    assert findings() == []


def test_a_forgotten_row_that_is_about_to_be_purged_alarms_nobody(
    ann, settings, monkeypatch
):
    of(ann, 40 * DAYS)
    seal.seal_due(batch=1)
    forget.person(ann, **WHO)
    settings.NV_RETENTION_DAYS = 30
    looks = iter(range(9))
    monkeypatch.setattr(seal.Until, "is_over", lambda self: next(looks) >= 1)

    assert retention.purge_due().rows == 0
    assert Seal.objects.filter(kind="purged").exists()
    assert findings() == []


def test_a_purged_row_makes_no_room_for_one_that_was_erased_by_hand(ann, settings):
    of(ann, 40 * DAYS)
    young = begun(2 * DAYS, msisdn=BEN)
    seal.seal_due(batch=1)
    forget.person(ann, **WHO)
    settings.NV_RETENTION_DAYS = 30
    retention.purge_due()
    assert findings() == []

    erase(young)

    assert found() == {("forgotten", young.pk)}


# The commands


def run(name: str, *options: str, typed: str = "", monkeypatch=None) -> str:
    out = io.StringIO()
    if name == "forget_person" and "--reason" not in options:
        options = (*options, "--reason", WHY)
    if monkeypatch:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    call_command(name, *options, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("by", ["pk", "email"])
def test_a_person_is_found_by_key_or_address(ann, by):
    row = of(ann)
    word = str(ann.pk) if by == "pk" else "Ann@Example.com"

    assert "erased 1" in run("forget_person", word, "--yes")
    assert again(row).user is None
    link = Seal.objects.get()
    assert link.by.endswith(", by command")
    assert link.reason == WHY
    assert "ann" not in f"{link.by} {link.reason}".lower()


def test_a_command_leaves_a_record_as_staff_do(browser, ann):
    of(ann), of(ann)

    run("forget_person", str(ann.pk), "--yes")
    run("export_person", str(ann.pk), "--reason", "request 2026-115")

    exported, erased = StaffRecord.objects.all()
    for record in (exported, erased):
        assert record.staff is None
        assert record.by_command.endswith(", by command")
        assert record.details == {"person": ann.pk}
        assert record.complete
    assert (erased.kind, erased.reason, erased.rows) == ("forgotten", WHY, 2)
    assert (exported.kind, exported.reason) == ("person_data", "request 2026-115")
    at_desk(browser, "numberverify.view_staffrecord", phone=None)
    page = browser.get("/admin/numberverify/staffrecord/").text
    assert page.count(", by command") == 2
    assert "Exported a person&#x27;s data" in page


def test_without_a_reason_nobody_is_forgotten(ann):
    of(ann)

    with pytest.raises(CommandError, match="--reason"):
        call_command("forget_person", str(ann.pk), "--yes")

    assert not StaffRecord.objects.exists()


@pytest.mark.parametrize("reason", ["of ann@example.com", "07700 900123", "x" * 201])
def test_a_reason_that_names_the_person_exports_nothing(ann, reason):
    with pytest.raises(CommandError, match="--reason"):
        run("export_person", str(ann.pk), "--reason", reason)

    assert not StaffRecord.objects.exists()


def test_a_record_that_cannot_be_written_undoes_the_forgetting(ann, monkeypatch):
    row = of(ann)

    def fails(*args, **more):
        raise RuntimeError

    monkeypatch.setattr("numberverify.records.note_command", fails)
    with pytest.raises(RuntimeError):
        run("forget_person", str(ann.pk), "--yes")

    assert again(row).user == ann


def test_a_number_comes_by_the_standard_input(ann, monkeypatch):
    of(None), of(ann)

    said = run(
        "forget_person",
        "--number",
        "--yes",
        typed="07700 900123\n",
        monkeypatch=monkeypatch,
    )

    assert "erased 1" in said
    assert f"Accounts have rows about it, too: {ann.pk}" in said
    assert "900123" not in said


def test_what_stays_for_an_hour_fails_the_command(ann):
    of(ann, timedelta(minutes=5))

    with pytest.raises(CommandError, match="1 of the last hour stay"):
        run("forget_person", str(ann.pk), "--yes")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["nobody@example.com", "--yes"], "Nobody has that address"),
        (["99999", "--yes"], "Nobody has that key"),
        (["ann", "--yes"], "Nobody has that key"),
        (["--yes"], "Say one"),
        (["1", "--number", "--yes"], "Say one"),
        (["--number", "--yes"], "That is no mobile number"),
        (["ann@example.com"], "say --yes"),
        (["ann@example.com", "--yes", "--reason", " "], "1 to 200 characters"),
        (["ann@example.com", "--yes", "--reason", "x" * 201], "1 to 200 characters"),
        (["ann@example.com", "--yes", "--reason", "to a@b.example"], "no e-mail"),
        (["ann@example.com", "--yes", "--reason", "of 07700 900123"], "no long number"),
    ],
)
def test_half_a_command_erases_nothing(ann, monkeypatch, options, words):
    row = of(ann)

    with pytest.raises(CommandError, match=words):
        run("forget_person", *options, typed="07700 9\n", monkeypatch=monkeypatch)

    assert again(row).user == ann


@pytest.mark.parametrize("answer", ["y", "n", ""])
def test_at_a_terminal_it_asks_first(ann, monkeypatch, answer):
    row = of(ann)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    asked = []
    monkeypatch.setattr("builtins.input", lambda text: asked.append(text) or answer)

    if answer == "y":
        run("forget_person", "ann@example.com")
    else:
        with pytest.raises(CommandError, match="Nothing was erased"):
            run("forget_person", "ann@example.com")

    assert (again(row).user is None) == (answer == "y")
    assert asked == [f"Erase the account {ann.pk} from the history? [y/N] "]


def test_a_person_s_data_are_printed_as_json(ann):
    row = of(ann, method=Method.MANUAL, purpose=Purpose.LOGIN)
    ManualRequestFactory(verification=row)
    of(UserFactory(), user_agent="Ben's phone")

    data = json.loads(run("export_person", "ann@example.com"))

    assert data["email"] == "ann@example.com"
    assert data["phone"] == ANN
    assert [each["id"] for each in data["verifications"]] == [str(row.pk)]
    assert data["verifications"][0]["user_agent"] == "Ann's phone"
    assert data["manual_verifications"][0]["evidence"]
    assert "digest" not in json.dumps(data)
    assert "Ben's phone" not in json.dumps(data)
    assert ManualRequest.objects.count() == 1


def test_the_data_of_nobody_are_not_printed():
    with pytest.raises(CommandError, match="Nobody has that address"):
        run("export_person", "nobody@example.com")


def test_what_stayed_for_an_hour_goes_at_the_next_run(ann):
    row = of(ann, timedelta(minutes=5))
    with pytest.raises(CommandError):
        run("forget_person", str(ann.pk), "--yes")
    Verification.objects.filter(pk=row.pk).update(
        settled_at=timezone.now() - timedelta(minutes=61)
    )

    assert "erased 1" in run("forget_person", str(ann.pk), "--yes")
