"""Sessions read through Redis: what has ended or changed is so for every machine."""

from datetime import timedelta

import pytest
import redis
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.models import Session
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts import account, sessions
from accounts.cached_sessions import SessionStore, copies
from tests.accounts.steps import is_signed_in
from tests.conftest import Browser, redis_cache
from tests.factories import PASSWORD, DeviceFactory, UserFactory
from tests.numberverify.test_races import at_once, twin_of

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.redis,
    pytest.mark.usefixtures("cached_sessions"),
]
NOBODY = "redis://127.0.0.1:1/0"


@pytest.fixture
def key():
    store = SessionStore()
    store["who"] = "Ann"
    store.save()
    return store.session_key


def read(key):
    return dict(SessionStore(key).items())


def end(key):
    SessionStore().delete(key)


def change(key, who="Ben"):
    store = SessionStore(key)
    store["who"] = who
    store.save()


@pytest.fixture
def without_redis(settings):
    def go() -> None:
        settings.CACHES = {"default": redis_cache(NOBODY)}

    return go


@pytest.fixture
def while_reading(monkeypatch):
    """Have something happen once a reader has read the row, and put no copy yet."""

    def arrange(happens):
        look_up = SessionStore._get_session_from_db

        def read_row(store):
            row = look_up(store)
            monkeypatch.setattr(SessionStore, "_get_session_from_db", look_up)
            happens()
            return row

        monkeypatch.setattr(SessionStore, "_get_session_from_db", read_row)

    return arrange


def test_the_second_reader_asks_no_database(key, django_assert_num_queries):
    read(key)

    with django_assert_num_queries(0):
        assert read(key) == {"who": "Ann"}


def test_a_new_session_is_one_insert(django_assert_num_queries):
    store = SessionStore()
    store["who"] = "Ann"

    with django_assert_num_queries(1):
        store.save()


def test_a_change_is_seen_at_once(key):
    read(key)
    change(key)

    assert read(key) == {"who": "Ben"}
    assert read(key) == {"who": "Ben"}  # from the copy now


def test_one_that_has_ended_is_over_at_once(key):
    read(key)
    end(key)

    assert read(key) == {}
    assert SessionStore(key).load() == {}


def test_one_that_has_ended_is_not_brought_back_by_who_has_it_open(key):
    store = SessionStore(key)
    store["who"] = "Ben"
    end(key)

    with pytest.raises(UpdateError):
        store.save()
    assert read(key) == {}


def test_one_that_ends_while_it_is_read_leaves_no_copy(key, while_reading):
    while_reading(lambda: end(key))

    assert read(key) == {"who": "Ann"}  # it began before
    assert read(key) == {}


def test_one_that_changes_while_it_is_read_leaves_no_old_copy(key, while_reading):
    while_reading(lambda: change(key))

    read(key)

    assert read(key) == {"who": "Ben"}


def test_one_that_is_read_while_it_ends_leaves_no_copy(key, monkeypatch):
    delete = Session.delete

    def read_before(row):
        read(row.pk)
        delete(row)

    monkeypatch.setattr(Session, "delete", read_before)
    end(key)

    assert read(key) == {}


def test_until_a_change_is_committed_nobody_has_a_copy(key, monkeypatch):
    waiting = []
    monkeypatch.setattr("django.db.transaction.on_commit", waiting.append)
    change(key)
    read(key)
    Session.objects.filter(pk=key).delete()  # as if it came with the commit

    assert read(key) == {}
    for run in waiting:
        run()
    assert read(key) == {}


def test_of_two_changes_at_once_the_first_to_finish_lets_no_copy_in(key):
    one, other = b"m-one", b"m-other"
    copies().mark(key, one)
    copies().mark(key, other)

    copies().unmark(key, one)
    read(key)

    assert copies().look(key, b"l") == other


def test_a_change_that_ends_last_takes_away_the_copy_between(key):
    copies().mark(key, b"m-one")
    copies().mark(key, b"m-other")
    copies().unmark(key, b"m-other")
    read(key)

    copies().unmark(key, b"m-one")

    assert copies().look(key, b"l") is None


def test_a_lease_that_ran_out_puts_no_copy(key):
    copies().fill(key, b"l-gone", b"anything", 60)

    assert read(key) == {"who": "Ann"}


def test_a_new_key_takes_all_along_and_the_old_one_is_dead(key):
    store = SessionStore(key)
    read(key)
    store["who"]
    store.cycle_key()
    store.save()

    assert read(store.session_key) == {"who": "Ann"}
    assert read(key) == {}


@pytest.mark.parametrize("made_up", ["short", "x" * 40, "with spaces and é"])
def test_a_made_up_key_opens_nothing_and_leaves_nothing(made_up):
    assert read(made_up) == {}
    assert copies().look(made_up, b"l") is None


def test_a_copy_lives_no_longer_than_the_session(key):
    late = timezone.now() + timedelta(seconds=30)
    Session.objects.filter(pk=key).update(expire_date=late)
    read(key)

    assert 0 < copies()._redis.ttl(copies()._name(key)) <= 30


def test_a_copy_that_somebody_forged_opens_nothing(key):
    copies()._redis.set(copies()._name(key), b"c" + b"eyJ3aG8iOiJFdmUifQ:1x:y", ex=60)

    assert read(key) == {"who": "Ann"}


def test_no_key_of_a_session_is_in_the_names(key):
    read(key)

    assert key not in copies()._name(key)


# Without Redis


def test_without_redis_it_is_read_from_the_database(key, without_redis):
    read(key)
    change(key)
    without_redis()

    assert read(key) == {"who": "Ben"}


def test_without_redis_nothing_changes_and_who_wants_it_hears_so(key, without_redis):
    without_redis()

    with pytest.raises(redis.RedisError):
        change(key)
    assert read(key) == {"who": "Ann"}


def test_without_redis_it_ends_and_is_said_to_be_in_doubt(key, without_redis):
    without_redis()

    with pytest.raises(redis.RedisError):
        end(key)
    assert read(key) == {}


def test_without_redis_a_freeze_is_not_undone(key, without_redis):
    ann = UserFactory()
    DeviceFactory(user=ann, session_key=key)
    without_redis()

    with transaction.atomic():
        account.freeze(ann)

    ann.refresh_from_db()
    assert ann.frozen_at
    assert read(key) == {}


def test_a_copy_serves_no_other_session(key):
    read(key)
    copy = copies()._redis.get(copies()._name(key))
    invented = "i" * 32

    copies()._redis.set(copies()._name(invented), copy, ex=60)

    assert read(invented) == {}
    assert read(key) == {"who": "Ann"}


def test_without_redis_pages_go_on_and_nothing_is_begun(without_redis, monkeypatch):
    browser = Browser()
    browser.raise_request_exception = False
    browser.force_login(UserFactory())
    browser.get("/accounts/profile/")
    monkeypatch.setattr(sessions, "is_due", lambda *args: True)
    without_redis()

    assert browser.get("/accounts/profile/").status_code == 200
    assert browser.submit("/accounts/logout/", "/accounts/profile/").status_code == 503
    assert browser.get("/accounts/profile/").status_code == 200


# By whole requests


@pytest.mark.parametrize("round", range(5))
def test_of_many_that_read_while_one_logs_out_none_goes_on(round):
    ann = UserFactory(email="ann@example.com")
    browser = Browser()
    login = {"username": ann.email, "password": PASSWORD}
    browser.submit("/accounts/login/", **login)
    readers = [twin_of(browser) for _ in range(4)]
    token = browser.get("/").text.partition('csrfmiddlewaretoken" value="')[2][:64]

    def log_out():
        return browser.post("/accounts/logout/", {"csrfmiddlewaretoken": token})

    at_once([*[lambda one=one: one.get("/") for one in readers], log_out])

    assert not any(is_signed_in(reader) for reader in readers)
    assert not Session.objects.exists()


def test_a_session_costs_a_page_no_query(django_assert_num_queries):
    browser = Client()
    browser.force_login(UserFactory())
    browser.get("/")  # its clocks begin
    browser.get("/")  # a copy is put there

    with django_assert_num_queries(1):  # the person
        browser.get("/")
