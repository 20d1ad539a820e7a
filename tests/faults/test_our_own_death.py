"""kill -9 at any moment loses no settled verification, makes no account without its
receipt and spends no receipt without its effect."""

import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.fake_operator import MATCH, TOKEN, Reply
from tests.faults.conftest import TRUE
from tests.faults.driver import Ledger


def eventually(holds) -> None:
    for _ in range(500):
        if holds():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come to that")


@pytest.fixture
def ann(person):
    return person()


def test_what_is_pending_goes_on(site, ann):
    ann.begin()

    site.kill()
    site.wait()
    ann.go_on(ann.come_back())

    assert ann.signed_in
    assert ann.row()["user_id"]


def test_a_code_that_was_being_exchanged_is_never_exchanged_again(site, ann, operator):
    ann.begin()
    operator.replies[TOKEN] = Reply(delay=0.8, status=503)
    with ThreadPoolExecutor(1) as pool:
        lost = pool.submit(ann.come_back)
        eventually(lambda: operator.calls_to(TOKEN))
        site.kill()
        assert isinstance(lost.exception(), requests.RequestException)
    site.wait()
    assert ann.row()["status"] == "exchanging"

    assert ann.come_back().status_code == 303
    assert len(operator.calls_to(TOKEN)) == 1
    # Two minutes later.
    site.database.ask(
        "UPDATE numberverify_verification "
        "SET claimed_at = claimed_at - interval '3 min' WHERE id = %s RETURNING 1",
        ann.row()["id"],
    )
    page = ann.go_on(ann.come_back())
    assert "We could not check your number" in page.text
    assert (ann.row()["status"], ann.row()["reason"]) == ("unavailable", "interrupted")
    assert not ann.has_account()


@pytest.fixture
def left(site, ann, operator):
    """The operator takes longer than a request waits: the rest of it goes on."""
    operator.replies[MATCH] = Reply(body=TRUE.body, delay=1.4)
    ann.begin()
    back = ann.come_back()
    assert back.headers["Location"] == f"/verify/{ann.row()['id']}/"
    assert ann.row()["status"] == "exchanging"
    return back


def test_a_worker_that_is_stopped_settles_what_its_requests_have_left(site, ann, left):
    os.kill(site.worker(), signal.SIGTERM)

    eventually(lambda: ann.row()["status"] != "exchanging")
    assert ann.row()["reason"] in ("", "operator_timeout")  # on a busy machine
    site.wait()
    page = ann.go_on(left)
    assert ann.signed_in or "We could not check your number" in page.text


def test_what_was_left_dies_with_the_worker_and_is_not_exchanged_again(
    site, ann, operator, left
):
    site.kill()
    site.wait()

    assert ann.row()["status"] == "exchanging"
    assert ann.come_back().headers["Location"] == left.headers["Location"]
    assert len(operator.calls_to(TOKEN)) == 1


def settled_and_left(ann, operator):
    """Have the operator take so long that the journey goes on in a request of its
    own, from the page that waits; return the answer that leads there."""
    operator.replies[MATCH] = Reply(body=TRUE.body, delay=1.4)
    ann.begin()
    left = ann.come_back()
    eventually(lambda: ann.row()["status"] == "verified")
    assert ann.row()["redeemed_at"] is None
    return left


def test_what_is_settled_pays_afterwards(site, ann, operator):
    settled = settled_and_left(ann, operator)

    site.kill()
    site.wait()

    assert ann.row()["status"] == "verified"
    ann.go_on(settled)
    assert ann.signed_in
    assert len(operator.calls_to(TOKEN)) == 1


@pytest.mark.parametrize(
    "table",
    [
        "accounts_user",
        "numberverify_verification",
        "accounts_profile",
        "django_session",
    ],
)
def test_in_the_redeem_both_happen_or_neither(site, ann, operator, database, table):
    """The worker dies while it waits to write into one of the effect's tables."""
    settled = settled_and_left(ann, operator)
    with database.connect() as held, ThreadPoolExecutor(1) as pool:
        with held.transaction():
            held.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
            lost = pool.submit(ann.go_on, settled)
            waits = "SELECT 1 FROM pg_locks WHERE NOT granted"
            eventually(lambda: database.ask(waits))
            site.kill()
        assert isinstance(lost.exception(), requests.RequestException)
    site.wait()
    eventually(
        lambda: (
            not database.ask(
                "SELECT 1 FROM pg_stat_activity WHERE backend_type = 'client backend' "
                "AND state = 'idle in transaction'"
            )
        )
    )

    Ledger(site).check()
    if not ann.has_account():
        assert ann.row()["redeemed_at"] is None
        ann.go_on(settled)
        assert ann.signed_in
    else:  # it died after the commit: the password opens what was paid for
        assert table == "django_session"
        assert ann.row()["redeemed_at"]


def test_whenever_it_dies_the_books_agree(site, person):
    """People sign up four at a time while the worker is killed again and again."""
    over = threading.Event()
    people = []

    def signed_in() -> int:
        return sum(one.signed_in for one in people)

    def keep_signing_up() -> None:
        while not over.is_set():
            one = person()
            people.append(one)
            try:
                one.sign_up()
            except requests.RequestException:
                time.sleep(0.2)

    with ThreadPoolExecutor(4) as pool:
        walks = [pool.submit(keep_signing_up) for _ in range(4)]
        for _ in range(4):
            site.wait()
            through = signed_in() + 2
            eventually(lambda enough=through: signed_in() >= enough)
            time.sleep(random.uniform(0, 0.3))
            site.kill()
        site.wait()
        over.set()
        for walk in walks:
            walk.result()

    assert not [one.email for one in people if one.signed_in and not one.has_account()]
