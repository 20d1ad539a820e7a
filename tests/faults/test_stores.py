"""The database or the cache is away: 503, nothing half-done, and back by itself."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.fake_operator import TOKEN, Reply
from tests.faults.driver import Ledger


@pytest.fixture(params=["database", "cache"])
def store(request, site):
    return getattr(site, request.param)


def test_killed_and_started_again(site, store, person):
    before, during = person(), person()
    before.begin()
    settled = person()
    settled.begin()
    paid = settled.come_back()

    store.kill()
    try:
        statuses = [before.come_back().status_code, during.begin().status_code]
        statuses.append(settled.go_on(paid).status_code)
    finally:
        store.start()
    site.wait()

    usual = {200, 303}
    assert set(statuses) <= {503} | (usual if store is site.cache else set())
    Ledger(site).check()
    after = person()
    after.sign_up()
    assert after.signed_in
    # Where the session alone could not be kept, the password opens what was paid for.
    if not settled.has_account():
        settled.go_on(paid)
        assert settled.signed_in


def test_frozen_and_thawed(site, store, person):
    one, other = person(), person()
    one.begin()
    with ThreadPoolExecutor(2) as pool:
        store.freeze()
        try:
            walks = [pool.submit(one.come_back), pool.submit(other.begin)]
            time.sleep(1.5)
        finally:
            store.thaw()
        statuses = {walk.result().status_code for walk in walks}
    site.wait()

    assert statuses <= {200, 303, 503}
    Ledger(site).check()
    after = person()
    after.sign_up()
    assert after.signed_in


def test_the_database_dies_while_the_operator_is_asked(
    site, database, operator, person
):
    """The answer cannot be written down: the row stays as it was claimed, and its code
    is never exchanged again."""
    one = person()
    one.begin()
    operator.replies[TOKEN] = Reply(503, delay=0.7)
    with ThreadPoolExecutor(1) as pool:
        walk = pool.submit(one.come_back)
        while not operator.calls_to(TOKEN):
            time.sleep(0.02)
        database.kill()
        try:
            assert walk.result().status_code == 503
        finally:
            database.start()
    site.wait()

    assert one.row()["status"] == "exchanging"
    operator.replies.pop(TOKEN)
    assert one.come_back().status_code == 303
    assert len(operator.calls_to(TOKEN)) == 1
    assert requests.get(site.url, timeout=30).status_code == 200
