"""What a page of the history may cost: queries, plans, time."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import OperationalError, connection, connections
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from bench import rows
from numberverify import deadline
from numberverify.history import page
from numberverify.history.filters import Filters, Place
from numberverify.models import Verification
from numberverify.uuid7 import first_at
from tests.factories import ANN, UserFactory, VerificationFactory
from tests.numberverify.history import HISTORY, row_of, rows_on
from tests.numberverify.seal.past import by_the_back_door

pytestmark = pytest.mark.django_db
MOST = 6  # session, user, two of permissions, the limit of time, the page
NOW = datetime.now(UTC)
TRANSACTION = ("SAVEPOINT", "RELEASE SAVEPOINT", "BEGIN", "COMMIT")


@pytest.fixture
def staff(client):
    """Staff who are no superuser, with the clocks of the session started."""
    user = UserFactory(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_verification"))
    client.force_login(user)
    client.get(HISTORY)
    return client


def queries_of(staff, query):
    with CaptureQueriesContext(connection) as captured:
        assert staff.get(HISTORY, query).status_code == 200
    said = [each["sql"] for each in captured]
    return [sql for sql in said if not sql.startswith(TRANSACTION)]


def of_each_kind(row):
    """A page of each kind: its filters and its place."""
    number = bytes(row.number_fingerprint).hex()
    key = {"older": first_at((NOW - timedelta(days=180)).timestamp())}
    day = (NOW - timedelta(days=90)).date()
    return {
        "first": ({}, {}),
        "deep": ({}, key),
        "newer": ({}, {"newer": key["older"]}),
        "time": ({}, {"at": NOW - timedelta(days=364)}),
        "frequent outcome": ({"outcome": "verified"}, {}),
        "frequent outcome, deep": ({"outcome": "verified"}, key),
        "rare outcome": ({"outcome": "refused"}, {}),
        "rare outcome, deep": ({"outcome": "refused"}, key),
        "open": ({"outcome": "pending"}, {}),
        "asking": ({"outcome": "exchanging"}, {}),
        "frequent reason": ({"reason": "not_on_mobile_network"}, {}),
        "rare reason": ({"reason": "subject_mismatch"}, {}),
        "reason of no row": ({"reason": "bad_id_token"}, {}),
        "frequent purpose": ({"purpose": "login"}, {}),
        "rare purpose": ({"purpose": "password_reset"}, {}),
        "frequent method": ({"method": "network"}, {}),
        "rare method": ({"method": "manual"}, {}),
        "frequent operator": ({"operator": "vodafone-uk"}, {}),
        "rare operator": ({"operator": "tele-se"}, {}),
        "operator of no row": ({"operator": "nobody"}, {}),
        "frequent country": ({"country": "GB"}, {}),
        "rare country": ({"country": "SE"}, {}),
        "attention": ({"flag": "yes"}, {}),
        "tests": ({"test": "yes"}, {}),
        "no tests": ({"test": "no"}, {}),
        "dates": ({"since": day - timedelta(days=30), "until": day}, {}),
        "first days": ({"until": (NOW - timedelta(days=364)).date()}, {}),
        "person": ({"person": str(row.user_id)}, {}),
        "address": ({"address": str(row.ip)}, {}),
        "number": ({"fingerprint": number}, {}),
        "number, two keys": ({"fingerprint": f"{number}-{'0' * 32}"}, {}),
        "outcome, dates": ({"outcome": "verified", "until": day}, {}),
        "outcome, purpose": ({"outcome": "verified", "purpose": "login"}, {}),
    }


KINDS = list(of_each_kind(Verification()))


@pytest.fixture(scope="module")
def many(django_db_setup, django_db_blocker):
    """Some thousand rows, one of which has a person, a number and an address."""
    with django_db_blocker.unblock():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:  # of what other tests have left
                cursor.execute("VACUUM FULL numberverify_verification")
        rows.fill(8_000, until=NOW)
        if connection.vendor == "postgresql":
            see_all_pages()
        yield Verification.objects.filter(
            user__isnull=False, settled_at__isnull=False
        ).first()
        with by_the_back_door():
            Verification.objects.all().delete()
        User.objects.all().delete()


def see_all_pages() -> None:
    """VACUUM until each page is known to be visible to all, on which counting by an
    index alone rests. While autovacuum looks around, its snapshot forbids that."""
    with connection.cursor() as cursor:
        for _ in range(100):
            cursor.execute("VACUUM numberverify_verification")
            cursor.execute(
                "SELECT relallvisible >= relpages FROM pg_class "
                "WHERE oid = 'numberverify_verification'::regclass"
            )
            if cursor.fetchone() == (True,):
                return
            time.sleep(0.2)
        cursor.execute(
            "SELECT backend_type, state, query FROM pg_stat_activity "
            "WHERE datname = current_database() AND backend_xmin IS NOT NULL "
            "AND pid <> pg_backend_pid()"
        )
        raise AssertionError(f"who keeps an old snapshot: {cursor.fetchall()}")


@pytest.mark.parametrize("kind", KINDS)
def test_each_page_takes_six_queries_at_most(staff, many, kind):
    filters, place = of_each_kind(many)[kind]
    query = Filters(**filters).as_query() | Place(**place).as_query()

    said = queries_of(staff, query)

    assert len(said) <= MOST, said
    assert "OFFSET" not in str(said)


@pytest.mark.parametrize("typed", [ANN, "192.0.2.7", "ann@example.com", "id"])
def test_each_search_takes_six_queries_at_most(staff, typed):
    row = VerificationFactory(
        verified=True, ip="192.0.2.7", user=UserFactory(email="ann@example.com")
    )

    with CaptureQueriesContext(connection) as captured:
        found = staff.post(HISTORY, {"q": str(row.pk) if typed == "id" else typed})

    said = [each["sql"] for each in captured]
    assert found.status_code == 303
    assert len([sql for sql in said if not sql.startswith(TRANSACTION)]) <= MOST


def test_the_number_of_queries_does_not_grow_with_the_rows(staff):
    VerificationFactory(user=UserFactory(), verified=True)
    one = len(queries_of(staff, {}))
    for _ in range(40):
        VerificationFactory(user=UserFactory(), verified=True)

    assert len(queries_of(staff, {})) == one


def plan_of(kind, row):
    filters, place = of_each_kind(row)[kind]
    statement = page.statement(Filters(**filters), Place(**place))
    return statement.explain()


@pytest.mark.postgresql
@pytest.mark.parametrize("kind", KINDS)
def test_postgresql_scans_no_table_for_a_page(many, kind):
    plan = plan_of(kind, many)

    assert "Seq Scan on numberverify_verification" not in plan
    assert "Index" in plan
    # Sorted is a page at most, never what is filtered.
    assert "Bitmap" not in plan


@pytest.mark.parametrize("kind", KINDS)
def test_sqlite_scans_no_table_for_a_page(many, kind, is_postgresql):
    if is_postgresql:
        pytest.skip("this run is on PostgreSQL")
    plan = plan_of(kind, many)

    # By the key's own index it reads in order, and stops.
    scans = [line for line in plan.splitlines() if "SCAN numberverify" in line]
    in_order = "sqlite_autoindex_numberverify_verification_1"
    assert [line for line in scans if "USING" not in line] == []
    assert kind in ("first", "no tests") or in_order not in "".join(scans)


@pytest.mark.postgresql
@pytest.mark.parametrize("chore", ["expire", "interrupt"])
def test_the_sweep_looks_at_what_is_open_alone(many, chore):
    with CaptureQueriesContext(connection) as captured:
        getattr(Verification.objects.all(), chore)(now=NOW)

    sql = next(each["sql"] for each in captured if each["sql"].startswith("UPDATE"))
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        plan = str(cursor.fetchall())
    assert "nv_open" in plan
    assert "Seq Scan" not in plan


@pytest.mark.postgresql
def test_what_follows_a_row_is_found_by_its_index(many):
    plan = Verification.objects.filter(previous=many.pk).order_by("pk").explain()

    assert "nv_following" in plan


# Time


def test_what_takes_too_long_is_stopped_and_says_what_to_do(staff, many, monkeypatch):
    if connection.vendor == "postgresql":
        pytest.skip("there a lock makes it slow")
    monkeypatch.setattr(deadline, "SECONDS", 0.0)
    monkeypatch.setattr(deadline, "STEPS", 100)

    shown = staff.get(HISTORY, {"outcome": "mismatched", "since": "2026-01-01"})

    assert shown.status_code == 200
    assert "Narrow the dates" in shown.text
    assert rows_on(shown) == []
    monkeypatch.undo()
    assert rows_on(staff.get(HISTORY, {"outcome": "mismatched"}))


def test_a_search_that_takes_too_long_says_so_too(staff, monkeypatch):
    def too_slow(*args):
        raise deadline.TooSlow

    monkeypatch.setattr(page, "read", too_slow)

    shown = staff.post(HISTORY, {"q": ANN})

    assert shown.status_code == 200
    assert "Narrow the dates" in shown.text


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_postgresql_itself_stops_what_takes_too_long(staff, monkeypatch):
    row = row_of()
    held, done = threading.Event(), threading.Event()

    def hold():
        with connection.cursor() as cursor:
            cursor.execute("BEGIN; LOCK TABLE numberverify_verification")
            held.set()
            done.wait(60)
            cursor.execute("ROLLBACK")
        connections.close_all()

    other = threading.Thread(target=hold)
    other.start()
    held.wait(10)
    with monkeypatch.context() as patched:
        patched.setattr(deadline, "SECONDS", 0.2)
        shown = staff.get(HISTORY, {"outcome": "verified"})
    done.set()
    other.join()

    assert shown.status_code == 200
    assert "Narrow the dates" in shown.text
    assert 'id="id_since_error"' in shown.text
    # The limit has gone with its transaction, and so has the error.
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)
    assert rows_on(staff.get(HISTORY, {"outcome": "verified"})) == [row]


def test_another_fault_of_the_database_is_not_called_slow(staff, monkeypatch):
    def broken(*args):
        raise OperationalError("disk I/O error")

    monkeypatch.setattr(page, "statement", broken)

    with pytest.raises(OperationalError, match="disk"):
        staff.get(HISTORY)
