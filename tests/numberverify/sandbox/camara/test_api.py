"""What holds for each of the APIs, shown on those of Number Verification."""

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
    code_in,
    exchange,
    own_token,
    share,
    token_of,
)

UUID = "b4333c46-49c0-4f62-80d7-f0ef930f1c46"


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
            CONTENT_TYPE=self.content_type,  # with an empty body, too
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


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("text/plain", 415),
        ("application/xml", 415),
        ("", 400),
        ("application/json", 400),
    ],
)
def test_the_type_is_looked_at_before_an_empty_body(client, content_type, status):
    call = Call(client)
    call.content_type, call.body = content_type, ""

    assert call.send().status_code == status


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


def test_a_body_that_is_too_large_is_refused_in_the_same_form(client, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    answer = ask(client, token_of(client), {"phoneNumber": "+" + "1" * 1000})

    assert answer.status_code == 400
    assert code_in(answer) == "INVALID_ARGUMENT"
