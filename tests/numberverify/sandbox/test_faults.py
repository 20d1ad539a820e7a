import time

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.numberverify.sandbox.wire import (
    JWKS,
    OTHER_HASH,
    ask,
    authorized,
    buy,
    code_of,
    query_of,
    set_handset,
    token_of,
)


def id_token_of(client, answer):
    keys = KeySet.import_key_set(client.get(JWKS).json())
    return jwt.decode(answer.json()["id_token"], keys).claims


@pytest.mark.parametrize(
    ("fault", "error"),
    [("refused", "access_denied"), ("consent", "consent_required")],
)
def test_a_refusal_comes_back_in_place_of_the_code(client, fault, error):
    set_handset(client, fault=fault)

    query = query_of(authorized(client))

    assert query["error"] == error
    assert query["state"] == "a state"
    assert "code" not in query


def test_on_wifi_the_network_is_not_seen_whatever_the_fault(client):
    set_handset(client, fault="refused", network="wifi")

    assert query_of(authorized(client))["error"] == "login_required"


def test_token_error_refuses_the_code(client):
    set_handset(client, fault="token_error")

    answer = buy(client, code_of(client))

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"


def test_503_comes_from_the_match_alone(client):
    set_handset(client, fault="503")

    answer = ask(client, token_of(client))

    assert answer.status_code == 503
    assert answer.json()["error"] == "temporarily_unavailable"


@pytest.mark.parametrize("claims", [None, {"device_msisdn_hash": OTHER_HASH}])
def test_malformed_answers_with_text(client, claims):
    set_handset(client, fault="malformed")

    answer = ask(client, token_of(client), claims)

    assert answer.status_code == 200
    assert answer.json()["device_msisdn_verified"] == "true"


def test_wrong_nonce_is_well_signed_all_the_same(client):
    set_handset(client, fault="wrong_nonce")

    claims = id_token_of(client, buy(client, code_of(client, nonce="mine")))

    assert claims["nonce"] not in {"mine", ""}


def test_wrong_sub_is_that_of_somebody_else(client):
    set_handset(client, fault="wrong_sub")
    bought = buy(client, code_of(client))

    answer = ask(client, bought.json()["access_token"])

    assert answer.json()["sub"] != id_token_of(client, bought)["sub"]
    assert answer.json()["device_msisdn_verified"] is True


def test_slow_waits_and_then_says_the_truth(client, settings):
    settings.SANDBOX_SLOW_SECONDS = 0.2
    set_handset(client, fault="slow")
    token = token_of(client)

    began = time.monotonic()
    answer = ask(client, token)

    assert time.monotonic() - began >= 0.2
    assert answer.json()["device_msisdn_verified"] is True


def test_slow_is_fifteen_seconds_unless_told_otherwise(client, settings, monkeypatch):
    del settings.SANDBOX_SLOW_SECONDS
    waited = []
    monkeypatch.setattr(time, "sleep", waited.append)
    set_handset(client, fault="slow")

    ask(client, token_of(client))

    assert waited == [15.0]


def test_without_a_fault_nobody_waits(client, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("waited"))

    assert ask(client, token_of(client)).status_code == 200


def test_a_fault_travels_with_the_code_not_with_the_browser(client):
    set_handset(client, fault="503")
    broken = token_of(client)
    set_handset(client, fault="")
    whole = token_of(client)

    assert ask(client, broken).status_code == 503
    assert ask(client, whole).status_code == 200
