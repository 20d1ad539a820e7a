"""One-Time-Password SMS: the operator sends a code, and says whether one is right."""

import pytest

from numberverify.errors import (
    CodeOver,
    MalformedAnswer,
    NotTheirNumber,
    OperatorError,
    OperatorRefused,
    OperatorUnreachable,
)
from numberverify.msisdn import Msisdn
from numberverify.operators.siblings import LONGEST_MESSAGE, send_code, validate_code
from tests.fake_camara import CODE, SEND_CODE, TOKEN, VALIDATE_CODE, VERIFY
from tests.fake_operator import Reply

NUMBER = Msisdn("+447700900123")
MESSAGE = "{{code}} is your code. Tell nobody."
OTP = "ONE_TIME_PASSWORD_SMS."


def test_the_message_is_sent_to_the_number_with_a_code_of_the_operators(
    fake, camara, within
):
    reference = send_code(camara, NUMBER, MESSAGE, within)

    assert fake.messages == [(NUMBER.e164, f"{CODE} is your code. Tell nobody.")]
    assert validate_code(camara, reference, CODE, within) is True
    assert validate_code(camara, reference, "000000", within) is False


def test_exactly_this_is_sent(fake, camara, within):
    fake.replies[SEND_CODE] = Reply(body={"authenticationId": "ref-1"})

    assert send_code(camara, NUMBER, MESSAGE, within) == "ref-1"
    validate_code(camara, "ref-1", CODE, within)

    (sent,), (checked,) = fake.calls_to(SEND_CODE), fake.calls_to(VALIDATE_CODE)
    assert sent.json == {"phoneNumber": NUMBER.e164, "message": MESSAGE}
    assert checked.json == {"authenticationId": "ref-1", "code": CODE}
    assert sent.headers["Authorization"] != checked.headers["Authorization"]
    assert not fake.calls_to(VERIFY)


@pytest.mark.parametrize("length", [LONGEST_MESSAGE, LONGEST_MESSAGE + 1, 1000])
def test_no_message_is_shortened(fake, camara, within, length):
    """Its length is for whoever writes it: cut here, it might lose its code."""
    message = MESSAGE.ljust(length, "x")

    send_code(camara, NUMBER, message, within)

    (sent,) = fake.calls_to(SEND_CODE)
    assert LONGEST_MESSAGE == 160
    assert sent.json["message"] == message


def test_a_message_that_the_operator_does_not_send_is_refused(fake, camara, within):
    fake.replies[SEND_CODE] = Reply(400, {"code": "INVALID_ARGUMENT"})

    with pytest.raises(OperatorRefused):
        send_code(camara, NUMBER, MESSAGE * 9, within)


@pytest.mark.parametrize("reference", ["r", "r" * 36, "é" * 36])
def test_a_reference_of_36_characters_is_taken(fake, camara, within, reference):
    fake.replies[SEND_CODE] = Reply(body={"authenticationId": reference})

    assert send_code(camara, NUMBER, MESSAGE, within) == reference


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"authenticationId": "r" * 37}, id="37 characters"),
        pytest.param({"authenticationId": ""}, id="empty"),
        pytest.param({"authenticationId": None}, id="null"),
        pytest.param({"authenticationId": 5}, id="number"),
        pytest.param({"authenticationId": ["r"]}, id="list"),
        pytest.param({"authenticationId": "r\0"}, id="NUL"),
        pytest.param({"id": "r"}, id="another name"),
        pytest.param({}, id="none"),
        pytest.param([{"authenticationId": "r"}], id="in a list"),
        pytest.param(b"", id="empty body"),
        pytest.param(b"r", id="text"),
    ],
)
def test_what_is_no_reference_is_no_answer(fake, camara, within, body):
    fake.replies[SEND_CODE] = Reply(body=body)

    with pytest.raises(MalformedAnswer):
        send_code(camara, NUMBER, MESSAGE, within)


@pytest.mark.parametrize(
    ("status", "code", "raised"),
    [
        (404, "NOT_FOUND", NotTheirNumber),
        (404, "IDENTIFIER_NOT_FOUND", NotTheirNumber),
        (422, "SERVICE_NOT_APPLICABLE", NotTheirNumber),
        (404, "", OperatorRefused),
        (403, f"{OTP}PHONE_NUMBER_NOT_ALLOWED", OperatorRefused),
        (403, f"{OTP}PHONE_NUMBER_BLOCKED", OperatorRefused),
        (403, f"{OTP}MAX_OTP_CODES_EXCEEDED", OperatorRefused),
        (403, "PERMISSION_DENIED", OperatorRefused),
        (429, "TOO_MANY_REQUESTS", OperatorRefused),
        (201, "", OperatorRefused),
        (500, "NOT_FOUND", OperatorUnreachable),
    ],
)
def test_a_code_that_was_not_sent_is_told_why(
    fake, camara, within, status, code, raised
):
    body = {"status": status, "code": code, "authenticationId": "r"}
    fake.replies[SEND_CODE] = Reply(status, body)

    with pytest.raises(OperatorError) as caught:
        send_code(camara, NUMBER, MESSAGE, within)
    assert type(caught.value) is raised


@pytest.mark.parametrize(
    "code", ["NOT_FOUND", "IDENTIFIER_NOT_FOUND", "SERVICE_NOT_APPLICABLE"]
)
def test_a_token_that_was_not_sold_says_nothing_of_the_number(
    fake, camara, within, code
):
    """Like a token endpoint that has moved: another operator must not be tried."""
    fake.replies[TOKEN] = Reply(404, {"code": code})

    with pytest.raises(OperatorRefused) as caught:
        send_code(camara, NUMBER, MESSAGE, within)
    assert caught.value.said == code
    with pytest.raises(OperatorRefused):
        validate_code(camara, "r", CODE, within)
    assert not fake.calls_to(SEND_CODE)
    assert not fake.calls_to(VALIDATE_CODE)


def test_a_wrong_code_is_a_no_and_may_be_tried_again(fake, camara, within):
    refusal = {"status": 400, "code": f"{OTP}INVALID_OTP", "message": "no"}
    fake.replies[VALIDATE_CODE] = Reply(400, refusal)

    assert validate_code(camara, "r", "000000", within) is False
    del fake.replies[VALIDATE_CODE]
    assert validate_code(camara, "r", CODE, within) is True


@pytest.mark.parametrize(
    ("status", "code", "was_tried"),
    [
        (400, f"{OTP}VERIFICATION_FAILED", True),
        (400, f"{OTP}VERIFICATION_EXPIRED", False),
        (404, "NOT_FOUND", False),
    ],
)
def test_a_code_that_is_over_is_told_whether_it_was_tried(
    fake, camara, within, status, code, was_tried
):
    fake.replies[VALIDATE_CODE] = Reply(status, {"status": status, "code": code})

    with pytest.raises(CodeOver) as caught:
        validate_code(camara, "r", CODE, within)
    assert caught.value.was_tried is was_tried
    assert not isinstance(caught.value, OperatorError)


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(200, True), id="200 with true"),
        pytest.param(Reply(200, {"verified": True}), id="200 with an object"),
        pytest.param(Reply(200), id="200"),
        pytest.param(Reply(201), id="201"),
        pytest.param(Reply(202), id="202"),
        pytest.param(Reply(205), id="205"),
        pytest.param(Reply(302, headers={"Location": "/"}), id="302"),
        pytest.param(Reply(304), id="304"),
        pytest.param(Reply(400), id="400 without a code"),
        pytest.param(Reply(400, {"code": "INVALID_ARGUMENT"}), id="400 of another"),
        pytest.param(Reply(400, {"code": "INVALID_OTP"}), id="not of this API"),
        pytest.param(Reply(401, {"code": "UNAUTHENTICATED"}), id="401"),
        pytest.param(Reply(404), id="404 without a code"),
        pytest.param(Reply(429), id="429"),
        pytest.param(Reply(500, {"code": f"{OTP}INVALID_OTP"}), id="500"),
        pytest.param(Reply(raw=b"HTTP/1.1 20"), id="cut"),
        pytest.param(Reply(raw=b""), id="nothing"),
    ],
)
def test_anything_else_is_neither_yes_nor_no(fake, camara, within, reply):
    fake.replies[VALIDATE_CODE] = reply

    with pytest.raises(OperatorError):
        validate_code(camara, "r", CODE, within)


def test_after_a_yes_the_connection_serves_again(fake, camara, within):
    for _ in range(5):
        assert validate_code(camara, "r", CODE, within)

    assert len({call.connection for call in fake.calls}) == 1
