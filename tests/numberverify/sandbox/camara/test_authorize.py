from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client

from tests.numberverify.sandbox import wire
from tests.numberverify.sandbox.camara_wire import (
    AUTHORIZE,
    BACK,
    BANK,
    BANK_BACK,
    CHALLENGE,
    ISSUER,
    NUMBER,
    PURPOSE,
    REQUEST,
    SCOPE,
    SHARE_SCOPE,
    ask,
    authorized,
    code_of,
    hops,
    token_of,
)
from tests.numberverify.sandbox.wire import (
    address_of,
    query_of,
    set_handset,
    without,
)

VERIFY = "number-verification:verify"


def test_a_phone_on_mobile_data_comes_back_with_code_state_and_issuer(client):
    answer = authorized(client)

    assert answer.status_code == 302
    assert address_of(answer) == BACK
    query = query_of(answer)
    assert len(query.pop("code")) >= 32
    assert query == {"state": "a state", "iss": ISSUER}


def test_the_way_back_is_at_least_two_hops_further(client):
    answers = hops(client, REQUEST)

    assert len(answers) >= 3
    assert {answer.status_code for answer in answers} == {302}
    assert {answer["Cache-Control"] for answer in answers} == {"no-store"}


def test_a_redirect_uri_keeps_the_query_it_was_registered_with(client):
    answer = authorized(client, client_id=BANK, redirect_uri=BANK_BACK)

    assert answer["Location"].startswith(f"{BANK_BACK}&code=")
    assert query_of(answer)["from"] == "operator"


@pytest.mark.parametrize(
    "changes",
    [
        {"scope": SHARE_SCOPE},
        {"scope": f"{SHARE_SCOPE} {VERIFY}"},
        {"scope": f"{VERIFY} {PURPOSE} openid"},
        {"scope": f"openid dpv:IdentityVerification {VERIFY}"},
        {"scope": f"openid dpv:RequestedServiceProvision {VERIFY}"},
        {"scope": f"openid dpv:ServiceProvision {VERIFY}"},
        {"prompt": ""},
        {"response_mode": "query"},
        {"state": "s" * 512},
        {"nonce": "n" * 512},
        {"code_challenge": "c" * 128},
        {"acr_values": "no such level"},
        {"login_hint": "tel:+46701740606"},
        {"login_hint": "nonsense"},
        {"something": "unheard of"},
    ],
    ids=str,
)
def test_what_the_profile_allows_gets_a_code(client, changes):
    assert "code" in query_of(authorized(client, **changes))


def refused(error, **changes):
    return pytest.param(changes, error, id=f"{error} {changes}"[:90])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        refused("invalid_request", response_type=""),
        refused("unsupported_response_type", response_type="token"),
        refused("unsupported_response_type", response_type="code id_token"),
        refused("invalid_scope", scope=""),
        refused("invalid_scope", scope="openid"),
        refused("invalid_scope", scope=f"openid {PURPOSE}"),
        refused("invalid_scope", scope=f"openid {VERIFY}"),
        refused("invalid_scope", scope=f"{PURPOSE} {VERIFY}"),
        refused("invalid_scope", scope=f"openid {PURPOSE}  {VERIFY}"),
        refused("invalid_scope", scope=f" {SCOPE}"),
        refused("invalid_scope", scope=f"openid {PURPOSE}\t{VERIFY}"),
        refused("invalid_scope", scope=f"{SCOPE} {PURPOSE}"),
        refused("invalid_scope", scope=f"{SCOPE} dpv:ServiceProvision"),
        refused("invalid_scope", scope=f"openid dpv:LegitimateInterest {VERIFY}"),
        refused("invalid_scope", scope=f"openid {PURPOSE.lower()} {VERIFY}"),
        refused("invalid_scope", scope=f"{SCOPE} offline_access"),
        refused("invalid_scope", scope=f"{SCOPE} profile"),
        refused("invalid_scope", scope=f"{SCOPE} sim-swap:check"),
        refused("invalid_scope", scope=f"openid {PURPOSE}#{VERIFY}"),
        refused(
            "invalid_scope", scope=f"openid {PURPOSE}#number-verification-verify-read"
        ),
        refused("invalid_request", state=""),
        refused("invalid_request", nonce=""),
        refused("invalid_request", nonce="n" * 513),
        refused("invalid_request", code_challenge=""),
        refused("invalid_request", code_challenge=CHALLENGE[1:]),
        refused("invalid_request", code_challenge="c" * 129),
        refused("invalid_request", code_challenge=CHALLENGE + "="),
        refused("invalid_request", code_challenge=CHALLENGE + "\n"),
        refused("invalid_request", code_challenge_method=""),
        refused("invalid_request", code_challenge_method="plain"),
        refused("invalid_request", code_challenge_method="s256"),
        refused("invalid_request", prompt="login"),
        refused("invalid_request", prompt="none login"),
        refused("invalid_request", prompt="consent"),
        refused("invalid_request", response_mode="form_post"),
        refused("invalid_request", response_mode="fragment"),
        refused("request_not_supported", request="a.b.c"),
        refused("request_uri_not_supported", request_uri="https://shop.example/r"),
    ],
)
def test_a_wrong_request_goes_back_with_an_error_and_no_code(client, changes, error):
    answer = authorized(client, **changes)

    assert answer.status_code == 302
    assert address_of(answer) == BACK
    query = query_of(answer)
    assert query.pop("error_description")
    assert query.pop("state", "") == changes.get("state", "a state")
    assert query == {"error": error, "iss": ISSUER}


@pytest.mark.parametrize(
    "name",
    [
        "response_type",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
    ],
)
def test_what_is_left_out_goes_back_with_an_error(client, name):
    answer = hops(client, without(REQUEST, name))[-1]

    assert address_of(answer) == BACK
    assert query_of(answer)["error"] in {"invalid_request", "invalid_scope"}
    assert query_of(answer)["iss"] == ISSUER


def test_without_a_prompt_nobody_is_shown_a_page_either(client):
    assert "code" in query_of(hops(client, without(REQUEST, "prompt"))[-1])


def test_a_state_that_is_too_long_is_an_error_and_not_echoed(client):
    answer = query_of(authorized(client, state="s" * 513))

    assert answer["error"] == "invalid_request"
    assert "state" not in answer


@pytest.mark.parametrize(
    "name", [*without(REQUEST, "client_id", "redirect_uri"), "unheard_of"]
)
def test_a_doubled_parameter_goes_back_with_an_error(client, name):
    doubled = urlencode([*REQUEST.items(), (name, "x"), (name, REQUEST.get(name, ""))])

    answer = client.get(f"{AUTHORIZE}?{doubled}")

    assert address_of(answer) == BACK
    assert query_of(answer)["error"] == "invalid_request"


@pytest.mark.parametrize(
    "query",
    [
        without(REQUEST, "client_id"),
        REQUEST | {"client_id": "nobody"},
        REQUEST | {"client_id": [REQUEST["client_id"]] * 2},
        without(REQUEST, "redirect_uri"),
        REQUEST | {"redirect_uri": BACK + "/"},
        REQUEST | {"redirect_uri": BACK + "?x=1"},
        REQUEST | {"redirect_uri": BACK.upper()},
        REQUEST | {"redirect_uri": [BACK, BACK]},
        REQUEST | {"redirect_uri": BANK_BACK},
        REQUEST | {"client_id": wire.SHOP, "redirect_uri": wire.BACK},
    ],
    ids=range(10),
)
def test_nobody_is_redirected_to_where_the_client_is_not_registered(client, query):
    answer = client.get(f"{AUTHORIZE}?{urlencode(query, doseq=True)}")

    assert answer.status_code == 400
    assert "Location" not in answer
    assert answer.json()["error"] == "invalid_request"


def test_a_client_of_this_dialect_is_unknown_to_mobile_connect(client):
    query = wire.REQUEST | {"client_id": REQUEST["client_id"], "redirect_uri": BACK}

    assert client.get(f"{wire.AUTHORIZE}?{urlencode(query)}").status_code == 400


@pytest.mark.parametrize(
    "scope",
    [
        f"openid {PURPOSE}#{VERIFY}",
        f"openid {PURPOSE}#number-verification-verify-read",
        SCOPE,
    ],
)
def test_a_client_of_old_may_write_its_scope_as_of_old(client, scope):
    answer = authorized(client, client_id=BANK, scope=scope)

    assert "code" in query_of(answer)


@pytest.mark.parametrize(
    "scope",
    [
        f"openid dpv:Unknown#{VERIFY}",
        f"openid {PURPOSE}#{VERIFY} dpv:ServiceProvision#{VERIFY}",
        f"openid {PURPOSE}#sim-swap:check",
        f"openid#{VERIFY} {PURPOSE}",
        f"openid {PURPOSE} {VERIFY}#{VERIFY}",
        f"openid {PURPOSE}#x {VERIFY}",
        f"openid {PURPOSE}#{VERIFY} {PURPOSE}#{VERIFY}",
        f"openid {PURPOSE}#",
        f"openid #{VERIFY}",
    ],
)
def test_the_old_spelling_has_rules_too(client, scope):
    answer = authorized(client, client_id=BANK, scope=scope)

    assert query_of(answer)["error"] == "invalid_scope"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"network": "wifi"}, "login_required"),
        ({"number": ""}, "login_required"),
        ({"network": "wifi", "fault": "refused"}, "login_required"),
        ({"fault": "refused"}, "access_denied"),
        ({"fault": "consent"}, "consent_required"),
    ],
    ids=str,
)
def test_what_the_operator_cannot_vouch_for_comes_back_as_an_error(
    client, fields, error
):
    set_handset(client, **fields)

    query = query_of(authorized(client))

    assert query.pop("error_description")
    assert query == {"error": error, "state": "a state", "iss": ISSUER}


def test_the_handset_counts_as_it_is_at_the_hop_through_the_network(client):
    first = client.get(f"{AUTHORIZE}?{urlencode(REQUEST)}")
    set_handset(client, network="wifi")

    second = client.get(first["Location"])

    assert query_of(second)["error"] == "login_required"


def test_a_login_hint_never_stands_in_for_the_sim(client):
    token = token_of(client, login_hint=f"tel:{NUMBER}")

    assert ask(client, token).json() == {"devicePhoneNumberVerified": False}


@pytest.mark.parametrize("hop", [1, 2])
def test_a_hop_can_be_taken_once(client, hop):
    location = hops(client, REQUEST)[hop - 1]["Location"]

    assert client.get(location).status_code == 400


@pytest.mark.parametrize("hop", [1, 2])
@pytest.mark.parametrize(("seconds", "status"), [(59, 302), (61, 400)])
def test_a_hop_waits_a_minute(client, hop, seconds, status):
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        location = client.get(f"{AUTHORIZE}?{urlencode(REQUEST)}")["Location"]
        if hop == 2:
            location = client.get(location)["Location"]
        clock.shift(seconds)

        assert client.get(location).status_code == status


@pytest.mark.parametrize("dialect", [wire, None], ids=["mobile connect", "camara"])
def test_the_tickets_of_one_dialect_do_not_open_the_other(client, dialect):
    if dialect:
        first = client.get(f"{wire.AUTHORIZE}?{urlencode(wire.REQUEST)}")
        path = AUTHORIZE
    else:
        first = client.get(f"{AUTHORIZE}?{urlencode(REQUEST)}")
        path = wire.AUTHORIZE
    ticket = first["Location"].rpartition("/")[2]

    assert client.get(f"{path}/network/{ticket}").status_code == 400


@pytest.mark.parametrize("method", ["post", "put", "head", "options", "delete"])
def test_authorize_is_asked_by_get_alone(method):
    stranger = Client(enforce_csrf_checks=True)

    answer = getattr(stranger, method)(f"{AUTHORIZE}?{urlencode(REQUEST)}")

    assert answer.status_code == 405
    assert answer["Allow"] == "GET"


def test_with_its_fault_the_way_back_names_another_issuer(client):
    set_handset(client, fault="wrong_iss")

    query = query_of(authorized(client))

    assert query["code"]
    assert query["iss"] not in {"", ISSUER}


def test_mobile_connect_names_no_issuer_whatever_the_fault(client):
    set_handset(client, fault="wrong_iss")

    assert "iss" not in query_of(wire.authorized(client))


def test_each_code_is_another_one(client):
    assert len({code_of(client) for _ in range(5)}) == 5
