"""Text messages whose code the operator makes and checks (CAMARA OTP SMS)."""

import pytest

from numberverify import codes, flow
from numberverify.choices import Method, Purpose, Reason, Status
from numberverify.errors import SmsNotSent
from numberverify.factors.operator_sms import OperatorBackend, fitted
from numberverify.models import Verification
from numberverify.msisdn import Msisdn
from tests.factories import ANN, BINDING, UserFactory
from tests.fake_camara import CODE, SEND_CODE, TOKEN, VALIDATE_CODE, VERIFY, FakeCamara
from tests.fake_operator import Reply
from tests.numberverify.typed import opened, proof_of

pytestmark = pytest.mark.django_db
OTP = "ONE_TIME_PASSWORD_SMS."
WRONG = "161803"


@pytest.fixture
def operator(settings):
    fake = FakeCamara()
    settings.NV_OPERATORS = {"fake": fake.with_siblings()}
    settings.SMS_BACKEND = "numberverify.factors.operator_sms.OperatorBackend"
    yield fake
    fake.close()


@pytest.fixture
def others(operator, settings):
    """Beside it: one that sends no messages, and one that comes before it."""
    first = FakeCamara()
    settings.NV_OPERATORS = {
        "silent": first.table(),
        "first": first.with_siblings(),
        "fake": operator.with_siblings(),
    }
    yield first
    first.close()


def refuses(operator, code, status=400):
    operator.replies[VALIDATE_CODE] = Reply(status, {"code": code})


def row_of(user=None) -> Verification:
    return opened(user or UserFactory(phone=ANN), Method.SMS)


def test_the_operator_makes_the_code_and_we_never_have_it(operator):
    row = row_of()

    row.refresh_from_db()
    ((number, message),) = operator.messages
    assert number == ANN
    assert message.startswith(f"{CODE} is your ")
    assert message.endswith(f"#{CODE}")
    assert row.code_reference.startswith("fake:")
    assert bytes(row.code_digest) == b""


def test_the_right_code_is_a_receipt(operator):
    row = row_of()
    row.refresh_from_db()

    assert codes.try_code(row, CODE).right
    assert flow.find_receipt(proof_of(row)).method == Method.SMS
    assert operator.calls_to(VERIFY) == []


def test_a_wrong_code_is_a_no_and_costs_a_try(operator):
    row = row_of()
    row.refresh_from_db()

    tried = codes.try_code(row, WRONG)

    assert (tried.right, tried.left) == (False, 4)
    row.refresh_from_db()
    assert row.status == Status.PENDING


@pytest.mark.parametrize(
    ("code", "status", "tries"),
    [
        pytest.param(
            f"{OTP}VERIFICATION_FAILED", 400, 1, id="too many at the operator"
        ),
        pytest.param(f"{OTP}VERIFICATION_EXPIRED", 400, 0, id="late or replaced"),
        pytest.param("NOT_FOUND", 404, 0, id="unknown"),
    ],
)
def test_a_code_that_takes_no_more_tries_is_over_and_a_new_one_is_offered(
    operator, client, code, status, tries
):
    row = row_of()
    row.refresh_from_db()
    refuses(operator, code, status)
    client.cookies["nv_binding"] = BINDING

    answer = client.post(f"/verify/{row.pk}/", {"code": WRONG})

    row.refresh_from_db()
    assert (row.status, row.reason, row.tries) == (
        Status.EXPIRED,
        Reason.CODE_OVER,
        tries,
    )
    page = client.get(answer["Location"])
    assert "takes no more tries" in page.text
    assert "Send me a new code" in page.text


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(200, {"verified": True}), id="200 is no 204"),
        pytest.param(Reply(500), id="500"),
        pytest.param(Reply(401, {"code": "UNAUTHENTICATED"}), id="401"),
        pytest.param(Reply(400, {"code": "INVALID_ARGUMENT"}), id="bad question"),
        pytest.param(Reply(400, b"<html>"), id="HTML"),
        pytest.param(Reply(429, {"code": "TOO_MANY_REQUESTS"}), id="429"),
    ],
)
def test_a_code_that_nobody_checked_costs_no_try(operator, reply):
    row = row_of()
    row.refresh_from_db()
    operator.replies[VALIDATE_CODE] = reply

    with pytest.raises(SmsNotSent):
        codes.try_code(row, CODE)

    row.refresh_from_db()
    assert (row.status, row.tries) == (Status.PENDING, 0)


def test_another_number_s_operator_passes_it_on_to_the_next(operator, others):
    others.replies[SEND_CODE] = Reply(404, {"code": "NOT_FOUND"})

    row = row_of()

    row.refresh_from_db()
    assert row.code_reference.startswith("fake:")
    assert len(others.calls_to(SEND_CODE)) == 1
    assert others.messages == []


def test_the_first_that_sends_is_the_one_that_checks(operator, others):
    row = row_of()
    row.refresh_from_db()
    codes.try_code(row, CODE)

    assert len(others.messages) == 1
    assert len(others.calls_to(VALIDATE_CODE)) == 1
    assert operator.calls == []


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(404, {"code": "NOT_FOUND"}), id="nobody's number"),
        pytest.param(Reply(403, {"code": f"{OTP}PHONE_NUMBER_BLOCKED"}), id="blocked"),
        pytest.param(
            Reply(403, {"code": f"{OTP}MAX_OTP_CODES_EXCEEDED"}), id="too many"
        ),
        pytest.param(Reply(500), id="500"),
        pytest.param(Reply(body={"authenticationId": "x" * 37}), id="long reference"),
        pytest.param(Reply(body={}), id="no reference"),
    ],
)
def test_a_message_that_nobody_sends_says_so(operator, reply):
    operator.replies[SEND_CODE] = reply

    row = row_of()

    row.refresh_from_db()
    assert (row.status, row.reason) == (Status.UNAVAILABLE, Reason.SMS_NOT_SENT)


def test_without_a_token_no_message_leaves(operator):
    operator.replies[TOKEN] = Reply(401, {"error": "invalid_client"})

    row = row_of()

    row.refresh_from_db()
    assert row.reason == Reason.SMS_NOT_SENT
    assert operator.messages == []


def test_an_operator_that_is_gone_checks_no_code(operator, settings):
    row = row_of()
    row.refresh_from_db()
    settings.NV_OPERATORS = {}

    with pytest.raises(SmsNotSent):
        codes.try_code(row, CODE)


def test_a_country_that_nobody_serves_gets_no_message(operator):
    with pytest.raises(SmsNotSent):
        OperatorBackend().send_code(Msisdn("+33639981234"), "{{code}}")


def test_a_receipt_by_message_is_none_by_the_network(operator):
    row = row_of()
    row.refresh_from_db()
    codes.try_code(row, CODE)

    row.refresh_from_db()
    assert (row.method, row.operator, row.operator_subject) == (Method.SMS, "", "")
    assert row.purpose == Purpose.LOGIN


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("{{code}} is it\n\n@host #{{code}}", "{{code}} is it\n\n@host #{{code}}"),
        ("{{code}} " + "x" * 140 + "\n\n@host #{{code}}", "{{code}} " + "x" * 140),
        ("{{code}} " + "x" * 200, "{{code}} " + "x" * 151),
    ],
)
def test_a_message_is_as_long_as_operators_take(text, sent):
    assert fitted(text) == sent
    assert len(fitted(text)) <= 160
