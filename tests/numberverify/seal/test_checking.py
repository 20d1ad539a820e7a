"""A sealed row broken in each possible way, and named."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import time_machine
from django.utils import timezone

from numberverify import retention, seal
from numberverify.choices import Method, Purpose, Reason, Status
from numberverify.models import Seal, Verification
from numberverify.seal import leaf
from numberverify.seal.chain import digest_of_link
from numberverify.uuid7 import uuid7
from tests.factories import UserFactory, VerificationFactory
from tests.numberverify.seal.past import (
    alter,
    begun,
    by_the_back_door,
    findings,
    found,
    sealed,
    smuggled,
)

pytestmark = pytest.mark.django_db
LATER = timezone.now() + timedelta(days=1)
CHANGES = {
    "action": "send_money",
    "asked_because": "stale",
    "attention": True,
    "browser_known": True,
    "claimed_at": LATER,
    "country": "FR",
    "created_at": LATER,
    "expires_at": LATER,
    "id": uuid7(),
    "method": Method.SMS,
    "notice_version": "2",
    "operator": "other",
    "operator_chosen": True,
    "operator_ms": 7,
    "previous": uuid4(),
    "purpose": Purpose.LOGIN,
    "reason": Reason.OTHER_BROWSER,
    "sends": 1,
    "sent_at": LATER,
    "settled_at": LATER,
    "sim_swap": "yes",
    "status": Status.MISMATCHED,
    "test": True,
    "tries": 3,
    "tries_allowed": 9,
    "code_reference": "x",
    "details_digest": b"x",
    "device_digest": b"x",
    "fingerprint_key": "x",
    "holder_digest": b"x",
    "ip": "192.0.2.1",
    "next": "/",
    "number_fingerprint": b"x",
    "number_mask": "+44 •••• •••999",
    "operator_subject": "x",
    "salt": b"x",
    "state_digest": b"x",
    "user_agent": "x",
}


def link_changes(number: int, **columns) -> None:
    with by_the_back_door():
        assert Seal.objects.filter(pk=number).update(**columns) == 1


def chain_of(count: int) -> list[Seal]:
    sealed(count, batch=1)
    return list(Seal.objects.all())


def said() -> str:
    return "\n".join(map(str, findings()))


def test_every_sealed_column_is_tried_below():
    assert set(CHANGES) == {*leaf.FIXED, *leaf.PERSONAL}


@pytest.mark.parametrize("column", sorted(set(CHANGES) - {"id"}))
def test_v5_0_0_16_4_2_a_changed_column_is_found_and_its_row_named(column):
    rows = sealed(3)

    alter(rows[1], **{column: CHANGES[column]})

    also = {("time", rows[1].pk)} if column == "created_at" else set()
    assert found() == {("changed", rows[1].pk)} | also
    assert str(rows[1].pk) in said()


def test_a_changed_key_is_a_row_gone_and_a_row_added():
    rows = sealed(3)
    key = uuid7(rows[1].created_at.timestamp() + 1)

    alter(rows[1], id=key)

    assert found() == {("missing", rows[1].pk), ("added", key)}


def test_two_rows_that_were_swapped_are_both_named():
    one, other = sealed(2)
    columns = [name for name in leaf.COLUMNS if name not in ("id", "state_digest")]
    content = Verification.objects.in_bulk([one.pk, other.pk])

    alter(one, **{name: getattr(content[other.pk], name) for name in columns})
    alter(other, **{name: getattr(content[one.pk], name) for name in columns})

    assert found() == {("changed", one.pk), ("changed", other.pk)}


def test_a_row_that_was_spoiled_before_it_is_sealed_spoils_no_other():
    rows = [begun(timedelta(days=2, minutes=-n)) for n in range(5)]
    alter(rows[2], commitment=b"x" * 32)

    assert seal.seal_due() == 5

    assert found() == {("forgotten", rows[2].pk)}  # of which the chain says nothing


def test_a_link_that_says_another_time_is_named():
    sealed(2)
    with by_the_back_door():
        Seal.objects.update(made_at=timezone.now() + timedelta(days=731))

    assert any("a time that has not come" in str(each) for each in findings())


def test_a_key_that_is_none_of_ours_can_be_named():
    nobody = seal.Finding("missing", "sealed in batch 1", UUID(int=2**128 - 1))

    assert str(nobody).startswith("missing: ffffffff")


def test_a_deleted_row_is_named():
    rows = sealed(3)

    with by_the_back_door():
        Verification.objects.filter(pk=rows[0].pk).delete()

    assert found() == {("missing", rows[0].pk)}
    when = rows[0].created_at.strftime("%Y-%m-%d %H:%M:%S")
    assert f"missing: {rows[0].pk}, begun {when} UTC" in said()


def test_all_rows_deleted_are_all_named():
    rows = sealed(3, batch=2)

    with by_the_back_door():
        Verification.objects.all().delete()

    assert found() == {("missing", row.pk) for row in rows}


@pytest.mark.parametrize("settled", [True, False])
def test_an_added_row_is_named(settled):
    sealed(3)
    how = {} if settled else {"status": Status.PENDING}

    added = smuggled(timedelta(days=2, seconds=-90), **how)

    assert found() == {("added", added.pk)}


def test_a_row_that_was_open_and_is_gone_is_named():
    waits = begun(timedelta(days=3), status=Status.PENDING, method=Method.MANUAL)
    sealed(2)

    with by_the_back_door():
        Verification.objects.filter(pk=waits.pk).delete()

    assert found() == {("missing", waits.pk)}
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        begun(timedelta(hours=5))
        assert seal.seal_due() == 1
        assert found() == {("missing", waits.pk)}


def test_a_late_row_is_checked_as_well():
    waits = begun(timedelta(days=3), status=Status.PENDING, method=Method.MANUAL)
    sealed(2)
    rows = Verification.objects.filter(pk=waits.pk)
    rows.settle(Status.REFUSED, now=timezone.now())
    seal.seal_due()
    assert found() == set()

    alter(waits, status=Status.VERIFIED)

    assert found() == {("changed", waits.pk)}


# The chain


def test_a_changed_leaf_is_named_with_its_link_and_row():
    rows = sealed(2)
    link = Seal.objects.get()
    leaves = bytearray(link.leaves)
    leaves[-1] ^= 1

    link_changes(1, leaves=bytes(leaves))

    assert found() == {("link", None), ("changed", rows[1].pk)}
    assert "link: 1 was changed: its leaves" in said()


def test_leaves_cut_short_are_named():
    rows = sealed(2)
    link = Seal.objects.get()

    link_changes(1, leaves=bytes(link.leaves)[:-7])

    assert ("added", rows[1].pk) in found()
    assert "link: 1 was changed: its leaves" in said()
    assert "1 has 1 leaves for 2 rows" in said()


def test_a_changed_row_with_its_leaf_made_to_fit_is_named_by_the_link():
    row = sealed(2)[0]
    alter(row, status=Status.MISMATCHED)
    link = Seal.objects.get()
    read = next(leaf.read(Verification.objects.filter(pk=row.pk)))
    link.leaves = row.pk.bytes + leaf.leaf_of(read) + bytes(link.leaves)[48:]
    link.leaves_digest = leaf.hashlib.sha256(link.leaves).digest()

    link_changes(1, leaves=link.leaves, leaves_digest=link.leaves_digest)

    assert "link: 1 was changed: its digest does not hold" in said()


def test_a_link_made_to_fit_is_named_by_the_next():
    chain_of(3)
    link = Seal.objects.get(pk=2)
    link.rows += 1
    link_changes(2, rows=link.rows, digest=digest_of_link(link))

    assert "link: 3 does not hold the digest of the link before it" in said()


COLUMNS = {
    "after_id": uuid4(),
    "by": "x",
    "days": 9,
    "first_id": uuid4(),
    "forgotten": 1,
    "kind": Seal.Kind.FORGOTTEN.value,
    "last_id": uuid4(),
    "leaves_digest": b"x" * 32,
    "left_open_digest": b"x" * 32,
    "made_at": LATER,
    "previous_digest": b"x" * 32,
    "purged_to": uuid4(),
    "reason": "x",
    "rows": 7,
    "version": 2,
    "digest": b"x" * 32,
    "leaves": b"",
    "left_open": b"x" * 16,
}


def test_every_column_of_a_link_is_tried_below():
    columns = {field.name for field in Seal._meta.fields}

    assert set(COLUMNS) == columns - {"number", "of"}


@pytest.mark.parametrize("column", sorted(COLUMNS))
def test_a_changed_link_is_named(column):
    chain_of(3)

    link_changes(2, **{column: COLUMNS[column]})

    assert "link: 2 " in said() or "link: 3 does not hold" in said()


@pytest.mark.parametrize("column", sorted({*COLUMNS} - {"digest"}))
def test_a_link_s_digest_is_over_every_column(column):
    """The digest before it among them: so that a link holds all that came before."""
    sealed(1)
    link = Seal.objects.get()
    if column in ("leaves", "left_open"):
        column += "_digest"
    setattr(link, column, COLUMNS[column])

    assert digest_of_link(link) != bytes(link.digest)


def test_a_batch_cut_out_with_the_digests_made_to_fit_is_named():
    chain = chain_of(3)
    last = chain[2]
    last.number, last.previous_digest = 2, chain[0].digest
    last.digest = digest_of_link(last)
    with by_the_back_door():
        Seal.objects.filter(number__gte=2).delete()
        last.save(force_insert=True)

    assert "link: 2 does not begin where the link before it ends" in said()


@pytest.mark.parametrize("last_id", [UUID(int=1), UUID(int=2**128 - 1)])
def test_a_link_that_seals_nothing_and_moves_the_end_is_named(last_id):
    """Else rows of the time to come would never be sealed."""
    sealed(1)
    kind = Seal.Kind.FORGOTTEN

    seal.append(kind, now=timezone.now(), rows=0, last_id=last_id)

    assert "link: 2 ends where it cannot" in said()


def test_a_deleted_link_is_named():
    rows = sealed(3, batch=1)

    with by_the_back_door():
        Seal.objects.filter(pk=2).delete()

    assert "link: 3 follows on none: 2 missing" in said()
    assert ("link", None) in found()
    assert len(rows) == 3


def test_links_in_another_order_are_named():
    chain_of(3)
    with by_the_back_door():
        for number, becomes in ((1, 9), (2, 1), (9, 2)):
            Seal.objects.filter(pk=number).update(number=becomes)

    assert "link: 1 was changed" in said()
    assert "link: 2 was changed" in said()


def test_a_forged_chain_holds_in_itself():
    """Which is why its heads are kept elsewhere: see test_verify_history.py."""
    rows = sealed(2)
    with by_the_back_door():
        Seal.objects.all().delete()
    alter(rows[0], status=Status.MISMATCHED)
    seal.seal_due()

    assert findings() == []


def forge_purge(of: int, **columns) -> None:
    batch = Seal.objects.filter(pk=of).first()
    seal.append(
        seal.Kind.PURGED,
        now=timezone.now(),
        of=of,
        **{
            "rows": batch.rows if batch else 1,
            "purged_to": batch.last_id if batch else uuid4(),
            "days": 730,
        }
        | columns,
    )


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({}, ", after 1 days, before its time of 730"),
        ({"days": 0}, "took batch 1"),
        ({"rows": 1, "days": 1}, "is not of what batch 1 holds"),
        ({"of": 7}, "is of no batch before it: 7"),
    ],
)
def test_a_forged_purge_is_named(columns, words):
    sealed(3, batch=3)

    forge_purge(**{"of": 1} | columns)
    with by_the_back_door():
        Verification.objects.all().delete()

    assert words in said()
    assert any(each.what == "purge" for each in findings())


def test_a_row_added_where_all_is_purged_is_named(settings):
    settings.NV_RETENTION_DAYS = 1
    sealed(2, days=9, batch=2)
    assert retention.purge_due().rows == 2
    assert findings() == []

    added = smuggled(timedelta(days=9, seconds=-30))

    assert found() == {("added", added.pk)}


# Forgotten


def test_a_row_erased_with_another_commitment_is_named():
    row = sealed(2)[0]

    alter(row, commitment=b"x" * 32, **leaf.PERSONAL)

    assert found() == {("changed", row.pk), ("forgotten", row.pk)}


# A part


def test_a_part_is_checked_alone():
    old, _, _, new = (begun(timedelta(days=ago)) for ago in (60, 40, 20, 9))
    seal.seal_due(batch=1)
    for row in (old, new):
        alter(row, status=Status.MISMATCHED)
    now = timezone.now()

    assert found(until=now - timedelta(days=50)) == {("changed", old.pk)}
    assert found(since=now - timedelta(days=10)) == {("changed", new.pk)}
    assert found(rows=False) == set()


def test_a_late_row_is_in_the_part_in_which_it_began():
    waits = begun(timedelta(days=3), status=Status.PENDING, method=Method.MANUAL)
    sealed(2, batch=1)
    Verification.objects.filter(pk=waits.pk).settle(Status.REFUSED, now=timezone.now())
    seal.seal_due()
    alter(waits, status=Status.VERIFIED)

    until = timezone.now() - timedelta(days=2, hours=12)
    assert found(until=until) == {("changed", waits.pk)}


def test_rows_of_the_last_hour_are_nobodys_business_yet():
    sealed(1)
    row = VerificationFactory(verified=True, user=UserFactory())
    Verification.objects.filter(pk=row.pk).update(status=Status.MISMATCHED)

    assert findings() == []
