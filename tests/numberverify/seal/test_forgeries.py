"""What who writes to the database as the site does may try: to add to the chain what
explains it. Each is named, or said in the summary."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from numberverify import forget, retention, seal
from numberverify.choices import Method, Status
from numberverify.models import Seal, Verification
from numberverify.seal import leaf
from numberverify.seal.chain import digest_of_link, last_key_before
from numberverify.uuid7 import uuid7
from tests.factories import UserFactory
from tests.numberverify.seal.past import (
    alter,
    begun,
    by_the_back_door,
    erase,
    findings,
    found,
    past,
    sealed,
    smuggled,
)
from tests.numberverify.seal.test_checking import link_changes, said

pytestmark = pytest.mark.django_db
DAYS, HOURS = timedelta(days=1), timedelta(hours=1)
WHO = {"by": "staff 7", "reason": "asked for"}
Kind = Seal.Kind


def part_of(row) -> dict:
    """The day around a row, as `--since` and `--until` say it."""
    return {"since": row.created_at - DAYS / 2, "until": row.created_at + DAYS / 2}


def gone(*rows) -> None:
    with by_the_back_door():
        Verification.objects.filter(pk__in=[row.pk for row in rows]).delete()


def settled_late(ago=3 * DAYS):
    """A row that was open when its range was sealed, and is sealed by a later batch."""
    row = begun(ago, status=Status.PENDING, method=Method.MANUAL)
    sealed(2)
    Verification.objects.filter(pk=row.pk).settle(Status.REFUSED, now=timezone.now())
    assert seal.seal_due() == 1
    return row


# Purges


def purge(of: int, *, days: int, batch: int | None = None) -> None:
    """Add a link as retention would, and delete the rows."""
    link = Seal.objects.get(pk=batch or of)
    seal.append(
        Kind.PURGED,
        now=timezone.now(),
        of=of,
        rows=link.rows,
        purged_to=link.last_id,
        days=days,
    )
    with by_the_back_door():
        keys = [row.pk for row in Verification.objects.all()]
        mine = [key for key in keys if key.bytes in Seal.objects.get(pk=of).digests]
        Verification.objects.filter(pk__in=mine).delete()


@pytest.mark.parametrize("kept", [730, 2, 0])
def test_a_purge_after_fewer_days_than_are_kept_is_named(settings, kept):
    settings.NV_RETENTION_DAYS = kept
    sealed(3, days=2, batch=3)

    purge(1, days=1)

    assert found() == {("purge", None)}
    assert "purge: 2 took batch 1, 3 rows begun" in said()
    assert f"for {kept}" in said() or "for ever" in said()


def test_a_purge_that_was_right_when_less_was_kept_is_said_to_be(settings):
    settings.NV_RETENTION_DAYS = 1
    sealed(3, days=2, batch=3)
    assert retention.purge_due().rows == 3
    assert findings() == []
    settings.NV_RETENTION_DAYS = 730

    assert found() == {("purge", None)}
    assert findings(days=1) == []
    assert findings(rows=False) != []


def test_a_batch_purged_before_an_older_one_is_named(settings):
    settings.NV_RETENTION_DAYS = 30
    past(3, days=50)
    seal.seal_due(batch=1)

    purge(2, days=30)

    assert found() == {("purge", None)}
    assert "took batch 2 while 1, which is older, was kept" in said()


def test_purges_in_their_order_are_right(settings):
    settings.NV_RETENTION_DAYS = 30
    past(3, days=50)
    seal.seal_due(batch=1)

    for number in (1, 2, 3):
        purge(number, days=30)

    assert findings() == []


def test_a_link_of_no_time_at_all_can_be_named():
    """The end of such a batch is no time that a calendar has."""
    sealed(1)
    link = Seal.objects.get()
    link.last_id = Verification.objects.model.id.field.to_python("f" * 32)
    link_changes(1, last_id=link.last_id)

    purge(1, days=1)

    assert "purge: 2 took batch 1" in said()


def test_a_late_row_deleted_after_the_purge_of_its_time_is_named(settings):
    """Its key lies below what is purged; its batch is there yet."""
    settings.NV_RETENTION_DAYS = 30
    late = begun(50 * DAYS, status=Status.PENDING, method=Method.MANUAL)
    past(2, days=49)
    seal.seal_due(batch=3)
    Verification.objects.filter(pk=late.pk).settle(Status.REFUSED, now=timezone.now())
    seal.seal_due()
    assert retention.purge_due().rows == 2
    assert findings() == []

    gone(late)

    assert found() == {("missing", late.pk)}
    assert found(**part_of(late)) == {("missing", late.pk)}


def test_a_link_that_seals_the_time_to_come_is_named():
    """Else nothing would be sealed until then."""
    sealed(1)
    to_come = last_key_before(timezone.now() + 9 * DAYS)

    seal.append(Kind.ROWS, now=timezone.now(), rows=0, last_id=to_come)

    assert "link: 2 ends where it cannot" in said()


def test_an_open_row_that_is_left_out_of_the_next_list_is_named():
    """It would never be sealed."""
    waits = begun(3 * DAYS, status=Status.PENDING, method=Method.MANUAL)
    sealed(1)

    seal.append(Kind.ROWS, now=timezone.now(), rows=0)

    assert found() == {("missing", waits.pk)}


def test_an_open_row_that_a_later_list_leaves_out_is_named_in_its_part():
    waits = begun(9 * DAYS, status=Status.PENDING, method=Method.MANUAL)
    now = timezone.now()
    for days, left_open in ((8, waits.pk.bytes), (5, waits.pk.bytes), (2, b"")):
        last_id = last_key_before(now - days * DAYS)
        seal.append(Kind.ROWS, now=now, rows=0, last_id=last_id, left_open=left_open)
    gone(waits)

    assert found() == {("missing", waits.pk)}
    assert found(**part_of(waits)) == {("missing", waits.pk)}
    assert found(since=now - 4 * DAYS) == set()


# Forgotten


def test_a_person_who_was_forgotten_alarms_nobody():
    ann = UserFactory()
    rows = [begun(n * DAYS, user=ann) for n in (9, 5, 2)]
    begun(4 * HOURS)
    assert seal.seal_due() == 4
    assert forget.person(ann, **WHO).rows == 3

    assert findings() == []
    assert findings(**part_of(rows[1])) == []


def test_a_row_erased_without_a_link_is_named():
    ann = UserFactory()
    begun(9 * DAYS, user=ann)
    row, _ = past(2)
    seal.seal_due()
    forget.person(ann, **WHO)

    erase(row)

    assert found() == {("forgotten", row.pk)}
    assert found(**part_of(row)) == {("forgotten", row.pk)}
    assert f"forgotten: {row.pk}" in said()


def test_a_row_erased_before_it_is_sealed_is_named():
    sealed(1)
    row = begun(timedelta(minutes=59))

    erase(row)

    assert found() == {("forgotten", row.pk)}
    assert found(**part_of(row)) == {("forgotten", row.pk)}


def test_a_late_row_erased_without_a_link_is_named():
    row = settled_late()

    erase(row)

    assert found() == {("forgotten", row.pk)}
    assert found(**part_of(row)) == {("forgotten", row.pk)}


def test_a_row_erased_while_it_waits_for_its_seal_is_named():
    row = begun(3 * DAYS, status=Status.PENDING, method=Method.MANUAL)
    sealed(2)
    Verification.objects.filter(pk=row.pk).settle(Status.REFUSED, now=timezone.now())

    erase(row)

    assert found() == {("forgotten", row.pk)}


@pytest.mark.parametrize("when", ["sealed", "late", "not sealed"])
def test_a_row_that_is_not_erased_any_more_is_named(when):
    """Put back from a backup, it fits its leaf."""
    ann = UserFactory()
    row = begun(3 * DAYS, user=ann)
    if when == "sealed":
        seal.seal_due()
    if when == "late":
        alter(row, status=Status.PENDING, settled_at=None)
        sealed(2)
        at = timezone.now() - 2 * HOURS
        Verification.objects.filter(pk=row.pk).settle(Status.REFUSED, now=at)
    was = Verification.objects.filter(pk=row.pk).values().get()
    assert forget.person(ann, **WHO).rows == 1
    assert findings() == []

    alter(row, **{name: was[name] for name in (*leaf.PERSONAL, "commitment")})

    assert found() == {("forgotten", row.pk)}
    assert found(**part_of(row)) == {("forgotten", row.pk)}
    assert "tells that it was erased, and it is not" in said()


def test_an_erased_row_that_vanished_before_it_was_sealed_is_named():
    ann = UserFactory()
    row = begun(3 * DAYS, user=ann)
    assert forget.person(ann, **WHO).rows == 1

    gone(row)

    assert found() == {("missing", row.pk)}


def forge_erasing(*keys: bytes, **columns) -> None:
    columns = {"rows": len(keys), "leaves": b"".join(keys)} | columns
    seal.append(Kind.FORGOTTEN, now=timezone.now(), by="me", reason="so", **columns)


def test_a_forged_link_about_a_row_that_was_not_erased_names_the_row():
    row, other = sealed(2)

    forge_erasing(row.pk.bytes)

    assert found() == {("forgotten", row.pk)}
    assert str(other.pk) not in said()


@pytest.mark.parametrize(
    ("keys", "rows", "words"),
    [
        pytest.param(0, 1, "2 has 0 keys for 1 rows", id="none"),
        pytest.param(2, 1, "2 has 2 keys for 1 rows", id="one more"),
        pytest.param(1, 0, "2 has 1 keys for 0 rows", id="one that is not counted"),
    ],
)
def test_a_forged_link_that_tells_of_more_or_fewer_rows_is_named(keys, rows, words):
    both = sealed(2, batch=2)
    for row in both[:keys]:
        erase(row)

    forge_erasing(*[row.pk.bytes for row in both[:keys]], rows=rows)

    assert words in said()


def test_a_link_that_tells_again_of_the_same_row_is_named():
    ann = UserFactory()
    row = begun(3 * DAYS, user=ann)
    forget.person(ann, **WHO)

    forge_erasing(row.pk.bytes)

    assert "link: 2 tells again of what 1 tells" in said()


def test_keys_added_to_a_link_are_named():
    ann = UserFactory()
    begun(9 * DAYS, user=ann)
    row = past(1)[0]
    seal.seal_due()
    forget.person(ann, **WHO)
    link = Seal.objects.get(kind=Kind.FORGOTTEN)
    erase(row)

    link_changes(link.number, leaves=bytes(link.leaves) + row.pk.bytes)

    assert "was changed: its keys are not those told of" in said()


def test_a_link_of_the_time_to_come_is_named():
    sealed(1)
    with time_machine.travel(timezone.now() + DAYS):
        forge_erasing()

    assert "link: 2 says to be of a time that has not come" in said()


# The time of a row


@pytest.mark.parametrize(
    "other", [timedelta(minutes=-6), timedelta(minutes=6), 9 * DAYS]
)
def test_a_row_that_began_at_another_time_than_its_key_says_is_named(other):
    row = begun(3 * DAYS)
    alter(row, created_at=row.created_at + other)
    seal.seal_due()

    assert found() == {("time", row.pk)}
    assert f"time: {row.pk}" in said()


def test_a_little_between_the_two_is_nothing():
    row = begun(3 * DAYS)
    alter(row, created_at=row.created_at + timedelta(minutes=4))
    seal.seal_due()

    assert findings() == []


def test_a_row_of_the_time_to_come_is_named():
    row = begun(-2 * HOURS)
    begun(timedelta(minutes=-50))  # a server's clock

    assert found() == {("time", row.pk)}
    assert found(until=timezone.now()) == set()


# What was open


def test_a_row_that_vanished_while_it_was_open_is_named_in_its_part():
    waits = begun(3 * DAYS, status=Status.PENDING, method=Method.MANUAL)
    others = sealed(2)

    gone(waits)

    assert found(**part_of(waits)) == {("missing", waits.pk)}
    assert found(since=others[0].created_at) == set()


# All ways, in the whole and in the part that the row began in


def _id_of_a_second_later(row) -> dict:
    return {"id": uuid7(row.created_at.timestamp() + 1)}


WAYS = {
    "changed": lambda row: alter(row, status=Status.MISMATCHED),
    "another salt": lambda row: alter(row, salt=b"s" * 16),
    "a commitment": lambda row: alter(row, commitment=b"c" * 32),
    "deleted": gone,
    "another key": lambda row: alter(row, **_id_of_a_second_later(row)),
    "another time": lambda row: alter(row, created_at=row.created_at - DAYS),
    "erased": erase,
}


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("way", sorted(WAYS))
def test_v5_0_0_16_4_2_a_row_broken_in_any_way_is_named(way, late):
    row = settled_late() if late else sealed(3)[1]

    WAYS[way](row)

    assert row.pk in {key for _, key in found()}
    assert row.pk in {key for _, key in found(**part_of(row))}


def test_a_row_added_under_an_old_key_is_named_in_its_part():
    sealed(2)

    added = smuggled(9 * DAYS)

    assert found() == {("added", added.pk)}
    assert found(**part_of(added)) == {("added", added.pk)}


def test_leaf_digests_and_link_made_to_fit_are_named_by_the_next_link():
    row, _ = sealed(2, batch=1)
    alter(row, status=Status.MISMATCHED)
    link = Seal.objects.get(pk=1)
    read = next(leaf.read(Verification.objects.filter(pk=row.pk)))
    link.leaves = row.pk.bytes + leaf.leaf_of(read)
    link.leaves_digest = leaf.hashlib.sha256(link.leaves).digest()
    names = ("leaves", "leaves_digest")
    made = {name: getattr(link, name) for name in names}

    link_changes(1, **made, digest=digest_of_link(link))

    assert [str(each) for each in findings()] == [
        "link: 2 does not hold the digest of the link before it"
    ]
