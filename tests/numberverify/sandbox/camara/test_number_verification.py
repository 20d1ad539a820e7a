import hashlib
import time

import pytest

from tests.numberverify.sandbox.camara_wire import (
    NUMBER,
    SHARE_SCOPE,
    VERIFY,
    ask,
    code_in,
    share,
    token_of,
)
from tests.numberverify.sandbox.wire import HASH, OTHER_HASH, set_handset
from tests.numberverify.sandbox.wire import NUMBER as FRESH

ANOTHER = "+447700900907"


@pytest.mark.parametrize(
    ("body", "verified"),
    [
        ({"phoneNumber": FRESH}, True),
        ({"phoneNumber": ANOTHER}, False),
        ({"phoneNumber": FRESH[:-1]}, False),
        ({"hashedPhoneNumber": HASH}, True),
        ({"hashedPhoneNumber": HASH.upper()}, True),
        ({"hashedPhoneNumber": OTHER_HASH}, False),
        ({"hashedPhoneNumber": hashlib.sha256(FRESH[1:].encode()).hexdigest()}, False),
    ],
    ids=str,
)
def test_the_answer_is_whether_the_sim_has_that_number(client, body, verified):
    answer = ask(client, token_of(client), body)

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"
    assert answer.json() == {"devicePhoneNumberVerified": verified}


def test_the_number_is_handed_out_to_who_may_have_it(client):
    set_handset(client, number=NUMBER)

    answer = share(client, token_of(client, scope=SHARE_SCOPE))

    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert answer.json() == {"devicePhoneNumber": NUMBER}


def test_a_new_sim_after_the_hop_changes_nothing(client):
    token = token_of(client)
    set_handset(client, number=ANOTHER)

    assert ask(client, token, {"phoneNumber": FRESH}).json() == {
        "devicePhoneNumberVerified": True
    }


def number(value):
    return f'{{"phoneNumber": {value}}}'


def hashed(value):
    return f'{{"hashedPhoneNumber": {value}}}'


@pytest.mark.parametrize(
    "body",
    [
        "",
        " ",
        "{",
        b"\xff\xfe",
        '{"phoneNumber": "+447700900123"}'.encode("utf-16"),
        b"\xef\xbb\xbf" + number('"+447700900123"').encode(),
        "[" * 100_000,
        "null",
        "[]",
        '"+447700900123"',
        "{}",
        '{"other": 1}',
        '{"phonenumber": "+447700900123"}',
        number("null"),
        number("447700900123"),
        number("NaN"),
        number('["+447700900123"]'),
        number('{"phoneNumber": "+447700900123"}'),
        number('""'),
        number('"447700900123"'),
        number('"+047700900123"'),
        number('"+44 7700 900123"'),
        number('"+447700900123\\n"'),
        number('"+4477009001٢3"'),
        number('"+447700900123\\ud800"'),
        number('"+1234"'),
        number('"+1234567890123456"'),
        number('"+447700900123", "other": 1'),
        number(f'"+447700900123", "hashedPhoneNumber": "{HASH}"'),
        number('"+447700900124", "phoneNumber": "+447700900123"'),
        number('"+447700900123"') + "x",
        hashed("null"),
        hashed('""'),
        hashed(f'"{HASH[1:]}"'),
        hashed(f'"{HASH}0"'),
        hashed(f'"{HASH}\\n"'),
        hashed(f'"{HASH[1:]}g"'),
        hashed(f'"{HASH[1:]}٢"'),
    ],
    ids=lambda body: repr(body)[:50],
)
def test_a_body_that_does_not_fit_is_400(client, body):
    answer = client.generic(
        "POST",
        VERIFY,
        body,
        headers={
            "authorization": f"Bearer {token_of(client)}",
            # The test client leaves it out of a request without a body.
            "content-type": "application/json",
        },
    )

    assert answer.status_code == 400
    assert code_in(answer) == "INVALID_ARGUMENT"


def test_with_its_fault_the_operator_is_overloaded(client):
    set_handset(client, fault="503")

    answer = ask(client, token_of(client), **{"x-correlator": "mine"})

    assert answer.status_code == 503
    assert code_in(answer) == "UNAVAILABLE"
    assert answer["x-correlator"] == "mine"


@pytest.mark.parametrize("asked", [FRESH, ANOTHER])
def test_with_its_fault_the_answer_is_a_text(client, asked):
    set_handset(client, fault="malformed")

    answer = ask(client, token_of(client), {"phoneNumber": asked})

    assert answer.status_code == 200
    assert answer.json() == {"devicePhoneNumberVerified": "true"}


def test_with_its_fault_the_number_is_no_number(client):
    set_handset(client, fault="malformed")

    answer = share(client, token_of(client, scope=SHARE_SCOPE))

    assert answer.json() == {"devicePhoneNumber": "true"}


def test_slow_waits_and_then_says_the_truth(client, settings):
    settings.SANDBOX_SLOW_SECONDS = 0.2
    set_handset(client, fault="slow")
    token = token_of(client)

    began = time.monotonic()
    answer = ask(client, token, {"phoneNumber": FRESH})

    assert time.monotonic() - began >= 0.2
    assert answer.json() == {"devicePhoneNumberVerified": True}


@pytest.mark.parametrize("fault", ["wrong_sub", "wrong_iss"])
def test_the_faults_of_other_places_leave_the_answer_alone(client, fault):
    set_handset(client, fault=fault)

    answer = ask(client, token_of(client), {"phoneNumber": FRESH})

    assert answer.json() == {"devicePhoneNumberVerified": True}
