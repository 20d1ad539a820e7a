"""/livez and /readyz, and the page of a request that met a store that was away."""

import threading

import pytest
import redis
from django.contrib.sessions.models import Session
from django.db import InterfaceError, InternalError, OperationalError, connection
from django.db.backends.utils import CursorWrapper
from django.db.migrations.recorder import MigrationRecorder
from psycopg.errors import ReadOnlySqlTransaction
from psycopg_pool import PoolTimeout

from accounts.models import User
from config import health
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "could not connect to 10.1.2.3 as nv, password s3cret"
TYPED = {
    "email": "a@example.com",
    "phone": "07700 900123",
    "password1": "corr3ct horse",
    "password2": "corr3ct horse",
}


def fail(error):
    def failing(*args, **kwargs):
        raise error

    return failing


@pytest.fixture
def no_database(monkeypatch):
    monkeypatch.setattr(CursorWrapper, "execute", fail(OperationalError(SECRET)))


@pytest.fixture
def no_cache(monkeypatch):
    error = redis.ConnectionError(SECRET)
    monkeypatch.setattr(type(health.caches["default"]), "set", fail(error))


@pytest.fixture
def read_only():
    error = InternalError(SECRET)
    error.__cause__ = ReadOnlySqlTransaction()
    return error


def test_a_process_that_answers_lives_and_is_ready(client):
    for path in ("/livez", "/readyz"):
        answer = client.get(path)
        assert (answer.status_code, answer.text) == (200, "ok\n")
        assert "no-store" in answer["Cache-Control"]
        assert client.head(path).status_code == 200


def test_livez_touches_nothing(client, no_database, no_cache):
    assert client.get("/livez").status_code == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
@pytest.mark.parametrize("host", ["10.1.2.3:8000", "localhost", "evil.example", "a_b"])
def test_a_load_balancer_asks_by_whatever_name(client, settings, path, host):
    settings.SECURE_SSL_REDIRECT = True

    assert client.get(path, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_health_opens_no_session_and_takes_no_post(client, path):
    client.cookies["sessionid"] = "x" * 32

    answer = client.get(path)

    assert not answer.cookies
    assert not Session.objects.exists()
    assert client.post(path).status_code == 405


@pytest.mark.parametrize("path", ["/livez/", "/readyz/x", "/readyz?verbose"])
def test_only_the_addresses_themselves_are_of_health(client, path):
    answer = client.get(path)

    assert answer.text.strip() == "ok" if "?" in path else answer.status_code == 404


def test_without_a_database_it_is_not_ready(client, no_database):
    answer = client.get("/readyz")

    assert (answer.status_code, answer.text) == (503, "the database is away\n")


def test_without_a_cache_it_is_not_ready(client, no_cache):
    answer = client.get("/readyz")

    assert (answer.status_code, answer.text) == (503, "the cache is away\n")


def test_a_cache_that_keeps_nothing_is_none(client, monkeypatch):
    monkeypatch.setattr(type(health.caches["default"]), "get", lambda *a, **kw: None)

    assert client.get("/readyz").text == "the cache is away\n"


def test_before_its_migrations_it_is_not_ready(client):
    last = MigrationRecorder.Migration.objects.filter(app="accounts").order_by("name")
    gone = last.last()
    gone.delete()

    answer = client.get("/readyz")

    gone.save(force_insert=True)
    assert (answer.status_code, answer.text) == (503, "migrations are not applied\n")


def test_migrations_of_newer_code_do_not_make_it_unready(client):
    newer = MigrationRecorder.Migration.objects.create(app="accounts", name="9999_new")

    answer = client.get("/readyz")

    newer.delete()
    assert answer.status_code == 200


def test_an_operator_s_outage_does_not_make_it_unready(client, operator):
    operator.close()

    assert client.get("/readyz").status_code == 200


def test_a_part_that_hangs_is_given_up_and_asked_by_one_thread_alone(monkeypatch):
    monkeypatch.setattr(health, "PATIENCE", 0.01)
    asked, over = [], threading.Event()
    part = health.Part(lambda: asked.append(1) or over.wait(20))

    assert [part.answers() for _ in range(5)] == [False] * 5

    over.set()
    assert asked == [1]


def test_one_that_hangs_for_good_does_not_keep_the_next_from_being_asked(monkeypatch):
    monkeypatch.setattr(health, "PATIENCE", 0.01)
    over = threading.Event()
    hangs = [True]
    part = health.Part(lambda: over.wait(20) if hangs.pop() else True)
    assert not part.answers()
    hangs.append(False)
    assert not part.answers()  # the first is still out

    monkeypatch.setattr(health, "PATIENCE", 5)
    monkeypatch.setattr(health, "GIVEN_UP", 0)
    assert part.answers()

    over.set()


def test_a_part_is_asked_again_after_it_failed():
    said = [ValueError(), True]

    def ask():
        one = said.pop(0)
        if isinstance(one, Exception):
            raise one
        return one

    part = health.Part(ask)

    assert [part.answers(), part.answers()] == [False, True]


def test_readiness_gives_its_connection_back(client, is_postgresql):
    for _ in range(30 if is_postgresql else 3):
        assert client.get("/readyz").status_code == 200


@pytest.fixture
def full_pool(settings):
    """Other people have all connections, and the next waits a moment for one."""
    connection.close()
    pool = connection.pool
    patience, pool.timeout = pool.timeout, 0.2
    taken = [pool.getconn() for _ in range(pool.max_size)]
    yield
    for each in taken:
        pool.putconn(each)
    pool.timeout = patience


@pytest.mark.postgresql
def test_a_pool_that_is_all_in_use_does_not_make_it_unready(client, full_pool):
    answer = client.get("/readyz")

    assert (answer.status_code, answer.text) == (200, "ok\n")


@pytest.mark.postgresql
def test_a_request_that_finds_the_pool_all_in_use_says_so(client, full_pool, caplog):
    client.raise_request_exception = False

    page = client.get("/verify/01890000-0000-7000-8000-000000000000/")

    assert page.status_code == 503
    assert "all connections of the pool are in use" in caplog.text
    assert "away" not in caplog.text


@pytest.mark.postgresql
def test_a_pool_that_cannot_connect_is_a_database_that_is_away(monkeypatch):
    error = OperationalError()
    error.__cause__ = PoolTimeout()
    few = {"pool_size": 1, "pool_max": 20}
    monkeypatch.setattr(type(connection.pool), "get_stats", lambda pool: few)

    assert health.away(error) == "database"
    assert not health.is_all_in_use(error)


# The page


@pytest.mark.parametrize(
    "error",
    [
        OperationalError(SECRET),
        InterfaceError(SECRET),
        redis.ConnectionError(SECRET),
        redis.TimeoutError(SECRET),
        redis.exceptions.ReadOnlyError(SECRET),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_store_that_is_away_is_a_plain_503(client, monkeypatch, caplog, error):
    client.raise_request_exception = False
    monkeypatch.setattr("accounts.signup.begin", fail(error))

    page = client.post("/accounts/signup/", TYPED)

    assert page.status_code == 503
    assert page["Retry-After"] == "30"
    assert "no-store" in page["Cache-Control"]
    assert "object-src 'none'" in page["Content-Security-Policy"]
    assert "Wait half a minute" in page.text
    assert "s3cret" not in page.text + caplog.text
    assert not User.objects.exists()


def test_an_old_primary_that_takes_no_writes_is_away(client, monkeypatch, read_only):
    client.raise_request_exception = False
    monkeypatch.setattr("accounts.signup.begin", fail(read_only))

    assert client.post("/accounts/signup/", TYPED).status_code == 503


def test_a_fault_of_ours_stays_one(client, monkeypatch):
    client.raise_request_exception = False
    monkeypatch.setattr("accounts.signup.begin", fail(InternalError(SECRET)))

    assert client.post("/accounts/signup/", TYPED).status_code == 500


def test_a_database_that_goes_before_the_view_is_away_too(client, monkeypatch, caplog):
    client.raise_request_exception = False
    client.force_login(UserFactory())
    monkeypatch.setattr(CursorWrapper, "execute", fail(OperationalError(SECRET)))

    page = client.get("/accounts/profile/")

    assert page.status_code == 503
    told = [record for record in caplog.records if record.levelname == "ERROR"]
    assert {record.getMessage() for record in told} == {
        "the database is away: OperationalError"
    }
    assert not any(record.exc_info for record in told)


def test_what_the_view_had_begun_with_the_session_is_not_kept(client, monkeypatch):
    client.raise_request_exception = False
    user = UserFactory()
    client.force_login(user)
    before = client.session.session_key

    def half(request, *args, **kwargs):
        request.session["half"] = "done"
        raise OperationalError

    monkeypatch.setattr("accounts.views.render", half)

    assert client.get("/").status_code == 503
    assert "half" not in client.session
    assert client.session.session_key == before


def test_it_is_back_by_itself(client, monkeypatch):
    client.raise_request_exception = False
    client.force_login(UserFactory())
    with monkeypatch.context() as patched:
        patched.setattr(CursorWrapper, "execute", fail(OperationalError()))
        assert client.get("/accounts/profile/").status_code == 503

    assert client.get("/accounts/profile/").status_code == 200
