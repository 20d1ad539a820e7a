"""private_key_jwt, through the grant that needs nothing else."""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from threading import Barrier

import pytest
import time_machine
from django.test import Client
from joserfc import jws, jwt

from tests.numberverify.sandbox import wire
from tests.numberverify.sandbox.camara_wire import (
    BANK,
    BANK_KEY,
    ISSUER,
    KEY,
    RSA,
    SHOP,
    SIBLINGS,
    STRANGE_KEY,
    TOKEN_ENDPOINT,
    assertion,
    authenticated,
    buy,
    claims,
    code_of,
    own_answer,
    own_token,
    post,
)

NOW = 1_800_000_000


def encoded(part):
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return urlsafe_b64encode(raw).decode().rstrip("=")


def signed_loosely(payload):
    """What a library for claims would refuse to write."""
    header = {"alg": "ES256", "kid": KEY.kid}
    return jws.serialize_compact(header, payload, KEY, algorithms=["ES256"])


def with_secret(secret):
    """An assertion signed by HS256, which a public key may be mistaken for."""
    signed = f"{encoded({'alg': 'HS256', 'kid': KEY.kid})}.{encoded(claims())}"
    mac = hmac.digest(secret, signed.encode(), sha256)
    return f"{signed}.{encoded(mac)}"


@pytest.mark.parametrize(
    ("key", "alg"),
    [(KEY, "ES256"), (RSA, "RS256"), (RSA, "PS256")],
    ids=["ES", "RS", "PS"],
)
def test_each_of_the_three_algorithms_is_good(client, key, alg):
    assert own_answer(client, signed=assertion(key=key, alg=alg)).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": NOW + 1},
        {"iat": None},
        {"iat": NOW + 5, "exp": NOW + 300},
        {"iat": NOW - 200, "exp": NOW + 100},
        {"iat": NOW + 0.5, "exp": NOW + 299.5},
        {"nbf": NOW},
        {"unheard of": [1]},
    ],
    ids=str,
)
def test_what_the_profile_allows_is_good(client, changes):
    with time_machine.travel(NOW, tick=False):
        assert own_answer(client, signed=assertion(**changes)).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": None},
        {"iss": "nobody"},
        {"iss": wire.SHOP},
        {"iss": BANK},
        {"iss": [SHOP]},
        {"iss": 7},
        {"sub": None},
        {"sub": BANK},
        {"sub": [SHOP]},
        {"aud": None},
        {"aud": [TOKEN_ENDPOINT]},
        {"aud": [TOKEN_ENDPOINT, "https://another.example"]},
        {"aud": ISSUER},
        {"aud": TOKEN_ENDPOINT + "/"},
        {"aud": TOKEN_ENDPOINT.replace("http:", "https:")},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "\ud800"},
        {"exp": None},
        {"exp": NOW},
        {"exp": NOW - 1},
        {"exp": NOW + 301},
        {"exp": NOW + 301, "iat": None},
        {"exp": str(NOW + 60)},
        {"exp": True},
        {"exp": 10**400},
        {"exp": 1e300},
        {"iat": NOW - 1},
        {"iat": NOW + 6},
        {"iat": "now"},
        {"iat": False},
        {"iat": -(10**400), "exp": NOW + 1.5},
        {"nbf": NOW + 60},
    ],
    ids=lambda changes: str(changes)[:60],
)
def test_an_assertion_that_does_not_hold_is_401(client, changes):
    with time_machine.travel(NOW, tick=False):
        answer = own_answer(
            client, signed=signed_loosely(json.dumps(claims(**changes)))
        )

    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: "", id="empty"),
        pytest.param(lambda: "a.b.c", id="not base64"),
        pytest.param(lambda: "é.\0.ü", id="not ASCII"),
        pytest.param(lambda: assertion()[:-5], id="cut"),
        pytest.param(lambda: assertion() + ".x", id="four parts"),
        pytest.param(
            lambda: f"{encoded({'alg': 'none', 'kid': KEY.kid})}.{encoded(claims())}.",
            id="alg none",
        ),
        pytest.param(lambda: with_secret(KEY.as_pem(private=False)), id="HS256 of PEM"),
        pytest.param(
            lambda: with_secret(json.dumps(KEY.as_dict(private=False)).encode()),
            id="HS256 of JWK",
        ),
        pytest.param(lambda: with_secret(b""), id="HS256 of nothing"),
        pytest.param(lambda: assertion(key=RSA, alg="RS512"), id="RS512"),
        pytest.param(lambda: assertion(key=STRANGE_KEY), id="another key, our kid"),
        pytest.param(lambda: assertion(key=BANK_KEY), id="another client's key"),
        pytest.param(lambda: assertion(header={"kid": "gone"}), id="unknown kid"),
        pytest.param(lambda: assertion(header={"kid": "shop-2"}), id="kid of RSA"),
        pytest.param(lambda: without_kid(), id="no kid"),
        pytest.param(
            lambda: f"{encoded({'alg': 'ES256', 'kid': 1})}.{encoded([])}.AA", id="list"
        ),
        pytest.param(
            lambda: f"{encoded([])}.{encoded(claims())}.AA", id="header a list"
        ),
        pytest.param(
            lambda: signed_loosely(f'{{"iss": "x", {json.dumps(claims())[1:]}'),
            id="doubled claim",
        ),
    ],
)
def test_what_is_no_assertion_of_the_client_is_401(client, make):
    answer = own_answer(client, signed=make() or "-")

    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"


def without_kid():
    return jwt.encode({"alg": "ES256"}, claims(), KEY, algorithms=["ES256"])


def test_an_assertion_is_good_once(client):
    signed = assertion()

    assert own_answer(client, signed=signed).status_code == 200
    answer = own_answer(client, signed=signed)
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"


def test_a_jti_is_good_once_whatever_else_is_new(client):
    assert own_answer(client, signed=assertion(jti="j")).status_code == 200

    again = assertion(jti="j", exp=int(time.time()) + 100, key=RSA, alg="RS256")
    assert own_answer(client, signed=again).status_code == 401


def test_a_jti_is_remembered_for_as_long_as_its_assertion_lives(client):
    with time_machine.travel(NOW, tick=False) as clock:
        signed = assertion()
        own_answer(client, signed=signed)
        clock.shift(299)

        assert own_answer(client, signed=signed).status_code == 401


def test_two_clients_may_choose_the_same_jti(client):
    own_answer(client, signed=assertion(jti="j"))

    signed = assertion(jti="j", key=BANK_KEY, iss=BANK, sub=BANK)
    assert own_answer(client, signed=signed).status_code == 200


def test_who_cannot_sign_burns_nobodys_jti(client):
    own_answer(client, signed=assertion(jti="j", key=STRANGE_KEY))

    assert own_answer(client, signed=assertion(jti="j")).status_code == 200


def test_of_twenty_equal_assertions_at_once_one_is_good():
    signed, start = assertion(), Barrier(20)

    def present(_):
        start.wait()
        return own_answer(Client(), signed=signed).status_code

    with ThreadPoolExecutor(20) as pool:
        statuses = sorted(pool.map(present, range(20)))

    assert statuses == [200] + [401] * 19


@pytest.mark.parametrize(
    "changes",
    [
        {"client_assertion_type": ""},
        {"client_assertion_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"},
        {"client_assertion": ""},
        {"client_id": BANK},
        {"client_secret": "secret"},
    ],
    ids=str,
)
def test_private_key_jwt_is_sent_as_it_is_described(client, changes):
    form = {"grant_type": "client_credentials", "scope": SIBLINGS}

    answer = post(client, authenticated(form) | changes)

    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"


def test_a_client_id_that_agrees_may_be_sent_along(client):
    assert own_answer(client, client_id=SHOP).status_code == 200


@pytest.mark.parametrize("signed", [True, False])
def test_no_secret_opens_this_door(client, signed):
    form = {"grant_type": "client_credentials", "scope": SIBLINGS}
    if signed:
        form = authenticated(form)

    answer = post(client, form, authorization=wire.basic())

    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"


def test_no_assertion_opens_the_other_door(client):
    answer = wire.buy(
        client, wire.code_of(client), authorization=wire.basic(SHOP, secret="")
    )

    assert answer.status_code == 401


def test_who_is_not_authenticated_spends_no_code(client):
    code = code_of(client)

    assert buy(client, code, assertion(key=STRANGE_KEY)).status_code == 401
    assert buy(client, code).status_code == 200


def test_a_server_needs_no_csrf_token():
    assert own_token(Client(enforce_csrf_checks=True))
