from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import time_machine
from django.test import Client
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.numberverify.sandbox.wire import (
    HASH,
    JWKS,
    MATCH,
    NUMBER,
    OTHER_HASH,
    ask,
    buy,
    code_of,
    set_handset,
    token_of,
)

PLAIN = "openid mc_vm_match"


@pytest.mark.parametrize(
    ("scope", "claims", "verified"),
    [
        ("openid mc_vm_match_hash", {"device_msisdn_hash": HASH}, True),
        ("openid mc_vm_match_hash", {"device_msisdn_hash": HASH.upper()}, True),
        ("openid mc_vm_match_hash", {"device_msisdn_hash": OTHER_HASH}, False),
        (PLAIN, {"device_msisdn": NUMBER}, True),
        (PLAIN, {"device_msisdn": "+447700900124"}, False),
        (PLAIN, {"device_msisdn": NUMBER[:-1]}, False),
    ],
)
def test_the_answer_is_whether_the_sim_has_that_number(client, scope, claims, verified):
    answer = ask(client, token_of(client, scope=scope), claims)

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"
    assert set(answer.json()) == {"sub", "device_msisdn_verified"}
    assert answer.json()["device_msisdn_verified"] is verified


def test_another_sim_in_the_handset_is_another_number(client):
    set_handset(client, number="+44 7700 900907")

    token = token_of(client)

    answer = ask(client, token, {"device_msisdn_hash": OTHER_HASH})
    assert answer.json()["device_msisdn_verified"] is True


def test_a_new_sim_after_the_hop_changes_nothing(client):
    token = token_of(client)
    set_handset(client, number="+447700900907")

    assert ask(client, token).json()["device_msisdn_verified"] is True


def test_the_subject_is_that_of_the_id_token(client):
    bought = buy(client, code_of(client)).json()
    keys = KeySet.import_key_set(client.get(JWKS).json())
    claims = jwt.decode(bought["id_token"], keys).claims

    answer = ask(client, bought["access_token"])

    assert answer.json()["sub"] == claims["sub"]


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param(None, id="none"),
        pytest.param("", id="empty"),
        pytest.param("Bearer", id="no token"),
        pytest.param("Bearer ", id="empty token"),
        pytest.param("Bearer made-up", id="unknown"),
        pytest.param("Bearer \xe9\0", id="not ASCII"),
        pytest.param("Bearer " + "n" * 5000, id="long"),
        pytest.param("Basic {}", id="another scheme"),
        pytest.param("Bearer {} {}", id="two tokens"),
        pytest.param("{}", id="no scheme"),
    ],
)
def test_without_a_token_that_lives_the_answer_is_401(client, authorization):
    token = token_of(client)
    headers = {}
    if authorization is not None:
        headers = {"authorization": authorization.format(token, token)}

    answer = client.post(MATCH, {}, content_type="application/json", headers=headers)

    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_token"
    assert answer["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert ask(client, token).status_code == 200


def test_a_code_is_no_token(client):
    assert ask(client, code_of(client)).status_code == 401


def test_a_token_answers_once(client):
    token = token_of(client)

    assert ask(client, token).status_code == 200
    assert ask(client, token).status_code == 401


def test_a_wrong_body_spends_the_token_too(client):
    token = token_of(client)

    assert ask(client, token, {"device_msisdn_hash": "short"}).status_code == 400
    assert ask(client, token).status_code == 401


def test_of_twenty_at_once_one_is_answered(client):
    token, start = token_of(client), Barrier(20)

    def present(_):
        start.wait()
        return ask(Client(), token).status_code

    with ThreadPoolExecutor(20) as pool:
        statuses = sorted(pool.map(present, range(20)))

    assert statuses == [200] + [401] * 19


@pytest.mark.parametrize(("seconds", "status"), [(299, 200), (301, 401)])
def test_a_token_lives_five_minutes(client, seconds, status):
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        token = token_of(client)
        clock.shift(seconds)

        assert ask(client, token).status_code == status


def hash_of(value):
    return f'{{"mc_claims": {{"device_msisdn_hash": {value}}}}}'


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("", id="empty"),
        pytest.param(" ", id="blank"),
        pytest.param("{", id="not JSON"),
        pytest.param(b"\xff\xfe", id="not UTF-8"),
        pytest.param("[" * 100_000, id="too deep"),
        pytest.param("null", id="null"),
        pytest.param("[]", id="list"),
        pytest.param("{}", id="no claims"),
        pytest.param('{"mc_claims": null}', id="claims null"),
        pytest.param('{"mc_claims": []}', id="claims a list"),
        pytest.param('{"mc_claims": {}}', id="claims empty"),
        pytest.param(f'{{"device_msisdn_hash": "{HASH}"}}', id="claim outside"),
        pytest.param(hash_of("null"), id="value null"),
        pytest.param(hash_of("1"), id="value a number"),
        pytest.param(hash_of(f'["{HASH}"]'), id="value a list"),
        pytest.param(hash_of('""'), id="value empty"),
        pytest.param(hash_of(f'"{HASH[1:]}"'), id="too short"),
        pytest.param(hash_of(f'"{HASH}0"'), id="too long"),
        pytest.param(hash_of(f'"{HASH}\\n"'), id="newline"),
        pytest.param(hash_of(f'"{HASH[1:]}g"'), id="not hex"),
        pytest.param(hash_of(f'"{HASH[1:]}\\ud800"'), id="half a character"),
        pytest.param(
            hash_of(f'"{HASH}", "device_msisdn": "{NUMBER}"'), id="two claims"
        ),
        pytest.param(hash_of(f'"{HASH}", "other": 1'), id="unknown claim"),
        pytest.param(
            hash_of(f'"{OTHER_HASH}", "device_msisdn_hash": "{HASH}"'), id="doubled key"
        ),
        pytest.param(
            f'{{"mc_claims": {{"device_msisdn_hash": "{HASH}"}}, "other": 1}}',
            id="unknown member",
        ),
        pytest.param(f'{{"mc_claims": {{"device_msisdn": "{NUMBER}"}}}}', id="plain"),
    ],
)
def test_a_body_that_does_not_fit_is_400(client, body):
    answer = client.post(
        MATCH,
        body,
        content_type="application/json",
        headers={
            "authorization": f"Bearer {token_of(client)}",
            # The test client leaves it out of a request without a body.
            "content-type": "application/json",
        },
    )

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    "claims",
    [
        {"device_msisdn_hash": HASH},
        {"device_msisdn": NUMBER.removeprefix("+")},
        {"device_msisdn": "+44 7700 900123"},
        {"device_msisdn": "07700900123"},
        {"device_msisdn": NUMBER + "\n"},
        {"device_msisdn": "+4477009001٢3"},
        {"device_msisdn": "+1234567890123456"},
        {"device_msisdn": "+1234"},
    ],
    ids=str,
)
def test_a_plain_number_is_in_e164_form_or_400(client, claims):
    answer = ask(client, token_of(client, scope=PLAIN), claims)

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded"]
)
def test_a_body_that_is_not_called_json_is_415(client, content_type):
    answer = client.post(
        MATCH,
        hash_of(f'"{HASH}"').encode(),
        content_type=content_type,
        headers={"authorization": f"Bearer {token_of(client)}"},
    )

    assert answer.status_code == 415
    assert answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize("method", ["get", "put", "head"])
def test_the_question_is_asked_by_post_alone(client, method):
    token = token_of(client)

    answer = getattr(client, method)(
        MATCH, headers={"authorization": f"Bearer {token}"}
    )

    assert answer.status_code == 405
    assert answer["Allow"] == "POST"
    assert ask(client, token).status_code == 200


def test_without_its_slash_the_address_is_not_found_even_in_debug(client, settings):
    settings.DEBUG = True

    answer = client.post(MATCH.rstrip("/"), {}, content_type="application/json")

    assert answer.status_code == 404
