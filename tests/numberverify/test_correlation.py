"""Each line that a request logs says which verification it is about."""

import logging

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from numberverify import correlation
from numberverify.middleware import CorrelationMiddleware
from numberverify.models import Verification
from numberverify.operators.base import OperatorSettings
from numberverify.operators.registry import Line
from tests.factories import ANN, PASSWORD
from tests.fake_operator import TOKEN, Reply

TYPED = {
    "email": "ann@example.com",
    "password1": PASSWORD,
    "password2": PASSWORD,
    "phone": ANN,
}


@pytest.fixture
def heard(monkeypatch):
    """What each line that is logged was about."""
    found = []
    handle = logging.Logger.handle

    def note(self, record):
        found.append((record.getMessage(), correlation.current()))
        handle(self, record)

    monkeypatch.setattr(logging.Logger, "handle", note)
    return found


@pytest.mark.django_db
def test_the_lines_of_a_callback_do(browser, operator, heard):
    operator.replies[TOKEN] = Reply(503)

    browser.come_back(operator, browser.submit("/accounts/signup/", **TYPED))

    row = Verification.objects.get()
    said = [about for message, about in heard if "operator_unreachable" in message]
    assert said == [str(row.pk)]
    assert correlation.current() == ""


@pytest.mark.django_db
@pytest.mark.usefixtures("one_step_a_request")
@pytest.mark.parametrize("step", ["start", "callback", "page", "what it opens"])
def test_each_request_of_a_verification_is_about_it(browser, operator, step):
    begun = browser.submit("/accounts/signup/", **TYPED)
    row = Verification.objects.get()
    if step == "start":
        answer = begun
    elif step == "page":
        answer = browser.get(row.get_absolute_url())
    else:
        answer = browser.come_back(operator, begun)
        if step == "what it opens":
            answer = browser.get(answer["Location"])

    assert answer.wsgi_request.META[correlation.KEY] == str(row.pk)


def test_what_is_logged_in_an_operator_s_thread_is_about_it_too():
    line = Line(OperatorSettings("fake", "mobile-connect", "http://127.0.0.1:1", "id"))
    correlation.is_about("a verification")

    assert line.run(lambda within: correlation.current()) == "a verification"
    correlation.is_over()


def test_a_request_that_fails_leaves_nothing_to_the_next():
    def view(request):
        correlation.is_about("a verification")
        raise RuntimeError

    request = RequestFactory().get("/")
    with pytest.raises(RuntimeError):
        CorrelationMiddleware(view)(request)

    assert request.META[correlation.KEY] == "a verification"
    assert correlation.current() == ""
    after = RequestFactory().get("/")
    CorrelationMiddleware(lambda request: HttpResponse())(after)
    assert after.META[correlation.KEY] == ""
