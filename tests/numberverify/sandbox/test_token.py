import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.numberverify.sandbox.wire import (
    BACK,
    BANK,
    JWKS,
    NUMBER,
    SECRET,
    TOKEN,
    ask,
    basic,
    buy,
    code_of,
    set_handset,
    without,
)


def signed(client, answer):
    """The ID token, its signature checked with the keys that are published."""
    keys = KeySet.import_key_set(client.get(JWKS).json())
    return jwt.decode(answer.json()["id_token"], keys, algorithms=["RS256"])


def raw_basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_a_code_buys_a_token_that_nobody_may_keep(client):
    answer = buy(client, code_of(client))

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"
    assert answer["Pragma"] == "no-cache"
    body = answer.json()
    assert set(body) == {"access_token", "token_type", "expires_in", "id_token"}
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 300


def test_the_id_token_says_who_when_and_for_whom(client):
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        code = code_of(client, nonce="my-nonce")
        clock.shift(7)
        answer = buy(client, code)
    token = signed(client, answer)

    access_token = answer.json()["access_token"].encode()
    left_half = hashlib.sha256(access_token).digest()[:16]
    sub = token.claims.pop("sub")
    assert token.claims == {
        "iss": "http://testserver/sandbox/mobile-connect",
        "aud": ["shop"],
        "azp": "shop",
        "iat": 1_800_000_007,
        "exp": 1_800_000_307,
        "auth_time": 1_800_000_000,
        "nonce": "my-nonce",
        "acr": "2",
        "amr": ["SEAM_OK"],
        "at_hash": base64.urlsafe_b64encode(left_half).decode().rstrip("="),
    }
    assert NUMBER.removeprefix("+") not in sub


def test_the_id_token_names_a_key_that_is_published(client):
    header = signed(client, buy(client, code_of(client))).header

    published = client.get(JWKS).json()["keys"]
    assert header["alg"] == "RS256"
    assert header["kid"] in {key["kid"] for key in published}


def test_no_more_is_vouched_for_than_the_network_knows(client):
    token = signed(client, buy(client, code_of(client, acr_values="4")))

    assert token.claims["acr"] == "2"


def test_the_subject_is_one_per_client_and_number(client):
    def sub(client_id="shop", secret=SECRET):
        code = code_of(client, client_id=client_id)
        answer = buy(client, code, authorization=basic(client_id, secret))
        return signed(client, answer).claims["sub"]

    first = sub()
    assert sub() == first
    assert sub(BANK, "bank-secret") != first
    set_handset(client, number="+447700900907")
    assert sub() != first


def test_a_correlation_id_comes_back(client):
    answer = buy(client, code_of(client), correlation_id="c-1")

    assert answer.json()["correlation_id"] == "c-1"


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param(" ", id="none"),
        pytest.param("Basic", id="empty"),
        pytest.param("Basic ????", id="not base64"),
        pytest.param("Basic /w==", id="not UTF-8"),
        pytest.param("Basic \xe9", id="not ASCII"),
        pytest.param(raw_basic("shop"), id="no colon"),
        pytest.param(raw_basic(f"shop:{SECRET}"), id="not form-encoded first"),
        pytest.param(basic(secret="wrong"), id="wrong secret"),
        pytest.param(basic(secret=""), id="empty secret"),
        pytest.param(basic(secret=SECRET + " "), id="longer secret"),
        pytest.param(basic(secret="bank-secret"), id="another client's secret"),
        pytest.param(basic("nobody"), id="unknown client"),
        pytest.param(basic("", ""), id="empty client"),
        pytest.param(basic().replace("Basic", "Bearer"), id="bearer"),
    ],
)
def test_who_is_not_authenticated_gets_401_and_spends_nothing(client, authorization):
    code = code_of(client)

    answer = buy(client, code, authorization=authorization)

    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"
    assert answer["WWW-Authenticate"].startswith("Basic ")
    assert buy(client, code).status_code == 200


def test_the_name_of_the_scheme_is_written_either_way(client):
    authorization = basic().replace("Basic", "bAsIc")

    answer = buy(client, code_of(client), authorization=authorization)

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": ["authorization_code", "x"]}, "invalid_request"),
        ({"code": ""}, "invalid_request"),
        ({"code": ["one", "two"]}, "invalid_request"),
        ({"redirect_uri": ""}, "invalid_request"),
        ({"redirect_uri": [BACK, BACK]}, "invalid_request"),
        ({"unheard_of": ["one", "two"]}, "invalid_request"),
        ({"code": "made-up"}, "invalid_grant"),
        ({"code": "n" * 5000}, "invalid_grant"),
        ({"code": "a\0b é"}, "invalid_grant"),
        ({"redirect_uri": BACK + "/"}, "invalid_grant"),
        ({"redirect_uri": "https://bank.example/back?from=operator"}, "invalid_grant"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_wrong_request_gets_400(client, changes, error):
    answer = buy(client, **{"code": code_of(client), **changes})

    assert answer.status_code == 400
    assert answer.json()["error"] == error
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("moved", ["code", "correlation_id"])
def test_parameters_in_the_address_are_refused(client, moved):
    form = {
        "grant_type": "authorization_code",
        "code": code_of(client),
        "redirect_uri": BACK,
        "correlation_id": "c-1",
    }

    answer = client.post(
        f"{TOKEN}?{urlencode({moved: form[moved]})}",
        urlencode(without(form, moved)),
        content_type="application/x-www-form-urlencoded",
        headers={"authorization": basic()},
    )

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "text/plain", "multipart/form-data"]
)
def test_a_body_that_is_no_form_is_refused(client, content_type):
    form = f"grant_type=authorization_code&code={code_of(client)}&redirect_uri={BACK}"

    answer = client.post(
        TOKEN,
        form.encode(),
        content_type=content_type,
        headers={"authorization": basic()},
    )

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


def test_a_code_works_for_its_own_client_alone(client):
    answer = buy(client, code_of(client), authorization=basic(BANK, "bank-secret"))

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(("seconds", "status"), [(59, 200), (61, 400)])
def test_a_code_lives_a_minute(client, seconds, status):
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        code = code_of(client)
        clock.shift(seconds)

        assert buy(client, code).status_code == status


def test_a_code_is_spent_once_and_the_second_use_takes_the_token_back(client):
    code = code_of(client)
    access_token = buy(client, code).json()["access_token"]

    again = buy(client, code)

    assert again.status_code == 400
    assert again.json()["error"] == "invalid_grant"
    assert ask(client, access_token).status_code == 401


def test_a_late_second_use_takes_the_token_back_too(client):
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        code = code_of(client)
        access_token = buy(client, code).json()["access_token"]
        clock.shift(200)
        buy(client, code)

        assert ask(client, access_token).status_code == 401


def test_a_made_up_code_takes_no_token_back(client):
    access_token = buy(client, code_of(client)).json()["access_token"]

    buy(client, "made-up")

    assert ask(client, access_token).status_code == 200


def test_of_twenty_at_once_one_gets_the_token_and_loses_it_again(client):
    code, start = code_of(client), Barrier(20)

    def present(_):
        start.wait()
        return buy(Client(), code)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(present, range(20)))

    winners = [answer for answer in answers if answer.status_code == 200]
    assert len(winners) == 1
    assert ask(client, winners[0].json()["access_token"]).status_code == 401


def test_a_token_is_asked_for_by_post_alone(client):
    answer = client.get(TOKEN, headers={"authorization": basic()})

    assert answer.status_code == 405
    assert answer["Allow"] == "POST"
    assert answer.json()["error"] == "invalid_request"


def test_a_server_needs_no_csrf_token():
    browserless = Client(enforce_csrf_checks=True)

    assert buy(browserless, "made-up").json()["error"] == "invalid_grant"


def test_the_answers_do_not_say_that_this_is_a_sandbox(client):
    refused = buy(client, "made-up", authorization=basic("nobody"))
    answer = buy(client, code_of(client))
    claims = signed(client, answer).claims | {"iss": ""}

    told = f"{refused.headers} {refused.content!r} {answer.headers} {claims}"
    assert "sandbox" not in told.lower()
