"""The store of sessions: as Django's own, with one statement for each change."""

from datetime import timedelta

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as OfDjango
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.session_store import SessionStore

pytestmark = pytest.mark.django_db


@pytest.fixture
def stored():
    store = SessionStore()
    store["who"] = "Ann"
    store.save()
    return store


def read(key):
    return dict(SessionStore(key).items())


def test_what_is_saved_is_read_again(stored):
    assert read(stored.session_key) == {"who": "Ann"}


def test_a_new_session_is_one_insert(django_assert_num_queries):
    store = SessionStore()
    store.create()
    store["who"] = "Ann"

    with django_assert_num_queries(1):
        store.save()
        store.save()  # nothing has changed
    assert read(store.session_key) == {"who": "Ann"}


def test_a_change_is_one_update(stored, django_assert_num_queries):
    again = SessionStore(stored.session_key)
    again["who"] = "Ben"

    with django_assert_num_queries(1):
        again.save()
    assert read(stored.session_key) == {"who": "Ben"}


def test_a_change_within_is_seen(stored):
    stored["list"] = [1]
    stored.save()
    stored["list"].append(2)
    stored.save()

    assert read(stored.session_key)["list"] == [1, 2]


def test_v5_0_0_7_2_4_a_new_key_takes_all_along_and_the_old_one_is_dead(stored):
    before = stored.session_key
    stored.cycle_key()
    stored.save()

    assert stored.session_key != before
    assert read(stored.session_key) == {"who": "Ann"}
    assert read(before) == {}
    assert Session.objects.count() == 1


def test_a_session_that_was_ended_is_not_brought_back(stored):
    in_use = SessionStore(stored.session_key)
    in_use["who"] = "Ben"
    SessionStore().delete(stored.session_key)

    with pytest.raises(UpdateError):
        in_use.save()
    assert not Session.objects.exists()


def test_flushing_leaves_nothing(stored):
    key = stored.session_key
    stored.flush()

    assert stored.is_empty()
    assert read(key) == {}


@pytest.mark.parametrize("key", ["", "short", "x" * 40, "with spaces and é"])
def test_a_made_up_key_opens_nothing(key):
    assert read(key) == {}


def test_it_reads_what_django_wrote_and_the_other_way_round(stored):
    theirs = OfDjango()
    theirs["who"] = "Cleo"
    theirs.save()

    assert read(theirs.session_key) == {"who": "Cleo"}
    assert OfDjango(stored.session_key)["who"] == "Ann"


def test_what_is_over_is_cleared_and_counted(stored):
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    young = SessionStore()
    young.save()

    assert SessionStore.clear_expired() == 1
    assert Session.objects.get().pk == young.session_key


def test_no_two_keys_are_the_same():
    keys = set()
    for _ in range(100):
        store = SessionStore()
        store.create()
        keys.add(store.session_key)

    assert len(keys) == 100
