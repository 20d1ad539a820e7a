"""What every test may ask for: an operator to talk to, a browser, the mail."""

import hashlib
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

import hypothesis
import pytest
import redis
from django.conf import settings as site
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client, TransactionTestCase
from django.utils import timezone

from accounts import mail
from accounts.models import User, proof_stamp
from numberverify import (
    breaker,
    clocks,
    deadline,
    exchange,
    limits,
    retention,
    views,
    windows,
)
from numberverify.browser import SeeOther
from numberverify.factors import sms
from tests.fake_operator import FakeOperator

# On a busy machine any example takes long; a fixture of a function serves for them all.
hypothesis.settings.register_profile(
    "any machine",
    deadline=None,
    suppress_health_check=[
        hypothesis.HealthCheck.too_slow,
        hypothesis.HealthCheck.function_scoped_fixture,
    ],
)
hypothesis.settings.load_profile("any machine")

# Its keys begin with a prefix of their own, and are deleted one by one.
REDIS_URL = os.environ.get(
    "REDIS_URL", os.environ.get("CACHE_URL", "redis://127.0.0.1:6379/5")
)


def answers() -> bool:
    try:
        return bool(redis.Redis.from_url(REDIS_URL, socket_timeout=3).ping())
    except redis.RedisError:
        return False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip by name what this run cannot do, unless skips are forbidden."""
    on_postgresql = "postgres" in os.environ.get("DATABASE_URL", "")
    no_redis = any(item.get_closest_marker("redis") for item in items) and not answers()
    for item in items:
        if item.get_closest_marker("redis") and no_redis:
            if os.environ.get("NO_SKIPS"):
                pytest.exit(f"Redis is missing ({REDIS_URL}) and skips are forbidden")
            item.add_marker(pytest.mark.skip(reason=f"no Redis at {REDIS_URL}"))
        if item.get_closest_marker("postgresql") and not on_postgresql:
            item.add_marker(pytest.mark.skip(reason="this run is on SQLite"))


@contextmanager
def past_all_guards() -> Iterator[None]:
    """Past foreign keys, and the triggers that keep what is sealed."""
    if connection.vendor != "postgresql":
        with connection.constraint_checks_disabled(), transaction.atomic():
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            yield
        finally:
            cursor.execute("SET session_replication_role = origin")


def empty_tables() -> None:
    """All but what migrations have put there."""
    kept = {"django_migrations", "django_content_type", "auth_permission"}
    with past_all_guards(), connection.cursor() as cursor:
        for table in set(connection.introspection.django_table_names()) - kept:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")


@pytest.fixture(scope="session", autouse=True)
def _cheap_flushes() -> Iterator[None]:
    """Empty the tables by DELETE after a test that commits. TRUNCATE of some fifty, and
    the rights of all models made anew, take ten times as long."""
    flush = TransactionTestCase._fixture_teardown
    TransactionTestCase._fixture_teardown = lambda case: empty_tables()
    yield
    TransactionTestCase._fixture_teardown = flush


@pytest.fixture
def operator(settings) -> Iterator[FakeOperator]:
    """The only operator of the site, for British numbers, named `fake`."""
    fake = FakeOperator()
    settings.NV_OPERATORS = {"fake": fake.table()}
    yield fake
    fake.close()


def delete_keys(prefix: str) -> None:
    store = redis.Redis.from_url(REDIS_URL)
    for key in store.scan_iter(f"{prefix}*"):
        store.delete(key)


@pytest.fixture(autouse=True)
def _clean_cache() -> None:
    if "redis" in site.CACHES["default"]["BACKEND"]:
        delete_keys(site.CACHES["default"]["KEY_PREFIX"])
    else:
        cache.clear()
    breaker._clean_until.clear()


@pytest.fixture
def cached_sessions(settings) -> Iterator[None]:
    """Sessions as in production, whatever cache the run has: read through a Redis."""
    prefix = f"nv-tests-{secrets.token_hex(8)}-"
    settings.SESSION_ENGINE = "accounts.cached_sessions"
    settings.CACHES = {"default": redis_cache(REDIS_URL, prefix)}
    yield
    delete_keys(prefix)


@pytest.fixture
def stores_in_process(settings) -> None:
    """Limits by the clock of this process, and sessions by the database alone."""
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    }
    settings.SESSION_ENGINE = "accounts.session_store"


def redis_cache(address: str, prefix: str = "") -> dict[str, str]:
    backend = "django.core.cache.backends.redis.RedisCache"
    return {"BACKEND": backend, "LOCATION": address, "KEY_PREFIX": prefix}


@pytest.fixture(autouse=True)
def _one_clock(monkeypatch) -> None:
    """PostgreSQL's does not travel with ours."""
    monkeypatch.setattr(clocks, "of_database", timezone.now)


@pytest.fixture(autouse=True)
def _patient_reads(monkeypatch) -> None:
    """A machine that is busy with tests stops no page of the history, and no step of
    its purge."""
    monkeypatch.setattr(deadline, "SECONDS", 30.0)
    monkeypatch.setattr(retention, "LIMIT", 30.0)


@pytest.fixture(autouse=True)
def _no_tries_yet() -> None:
    windows.in_process.storage.reset()
    limits._owed.clear()


@pytest.fixture(autouse=True)
def _requests_wait(monkeypatch) -> None:
    """On a busy machine any operator is slow; what that does has tests of its own."""
    monkeypatch.setattr(exchange, "PATIENCE", 60.0)


@pytest.fixture
def requests_leave(transactional_db, _requests_wait, monkeypatch) -> Iterator[None]:
    """A request waits for an operator no longer than this."""
    monkeypatch.setattr(exchange, "PATIENCE", 0.2)
    yield
    exchange.wait()


@pytest.fixture(autouse=True)
def _mail_has_left() -> Iterator[None]:
    yield
    mail.wait()


@pytest.fixture(autouse=True)
def _no_text_messages_yet() -> None:
    sms.outbox.clear()


def step_up(client: Client, user: User, action: str) -> None:
    """Let the client's session hold a proof for an action that serves for its age."""
    binding = "binding of a step-up"
    client.cookies["nv_binding"] = binding
    mark = hashlib.sha256(binding.encode()).hexdigest()[:32]
    session = client.session
    proof = [timezone.now().isoformat(), proof_stamp(user), mark]
    session["nv_proofs"] = {action: proof}
    session.save()


@pytest.fixture
def run_on_commit(monkeypatch) -> None:
    """Run what waits for a commit at once: the test's own transaction never commits."""
    monkeypatch.setattr("django.db.transaction.on_commit", lambda run, **kw: run())


class Browser(Client):
    """A browser: keeps cookies, checks CSRF, follows our redirects but not others'."""

    def __init__(self) -> None:
        super().__init__(enforce_csrf_checks=True, HTTP_USER_AGENT="Tests/1.0")

    def submit(self, url: str, page: str | None = None, **fields: str):
        """Open `page` (or `url`), take its CSRF token, post the fields to `url`."""
        opened = self.get(page or url)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', opened.text)
        assert token, f"no form at {page or url}: {opened.status_code}"
        return self.post(url, fields | {"csrfmiddlewaretoken": token[1]})

    def come_back(self, operator: FakeOperator, response, **changes: str):
        """Go to the operator, as `response` says, and come back with a code."""
        assert response.status_code == 303, response.text
        assert response["Location"].startswith(operator.base_url), response["Location"]
        brought = operator.authorize(response["Location"]) | changes
        return self.get(f"/verify/callback/fake/?{urlencode(brought)}")

    def follow(self, response):
        """Follow redirects on this site up to a page."""
        for _ in range(5):
            if response.status_code not in (302, 303):
                return response
            assert response["Location"].startswith("/"), response["Location"]
            response = self.get(response["Location"])
        raise AssertionError("too many redirects")


@pytest.fixture
def one_step_a_request(monkeypatch) -> None:
    """The callback leads to the journey and does not go on itself: as where a process
    died in between, or the operator took longer than the request waited."""
    monkeypatch.setattr(views, "_go_on", lambda request, row: SeeOther(row.next))


@pytest.fixture
def browser() -> Browser:
    return Browser()


@pytest.fixture
def new_browser() -> Callable[[], Browser]:
    return Browser


@pytest.fixture
def is_postgresql() -> bool:
    return connection.vendor == "postgresql"
