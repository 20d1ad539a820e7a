"""What PostgreSQL refuses: the site cannot edit the record (ASVS 16.4.2)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from numberverify import flow, seal
from numberverify.choices import Method, Status
from numberverify.models import Seal, Verification
from numberverify.seal import leaf
from numberverify.uuid7 import uuid7
from tests.factories import UserFactory, VerificationFactory
from tests.numberverify.seal.past import begun, findings, sealed
from tests.numberverify.seal.test_checking import CHANGES

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def rows_of(row) -> object:
    return Verification.objects.filter(pk=row.pk)


def refused(call) -> bool:
    try:
        with transaction.atomic():
            call()
    except IntegrityError:
        return True
    return False


@pytest.mark.parametrize("column", sorted(CHANGES))
def test_v5_0_0_16_4_2_a_sealed_row_cannot_be_changed(column):
    row = sealed(1)[0]

    assert refused(lambda: rows_of(row).update(**{column: CHANGES[column]}))
    assert findings() == []


@pytest.mark.parametrize("column", ["number", "nonce", "code_verifier", "code_digest"])
def test_what_is_blank_once_settled_stays_blank(column):
    row = sealed(1)[0]
    value = b"x" if column == "code_digest" else "x"

    assert refused(lambda: rows_of(row).update(**{column: value}))


@pytest.mark.parametrize(
    ("method", "ago", "took"),
    [
        pytest.param(Method.MANUAL, 300, 299, id="by staff"),
        pytest.param(Method.SMS, 62, 3, id="a code typed slowly"),
        pytest.param(Method.NETWORK, 62, 3, id="slow network"),
    ],
)
def test_a_freeze_spends_what_was_verified_in_a_row_that_is_sealed(method, ago, took):
    user = UserFactory()
    settled = timezone.now() - timedelta(minutes=ago - took)
    row = begun(timedelta(minutes=ago), user=user, method=method, settled_at=settled)
    assert seal.seal_due() == 1

    flow.withdraw(user)

    spent = rows_of(row).get()
    assert (bool(spent.redeemed_at), spent.reason) == (True, "")
    assert findings() == []


def test_a_sealed_row_s_receipt_can_be_spent_and_its_person_leave():
    user = UserFactory()
    row = begun(timedelta(days=2), user=user)
    assert seal.seal_due() == 1

    assert rows_of(row).update(redeemed_at=timezone.now()) == 1
    user.delete()

    assert rows_of(row).get().user is None
    assert findings() == []


@pytest.mark.parametrize("whose", ["nobody's", "somebody's"])
def test_a_sealed_row_becomes_nobody_else_s(whose):
    user = UserFactory() if whose == "somebody's" else None
    row = begun(timedelta(days=2), user=user)
    assert seal.seal_due() == 1

    assert refused(lambda: rows_of(row).update(user=UserFactory()))


@pytest.mark.parametrize("at", [None, timezone.now()])
def test_a_receipt_that_was_spent_before_its_seal_stays_so(at):
    row = begun(timedelta(days=2), redeemed_at=timezone.now() - timedelta(days=2))
    assert seal.seal_due() == 1

    assert refused(lambda: rows_of(row).update(redeemed_at=at))


def test_to_be_forgotten_spends_no_receipt_and_names_nobody():
    row, other = sealed(2)
    erased = {"commitment": b"c" * 32} | dict(leaf.PERSONAL)
    told_of(row, other)

    for more in ({"redeemed_at": timezone.now()}, {"user": UserFactory()}):
        assert refused(lambda more=more: rows_of(row).update(**erased | more))


def test_a_row_that_is_not_sealed_becomes_who_signed_up():
    sealed(1)
    row = VerificationFactory(verified=True, user=None)

    assert rows_of(row).update(user=UserFactory(), redeemed_at=timezone.now()) == 1


def test_a_row_that_is_not_sealed_yet_moves_freely():
    sealed(1)
    row = VerificationFactory()

    assert rows_of(row).settle(Status.VERIFIED, now=timezone.now()) == 1
    assert rows_of(row).update(sim_swap="no") == 1


def test_a_row_that_was_open_when_its_range_was_sealed_settles():
    row = begun(timedelta(days=3), status=Status.PENDING)
    sealed(1)

    assert rows_of(row).settle(Status.VERIFIED, now=timezone.now()) == 1


@pytest.mark.parametrize("old", [True, False])
def test_v5_0_0_16_4_2_no_row_is_deleted(old):
    row = sealed(1)[0]
    if not old:
        row = VerificationFactory(verified=True)

    assert refused(lambda: rows_of(row).delete())
    assert rows_of(row).exists()


def test_what_is_purged_goes_and_nothing_behind_it():
    rows = sealed(4, batch=2)
    first = Seal.objects.first()
    seal.append(
        seal.Kind.PURGED,
        now=timezone.now(),
        rows=2,
        of=1,
        purged_to=first.last_id,
        days=1,
    )

    assert refused(lambda: rows_of(rows[2]).delete())
    assert refused(lambda: Verification.objects.all().delete())
    assert rows_of(rows[0]).delete()[0] == 1
    seal.append(seal.Kind.FORGOTTEN, now=timezone.now(), rows=0)
    assert rows_of(rows[1]).delete()[0] == 1


def test_a_row_can_be_forgotten_once():
    row = sealed(1)[0]
    read = next(leaf.read(rows_of(row)))
    erased = dict(leaf.PERSONAL)
    told_of(row)

    assert rows_of(row).update(commitment=leaf.commitment_of(read), **erased) == 1
    assert refused(lambda: rows_of(row).update(commitment=b"x" * 32))
    assert refused(lambda: rows_of(row).update(ip="192.0.2.1"))
    assert findings() == []


def told_of(*rows) -> None:
    keys = b"".join(row.pk.bytes for row in rows)
    seal.append(Seal.Kind.FORGOTTEN, now=timezone.now(), rows=len(rows), leaves=keys)


@pytest.mark.parametrize(
    "told", ["nothing", "of another", "of it, and then of another"]
)
def test_a_row_of_which_the_newest_link_does_not_tell_is_not_erased(told):
    row, other = sealed(2)
    if told.startswith("of it"):
        told_of(row)
    if told != "nothing":
        told_of(other)

    erased = dict(leaf.PERSONAL) | {"commitment": b"c" * 32}
    assert refused(lambda: rows_of(row).update(**erased))


def test_a_late_row_is_not_deleted_with_the_batches_before_its_own():
    late = begun(timedelta(days=9), status=Status.PENDING)
    waits = begun(timedelta(days=9), status=Status.PENDING)
    old = sealed(2, batch=4)
    rows_of(late).settle(Status.REFUSED, now=timezone.now() + timedelta(hours=2))
    seal.append(
        Seal.Kind.PURGED,
        now=timezone.now(),
        rows=2,
        of=1,
        purged_to=Seal.objects.get().last_id,
        days=1,
    )

    assert refused(lambda: rows_of(late).delete())
    assert refused(lambda: rows_of(waits).delete())
    assert rows_of(old[0]).delete()[0] == 1


@pytest.mark.parametrize("other", [-6, 6, 60 * 24 * 9])
def test_a_row_is_not_written_under_a_key_of_another_time(other):
    at = timezone.now()

    assert refused(
        lambda: VerificationFactory(
            id=uuid7(at.timestamp()), created_at=at + timedelta(minutes=other)
        )
    )


@pytest.mark.parametrize("ago", [timedelta(minutes=62), timedelta(days=9)])
def test_no_row_is_added_to_a_time_that_is_sealed(ago):
    sealed(1)

    assert refused(lambda: begun(ago))
    assert begun(timedelta(minutes=58))


def test_what_is_not_sealed_can_be_written_whenever_it_began():
    begun(timedelta(days=9))

    assert begun(timedelta(days=10))


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"commitment": b"x" * 31}, id="a short commitment"),
        pytest.param({"commitment": b"x" * 32, "ip": "192.0.2.1"}, id="not all erased"),
        pytest.param({"commitment": b"x" * 32, "status": "refused"}, id="and changed"),
        pytest.param({"commitment": b""}, id="no commitment"),
    ],
)
def test_half_forgotten_is_changed(columns):
    row = sealed(1)[0]
    told_of(row)

    assert refused(lambda: rows_of(row).update(**dict(leaf.PERSONAL) | columns))


def test_links_of_the_chain_stay_as_they_are():
    sealed(2, batch=1)
    links = Seal.objects.filter(pk=1)

    assert refused(lambda: links.update(rows=9))
    assert refused(lambda: links.update(digest=uuid4().bytes * 2))
    assert refused(links.delete)


# What every role may make for itself comes before the names of others.
DECEITS = [
    """CREATE TEMP TABLE numberverify_seal (
        number int, kind text, last_id uuid, purged_to uuid, made_at timestamptz,
        "of" int, leaves bytea
    )""",
    """INSERT INTO numberverify_seal VALUES (
        1, 'forgotten', '00000000-0000-0000-0000-000000000000',
        'ffffffff-ffff-ffff-ffff-ffffffffffff', 'infinity', 1, ''
    )""",
    "CREATE TEMP TABLE gone AS SELECT * FROM numberverify_verification LIMIT 0",
    "CREATE TEMP TABLE uuid (id int)",
    "CREATE TEMP TABLE timestamptz (id int)",
]


@contextmanager
def as_somebody(*before: str) -> Iterator[None]:
    """A role that may read and write all rows, and has made names of its own."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE ROLE nv_somebody")
        tables = "numberverify_verification, numberverify_seal"
        cursor.execute(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO nv_somebody"
        )
        cursor.execute("SET LOCAL ROLE nv_somebody")
        for statement in before:
            cursor.execute(statement)
        yield
        transaction.set_rollback(True)


def run(statement: str, *values: object) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(map(str, values)))  # of types by no name
        return cursor.rowcount


@pytest.mark.parametrize(
    "before", [[], DECEITS], ids=["its names", "names of one's own"]
)
def test_v5_0_0_16_4_2_no_role_hides_the_chain_behind_a_name_of_its_own(before):
    row, other = sealed(2)
    table = "public.numberverify_verification"
    late = begun(timedelta(minutes=59)).pk
    old = uuid7((timezone.now() - timedelta(days=1)).timestamp())
    columns = ", ".join(field.column for field in Verification._meta.fields)
    copied = columns.replace("id,", "%s,", 1).replace("created_at", "%s")
    copied = copied.replace("state_digest", "NULL")

    with as_somebody(*before):
        change = f"UPDATE {table} SET country = 'FR' WHERE id = %s"
        assert refused(lambda: run(change, row.pk))
        assert refused(lambda: run(f"DELETE FROM {table} WHERE id = %s", other.pk))
        assert refused(
            lambda: run(
                f"INSERT INTO {table} ({columns}) SELECT {copied} FROM {table}"
                " WHERE id = %s",
                old,
                timezone.now() - timedelta(days=1),
                row.pk,
            )
        )
        assert run(change, late) == 1
