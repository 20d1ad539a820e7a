"""What an auditor types, and reads."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import ProgrammingError
from django.utils import timezone

from numberverify import forget, retention, seal
from numberverify.choices import Status
from numberverify.models import Seal, StaffRecord
from tests.factories import UserFactory
from tests.numberverify.seal.past import (
    alter,
    begun,
    by_the_back_door,
    past,
    sealed,
)

pytestmark = pytest.mark.django_db


def verify_history(*options: str) -> tuple[str, str, str]:
    """Return what it prints, what it names, and the words it fails with, if it does."""
    out, err = StringIO(), StringIO()
    try:
        call_command("verify_history", *options, stdout=out, stderr=err)
    except CommandError as error:
        return out.getvalue(), err.getvalue(), str(error)
    return out.getvalue(), err.getvalue(), ""


def test_a_history_as_it_was_is_said_to_be():
    sealed(3, batch=2)

    out, named, failed = verify_history()

    assert "2 links; looked at 3 rows in 2 batches" in out
    assert bytes(Seal.objects.last().digest).hex() in out
    assert (named, failed) == ("", "")


def test_a_changed_row_is_named_and_the_command_fails():
    row = sealed(3)[1]
    alter(row, status=Status.MISMATCHED)

    _, named, failed = verify_history()

    assert f"changed: {row.pk}" in named
    assert failed == "1 things are not as they were sealed."


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ([], "all"),
        (["--since", "2026-05", "--until", "2026-05"], "2026-05-01 to 2026-05-31"),
        (["--since", "2026-05-03"], "2026-05-03 to "),
    ],
)
def test_the_admin_is_told_of_a_check_of_rows(options, part):
    sealed(3)

    verify_history(*options)

    record = StaffRecord.objects.get()
    assert (record.kind, record.details["part"]) == (StaffRecord.Kind.CHECKED, part)
    assert (record.complete, record.details["findings"]) == (True, 0)


def test_what_a_check_found_is_in_its_record():
    alter(sealed(3)[1], status=Status.MISMATCHED)

    verify_history()

    record = StaffRecord.objects.get()
    assert (record.complete, record.details["findings"], record.rows) == (False, 1, 3)


def test_what_the_auditor_let_pass_is_in_the_record():
    sealed(3)

    verify_history("--retention-was", "365")

    assert StaffRecord.objects.get().details["retention_was"] == 365


def test_a_look_at_the_chain_alone_is_no_check_on_record():
    sealed(3)

    verify_history("--chain")

    assert not StaffRecord.objects.exists()


def test_an_auditor_who_may_only_read_checks_without_a_record(monkeypatch):
    def refused(*args, **kwargs):
        raise ProgrammingError("permission denied")

    sealed(3)
    monkeypatch.setattr(StaffRecord.objects, "create", refused)

    _, named, failed = verify_history()

    assert named == "No record of this check was left: may not write.\n"
    assert not failed


def test_before_the_first_seal_it_says_so():
    out, _, failed = verify_history()

    assert "Nothing is sealed yet" in out
    assert not failed


def test_nothing_was_changed_in_that_month(settings):
    begun(timedelta(days=100))
    row = begun(timedelta(days=50))
    begun(timedelta(days=9))
    seal.seal_due(batch=1)
    month = f"{row.created_at:%Y-%m}"
    alter(row, reason="interrupted")

    assert str(row.pk) in verify_history("--since", month, "--until", month)[1]
    day = (timezone.now() - timedelta(days=20)).date().isoformat()
    assert verify_history("--since", day)[1:] == ("", "")


def test_the_chain_alone_is_checked_without_a_row():
    row = sealed(2)[0]
    alter(row, status=Status.MISMATCHED)

    out, named, failed = verify_history("--chain")

    assert "looked at 0 rows" in out
    assert (named, failed) == ("", "")


@pytest.mark.parametrize("word", ["yesterday", "2026-13", "2026-02-30", "26-01", ""])
@pytest.mark.parametrize("option", ["--since", "--until"])
def test_a_day_that_is_none_is_refused(option, word):
    assert "a day is written as 2026-05-31" in verify_history(option, word)[2]


def test_a_period_upside_down_is_refused():
    asked = verify_history("--since", "2026-06", "--until", "2026-05-31")

    assert asked[2] == "--since is later than --until."


def test_since_and_until_the_same_day_is_that_day():
    assert verify_history("--since", "2026-05-31", "--until", "2026-05-31")[2] == ""


def purged(count: int, settings) -> None:
    settings.NV_RETENTION_DAYS = 1
    past(count)
    seal.seal_due(batch=1)
    retention.purge_due()


def test_purges_and_erasings_are_listed_for_an_auditor_to_judge(settings):
    ann = UserFactory()
    begun(timedelta(hours=3), user=ann)
    purged(2, settings)
    forget.person(ann, by="staff 7", reason="request 26-114")
    link = Seal.objects.last()

    out, named, failed = verify_history("--chain")

    assert "The chain tells of 2 purges of 2 rows:\n" in out
    day = (timezone.now() - timedelta(days=2)).date()
    assert f"1 rows of batch 1, begun {day} to {day}, after 1 days\n" in out
    assert "The chain tells of 1 erasings of 1 rows:\n" in out
    when = f"{link.made_at:%Y-%m-%d %H:%M} UTC"
    assert f"  {link.number}, {when}: 1 rows by staff 7: request 26-114\n" in out
    assert (named, failed) == ("", "")


def test_of_many_purges_the_last_are_listed_or_all(settings, monkeypatch):
    monkeypatch.setattr(retention, "PAUSE", 0)
    purged(23, settings)

    out, every = verify_history()[0], verify_history("--list")[0]

    assert "tells of 23 purges of 23 rows, the last 20 of them:" in out
    assert (out.count(" rows of batch "), every.count(" rows of batch ")) == (20, 23)
    assert "rows of batch 3," not in out
    assert "rows of batch 23," in out


def test_a_reason_that_a_link_gives_moves_no_cursor():
    sealed(1)
    kind, now = Seal.Kind.FORGOTTEN, timezone.now()
    seal.append(kind, now=now, rows=0, by="x", reason="\x1b[2J\nall is well")

    assert "by x: ?[2J?all is well" in verify_history()[0]


def test_purges_after_fewer_days_than_now_are_right_if_it_was_so(settings):
    purged(2, settings)
    settings.NV_RETENTION_DAYS = 30

    assert verify_history()[2] == "2 things are not as they were sealed."
    assert verify_history("--retention-was", "1")[1:] == ("", "")
    assert verify_history("--retention-was", "2")[2]


@pytest.mark.parametrize("days", ["0", "-1", "x", "36501"])
def test_days_that_are_none_are_refused(days):
    assert "1 to 36500 days" in verify_history(f"--retention-was={days}")[2]


# Heads that are kept elsewhere


def test_the_heads_are_exported_a_line_each(tmp_path):
    rows = sealed(3, batch=2)
    file = tmp_path / "heads.jsonl"

    verify_history("--export", str(file))

    heads = [json.loads(line) for line in file.read_text().splitlines()]
    link = Seal.objects.first()
    assert [head["number"] for head in heads] == [1, 2]
    assert heads[0] == {
        "number": 1,
        "kind": "rows",
        "digest": bytes(link.digest).hex(),
        "rows": 2,
        "first": str(rows[0].pk),
        "last": str(rows[1].pk),
        "made_at": link.made_at.isoformat(),
    }


def test_the_heads_on_the_standard_output_are_nothing_but_heads():
    sealed(3, batch=1)

    out, said, _ = verify_history("--export", "-")

    assert [json.loads(line)["number"] for line in out.splitlines()] == [1, 2, 3]
    assert "3 links" in said


def test_a_history_that_is_broken_is_not_exported(tmp_path):
    alter(sealed(1)[0], status=Status.MISMATCHED)
    file = tmp_path / "heads.jsonl"
    file.write_text("the good ones of last week")

    assert verify_history("--export", str(file))[2]

    assert file.read_text() == "the good ones of last week"


def exported(tmp_path) -> str:
    file = tmp_path / "heads.jsonl"
    verify_history("--export", str(file))
    return str(file)


def test_a_chain_that_grew_since_is_the_one_that_was_exported(tmp_path):
    sealed(2, batch=1)
    heads = exported(tmp_path)
    seal.append(seal.Kind.FORGOTTEN, now=timezone.now(), rows=0)

    assert verify_history("--against", heads)[1:] == ("", "")


def test_a_chain_cut_short_is_noticed_against_the_exported_heads(tmp_path):
    sealed(3, batch=1)
    heads = exported(tmp_path)
    with by_the_back_door():
        Seal.objects.filter(number__gte=2).delete()

    assert verify_history()[2] == ""
    named = verify_history("--against", heads)[1]
    assert "link: 2 was exported, and is gone" in named
    assert "link: 3 was exported, and is gone" in named


def test_a_chain_forged_anew_is_noticed_against_the_exported_heads(tmp_path):
    rows = sealed(2)
    heads = exported(tmp_path)
    with by_the_back_door():
        Seal.objects.all().delete()
    alter(rows[0], status=Status.MISMATCHED)
    seal.seal_due()

    assert verify_history()[2] == ""
    named = verify_history("--against", heads)[1]
    assert "link: 1 is not the one that was exported" in named


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "[]",
        "{}",
        '{"number": 1}',
        '{"number": "1", "digest": "00"}',
        '{"number": 1, "digest": "0011"}',
        '{"number": true, "digest": "%s"}' % ("00" * 32),
        '{"number": 99999999999, "digest": "%s"}' % ("00" * 32),
        '{"number": 0, "digest": "%s"}' % ("00" * 32),
        '{"number": 1, "digest": 7}',
    ],
)
def test_a_file_that_holds_no_heads_proves_nothing(tmp_path, text):
    sealed(1)
    file = tmp_path / "heads.jsonl"
    file.write_text(text)

    assert "line 1 is no head" in verify_history("--against", str(file))[2]


def test_an_empty_file_or_none_proves_nothing(tmp_path):
    empty = tmp_path / "empty"
    empty.touch()

    assert "is empty" in verify_history("--against", str(empty))[2]
    assert "nowhere" in verify_history("--against", str(tmp_path / "nowhere"))[2]
    unwritable = str(tmp_path / "no" / "folder")
    assert unwritable in verify_history("--export", unwritable)[2]
