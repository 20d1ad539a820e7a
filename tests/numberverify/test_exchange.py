"""An operator that takes longer than a request waits: a page meanwhile, then the
verdict by itself, and all of it once."""

import logging
import threading
import time
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from accounts.models import User
from numberverify import correlation, exchange, flow, metrics, statements
from numberverify.choices import Event, Method, Purpose, Reason, Status
from numberverify.models import Verification
from numberverify.operators.base import Callback
from tests.accounts.steps import chosen
from tests.factories import (
    ANN,
    PASSWORD,
    UserFactory,
    VerificationFactory,
)
from tests.fake_operator import MATCH, TOKEN, Reply
from tests.numberverify.typed import texted

pytestmark = pytest.mark.usefixtures("requests_leave")
TYPED = {
    "email": "ann@example.com",
    "password1": PASSWORD,
    "password2": PASSWORD,
    "phone": ANN,
}
OTHER_SIM = "+447700900999"


@pytest.fixture
def slow(operator):
    """It answers when it is let go on, and in half a minute at the latest."""
    may_answer = threading.Event()
    truths = operator.truths

    def waiting():
        found = truths()
        say = found[MATCH]

        def match(call):
            may_answer.wait(30)
            return say(call)

        return found | {MATCH: match}

    operator.truths, operator.go_on = waiting, may_answer.set
    yield operator
    may_answer.set()


def begin(browser):
    return browser.submit("/accounts/signup/", **TYPED)


def settled(operator) -> Verification:
    """The row, once the operator has answered and it is written down."""
    if hasattr(operator, "go_on"):
        operator.go_on()
    exchange.wait()
    return Verification.objects.get()


def test_a_request_does_not_wait_for_a_slow_operator(browser, slow):
    began = time.monotonic()
    back = browser.come_back(slow, begin(browser))

    row = Verification.objects.get()
    assert time.monotonic() - began < 5  # it would be thirty
    assert (back.status_code, back["Location"]) == (303, f"/verify/{row.pk}/")
    assert row.status == Status.EXCHANGING
    page = browser.get(back["Location"])
    assert "Checking with your mobile network" in page.text
    assert 'http-equiv="refresh"' in page.text


def test_the_verdict_takes_the_person_on(browser, slow):
    page = browser.come_back(slow, begin(browser))["Location"]

    row = settled(slow)
    assert (row.status, row.number, row.nonce) == (Status.VERIFIED, "", "")
    assert row.operator_ms >= 200
    assert browser.get(page)["Location"] == row.next
    browser.follow(browser.get(page))
    assert User.objects.get().email == TYPED["email"]


def test_another_sim_is_a_no_match_there_too(browser, slow):
    slow.sim = OTHER_SIM
    page = browser.come_back(slow, begin(browser))["Location"]

    assert settled(slow).status == Status.MISMATCHED
    assert "does not match this SIM" in browser.get(page).text


def test_reloads_and_equal_callbacks_exchange_nothing_more(browser, slow):
    brought = slow.authorize(begin(browser)["Location"])
    callback = f"/verify/callback/fake/?{urlencode(brought)}"
    page = browser.get(callback)["Location"]

    for _ in range(3):
        assert browser.get(callback)["Location"] == page
        assert "Checking with your mobile network" in browser.get(page).text
    settled(slow)
    assert browser.get(callback)["Location"] == page

    assert len(slow.calls_to(TOKEN)) == len(slow.calls_to(MATCH)) == 1


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        pytest.param(Reply(delay=0.5, status=503), "operator_unreachable", id="down"),
        pytest.param(Reply(delay=2), "operator_timeout", id="deadline"),
        pytest.param(Reply(drip=0.05, body=b"1" * 60), "operator_timeout", id="drips"),
        pytest.param(Reply(delay=0.5, body={}), "malformed_answer", id="no answer"),
    ],
)
def test_what_is_no_answer_is_could_not_tell_for_the_same_reason(
    browser, operator, settings, reply, reason
):
    settings.NV_OPERATORS = {"fake": operator.table(deadline=0.8)}
    operator.replies[MATCH] = reply
    page = browser.come_back(operator, begin(browser))["Location"]
    assert Verification.objects.get().status == Status.EXCHANGING

    row = settled(operator)
    assert (row.status, row.reason) == (Status.UNAVAILABLE, reason)
    assert row.operator_ms < 1500
    assert "We could not check your number" in browser.get(page).text


def test_an_operator_that_answers_in_time_needs_no_page_in_between(browser, operator):
    back = browser.come_back(operator, begin(browser))

    assert back["Location"] == "/accounts/profile/"


def test_a_deadline_shorter_than_the_patience_ends_within_the_request(
    browser, operator, settings
):
    settings.NV_OPERATORS = {"fake": operator.table(deadline=0.1)}
    operator.replies[MATCH] = Reply(delay=1)

    browser.come_back(operator, begin(browser))

    assert Verification.objects.get().reason == Reason.OPERATOR_TIMEOUT


def test_the_ending_is_counted_once(browser, slow):
    def ended() -> float:
        labels = [Purpose.SIGNUP, Method.NETWORK, "fake", Status.VERIFIED, ""]
        return metrics.ENDED.labels(*labels)._value.get()

    def legs() -> float:
        return metrics.LEGS.labels("fake", "verify", "answered")._sum.get()

    was, took = ended(), legs()
    browser.come_back(slow, begin(browser))
    assert (ended(), legs()) == (was, took)

    settled(slow)
    assert ended() == was + 1
    assert legs() > took


def test_the_site_is_told_of_a_no_match_once(browser, slow, settings, monkeypatch):
    told = []
    monkeypatch.setattr("accounts.watch.hear", lambda *what: told.append(what))
    ann = UserFactory(email="ann@example.com", phone=ANN)
    slow.sim = OTHER_SIM
    browser.come_back(
        slow,
        browser.submit(
            "/accounts/login/", username="ann@example.com", password=PASSWORD
        ),
    )
    assert told == []

    settled(slow)
    assert told == [(ann, Event.NO_MATCH)]


def test_what_is_logged_later_is_about_the_verification_too(
    browser, operator, monkeypatch
):
    heard = []
    handle = logging.Logger.handle

    def note(self, record):
        heard.append((record.getMessage(), correlation.current()))
        handle(self, record)

    monkeypatch.setattr(logging.Logger, "handle", note)
    operator.replies[MATCH] = Reply(503, delay=0.5)
    browser.come_back(operator, begin(browser))
    row = settled(operator)

    said = [about for message, about in heard if "operator_unreachable" in message]
    assert said == [str(row.pk)]
    assert correlation.current() == ""


def test_the_thread_keeps_no_connection(browser, slow, monkeypatch):
    kept = []
    settle = exchange._settle

    def noting(*what):
        done = settle(*what)
        kept.append(connection.connection)
        return done

    monkeypatch.setattr(exchange, "_settle", noting)
    browser.come_back(slow, begin(browser))
    settled(slow)

    assert kept[0] is not None
    if connection.vendor == "postgresql":
        connection.close()
        stats = connection.pool.get_stats()
        assert stats["pool_available"] == stats["pool_size"]
    else:
        with pytest.raises(Exception, match="closed"):
            kept[0].execute("SELECT 1")


def test_a_row_that_was_settled_meanwhile_stays_as_it_is(browser, slow):
    def ended() -> float:
        labels = [Purpose.SIGNUP, Method.NETWORK, "fake", Status.VERIFIED, ""]
        return metrics.ENDED.labels(*labels)._value.get()

    was = ended()
    browser.come_back(slow, begin(browser))
    Verification.objects.settle(
        Status.REFUSED, now=timezone.now(), reason=Reason.WITHDRAWN
    )

    row = settled(slow)
    assert (row.status, row.reason) == (Status.REFUSED, Reason.WITHDRAWN)
    assert ended() == was


def test_a_database_that_is_away_then_leaves_the_row_to_the_sweep(
    browser, slow, monkeypatch, caplog
):
    page = browser.come_back(slow, begin(browser))["Location"]

    def away(**values):
        raise OperationalError(f"while writing {ANN}")

    with monkeypatch.context() as patched:
        patched.setattr(statements.SETTLE, "ask", away)
        row = settled(slow)
    assert row.status == Status.EXCHANGING
    assert f"verification {row.pk}: was not settled, OperationalError" in caplog.text
    assert ANN not in caplog.text
    assert "Checking with your mobile network" in browser.get(page).text


def test_where_no_more_can_be_left_the_request_waits(browser, operator, monkeypatch):
    monkeypatch.setattr(exchange, "MOST_LEFT", 0)
    operator.replies[TOKEN] = Reply(503, delay=0.5)

    browser.come_back(operator, begin(browser))

    assert Verification.objects.get().reason == Reason.OPERATOR_UNREACHABLE


def test_where_no_thread_can_be_had_the_request_waits(browser, operator, monkeypatch):
    class NoMore(threading.Thread):
        def start(self):
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(exchange, "Thread", NoMore)
    operator.replies[TOKEN] = Reply(503, delay=0.5)

    browser.come_back(operator, begin(browser))

    assert Verification.objects.get().reason == Reason.OPERATOR_UNREACHABLE
    assert not exchange._left


def test_who_waits_for_a_turn_is_no_longer_kept_either(
    browser, new_browser, slow, settings
):
    settings.NV_OPERATORS = {"fake": slow.table(threads=1)}
    browser.come_back(slow, begin(browser))
    second = new_browser()
    fields = TYPED | {"email": "bob@example.com"}
    page = second.come_back(slow, second.submit("/accounts/signup/", **fields))

    rows = Verification.objects.order_by("pk")
    assert [row.status for row in rows] == [Status.EXCHANGING] * 2
    assert page["Location"] == rows[1].get_absolute_url()
    slow.go_on()
    exchange.wait()
    assert {row.status for row in rows.all()} == {Status.VERIFIED}


def test_who_does_not_look_at_pages_waits_to_the_end(slow):
    """A command, or an app behind its own thread."""
    threading.Timer(0.5, slow.go_on).start()
    row = VerificationFactory(exchanging=True, operator="fake")
    slow.nonces["code"] = row.nonce

    assert flow.exchange_and_settle(row, Callback("code"))
    assert Verification.objects.get().status == Status.VERIFIED


class TestAnotherWay:
    """Chosen while the operator has not answered yet."""

    @pytest.fixture
    def text(self, browser, slow):
        """A text message was asked for; return the page to type its code."""
        browser.come_back(slow, begin(browser))
        row = Verification.objects.get()
        Verification.objects.update(claimed_at=row.claimed_at - timedelta(seconds=16))
        return chosen(browser, row, "sms")["Location"]

    def test_a_match_that_comes_later_harms_nothing(self, browser, slow, text):
        slow.go_on()
        exchange.wait()

        browser.follow(browser.submit(text, code=texted()))
        assert User.objects.get().email == TYPED["email"]
        spent = Verification.objects.exclude(redeemed_at=None).count()
        assert spent == 1

    def test_a_no_match_that_comes_later_closes_it(self, browser, slow, text):
        slow.sim = OTHER_SIM
        slow.go_on()
        exchange.wait()

        browser.follow(browser.submit(text, code=texted()))
        assert not User.objects.exists()
        by_text = Verification.objects.get(method=Method.SMS)
        assert (by_text.status, by_text.reason) == (
            Status.UNAVAILABLE,
            Reason.METHOD_CLOSED,
        )

    def test_so_does_one_after_the_code_was_right(self, browser, slow, text):
        goes_on = browser.submit(text, code=texted())
        slow.sim = OTHER_SIM
        slow.go_on()
        exchange.wait()

        browser.follow(goes_on)
        assert not User.objects.exists()
