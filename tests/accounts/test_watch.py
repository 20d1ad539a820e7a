"""Three *no match* in an hour are told, once an hour (OWASP ASVS 5.0.0, 6.3.5)."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail as outbox
from django.utils import timezone

from accounts import mail, watch
from accounts.models import Notice, User
from numberverify.choices import Event, Method, Purpose, Status
from numberverify.models import Verification
from tests.accounts.steps import log_in
from tests.conftest import Browser
from tests.factories import ANN, UserFactory, VerificationFactory
from tests.numberverify.test_races import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("run_on_commit")]
SAID = "Somebody tries to get into your account"


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


def fail(operator, ann, times=1):
    """Somebody with the password, on another phone."""
    operator.sim = "+447700900999"
    for _ in range(times):
        stranger = Browser()
        ended = stranger.follow(stranger.come_back(operator, log_in(stranger, ann)))
        assert ended.context["verification"].status == Status.MISMATCHED


def warnings() -> int:
    mail.wait()
    return [message.subject for message in outbox.outbox].count(SAID)


def test_v5_0_0_6_3_5_the_third_within_an_hour_is_mailed(operator, ann):
    fail(operator, ann, times=2)
    assert warnings() == 0

    fail(operator, ann)

    assert warnings() == 1
    (told,) = outbox.outbox
    assert told.to == ["ann@example.com"]
    assert "accounts/not-me/" in told.body
    assert "Nobody got in that way." in told.body


def test_v5_0_0_6_3_5_more_of_them_are_told_once_an_hour(operator, ann):
    fail(operator, ann, times=7)
    assert warnings() == 1

    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        fail(operator, ann, times=2)
        assert warnings() == 1
        fail(operator, ann)
        assert warnings() == 2


def test_three_in_more_than_an_hour_are_no_news(operator, ann):
    fail(operator, ann, times=2)

    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        fail(operator, ann)

    assert warnings() == 0


def test_those_of_another_person_do_not_count(operator, ann):
    fail(operator, UserFactory(email="ben@example.com", phone="+447700900456"), times=2)
    fail(operator, ann, times=2)

    assert warnings() == 0


@pytest.mark.parametrize(
    "columns",
    [
        {"status": Status.UNAVAILABLE},
        {"status": Status.REFUSED},
        {"status": Status.EXPIRED},
        {"status": Status.MISMATCHED, "method": Method.SMS},
    ],
)
def test_nothing_but_a_no_match_of_the_network_counts(ann, columns):
    VerificationFactory.create_batch(3, settled=True, user=ann, **columns)

    watch.hear(ann, Event.NO_MATCH)

    assert warnings() == 0


def test_somebody_without_an_account_is_told_nothing(browser, operator):
    operator.sim = "+447700900999"
    typed = {"password1": "corr3ct horse", "password2": "corr3ct horse", "phone": ANN}
    for n in range(4):
        fields = typed | {"email": f"new{n}@example.com"}
        browser.come_back(operator, browser.submit("/accounts/signup/", **fields))

    assert Verification.objects.filter(status=Status.MISMATCHED).count() == 4
    assert warnings() == 0


def test_a_site_that_fails_to_tell_does_not_spoil_the_answer(
    operator, ann, settings, caplog
):
    settings.NV_TELL = "tests.accounts.test_watch.fail_to_tell"

    fail(operator, ann)

    assert "the site was not told, RuntimeError" in caplog.text
    assert "ann@example.com" not in caplog.text


def fail_to_tell(user, event):
    raise RuntimeError(user.email)


@pytest.mark.django_db(transaction=True)
def test_of_eight_at_once_one_is_told(ann):
    rows = {"mismatched": True, "user": ann, "purpose": Purpose.LOGIN}
    VerificationFactory.create_batch(3, **rows)

    at_once([lambda: watch.hear(User.objects.get(), Event.NO_MATCH)] * 8)

    assert Notice.objects.count() == 1


@pytest.mark.parametrize("purpose", [Purpose.SIGNUP, Purpose.PHONE_CHANGE])
def test_new_numbers_that_were_mistyped_alarm_nobody(ann, purpose):
    """They are not "the phone that has your number"."""
    rows = {"mismatched": True, "user": ann}
    VerificationFactory.create_batch(3, purpose=purpose, **rows)
    VerificationFactory.create_batch(2, purpose=Purpose.LOGIN, **rows)

    watch.hear(ann, Event.NO_MATCH)

    assert Notice.objects.count() == 0
    VerificationFactory(purpose=Purpose.STEP_UP, **rows)
    watch.hear(ann, Event.NO_MATCH)
    assert Notice.objects.count() == 1
