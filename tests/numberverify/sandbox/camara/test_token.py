import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import time_machine
from django.test import Client
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.numberverify.sandbox import wire
from tests.numberverify.sandbox.camara_wire import (
    BACK,
    BANK,
    BANK_BACK,
    BANK_KEY,
    ISSUER,
    JWKS,
    NUMBER,
    PURPOSE,
    SCOPE,
    SHOP,
    SIBLINGS,
    TOKEN,
    VERIFIER,
    ask,
    assertion,
    authenticated,
    buy,
    challenge_of,
    code_of,
    own_answer,
    post,
    token_of,
)
from tests.numberverify.sandbox.wire import set_handset


def signed(client, answer):
    """The ID token, its signature checked with the keys that are published."""
    keys = KeySet.import_key_set(client.get(JWKS).json())
    return jwt.decode(answer.json()["id_token"], keys, algorithms=["RS256"])


def as_bank():
    return assertion(key=BANK_KEY, iss=BANK, sub=BANK)


def test_a_code_buys_a_token_for_five_minutes_and_none_to_renew_it(client):
    answer = buy(client, code_of(client))

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"
    body = answer.json()
    assert body.pop("access_token")
    assert body.pop("id_token")
    assert body == {"token_type": "Bearer", "expires_in": 300, "scope": SCOPE}


def test_the_id_token_says_who_when_and_for_whom(client):
    set_handset(client, number=NUMBER)
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        code = code_of(client, nonce="my-nonce")
        clock.shift(7)
        answer = buy(client, code)
    token = signed(client, answer)

    access_token = answer.json()["access_token"].encode()
    left_half = hashlib.sha256(access_token).digest()[:16]
    sub = token.claims.pop("sub")
    assert token.claims == {
        "iss": ISSUER,
        "aud": SHOP,
        "azp": SHOP,
        "iat": 1_800_000_007,
        "exp": 1_800_000_307,
        "auth_time": 1_800_000_000,
        "nonce": "my-nonce",
        "amr": ["nba"],
        "at_hash": base64.urlsafe_b64encode(left_half).decode().rstrip("="),
    }
    assert NUMBER.removeprefix("+") not in sub


def test_the_subject_is_one_per_client_and_number(client):
    def sub(client_id=SHOP, made=assertion):
        code = code_of(client, client_id=client_id)
        return signed(client, buy(client, code, made())).claims["sub"]

    first = sub()
    assert sub() == first
    assert sub(BANK, as_bank) != first
    set_handset(client, number=NUMBER)
    assert sub() != first


def test_with_its_fault_the_id_token_is_for_another_request(client):
    set_handset(client, fault="wrong_nonce")

    token = signed(client, buy(client, code_of(client)))

    assert token.claims["nonce"] not in {"", "a-nonce"}


def test_with_its_fault_the_operator_refuses_its_own_code(client):
    set_handset(client, fault="token_error")

    answer = buy(client, code_of(client))

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"


def test_a_scope_of_old_comes_back_as_it_was_asked_for(client):
    scope = f"openid {PURPOSE}#number-verification-verify-read"
    code = code_of(client, client_id=BANK, scope=scope)

    answer = buy(client, code, as_bank())

    assert answer.json()["scope"] == scope
    assert ask(client, answer.json()["access_token"]).status_code == 200


@pytest.mark.parametrize("verifier", ["v" * 43, "v" * 128, "-._~" * 11])
def test_the_verifier_has_43_to_128_characters(client, verifier):
    code = code_of(client, code_challenge=challenge_of(verifier))

    assert buy(client, code, code_verifier=verifier).status_code == 200


@pytest.mark.parametrize(
    "verifier", ["v" * 42, "v" * 129, "v" * 42 + "é", "v" * 42 + "\n"]
)
def test_a_verifier_of_another_form_is_no_proof(client, verifier):
    code = code_of(client, code_challenge=challenge_of(verifier))

    answer = buy(client, code, code_verifier=verifier)

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "unsupported_grant_type"),
        (
            {"grant_type": "urn:openid:params:grant-type:ciba"},
            "unsupported_grant_type",
        ),
        ({"code": ""}, "invalid_request"),
        ({"code": ["one", "two"]}, "invalid_request"),
        ({"redirect_uri": ""}, "invalid_request"),
        ({"code_verifier": ""}, "invalid_request"),
        ({"code_verifier": [VERIFIER, VERIFIER]}, "invalid_request"),
        ({"unheard_of": ["one", "two"]}, "invalid_request"),
        ({"code": "made-up"}, "invalid_grant"),
        ({"code": "a\0b é"}, "invalid_grant"),
        ({"redirect_uri": BACK + "/"}, "invalid_grant"),
        ({"redirect_uri": BANK_BACK}, "invalid_grant"),
        ({"code_verifier": VERIFIER[::-1]}, "invalid_grant"),
        ({"code_verifier": VERIFIER.lower()}, "invalid_grant"),
        ({"code_verifier": challenge_of(VERIFIER)}, "invalid_grant"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_wrong_request_gets_400(client, changes, error):
    answer = buy(client, **{"code": code_of(client), **changes})

    assert answer.status_code == 400
    assert answer.json()["error"] == error
    assert answer["Cache-Control"] == "no-store"


def test_in_wrong_hands_a_code_is_spent_as_well(client):
    code = code_of(client)

    assert buy(client, code, code_verifier=VERIFIER[::-1]).status_code == 400
    assert buy(client, code).status_code == 400


def test_a_code_works_for_its_own_client_alone(client):
    answer = buy(client, code_of(client), as_bank())

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(("seconds", "status"), [(59, 200), (61, 400)])
def test_a_code_lives_a_minute(client, seconds, status):
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        code = code_of(client)
        clock.shift(seconds)

        assert buy(client, code).status_code == status


def test_the_second_use_of_a_code_takes_the_token_back(client):
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        code = code_of(client)
        token = buy(client, code).json()["access_token"]
        clock.shift(200)

        assert buy(client, code).json()["error"] == "invalid_grant"
        assert ask(client, token).status_code == 401


def test_of_twenty_at_once_one_gets_the_token(client):
    code, start = code_of(client), Barrier(20)

    def present(_):
        start.wait()
        return buy(Client(), code).status_code

    with ThreadPoolExecutor(20) as pool:
        statuses = sorted(pool.map(present, range(20)))

    assert statuses == [200] + [400] * 19


def test_the_codes_and_tokens_of_one_dialect_are_unknown_to_the_other(client):
    assert wire.buy(client, code_of(client)).json()["error"] == "invalid_grant"
    assert buy(client, wire.code_of(client)).json()["error"] == "invalid_grant"
    assert wire.ask(client, token_of(client)).status_code == 401
    assert ask(client, wire.token_of(client)).status_code == 401


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "text/plain", "multipart/form-data"]
)
def test_a_body_that_is_no_form_is_refused(client, content_type):
    answer = client.post(
        TOKEN, b"grant_type=client_credentials", content_type=content_type
    )

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


def test_parameters_in_the_address_are_refused(client):
    form = authenticated({"grant_type": "client_credentials", "scope": SIBLINGS})

    answer = client.post(
        f"{TOKEN}?grant_type=client_credentials",
        form,
        content_type="application/x-www-form-urlencoded",
    )

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


def test_a_token_is_asked_for_by_post_alone(client):
    answer = client.get(TOKEN)

    assert answer.status_code == 405
    assert answer["Allow"] == "POST"


@pytest.mark.parametrize(
    "scope",
    [
        "sim-swap",
        "sim-swap:check",
        "number-recycling:check",
        "one-time-password-sms:send-validate",
        f"{PURPOSE} {SIBLINGS}",
    ],
)
def test_a_client_gets_a_token_of_its_own_for_the_siblings(client, scope):
    answer = own_answer(client, scope)

    assert answer.status_code == 200
    body = answer.json()
    assert body.pop("access_token")
    assert body == {"token_type": "Bearer", "expires_in": 300, "scope": scope}


@pytest.mark.parametrize(
    "scope",
    [
        "",
        PURPOSE,
        "number-verification:verify",
        f"{SIBLINGS} number-verification:verify",
        f"{SIBLINGS} number-verification:device-phone-number:read",
        f"openid {SIBLINGS}",
        f"{SIBLINGS} offline_access",
        f"{PURPOSE} dpv:ServiceProvision {SIBLINGS}",
        f"{SIBLINGS} sim-swap:check",
        f"{PURPOSE}#number-verification:verify",
        "sim-swap:retrieve-date",
    ],
)
def test_a_client_gets_no_more_for_itself_than_the_siblings(client, scope):
    answer = own_answer(client, scope)

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_scope"


def test_the_answers_do_not_say_that_this_is_a_sandbox(client):
    refused = buy(client, "made-up")
    answer = buy(client, code_of(client))
    claims = signed(client, answer).claims | {"iss": ""}

    told = f"{refused.headers} {refused.content!r} {answer.headers} {claims}"
    assert "sandbox" not in told.lower()


def test_a_form_without_a_client_is_401(client):
    answer = post(client, {"grant_type": "authorization_code", "code": "x"})

    assert answer.status_code == 401
