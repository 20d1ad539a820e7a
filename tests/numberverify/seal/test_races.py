"""Housekeeping, people who log in, and staff who forget: all at once."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from numberverify import forget, retention, seal
from numberverify.choices import Method, Status
from numberverify.models import HourTotal, Seal, Verification
from numberverify.seal import chain
from tests.factories import UserFactory, VerificationFactory
from tests.numberverify.seal.past import begun, findings, past

pytestmark = pytest.mark.django_db(transaction=True)
WHO = {"by": "staff 7", "reason": "asked for"}


def at_once(*jobs: Callable[[], object]) -> list[object]:
    """Run the jobs in threads that set off together; return what each returned."""
    barrier = Barrier(len(jobs))

    def run(job: Callable[[], object]) -> object:
        barrier.wait()
        try:
            return job()
        finally:
            connections.close_all()

    connection.close()
    with ThreadPoolExecutor(len(jobs)) as threads:
        return list(threads.map(run, jobs))


def sealed_keys() -> list[bytes]:
    return [key for link in Seal.objects.all() for key in link.digests]


def test_two_housekeepers_seal_each_row_once():
    past(60)

    at_once(*[lambda: seal.seal_due(batch=5)] * 4)
    seal.seal_due(batch=5)

    assert Counter(sealed_keys()).most_common(1)[0][1] == 1
    assert len(sealed_keys()) == 60
    assert sum(HourTotal.objects.values_list("rows", flat=True)) == 60
    assert findings() == []


@pytest.mark.postgresql
def test_a_second_housekeeper_does_not_wait_for_the_first():
    past(3)
    holds, done = Event(), Event()

    def first() -> bool:
        with transaction.atomic():
            assert chain.hold(wait=False)
            holds.set()
            return done.wait(20)

    def second() -> float:
        holds.wait(20)
        began = time.monotonic()
        assert seal.seal_due() == 0
        done.set()
        return time.monotonic() - began

    waited, took = at_once(first, second)

    assert waited
    assert took < 10
    assert seal.seal_due() == 3


def test_rows_that_settle_while_their_range_is_sealed_are_in_one_list_or_the_other():
    """Read by two statements, such a row could be in neither, and be "added"."""
    waiting = [
        begun(timedelta(hours=30, minutes=-n), status=Status.PENDING) for n in range(40)
    ]
    past(40, days=1)

    def settle() -> None:
        for row in waiting:
            Verification.objects.filter(pk=row.pk).settle(
                Status.EXPIRED, now=timezone.now()
            )

    at_once(settle, lambda: seal.seal_due(batch=3), lambda: seal.seal_due(batch=3))
    seal.seal_due(batch=3)
    assert findings() == []
    past_the_quiet = Seal.objects.filter(kind="rows").order_by("-number").first()
    late = set(past_the_quiet.open_ids)

    assert set(sealed_keys()) | late == {
        key.bytes for key in Verification.objects.values_list("pk", flat=True)
    }
    assert len(sealed_keys()) == len(set(sealed_keys()))


def test_a_person_is_forgotten_while_their_rows_are_sealed():
    ann = UserFactory()
    for n in range(40):
        begun(timedelta(days=2, minutes=-n), user=ann)

    results = at_once(
        lambda: seal.seal_due(batch=3),
        lambda: forget.person(ann, **WHO).rows,
        lambda: forget.person(ann, **WHO).rows,
    )
    seal.seal_due()

    assert results[1] + results[2] == 40
    assert not Verification.objects.filter(user=ann).exists()
    assert (
        sum(Seal.objects.filter(kind="forgotten").values_list("rows", flat=True)) == 40
    )
    assert findings() == []


def test_logins_are_written_and_checked_while_old_rows_are_purged(settings):
    settings.NV_RETENTION_DAYS = 30
    past(300, days=40)
    seal.seal_due(batch=50)

    def log_in() -> int:
        for _ in range(20):
            row = VerificationFactory(method=Method.NETWORK)
            rows = Verification.objects.filter(pk=row.pk)
            assert rows.settle(Status.VERIFIED, now=timezone.now()) == 1
            assert rows.update(redeemed_at=timezone.now()) == 1
        return 20

    def check() -> list[str]:
        return [str(each) for _ in range(5) for each in findings()]

    purged, purged_too, written, found = at_once(
        retention.purge_due, retention.purge_due, log_in, check
    )
    retention.purge_due()

    assert found == []
    assert written == Verification.objects.count() == 20
    assert purged.rows + purged_too.rows <= 300
    assert Seal.objects.filter(kind="purged").count() == 6
    assert findings() == []


def test_a_person_is_forgotten_while_their_rows_are_purged(settings):
    settings.NV_RETENTION_DAYS = 30
    ann = UserFactory()
    for n in range(60):
        begun(timedelta(days=40, minutes=-n), user=ann)
    seal.seal_due(batch=10)

    found = at_once(retention.purge_due, lambda: forget.person(ann, **WHO), findings)
    assert found[2] == []
    retention.purge_due()

    assert Verification.objects.count() == 0
    assert findings() == []
