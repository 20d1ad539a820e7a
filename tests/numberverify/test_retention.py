"""Kept no longer than needed (ASVS 14.2.4, 14.2.7): deleted by a schedule, in whole
sealed batches, and the chain says so."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from numberverify import retention, seal
from numberverify.choices import Method, Status
from numberverify.models import HourTotal, ManualRequest, Seal, Verification
from tests.factories import ManualRequestFactory
from tests.numberverify.seal.past import begun, findings, past, sealed

pytestmark = pytest.mark.django_db
Kind = Seal.Kind


@pytest.fixture(autouse=True)
def _a_month(settings) -> None:
    settings.NV_RETENTION_DAYS = 30


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch) -> None:
    monkeypatch.setattr(retention, "PAUSE", 0)


def command(name: str, *options: str) -> str:
    said = StringIO()
    call_command(name, *options, stdout=said)
    return said.getvalue()


def old_and_new(old: int = 5, new: int = 2) -> tuple[list, list]:
    """Rows of forty days ago and of two, in batches of their own."""
    rows = past(old, days=40), past(new, days=2)
    seal.seal_due(batch=old)
    return rows


def left() -> list:
    return list(Verification.objects.order_by("pk").values_list("pk", flat=True))


def test_v5_0_0_14_2_7_housekeeping_deletes_what_is_older_than_the_retention():
    _, new = old_and_new()

    assert "purged 5" in command("housekeeping")

    assert left() == [row.pk for row in new]
    assert "purged 0" in command("housekeeping")


def test_the_chain_says_what_was_purged_and_keeps_its_leaves():
    old, _ = old_and_new()

    retention.purge_due()

    link = Seal.objects.get(kind=Kind.PURGED)
    assert (link.of, link.rows, link.days) == (1, 5, 30)
    assert list(Seal.objects.get(pk=1).digests) == [row.pk.bytes for row in old]
    assert findings() == []


def test_a_batch_goes_when_its_newest_row_is_older():
    past(2, days=30.01)
    past(1, days=29.9)
    seal.seal_due()

    assert retention.purge_due().rows == 0
    assert Verification.objects.count() == 3


def test_v5_0_0_14_2_4_what_the_settings_say_is_what_is_kept(settings):
    settings.NV_RETENTION_DAYS = 41
    old_and_new()

    assert retention.purge_due().rows == 0
    settings.NV_RETENTION_DAYS = 39
    assert retention.purge_due().rows == 5


def test_what_is_not_sealed_is_not_purged():
    past(3, days=400)

    assert retention.purge_due().rows == 0
    assert Verification.objects.count() == 3


def test_nought_days_keep_everything(settings):
    settings.NV_RETENTION_DAYS = 0
    old_and_new()

    assert "purged" not in command("housekeeping")
    assert "everything is kept" in command("purge_history")
    assert retention.purge_due().rows == 0


def test_a_dry_run_counts_and_deletes_nothing():
    old_and_new()

    said = command("purge_history", "--dry-run")

    assert "due after 30 days: 5 rows in 1 batches" in said
    assert Verification.objects.count() == 7
    assert not Seal.objects.filter(kind=Kind.PURGED).exists()
    assert "deleted 5 rows in 1 batches; 0 left" in command("purge_history")


def test_batches_go_oldest_first_while_there_is_time(monkeypatch):
    past(6, days=40)
    seal.seal_due(batch=2)
    now = iter(range(100))
    monkeypatch.setattr(seal.Until, "is_over", lambda self: next(now) >= 2)

    purged = retention.purge_due()

    assert (purged.batches, purged.rows) == (1, 2)
    assert Seal.objects.get(kind=Kind.PURGED).of == 1
    assert retention.purge_due(seconds=0).rows == 0


def test_a_purge_that_stopped_in_the_middle_goes_on(monkeypatch):
    old_and_new(old=120)
    monkeypatch.setattr(retention, "FIRST", 50)
    delete, steps = retention._delete, []

    def crash(keys):
        steps.append(len(keys))
        if len(steps) == 2:
            raise KeyboardInterrupt
        return delete(keys)

    with monkeypatch.context() as patch:
        patch.setattr(retention, "_delete", crash)
        with pytest.raises(KeyboardInterrupt):
            retention.purge_due()
    assert Verification.objects.count() == 72
    assert findings() == []  # what is gone was to go, what is there is as it was

    assert retention.purge_due().rows == 70
    assert Seal.objects.filter(kind=Kind.PURGED).count() == 1
    assert findings() == []


def test_a_crash_within_a_step_undoes_the_step(monkeypatch):
    old_and_new()
    _manual_request_of(Verification.objects.order_by("pk").first())

    def crash(self, using):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("django.db.models.QuerySet._raw_delete", crash)
        with pytest.raises(MemoryError):
            retention.purge_due()

    assert Verification.objects.count() == 7
    assert ManualRequest.objects.count() == 1
    assert retention.purge_due().rows == 5


def _manual_request_of(row) -> None:
    ManualRequestFactory(verification=row)


def test_what_staff_wrote_goes_with_the_row():
    old, new = old_and_new()
    for row in (old[0], new[0]):
        _manual_request_of(row)

    retention.purge_due()

    assert ManualRequest.objects.get().verification_id == new[0].pk


def test_a_late_row_goes_with_the_batch_that_sealed_it():
    waits = begun(timedelta(days=40, hours=1), status=Status.PENDING)
    past(3, days=40)
    past(1, days=2)
    seal.seal_due(batch=4)
    Verification.objects.filter(pk=waits.pk).settle(
        Status.EXPIRED, now=timezone.now() - timedelta(hours=2)
    )
    seal.seal_due()

    assert retention.purge_due().rows == 3
    assert waits.pk in left()
    assert findings() == []


def test_totals_outlive_the_rows():
    old_and_new()
    before = list(HourTotal.objects.values())

    retention.purge_due()

    assert list(HourTotal.objects.values()) == before


def test_rows_are_deleted_without_being_loaded():
    old_and_new(old=100)

    with CaptureQueriesContext(
        connection,
    ) as asked:
        retention.purge_due()

    deletes = [q["sql"] for q in asked if "DELETE FROM" in q["sql"]]
    assert len(deletes) == 2  # of the rows, and of what staff wrote
    assert not any("user_agent" in q["sql"] for q in asked)


@pytest.mark.parametrize(
    ("step", "took", "then"),
    [
        pytest.param(500, 0.001, 1000, id="quick: twice as many"),
        pytest.param(500, 0.008, 625, id="nearly as planned"),
        pytest.param(500, 0.02, 250, id="slow: fewer"),
        pytest.param(500, 9.0, 50, id="never too few"),
        pytest.param(2000, 0.001, 2000, id="never too many"),
        pytest.param(6, 0.02, 12, id="after a stop: no more than twice as many"),
    ],
)
def test_a_step_adapts_to_the_time_the_last_one_took(step, took, then):
    assert retention.next_step(step, took) == then


def test_a_step_that_takes_too_long_is_stopped_and_tried_with_fewer(monkeypatch):
    old_and_new(old=100)
    monkeypatch.setattr(retention, "LIMIT", 0.05)
    asked, real = [], retention._delete

    def slow(keys):
        asked.append(len(keys))
        if len(keys) > 10:
            slowly()
        return real(keys)

    monkeypatch.setattr(retention, "_delete", slow)

    assert retention.purge_due().rows == 100
    assert asked[:6] == [100, 25, 6, 12, 3, 6]
    assert len(left()) == 2
    assert findings() == []


def slowly() -> None:
    """Keep the database busy for longer than it may be."""
    count_up = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
    with connection.cursor() as cursor:
        cursor.execute(f"{count_up} WHERE i < 50000000) SELECT count(*) FROM n")


def test_after_a_step_logins_have_the_database_for_twice_as_long(monkeypatch):
    old_and_new(old=100)
    monkeypatch.setattr(retention, "FIRST", 50)
    monkeypatch.setattr(retention, "PAUSE", 2)
    slept = []
    monkeypatch.setattr(retention.time, "sleep", slept.append)

    retention.purge_due()

    assert len(slept) >= 1
    assert all(pause >= 0.002 for pause in slept)


def test_nothing_is_due_on_a_young_site():
    sealed(2)

    assert "due after 30 days: 0 rows in 0 batches" in command(
        "purge_history", "--dry-run"
    )


def test_a_text_message_s_row_of_an_open_person_is_never_touched():
    """Open rows are not sealed, and so not purged: however old."""
    row = begun(timedelta(days=90), status=Status.PENDING, method=Method.SMS)
    old_and_new()

    retention.purge_due()

    assert row.pk in left()
