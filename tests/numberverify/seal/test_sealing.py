"""What is sealed, and when."""

from datetime import timedelta

import pytest
import time_machine
from django.db.models import Sum
from django.utils import timezone

from numberverify import seal
from numberverify.choices import Method, Status
from numberverify.models import HourTotal, Seal, Verification
from numberverify.seal import sealing
from tests.numberverify.seal.past import (
    begun,
    findings,
    found,
    past,
    sealed,
    smuggled,
)

pytestmark = pytest.mark.django_db
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def sealed_keys() -> list[bytes]:
    return [key for link in Seal.objects.all() for key in link.digests]


def test_settled_rows_are_sealed_an_hour_behind():
    old, young = begun(HOUR + MINUTE), begun(HOUR - MINUTE)

    assert seal.seal_due() == 1
    assert sealed_keys() == [old.pk.bytes]
    assert young.pk.bytes not in sealed_keys()


def test_each_row_is_sealed_once_in_batches_that_follow_each_other():
    rows = sealed(25, batch=10)

    assert [link.rows for link in Seal.objects.all()] == [10, 10, 5]
    assert sealed_keys() == [row.pk.bytes for row in rows]
    assert seal.seal_due() == 0
    assert findings() == []


def test_a_link_holds_the_digest_of_the_one_before():
    sealed(3, batch=1)

    links = list(Seal.objects.all())
    assert [link.number for link in links] == [1, 2, 3]
    assert bytes(links[0].previous_digest) == b""
    assert bytes(links[1].previous_digest) == bytes(links[0].digest)
    assert bytes(links[2].previous_digest) == bytes(links[1].digest)
    assert links[1].after_id == links[0].last_id


def test_sealing_changes_no_row():
    rows = past(2)
    before = list(Verification.objects.values())

    seal.seal_due()

    assert list(Verification.objects.values()) == before
    assert len(rows) == 2


def test_a_row_that_settles_late_is_sealed_late():
    """Staff take up to a day; the range of the row's key is sealed long before."""
    waits = begun(
        5 * HOUR,
        status=Status.PENDING,
        method=Method.MANUAL,
        number="",
        nonce="",
        expires_at=timezone.now() + HOUR,
    )
    others = past(2)
    assert seal.seal_due() == 2
    assert Seal.objects.get().open_ids == [waits.pk.bytes]
    assert findings() == []

    Verification.objects.filter(pk=waits.pk).settle(Status.VERIFIED, now=timezone.now())
    assert findings() == []
    assert seal.seal_due() == 1

    newest = Seal.objects.last()
    assert list(newest.digests) == [waits.pk.bytes]
    assert (newest.open_ids, newest.first_id) == ([], waits.pk)
    assert len(sealed_keys()) == len(set(sealed_keys())) == len(others) + 1
    assert findings() == []


def test_what_is_open_is_carried_from_batch_to_batch():
    waits = begun(timedelta(days=3), status=Status.PENDING)
    sealed(3, batch=2)

    carried = [link.open_ids for link in Seal.objects.all()]
    assert carried == [[waits.pk.bytes]] * len(carried)
    assert len(carried) > 1


def test_all_is_sealed_up_to_an_hour_ago_also_where_the_last_row_is_older():
    """Else rows could be added behind it, and be sealed with the next."""
    sealed(1)

    added = smuggled(timedelta(hours=3))

    assert found() == {("added", added.pk)}
    assert seal.seal_due() == 0
    assert found() == {("added", added.pk)}


def test_a_full_batch_ends_at_its_last_row():
    rows = sealed(2, batch=2)

    assert Seal.objects.get().last_id == rows[1].pk


def test_a_quiet_hour_is_sealed_as_well_but_not_every_quiet_minute():
    sealed(1)
    ahead = timezone.now() + timedelta(minutes=50)
    with time_machine.travel(ahead):
        assert seal.seal_due() == 0
    assert Seal.objects.count() == 1

    with time_machine.travel(ahead + HOUR):
        assert seal.seal_due() == 0
        seal.seal_due()
        assert findings() == []

    assert [link.rows for link in Seal.objects.all()] == [1, 0]


def test_a_late_row_is_sealed_though_the_clock_was_set_back():
    waits = begun(5 * HOUR, status=Status.PENDING, method=Method.MANUAL)
    sealed(1)
    Verification.objects.filter(pk=waits.pk).settle(Status.REFUSED, now=timezone.now())
    with time_machine.travel(timezone.now() - timedelta(minutes=5)):
        assert seal.seal_due() == 1

    assert findings() == []


def test_a_clock_that_was_set_back_seals_nothing_twice():
    sealed(2)
    with time_machine.travel(timezone.now() - timedelta(days=30)):
        assert seal.seal_due() == 0

    assert Seal.objects.count() == 1


def test_nothing_is_sealed_on_an_empty_site():
    assert seal.seal_due() == 0
    assert Seal.objects.count() == 0


def test_sealing_stops_when_its_time_is_over():
    past(4)

    assert seal.seal_due(seconds=0, batch=1) == 0
    assert seal.seal_due(batch=1) == 4


def test_a_crash_in_the_middle_of_a_sealing_leaves_nothing_of_it(monkeypatch):
    past(4)

    def crash(*args, **columns):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(sealing, "append", crash)
        with pytest.raises(MemoryError):
            seal.seal_due()
    assert not Seal.objects.exists()
    assert not HourTotal.objects.exists()

    assert seal.seal_due() == 4
    assert HourTotal.objects.aggregate(all=Sum("rows"))["all"] == 4
    assert findings() == []


def test_what_may_change_later_does_not_break_the_seal():
    row = sealed(1)[0]
    row = Verification.objects.get(pk=row.pk)
    Verification.objects.filter(pk=row.pk).update(redeemed_at=timezone.now(), user=None)

    assert findings() == []
