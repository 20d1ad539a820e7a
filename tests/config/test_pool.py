"""Whether a pooled connection is alive, without asking; and what the server keeps."""

from datetime import UTC
from uuid import uuid4

import pytest
from django.db import OperationalError, connection, connections
from django.utils import timezone

from accounts.models import Pending, User
from config.postgresql.base import BELIEVED_FOR, is_alive
from tests.factories import UserFactory

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def pooled():
    """The test's connection, as a request gets it from the pool: one that was asked
    nothing so far."""
    connection.close()
    connection.close_pool()
    connection.ensure_connection()
    return connection.connection


def ended_by_the_server(pid):
    other = connections.create_connection("default")
    other.settings_dict = other.settings_dict | {"OPTIONS": {}}
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 3000)", [pid])
    other.close()


def test_a_connection_that_the_server_has_ended_is_given_to_nobody(pooled):
    ended = pooled.info.backend_pid
    connection.close()
    ended_by_the_server(ended)

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone()[0] != ended


def test_one_that_was_used_lately_is_believed_and_costs_no_round_trip(
    pooled, monkeypatch
):
    pooled.nv_used_at = 1000.0
    monkeypatch.setattr("config.postgresql.base.time.monotonic", lambda: 1001.0)
    monkeypatch.setattr(pooled, "execute", None)  # to call it would be an error

    assert is_alive(pooled)


def test_to_be_asked_leaves_no_transaction_open(pooled, monkeypatch):
    pooled.autocommit, pooled.nv_used_at = False, 0.0
    monkeypatch.setattr("config.postgresql.base.BELIEVED_FOR", -1)

    assert is_alive(pooled)
    pooled.autocommit = True  # which an open transaction would not let us do


def test_a_pool_of_which_nothing_is_alive_is_given_up(monkeypatch):
    connection.close()
    with monkeypatch.context() as patched:
        patched.setattr("config.postgresql.base.is_alive", lambda connection: False)
        with pytest.raises(OperationalError):
            connection.ensure_connection()

    connection.ensure_connection()


def test_one_that_was_idle_for_long_is_asked(pooled, monkeypatch):
    pooled.nv_used_at = 1000.0
    later = 1000.0 + BELIEVED_FOR
    monkeypatch.setattr("config.postgresql.base.time.monotonic", lambda: later)
    asked = []
    monkeypatch.setattr(pooled, "execute", asked.append)

    assert is_alive(pooled)
    assert asked == [""]


def kept() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return [statement for (statement,) in cursor.fetchall()]


def test_the_server_keeps_what_is_asked_often(pooled):
    for _ in range(pooled.prepare_threshold + 1):
        assert Pending.live("login", uuid4(), "nobody's", "") is None

    assert ['"accounts_pending"' in each for each in kept()] == [True]


def test_the_server_keeps_nothing_that_the_orm_writes_anew(pooled):
    for _ in range(pooled.prepare_threshold + 1):
        assert not Pending.objects.filter(pk=uuid4()).exists()

    assert kept() == []


def test_what_was_read_is_let_go_and_the_cursor_stays(pooled):
    UserFactory(email="ann@example.com")
    assert User.objects.get_by_natural_key("ann@example.com")
    cursor = pooled.nv_cursor

    assert (cursor.pgresult, cursor._tx.pgresult, cursor._query) == (None, None, None)
    assert User.objects.get_by_natural_key("ann@example.com")
    assert pooled.nv_cursor is cursor


def test_times_come_back_in_the_zone_of_the_connection():
    user = UserFactory()
    now = timezone.now()
    pending = Pending.begin("login", "a holder", user=user)

    found = Pending.live("login", pending.pk, "a holder", "")

    assert found.created_at.tzinfo == UTC
    assert now <= found.created_at <= timezone.now()
