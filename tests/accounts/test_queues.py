"""Mails leave apart from news, after the answer, and never without end."""

import threading
import time

import pytest
from django.core import mail as outbox

from accounts import mail, notices, password, queues
from accounts.notice import Kind
from accounts.queues import Queue
from tests.accounts.steps import log_in, mailed
from tests.conftest import Browser
from tests.factories import UserFactory


@pytest.fixture
def slow(monkeypatch):
    """A mail server that takes nothing until it is let."""
    let = threading.Event()
    monkeypatch.setattr(mail, "_news", Queue("news", 1))
    send = mail._deliver

    def held(to, template, *rest):
        if template.startswith("news/"):
            let.wait(20)
        send(to, template, *rest)

    monkeypatch.setattr(mail, "_deliver", held)
    yield let
    let.set()
    mail.wait()


@pytest.mark.django_db
@pytest.mark.usefixtures("run_on_commit")
def test_news_keep_back_no_link_that_a_person_waits_for(slow):
    ann = UserFactory(email="ann@example.com")
    for _ in range(30):
        notices.tell(ann, Kind.PASSWORD_CHANGED)

    password.send_reset_link(ann.email)
    mail._waited_for.wait()

    assert len(outbox.outbox) == 1
    assert "/accounts/password/reset/" in outbox.outbox[0].body
    slow.set()
    mail.wait()
    assert len(outbox.outbox) == 31


def test_of_many_only_the_first_sleep(monkeypatch):
    monkeypatch.setattr(queues, "AFTER_THE_ANSWER", 0.2)
    queue, left = Queue("test", 1), []
    began = time.monotonic()

    for _ in range(40):
        queue.put(lambda: left.append(time.monotonic() - began))
    queue.wait()

    assert len(left) == 40
    assert left[0] >= 0.2
    assert left[-1] < 2  # and not eight


def test_too_many_are_dropped_and_the_log_says_no_address(monkeypatch, caplog):
    monkeypatch.setattr(queues, "AFTER_THE_ANSWER", 0)
    monkeypatch.setattr(queues, "MOST_WAITING", 3)
    queue, let, left = Queue("test", 1), threading.Event(), []

    def deliver(to):
        let.wait(20)
        left.append(to)

    for n in range(5):
        queue.put(deliver, f"p{n}@example.com")
    let.set()
    queue.wait()

    assert left == ["p0@example.com", "p1@example.com", "p2@example.com"]
    assert caplog.messages == ["test: too many wait, one is dropped"] * 2
    queue.put(deliver, "p9@example.com")
    queue.wait()
    assert left[-1] == "p9@example.com"


@pytest.mark.django_db
@pytest.mark.usefixtures("run_on_commit")
def test_logins_in_new_browsers_fill_no_mailbox():
    """With no more than the password, each in a browser that is new."""
    ann = UserFactory(email="ann@example.com")

    for _ in range(12):
        assert log_in(Browser(), ann).status_code == 303

    new = str(Kind.NEW_BROWSER.label)
    assert mailed() == [(ann.email, new)] * 10
