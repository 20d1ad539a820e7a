import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import time_machine
from django.test import Client

from tests.numberverify.sandbox.camara_wire import (
    NUMBER,
    SHARE,
    SHARE_SCOPE,
    SIM_SWAP,
    VERIFY,
    ask,
    exchange,
    own_token,
    share,
    token_of,
)
from tests.numberverify.sandbox.wire import HASH, OTHER_HASH, set_handset
from tests.numberverify.sandbox.wire import NUMBER as FRESH

UUID = "b4333c46-49c0-4f62-80d7-f0ef930f1c46"
ANOTHER = "+447700900907"


def code_in(answer):
    """The code of an error, whose form is checked on the way."""
    body = answer.json()
    assert set(body) == {"status", "code", "message"}
    assert body["status"] == answer.status_code
    assert body["message"]
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"
    return body["code"]


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


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer made-up",
        "Bearer \xe9\0",
        "Bearer " + "n" * 5000,
        "Basic {}",
        "Bearer {} {}",
        "{}",
    ],
    ids=lambda value: str(value)[:30],
)
@pytest.mark.parametrize("path", [VERIFY, SHARE, SIM_SWAP])
def test_without_a_token_that_lives_the_answer_is_401(client, path, authorization):
    token = token_of(client)
    headers = {}
    if authorization is not None:
        headers = {"authorization": authorization.format(token, token)}

    answer = client.post(path, {}, content_type="application/json", headers=headers)

    assert answer.status_code == 401
    assert code_in(answer) == "UNAUTHENTICATED"
    assert answer["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert ask(client, token).status_code == 200


@pytest.mark.parametrize(("seconds", "status"), [(299, 200), (301, 401)])
def test_a_token_lives_five_minutes(client, seconds, status):
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        token = token_of(client)
        clock.shift(seconds)

        assert ask(client, token).status_code == status


def test_of_twenty_at_once_one_is_answered(client):
    token, start = token_of(client), Barrier(20)

    def present(_):
        start.wait()
        return ask(Client(), token).status_code

    with ThreadPoolExecutor(20) as pool:
        statuses = sorted(pool.map(present, range(20)))

    assert statuses == [200] + [401] * 19


class Call:
    """A call that may be wrong in several ways at once."""

    def __init__(self, client):
        self.client = client
        self.token = token_of(client)
        self.method, self.path = "POST", VERIFY
        self.correlator, self.content_type = UUID, "application/json"
        self.body = '{"phoneNumber": "+447700900123"}'

    def send(self):
        return self.client.generic(
            self.method,
            self.path,
            self.body,
            content_type=self.content_type,
            headers={
                "authorization": f"Bearer {self.token}",
                "x-correlator": self.correlator,
            },
        )


# What may be wrong, in the order in which it is looked at.
WRONG = [
    ({"token": "made-up"}, 401, "UNAUTHENTICATED"),
    ({"correlator": "not good"}, 400, "INVALID_ARGUMENT"),
    ({"path": SHARE}, 403, "PERMISSION_DENIED"),
    ({"method": "PUT"}, 405, "METHOD_NOT_ALLOWED"),
    ({"content_type": "text/plain"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    ({"body": '{"phoneNumber": "none"}'}, 400, "INVALID_ARGUMENT"),
]


@pytest.mark.parametrize("first", range(len(WRONG)))
def test_of_several_things_that_are_wrong_the_first_is_told(client, first):
    call = Call(client)
    for changes, _, _ in WRONG[first:]:
        for name, value in changes.items():
            setattr(call, name, value)

    answer = call.send()

    _, status, code = WRONG[first]
    assert answer.status_code == status
    assert code_in(answer) == code


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong[2])
def test_whatever_is_wrong_spends_the_token(client, wrong):
    changes, _, _ = wrong
    call, good = Call(client), Call(client)
    good.token = call.token
    for name, value in changes.items():
        setattr(call, name, value)

    call.send()

    assert good.send().status_code == (200 if "token" in changes else 401)


def test_who_wrote_a_number_down_is_told_so_before_the_method_and_the_body(client):
    scope = "dpv:ServiceProvision number-verification:verify"
    call = Call(client)
    call.token = exchange(client, f"tel:{NUMBER}", scope).json()["access_token"]
    call.method, call.body = "PUT", "{"

    answer = call.send()

    assert answer.status_code == 403
    assert code_in(answer).startswith("NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY")


@pytest.mark.parametrize("scope", ["openid", "own"])
def test_a_scope_opens_its_own_api_alone(client, scope):
    token = own_token(client) if scope == "own" else token_of(client)

    answer = share(client, token)

    assert answer.status_code == 403
    assert code_in(answer) == "PERMISSION_DENIED"
    assert answer["WWW-Authenticate"] == (
        'Bearer error="insufficient_scope", '
        'scope="number-verification:device-phone-number:read"'
    )


@pytest.mark.parametrize("correlator", [UUID, "a_b-c:;./<>{}", "c" * 256])
@pytest.mark.parametrize("token", ["good", "bad"])
def test_a_good_correlator_comes_back_with_every_answer(client, correlator, token):
    token = token_of(client) if token == "good" else "bad"

    answer = ask(client, token, **{"x-correlator": correlator})

    assert answer["x-correlator"] == correlator


@pytest.mark.parametrize(
    "correlator",
    ["a b", "a^b", "a,b", "c" * 257, "a\n", "\n", "é", "\xb2", "a\0", "a%20b", "a=b"],
    ids=lambda value: repr(value)[:20],
)
def test_a_bad_correlator_is_400_and_never_echoed(client, correlator):
    answer = ask(client, token_of(client), **{"x-correlator": correlator})

    assert answer.status_code == 400
    assert code_in(answer) == "INVALID_ARGUMENT"
    assert "x-correlator" not in answer


@pytest.mark.parametrize("headers", [{}, {"x-correlator": ""}], ids=str)
def test_a_correlator_is_not_needed(client, headers):
    answer = ask(client, token_of(client), **headers)

    assert answer.status_code == 200
    assert "x-correlator" not in answer


def test_a_bad_correlator_with_a_bad_token_is_401(client):
    answer = ask(client, "bad", **{"x-correlator": "a b"})

    assert answer.status_code == 401
    assert "x-correlator" not in answer


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


@pytest.mark.parametrize(
    ("content_type", "status", "code"),
    [
        ("", 400, "INVALID_ARGUMENT"),
        ("text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("application/x-www-form-urlencoded", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("application/jsonp", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("application/json; charset=utf-8", 200, None),
        ("Application/JSON", 200, None),
    ],
)
def test_a_body_says_that_it_is_json(client, content_type, status, code):
    call = Call(client)
    call.content_type = content_type

    answer = call.send()

    assert answer.status_code == status
    if code:
        assert code_in(answer) == code


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
def test_verify_is_asked_by_post_alone(client, method):
    call = Call(client)
    call.method = method

    answer = call.send()

    assert answer.status_code == 405
    assert answer["Allow"] == "POST"
    assert answer["x-correlator"] == UUID


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD"])
def test_the_number_is_read_by_get_alone(client, method):
    call = Call(client)
    call.method, call.path = method, SHARE
    call.token = token_of(client, scope=SHARE_SCOPE)

    answer = call.send()

    assert answer.status_code == 405
    assert answer["Allow"] == "GET"


def test_with_its_fault_the_operator_is_overloaded(client):
    set_handset(client, fault="503")

    answer = ask(client, token_of(client), **{"x-correlator": UUID})

    assert answer.status_code == 503
    assert code_in(answer) == "UNAVAILABLE"
    assert answer["x-correlator"] == UUID


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


def test_a_body_that_is_too_large_is_refused_in_the_same_form(client, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    answer = ask(client, token_of(client), {"phoneNumber": "+" + "1" * 1000})

    assert answer.status_code == 400
    assert code_in(answer) == "INVALID_ARGUMENT"
