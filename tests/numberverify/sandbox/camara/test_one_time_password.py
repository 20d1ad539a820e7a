import logging
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import time_machine
from django.test import Client

from tests.numberverify.sandbox.camara_wire import (
    BANK,
    BANK_KEY,
    NUMBER,
    SEND_CODE,
    VALIDATE_CODE,
    ask,
    assertion,
    code_in,
    own_answer,
    own_token,
)
from tests.numberverify.sandbox.wire import HANDSET, set_handset

MESSAGE = "Your code is {{code}}. Tell nobody."


def send(server, message=MESSAGE, number=NUMBER):
    body = {"phoneNumber": number, "message": message}
    return ask(server, own_token(server), body, SEND_CODE)


def sent(server, **changes):
    return send(server, **changes).json()["authenticationId"]


def validate(server, name, code):
    body = {"authenticationId": name, "code": code}
    return ask(server, own_token(server), body, VALIDATE_CODE)


def codes_at(browser):
    """The codes that the handset shows, newest first."""
    return re.findall(r"Your code is ([0-9]{6})\.", browser.get(HANDSET).text)


def wrong(code):
    return "000000" if code != "000000" else "111111"


def ending(answer):
    return code_in(answer).removeprefix("ONE_TIME_PASSWORD_SMS.")


@pytest.fixture
def phone(client):
    set_handset(client, number=NUMBER)
    return client


def test_a_code_that_was_sent_is_good(phone):
    answer = send(phone)

    assert answer.status_code == 200
    assert set(answer.json()) == {"authenticationId"}
    name = answer.json()["authenticationId"]
    assert str(uuid.UUID(name)) == name
    (code,) = codes_at(phone)
    good = validate(phone, name, code)
    assert good.status_code == 204
    assert good.content == b""
    assert good["Cache-Control"] == "no-store"


def test_a_correlator_comes_back_with_no_body(phone):
    name = sent(phone)
    body = {"authenticationId": name, "code": codes_at(phone)[0]}

    answer = ask(
        phone, own_token(phone), body, VALIDATE_CODE, **{"x-correlator": "mine"}
    )

    assert answer["x-correlator"] == "mine"


def test_every_place_in_the_message_is_filled(phone):
    send(phone, message="{{code}} is it.\n@shop.example #{{code}}")

    page = phone.get(HANDSET).text

    assert re.search(r"([0-9]{6}) is it\.<br>@shop\.example #\1", page)
    assert "{{code}}" not in page


def test_a_code_is_good_once(phone):
    name = sent(phone)
    (code,) = codes_at(phone)

    assert validate(phone, name, code).status_code == 204
    assert ending(validate(phone, name, code)) == "VERIFICATION_EXPIRED"


def test_of_five_at_once_one_is_good(phone):
    name = sent(phone)
    (code,) = codes_at(phone)
    tokens, start = [own_token(phone) for _ in range(5)], Barrier(5)

    def present(token):
        start.wait()
        body = {"authenticationId": name, "code": code}
        return ask(Client(), token, body, VALIDATE_CODE).status_code

    with ThreadPoolExecutor(5) as pool:
        statuses = sorted(pool.map(present, tokens))

    assert statuses == [204] + [400] * 4


def test_a_wrong_code_may_be_tried_again(phone):
    name = sent(phone)
    (code,) = codes_at(phone)

    answer = validate(phone, name, wrong(code))

    assert answer.status_code == 400
    assert ending(answer) == "INVALID_OTP"
    assert validate(phone, name, code).status_code == 204


def test_the_fifth_wrong_code_is_the_last(phone):
    name = sent(phone)
    (code,) = codes_at(phone)

    endings = [ending(validate(phone, name, wrong(code))) for _ in range(5)]

    assert endings == ["INVALID_OTP"] * 4 + ["VERIFICATION_FAILED"]
    assert ending(validate(phone, name, code)) == "VERIFICATION_FAILED"


def test_the_fifth_attempt_may_be_right(phone):
    name = sent(phone)
    (code,) = codes_at(phone)
    for _ in range(4):
        validate(phone, name, wrong(code))

    assert validate(phone, name, code).status_code == 204


def test_of_twenty_guesses_at_once_five_are_looked_at(phone):
    name = sent(phone)
    (code,) = codes_at(phone)
    tokens, start = [own_token(phone) for _ in range(20)], Barrier(20)

    def present(token):
        start.wait()
        body = {"authenticationId": name, "code": wrong(code)}
        return ending(ask(Client(), token, body, VALIDATE_CODE))

    with ThreadPoolExecutor(20) as pool:
        endings = sorted(pool.map(present, tokens))

    assert endings == ["INVALID_OTP"] * 4 + ["VERIFICATION_FAILED"] * 16


@pytest.mark.parametrize(("seconds", "status"), [(599, 204), (601, 400)])
def test_a_code_lives_ten_minutes(phone, seconds, status):
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        name = sent(phone)
        (code,) = codes_at(phone)
        clock.shift(seconds)
        answer = validate(phone, name, code)

    assert answer.status_code == status
    if status == 400:
        assert ending(answer) == "VERIFICATION_EXPIRED"


def test_a_newer_code_replaces_an_older_one(phone):
    older = sent(phone)
    newer = sent(phone)
    new_code, old_code = codes_at(phone)

    assert ending(validate(phone, older, old_code)) == "VERIFICATION_EXPIRED"
    assert validate(phone, newer, new_code).status_code == 204


def test_a_code_to_another_number_replaces_nothing(phone):
    name = sent(phone)
    send(phone, number="+46701740606")

    assert validate(phone, name, codes_at(phone)[0]).status_code == 204


@pytest.mark.parametrize(
    "name", ["", "x", "b4333c46-49c0-4f62-80d7-f0ef930f1c46", "é" * 36]
)
def test_an_id_that_nobody_was_given_is_not_found(phone, name):
    answer = validate(phone, name, "123456")

    assert answer.status_code == 404
    assert code_in(answer) == "NOT_FOUND"


def test_another_client_cannot_use_an_id(phone):
    name = sent(phone)
    scope = "one-time-password-sms:send-validate"
    signed = assertion(key=BANK_KEY, iss=BANK, sub=BANK)
    token = own_answer(phone, scope, signed).json()["access_token"]

    body = {"authenticationId": name, "code": codes_at(phone)[0]}
    assert ask(phone, token, body, VALIDATE_CODE).status_code == 404


def test_a_number_gets_five_codes_within_an_hour(phone):
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        send(phone)
        clock.shift(1800)
        assert [send(phone).status_code for _ in range(4)] == [200] * 4
        clock.shift(1790)
        sixth = send(phone)
        assert send(phone, number="+46701740606").status_code == 200
        clock.shift(20)
        # The first is an hour old now, the other four are not.
        later = [send(phone).status_code for _ in range(2)]

    assert sixth.status_code == 403
    assert ending(sixth) == "MAX_OTP_CODES_EXCEEDED"
    assert later == [200, 403]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (SEND_CODE, {}),
        (SEND_CODE, {"phoneNumber": NUMBER}),
        (SEND_CODE, {"message": MESSAGE}),
        (SEND_CODE, {"phoneNumber": "0701740605", "message": MESSAGE}),
        (SEND_CODE, {"phoneNumber": NUMBER + "\n", "message": MESSAGE}),
        (SEND_CODE, {"phoneNumber": NUMBER, "message": "no place"}),
        (SEND_CODE, {"phoneNumber": NUMBER, "message": "{{ code }}"}),
        (SEND_CODE, {"phoneNumber": NUMBER, "message": ""}),
        (SEND_CODE, {"phoneNumber": NUMBER, "message": None}),
        (SEND_CODE, {"phoneNumber": NUMBER, "message": "{{code}}" + "x" * 153}),
        (SEND_CODE, {"phoneNumber": NUMBER, "message": MESSAGE, "other": 1}),
        (SEND_CODE, {"phoneNumber": NUMBER, "message": "{{code}}\ud800"}),
        (VALIDATE_CODE, {}),
        (VALIDATE_CODE, {"code": "123456"}),
        (VALIDATE_CODE, {"authenticationId": "x"}),
        (VALIDATE_CODE, {"authenticationId": "x" * 37, "code": "123456"}),
        (VALIDATE_CODE, {"authenticationId": "x", "code": "1" * 11}),
        (VALIDATE_CODE, {"authenticationId": "x", "code": 123456}),
        (VALIDATE_CODE, {"authenticationId": "\ud800", "code": "123456"}),
        (VALIDATE_CODE, {"authenticationId": "x", "code": "1", "other": 1}),
    ],
    ids=lambda value: repr(value)[:70],
)
def test_a_body_that_does_not_fit_is_400(phone, path, body):
    answer = ask(phone, own_token(phone), body, path)

    assert answer.status_code == 400
    assert code_in(answer) == "INVALID_ARGUMENT"


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345٦", "é"])
def test_a_code_of_another_form_is_a_wrong_code(phone, code):
    assert ending(validate(phone, sent(phone), code)) == "INVALID_OTP"


def test_the_longest_message_is_sent(phone):
    assert send(phone, message="{{code}}" + "x" * 152).status_code == 200


@pytest.mark.parametrize("path", [SEND_CODE, VALIDATE_CODE])
def test_another_scope_does_not_open_it(phone, path):
    answer = ask(phone, own_token(phone, "sim-swap"), {}, path)

    assert answer.status_code == 403
    assert code_in(answer) == "PERMISSION_DENIED"


def test_neither_codes_nor_numbers_are_logged(phone, caplog):
    caplog.set_level(logging.DEBUG)
    name = sent(phone)
    (code,) = codes_at(phone)
    validate(phone, name, wrong(code))
    validate(phone, name, code)
    for _ in range(6):
        send(phone)

    assert caplog.text
    assert code not in caplog.text
    assert NUMBER.removeprefix("+") not in caplog.text
