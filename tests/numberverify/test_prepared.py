"""Statements that are written once: what they ask is what the ORM would."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.test.utils import CaptureQueriesContext, isolate_apps
from django.utils import timezone

from accounts.models import Device, Pending, User
from numberverify.choices import Purpose, Status
from numberverify.models import Verification
from numberverify.prepared import Delete, Select, Update, insert
from numberverify.uuid7 import uuid7
from tests.factories import DeviceFactory, UserFactory, VerificationFactory

pytestmark = pytest.mark.django_db
BY_EMAIL = Select(
    User, lambda gap: User.objects.select_related("profile").filter(email=gap("email"))
)
OF_PURPOSES = Select(
    Verification,
    lambda gap: (
        Verification.objects.filter(
            purpose__in=[gap("first", "purpose"), gap("second", "purpose")],
            created_at__gt=gap("since", "created_at"),
        )
        .only("purpose")
        .order_by("-id")
    ),
)
RENAME = Update(
    Device,
    lambda gap: Device.objects.filter(pk=gap("id")),
    lambda gap: {"user_agent": gap("name", "user_agent"), "country": "DE"},
    returning=["user_agent", "last_seen_at"],
)
MOVE = Update(
    Device,
    lambda gap: Device.objects.filter(pk=gap("id")),
    lambda gap: {"country": gap("country")},
)
DROP = Delete(Device, lambda gap: Device.objects.filter(pk=gap("id")))


def of(row):
    """What stands in the row's columns."""
    return {
        field.attname: bytes(value) if isinstance(value, memoryview) else value
        for field in row._meta.concrete_fields
        for value in [getattr(row, field.attname)]
    }


def test_a_selected_row_and_what_it_is_joined_with_are_as_the_orm_reads_them(
    django_assert_num_queries,
):
    user = UserFactory(email="ann@example.com", phone="+447700900123")
    as_read = User.objects.select_related("profile").get(pk=user.pk)

    with django_assert_num_queries(1):
        found = BY_EMAIL.first(email="ann@example.com")
        assert of(found) == of(as_read)
        assert of(found.profile) == of(as_read.profile)


def test_a_row_without_what_it_would_be_joined_with_is_found_too():
    UserFactory(email="ben@example.com")

    assert not hasattr(BY_EMAIL.first(email="ben@example.com"), "profile")
    assert BY_EMAIL.first(email="nobody@example.com") is None


def test_each_asking_has_its_own_values():
    old, new = timezone.now() - timedelta(days=2), timezone.now()
    login = VerificationFactory(purpose=Purpose.LOGIN)
    signup = VerificationFactory(purpose=Purpose.SIGNUP)
    key = uuid7(old.timestamp())
    VerificationFactory(id=key, purpose=Purpose.SIGNUP, created_at=old)
    since = new - timedelta(days=1)

    both = OF_PURPOSES.all(first=Purpose.LOGIN, second=Purpose.SIGNUP, since=since)
    one = OF_PURPOSES.all(first=Purpose.LOGIN, second=Purpose.LOGIN, since=since)

    assert {row.pk for row in both} == {login.pk, signup.pk}
    assert [row.pk for row in one] == [login.pk]
    assert one[0].get_deferred_fields()  # what was not asked for is fetched when used
    assert one[0].status == login.status


def test_an_update_returns_the_row_as_it_is_now():
    device = DeviceFactory()

    changed = RENAME.one(id=device.pk, name="Firefox")

    assert (changed.pk, changed.user_agent) == (device.pk, "Firefox")
    assert changed.last_seen_at == device.last_seen_at
    device.refresh_from_db()
    assert (device.user_agent, device.country) == ("Firefox", "DE")
    assert RENAME.one(id=device.pk + 1, name="Firefox") is None


def test_an_update_and_a_delete_count_what_they_met():
    device = DeviceFactory()

    assert MOVE.ask(id=device.pk, country="DE") == 1
    assert DROP.ask(id=device.pk) == 1
    assert MOVE.ask(id=device.pk, country="DE") == DROP.ask(id=device.pk) == 0


@pytest.mark.parametrize(
    "traits",
    [
        pytest.param({}, id="pending"),
        pytest.param({"verified": True}, id="verified"),
        pytest.param({"ip": "2001:db8::1", "user_agent": "a 'b\" %s"}, id="odd"),
        pytest.param({"user": None, "sim_swap": "yes"}, id="nobody's"),
    ],
)
def test_an_inserted_row_is_as_the_orm_writes_it(traits):
    row = VerificationFactory.build(**{"user": UserFactory()} | traits)
    by_the_orm = VerificationFactory.build(**{"user": row.user} | traits)
    for field in row._meta.concrete_fields:
        if field.attname not in ("id", "state_digest"):
            setattr(by_the_orm, field.attname, getattr(row, field.attname))
    by_the_orm.save(force_insert=True)

    insert(row)

    found = of(Verification.objects.get(pk=row.pk))
    expected = of(Verification.objects.get(pk=by_the_orm.pk))
    expected |= {name: found[name] for name in ("id", "state_digest")}
    assert found == expected
    row.status = Status.EXPIRED
    row.settled_at, row.number, row.nonce = timezone.now(), "", ""
    row.save()  # it is known to be stored


@pytest.mark.parametrize("given", [{}, {"kept_for": 3}], ids=["default", "given"])
@isolate_apps("numberverify")
def test_a_column_with_a_default_in_the_database_may_be_left_to_it(given):
    class Kept(models.Model):  # noqa: DJ008
        name = models.TextField(default="")
        kept_for = models.IntegerField(db_default=7)
        note = models.IntegerField(null=True)

        class Meta:
            app_label = "numberverify"

    table = f"CREATE TABLE {Kept._meta.db_table} "
    table += "(id integer, name text, kept_for integer DEFAULT 7, note integer)"
    with connection.cursor() as cursor:
        cursor.execute(table)
    row = Kept(id=1, name="one", **given)

    insert(row)

    assert (row.name, row.kept_for, row.note) == ("one", given.get("kept_for", 7), None)
    assert Kept.objects.get().kept_for == row.kept_for


def test_a_second_row_with_the_key_is_refused():
    pending = Pending(id=uuid4(), kind="login", expires_at=timezone.now())
    insert(pending)

    with pytest.raises(IntegrityError), transaction.atomic():
        insert(pending)


def test_a_refused_statement_spoils_the_transaction_around_it():
    with transaction.atomic():
        pending = Pending(id=uuid4(), kind="login", expires_at=timezone.now())
        insert(pending)
        with pytest.raises(IntegrityError):
            insert(pending)
        assert connection.needs_rollback
        transaction.set_rollback(False)
        transaction.set_rollback(True)


def test_values_are_no_part_of_the_statement():
    evil = "x' OR '1'='1"

    with CaptureQueriesContext(connection):
        assert BY_EMAIL.first(email=evil) is None
    written = next(iter(BY_EMAIL.written.values()))[0]
    assert evil not in written.sql
