"""How a request to release a number ends when nobody decides it, and who is told."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail as outbox
from django.core.management import call_command
from django.utils import timezone

from accounts import account, mail, releases
from accounts.models import NumberEvent, NumberRelease, User
from accounts.releases import Hindrance
from numberverify.choices import Method, Reason, Status
from numberverify.errors import VerificationNotUsable
from numberverify.factors import sms
from tests.accounts.steps import by_network, mailed, sign_in
from tests.accounts.test_not_me import by_staff, staff_disable
from tests.factories import (
    ANN,
    ManualRequestFactory,
    NumberReleaseFactory,
    UserFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("run_on_commit")]
Outcome = NumberRelease.Outcome
OVER = "Nobody is asked any more to take your mobile number off your account"


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


@pytest.fixture
def sue():
    """Staff, who has asked."""
    return UserFactory(email="sue@example.com", is_staff=True)


@pytest.fixture
def asked(ann, sue):
    return NumberReleaseFactory(person=ann, asked_by=sue)


def outcome() -> str:
    return NumberRelease.objects.get().outcome


def events() -> list[str]:
    return list(NumberEvent.objects.order_by("pk").values_list("what", flat=True))


def told(address="ann@example.com") -> list[str]:
    return [subject for to, subject in mailed() if to == address]


def decide(asked, *, approve=True) -> None:
    found = NumberRelease.objects.select_related("person").get(pk=asked.pk)
    releases.decide(found, UserFactory(staff=True), approve=approve)


# In time


def test_what_nobody_decided_is_noted_and_the_person_is_told_once(asked):
    for _ in range(2):
        with time_machine.travel(timezone.now() + timedelta(days=8)):
            call_command("housekeeping", verbosity=0)

    assert outcome() == Outcome.EXPIRED
    assert events() == ["release_expired"]
    assert told() == [OVER]
    assert sms.outbox == []


def test_a_number_that_left_ends_it_and_the_person_is_told(
    browser, operator, ann, asked
):
    sign_in(browser, ann)
    by_network(browser, operator, "/accounts/phone/remove/")
    browser.submit("/accounts/phone/remove/", remove="1")

    assert outcome() == Outcome.LAPSED
    assert events() == ["removed", "release_lapsed"]
    assert OVER in told()


def test_who_closes_the_account_is_told_no_more_of_it(ann, asked):
    account.delete(ann)

    assert outcome() == Outcome.LAPSED
    assert events() == ["closed", "release_lapsed"]
    assert told() == []


# Who asked is a member of staff no more


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"frozen_at": timezone.now()}, id="frozen"),
        pytest.param({"is_active": False}, id="disabled"),
        pytest.param({"is_staff": False}, id="no staff"),
    ],
)
def test_v5_0_0_8_3_1_what_they_asked_is_approved_no_more_but_may_be_declined(
    ann, sue, asked, columns
):
    User.objects.filter(pk=sue.pk).update(**columns)

    with pytest.raises(VerificationNotUsable):
        decide(asked)

    found = NumberRelease.objects.select_related("person").get()
    assert releases.hindrance(found) == Hindrance.ASKER
    assert outcome() == Outcome.OPEN
    decide(asked, approve=False)
    assert outcome() == Outcome.DECLINED


@pytest.mark.parametrize(
    "shut",
    [
        pytest.param(account.freeze, id="frozen"),
        pytest.param(lambda sue: by_staff(sue, staff_disable), id="disabled"),
        pytest.param(account.delete, id="closed"),
    ],
)
def test_what_they_asked_ends_when_they_are_shut_out(ann, sue, asked, shut):
    """It may be a thief who asked, so that a reset must not bring it back."""
    shut(User.objects.get(pk=sue.pk))

    assert outcome() == Outcome.WITHDRAWN
    assert events() == ["release_lapsed"]
    assert told() == [OVER]


def test_what_others_asked_stays(asked):
    account.freeze(UserFactory(is_staff=True))

    assert outcome() == Outcome.OPEN


def test_a_manual_verification_that_they_asked_for_is_refused(sue):
    manual = ManualRequestFactory(asked_by=sue)
    other = ManualRequestFactory()

    account.freeze(sue)

    manual.verification.refresh_from_db()
    other.verification.refresh_from_db()
    row = manual.verification
    assert row.method == Method.MANUAL
    assert (row.status, row.reason) == (Status.REFUSED, Reason.NOT_APPROVED)
    assert other.verification.status == Status.PENDING


def test_the_mail_says_that_there_is_nothing_to_do(asked):
    releases.withdraw(asked.asked_by)

    mail.wait()
    (said,) = outbox.outbox
    assert "That request is over: there is nothing for you to do." in said.body
