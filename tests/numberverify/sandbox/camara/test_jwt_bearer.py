from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import time_machine
from django.test import Client

from tests.numberverify.sandbox.camara_wire import (
    BANK,
    JWT_BEARER,
    NUMBER,
    OPERATOR_TOKEN,
    PURPOSE,
    SHOP,
    SIBLINGS,
    SIM_SWAP,
    STRANGE_KEY,
    TOKEN_ENDPOINT,
    ask,
    assertion,
    authenticated,
    exchange,
    operator_token_of,
    post,
    share,
)
from tests.numberverify.sandbox.wire import set_handset

VERIFY = f"{PURPOSE} number-verification:verify"
TEL = f"tel:{NUMBER}"


def test_the_phone_hands_an_app_a_token_of_its_sim(client):
    answer = client.post(OPERATOR_TOKEN)

    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    body = answer.json()
    assert body.pop("operator_token").replace("-", "").replace("_", "").isalnum()
    assert body == {"expires_in": 300}


def test_without_a_sim_there_is_none(client):
    set_handset(client, number="")

    answer = client.post(OPERATOR_TOKEN)

    assert answer.status_code == 409
    assert answer.json()["error"] == "no_sim"


def test_an_app_has_no_csrf_token_and_no_reason_to_get():
    app = Client(enforce_csrf_checks=True)

    assert app.post(OPERATOR_TOKEN).status_code == 200
    assert app.get(OPERATOR_TOKEN).status_code == 405
    assert app.post(OPERATOR_TOKEN.rstrip("/")).status_code == 404


@pytest.mark.parametrize("network", ["wifi", "mobile"])
def test_the_sim_proves_its_number_over_any_network(client, network):
    set_handset(client, number=NUMBER, network=network)

    answer = exchange(client, f"operatortoken:{operator_token_of(client)}")

    assert answer.status_code == 200
    body = answer.json()
    token = body.pop("access_token")
    assert body == {"token_type": "Bearer", "expires_in": 300, "scope": VERIFY}
    assert ask(client, token).json() == {"devicePhoneNumberVerified": True}


def test_a_number_that_was_written_down_proves_nothing(client):
    token = exchange(client, TEL).json()["access_token"]

    answer = ask(client, token)

    assert answer.status_code == 403
    assert (
        answer.json()["code"]
        == "NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK"
    )
    assert answer["WWW-Authenticate"].startswith("Bearer error=")


def test_nor_is_it_handed_out(client):
    scope = f"{PURPOSE} number-verification:device-phone-number:read"
    token = exchange(client, TEL, scope).json()["access_token"]

    assert share(client, token).status_code == 403


def test_a_number_that_was_written_down_names_the_line_for_the_siblings(client):
    token = exchange(client, TEL, f"{PURPOSE} {SIBLINGS}").json()["access_token"]

    assert ask(client, token, {}, SIM_SWAP).json() == {"swapped": False}


def test_an_operator_token_is_good_once(client):
    sub = f"operatortoken:{operator_token_of(client)}"

    assert exchange(client, sub).status_code == 200
    answer = exchange(client, sub)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"


def test_of_twenty_at_once_one_gets_the_token(client):
    sub, start = f"operatortoken:{operator_token_of(client)}", Barrier(20)

    def present(_):
        start.wait()
        return exchange(Client(), sub).status_code

    with ThreadPoolExecutor(20) as pool:
        statuses = sorted(pool.map(present, range(20)))

    assert statuses == [200] + [400] * 19


@pytest.mark.parametrize(("seconds", "status"), [(299, 200), (301, 400)])
def test_an_operator_token_lives_five_minutes(client, seconds, status):
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        sub = f"operatortoken:{operator_token_of(client)}"
        clock.shift(seconds)

        assert exchange(client, sub).status_code == status


@pytest.mark.parametrize(
    "sub",
    [
        "operatortoken:made-up",
        "operatortoken:",
        "tel:46701740605",
        "tel:+46 70 174 06 05",
        f"tel:{NUMBER}\n",
        "tel:+4670174060٥",
        "tel:",
        "tel",
        NUMBER,
        f"TEL:{NUMBER}",
        SHOP,
        "ipport:203.0.113.7:443",
        "vp_token:x",
    ],
)
def test_a_subscriber_that_nobody_knows_is_an_invalid_grant(client, sub):
    answer = exchange(client, sub)

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "changes",
    [
        {"sub": None},
        {"sub": 7},
        {"sub": [TEL]},
        {"scope": None},
        {"scope": [VERIFY]},
        {"iat": None},
        {"exp": None},
        {"jti": None},
        {"iss": None},
        {"iss": BANK},
        {"aud": None},
        {"aud": [TOKEN_ENDPOINT]},
        {"aud": "http://testserver/sandbox/camara"},
        {"iat": 1_800_000_060},
        {"exp": 1_800_000_301},
        {"exp": 1_800_000_000},
        {"iat": 1_799_999_800, "exp": 1_800_000_200},
        {"key": STRANGE_KEY},
        {"header": {"kid": "gone"}},
    ],
    ids=lambda changes: str(changes).partition(" object")[0],
)
def test_an_assertion_that_does_not_hold_is_an_invalid_grant(client, changes):
    with time_machine.travel(1_800_000_000, tick=False):
        answer = exchange(client, **{"sub": TEL, "scope": VERIFY, **changes})

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"


def test_an_assertion_is_good_once(client):
    form = {"grant_type": JWT_BEARER, "assertion": assertion(sub=TEL, scope=VERIFY)}

    assert post(client, form).status_code == 200
    answer = post(client, form)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "scope",
    [
        "number-verification:verify",
        PURPOSE,
        f"openid {VERIFY}",
        f"{VERIFY} offline_access",
        f"{VERIFY} dpv:ServiceProvision",
        "dpv:LegitimateInterest number-verification:verify",
        f"{PURPOSE}#number-verification:verify",
    ],
)
def test_the_scope_has_one_purpose_and_no_id_token(client, scope):
    answer = exchange(client, TEL, scope)

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_scope"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": VERIFY}, "invalid_request"),
        ({"scope": ""}, "invalid_request"),
        (authenticated({}, "x"), "invalid_request"),
        ({"assertion": ""}, "invalid_request"),
        ({"assertion": ["a", "b"]}, "invalid_request"),
        ({"assertion": "a.b.c"}, "invalid_grant"),
        ({"client_id": BANK}, "invalid_grant"),
    ],
    ids=str,
)
def test_a_form_that_does_not_fit_is_400(client, changes, error):
    form = {"grant_type": JWT_BEARER, "assertion": assertion(sub=TEL, scope=VERIFY)}

    answer = post(client, form | changes)

    assert answer.status_code == 400
    assert answer.json()["error"] == error


def test_a_client_id_that_agrees_may_be_sent_along(client):
    signed = assertion(sub=TEL, scope=VERIFY)
    form = {"grant_type": JWT_BEARER, "assertion": signed, "client_id": SHOP}

    assert post(client, form).status_code == 200


def test_what_does_not_fit_spends_no_operator_token(client):
    sub = f"operatortoken:{operator_token_of(client)}"

    exchange(client, sub, scope=PURPOSE)

    assert exchange(client, sub).status_code == 200


@pytest.mark.parametrize("fault", ["refused", "consent", "token_error"])
def test_a_refusal_of_the_operator_is_an_invalid_grant(client, fault):
    set_handset(client, fault=fault)

    answer = exchange(client, f"operatortoken:{operator_token_of(client)}")

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"


def test_a_fault_travels_with_the_operator_token(client):
    set_handset(client, fault="503")
    sub = f"operatortoken:{operator_token_of(client)}"
    set_handset(client, fault="")

    token = exchange(client, sub).json()["access_token"]

    assert ask(client, token).status_code == 503
