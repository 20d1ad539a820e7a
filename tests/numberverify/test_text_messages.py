"""Text messages: sent again, not sent, or with a code of the operator's own."""

import re
from typing import ClassVar

import pytest

from numberverify import codes, policy
from numberverify.browser import Browser
from numberverify.choices import Method, Reason, Status
from numberverify.errors import SmsNotSent
from numberverify.factors import sms
from numberverify.models import Verification
from tests.factories import ANN, BINDING, UserFactory
from tests.numberverify.typed import (
    later,
    opened,
    state_of,
    texted,
    tries,
    type_at,
    way_for,
    wrong,
)

pytestmark = pytest.mark.django_db
BEN = "+447700900456"
COUNTED = [Method.SMS, Method.RECOVERY_CODE]


class NoSms(sms.SmsBackend):
    """An operator that takes no message."""

    def send(self, msisdn, text):
        raise SmsNotSent


class OperatorsCodes(sms.SmsBackend):
    """An operator that makes the codes and checks them itself."""

    makes_codes = True
    sent: ClassVar[list[str]] = []
    asked: ClassVar[list[tuple[str, str]]] = []
    is_down = False

    def send_code(self, msisdn, text):
        self.sent.append(text)
        return f"reference-{len(self.sent)}"

    def check_code(self, reference, code):
        if OperatorsCodes.is_down:
            raise SmsNotSent
        self.asked.append((reference, code))
        return (reference, code) == (f"reference-{len(self.sent)}", "424242")


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


@pytest.fixture
def holder(client):
    client.cookies["nv_binding"] = BINDING
    return client


@pytest.fixture
def operators_codes(settings):
    settings.SMS_BACKEND = f"{__name__}.OperatorsCodes"
    OperatorsCodes.sent.clear()
    OperatorsCodes.asked.clear()
    yield OperatorsCodes
    OperatorsCodes.is_down = False


# Sent again


def send_again(client, row):
    return client.post(f"/verify/{row.pk}/", {"resend": "1"}, follow=True)


def test_within_30_seconds_nothing_is_sent_again(holder, ann):
    row = opened(ann, Method.SMS)

    with later(seconds=20):
        page = send_again(holder, row)

    assert re.search(r"You can ask for a new code in (9|10|11) seconds", page.text)
    assert len(sms.outbox) == 1


def test_after_30_seconds_a_new_code_takes_the_old_ones_place(holder, ann):
    row = opened(ann, Method.SMS)
    old = texted()

    with later(seconds=31):
        page = send_again(holder, row)

        assert "A new code is on its way" in page.text
        assert old == texted() or not tries(row, old).right
        assert tries(row, texted()).right


def test_a_new_code_brings_no_new_tries(ann):
    row = opened(ann, Method.SMS)
    for _ in range(4):
        tries(row, wrong(texted()))
    row.refresh_from_db()

    with later(seconds=31):
        assert codes.resend(row, Browser("")) == 0
        assert tries(row, wrong(texted())).left == 0

    assert state_of(row) == (Status.REFUSED, Reason.WRONG_CODES)


def test_a_new_code_lives_ten_minutes_of_its_own(ann):
    row = opened(ann, Method.SMS)
    with later(minutes=9):
        codes.resend(row, Browser(""))

    with later(minutes=18):
        assert tries(row, texted()).right


def test_a_recovery_code_is_not_sent_again(holder, ann):
    way_for(ann, Method.RECOVERY_CODE)
    row = opened(ann, Method.RECOVERY_CODE)

    send_again(holder, row)

    assert not sms.outbox
    assert state_of(row) == (Status.PENDING, "")


# Nobody takes the message


def test_a_message_that_nobody_takes_means_could_not_tell(holder, ann, settings):
    settings.SMS_BACKEND = f"{__name__}.NoSms"

    row = opened(ann, Method.SMS)

    assert state_of(row) == (Status.UNAVAILABLE, Reason.SMS_NOT_SENT)
    assert row.number == ""
    page = holder.get(f"/verify/{row.pk}/")
    assert "The text message could not be sent" in page.text


def test_a_new_code_that_nobody_takes_is_not_said_to_be_on_its_way(
    holder, ann, settings
):
    row = opened(ann, Method.SMS)
    settings.SMS_BACKEND = f"{__name__}.NoSms"

    with later(seconds=31):
        page = send_again(holder, row)

    assert "The text message could not be sent" in page.text
    assert "on its way" not in page.text


def test_without_a_backend_sms_is_not_open(ann, settings):
    settings.SMS_BACKEND = ""

    assert opened(ann, Method.SMS).reason == Reason.METHOD_CLOSED


def test_a_number_gets_five_messages_an_hour_for_strangers(ann):
    for n in range(5):
        opened(None, Method.SMS, purpose="signup", binding=f"browser {n}")

    sixth = opened(None, Method.SMS, purpose="signup", binding="browser 6")

    assert sixth.reason == Reason.METHOD_CLOSED
    assert len(sms.outbox) == policy.MOST_CODES == 5
    assert opened(None, Method.SMS, purpose="signup", msisdn=BEN).reason == ""
    # Whoever has the account gets theirs all the same.
    assert opened(ann, Method.SMS).reason == ""
    with later(minutes=71):
        assert opened(None, Method.SMS, purpose="signup").reason == ""


def test_messages_that_were_of_use_do_not_count(ann):
    for _ in range(7):
        assert tries(opened(ann, Method.SMS), texted()).right


def test_messages_sent_again_count_among_the_five(holder, ann):
    row = opened(ann, Method.SMS)
    for n in range(1, 5):
        with later(seconds=31 * n):
            send_again(holder, row)

    with later(seconds=31 * 5):
        page = send_again(holder, row)

    assert len(sms.outbox) == 5
    assert "has had all its text messages for the hour" in page.text
    assert state_of(row) == (Status.PENDING, "")


# An operator that makes the codes and checks them


def test_the_operators_own_code_is_checked_by_the_operator(ann, operators_codes):
    row = opened(ann, Method.SMS)

    assert operators_codes.sent[0].endswith("@testserver #{{code}}")
    assert (row.code_reference, bytes(row.code_digest)) == ("reference-1", b"")
    assert tries(row, "111111").left == 4
    assert tries(row, "424242").right
    assert operators_codes.asked == [
        ("reference-1", "111111"),
        ("reference-1", "424242"),
    ]


def test_the_operator_is_not_asked_more_than_five_times(ann, operators_codes):
    row = opened(ann, Method.SMS)
    for _ in range(5):
        tries(row, "111111")

    assert not tries(row, "424242").right
    assert len(operators_codes.asked) == 5
    assert state_of(row) == (Status.REFUSED, Reason.WRONG_CODES)


def test_an_operator_that_cannot_be_asked_costs_no_try(holder, ann, operators_codes):
    row = opened(ann, Method.SMS)
    operators_codes.is_down = True

    page = type_at(holder, row, "424242")

    assert "Nobody could check the code just now" in page.text
    assert Verification.objects.get(pk=row.pk).tries == 0
    operators_codes.is_down = False
    assert tries(row, "424242").right


@pytest.mark.parametrize("answer", [None, "false", 1])
def test_an_answer_that_is_neither_yes_nor_no_costs_no_try(
    ann, operators_codes, monkeypatch, answer
):
    row = opened(ann, Method.SMS)
    monkeypatch.setattr(operators_codes, "check_code", lambda *asked: answer)

    with pytest.raises(SmsNotSent):
        tries(row, "424242")
    assert Verification.objects.get(pk=row.pk).tries == 0


def test_the_operators_new_code_has_a_new_reference(ann, operators_codes):
    row = opened(ann, Method.SMS)

    with later(seconds=31):
        codes.resend(row, Browser(""))
        row.refresh_from_db()

        assert (row.code_reference, row.sends) == ("reference-2", 2)
        assert tries(row, "424242").right
