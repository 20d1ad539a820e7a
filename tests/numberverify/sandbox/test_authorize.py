from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client

from tests.numberverify.sandbox.wire import (
    AUTHORIZE,
    BACK,
    BANK,
    NUMBER,
    REQUEST,
    address_of,
    ask,
    authorized,
    buy,
    code_of,
    hops,
    query_of,
    set_handset,
    token_of,
    without,
)


def test_a_phone_on_mobile_data_comes_back_with_a_code_and_its_state(client):
    answer = authorized(client)

    assert answer.status_code == 302
    assert address_of(answer) == BACK
    query = query_of(answer)
    assert query.pop("code")
    assert query == {"state": "a state"}


def test_the_way_back_is_at_least_two_hops_further(client):
    answers = hops(client, REQUEST)

    assert len(answers) >= 3
    assert {answer.status_code for answer in answers} == {302}
    assert {answer["Cache-Control"] for answer in answers} == {"no-store"}


def test_a_correlation_id_is_echoed(client):
    assert query_of(authorized(client, correlation_id="c-1"))["correlation_id"] == "c-1"


def test_a_redirect_uri_keeps_the_query_it_was_registered_with(client):
    redirect_uri = "https://bank.example/back?from=operator"

    answer = authorized(client, client_id=BANK, redirect_uri=redirect_uri)

    assert answer["Location"].startswith(f"{redirect_uri}&code=")
    assert query_of(answer)["from"] == "operator"


@pytest.mark.parametrize(
    "changes",
    [
        {"scope": "openid mc_vm_match"},
        {"scope": "mc_vm_match_hash openid"},
        {"version": "mc_v1.1"},
        {"version": "mc_v2.0"},
        {"version": "mc_v2.1"},
        {"acr_values": "3 2"},
        {"prompt": "none"},
        {"prompt": "login consent"},
        {"response_mode": "query"},
        {"response_mode": ""},
        {"state": "s" * 512},
        {"login_hint": "MSISDN:447700900999"},
        {"something": "unheard of"},
    ],
    ids=str,
)
def test_what_the_profile_allows_gets_a_code(client, changes):
    assert "code" in query_of(authorized(client, **changes))


def refused(error, **changes):
    return pytest.param(changes, error, id=f"{changes} {error}"[:70])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        refused("invalid_request", response_type=""),
        refused("unsupported_response_type", response_type="token"),
        refused("unsupported_response_type", response_type="code id_token"),
        refused("invalid_request", scope=""),
        refused("invalid_request", scope="openid"),
        refused("invalid_request", scope="mc_vm_match"),
        refused("invalid_request", scope="openid mc_vm_match mc_vm_match_hash"),
        refused("invalid_request", scope="openid mc_vm_match profile"),
        refused("invalid_request", scope="openid MC_VM_MATCH"),
        refused("invalid_request", scope="openid  mc_vm_match"),
        refused("invalid_request", version=""),
        refused("invalid_request", version="mc_di_r2_v9.9"),
        refused("invalid_request", nonce=""),
        refused("invalid_request", nonce="n" * 513),
        refused("invalid_request", acr_values=""),
        refused("invalid_request", acr_values="0"),
        refused("invalid_request", acr_values="5"),
        refused("invalid_request", acr_values="2 high"),
        refused("invalid_request", acr_values="2,3"),
        refused("invalid_request", acr_values="٢"),
        refused("invalid_request", prompt="maybe"),
        refused("invalid_request", prompt="none login"),
        refused("login_required", prompt="no_seam"),
        refused("invalid_request", response_mode="form_post"),
        refused("invalid_request", response_mode="fragment"),
    ],
)
def test_a_wrong_request_goes_back_with_an_error_and_no_code(client, changes, error):
    answer = authorized(client, correlation_id="c-1", **changes)

    assert answer.status_code == 302
    assert address_of(answer) == BACK
    query = query_of(answer)
    assert query.pop("error_description")
    assert query == {"error": error, "state": "a state", "correlation_id": "c-1"}


@pytest.mark.parametrize(
    "name", ["response_type", "scope", "version", "nonce", "acr_values"]
)
def test_a_mandatory_parameter_that_is_left_out_goes_back_with_an_error(client, name):
    answer = hops(client, without(REQUEST, name))[-1]

    assert address_of(answer) == BACK
    assert query_of(answer)["error"] == "invalid_request"


@pytest.mark.parametrize("state", [None, "", "s" * 513], ids=["none", "empty", "long"])
def test_a_state_that_cannot_be_echoed_is_an_error_without_one(client, state):
    query = without(REQUEST, "state") | ({} if state is None else {"state": state})

    answer = query_of(hops(client, query)[-1])

    assert answer["error"] == "invalid_request"
    assert "state" not in answer


def test_a_correlation_id_that_is_too_long_is_an_error(client):
    answer = query_of(authorized(client, correlation_id="c" * 513))

    assert answer["error"] == "invalid_request"
    assert "correlation_id" not in answer


@pytest.mark.parametrize(
    "name", [*without(REQUEST, "client_id", "redirect_uri"), "prompt", "unheard_of"]
)
def test_a_doubled_parameter_goes_back_with_an_error(client, name):
    doubled = urlencode(
        [*REQUEST.items(), (name, REQUEST.get(name, "none")), (name, "")]
    )

    answer = client.get(f"{AUTHORIZE}?{doubled}")

    assert address_of(answer) == BACK
    assert query_of(answer)["error"] == "invalid_request"
    assert "code" not in query_of(answer)


def test_a_doubled_state_is_not_echoed(client):
    answer = client.get(f"{AUTHORIZE}?{urlencode(REQUEST)}&state=another")

    assert "state" not in query_of(answer)


@pytest.mark.parametrize(
    ("query", "description"),
    [
        (without(REQUEST, "client_id"), "client_id is invalid"),
        (REQUEST | {"client_id": "nobody"}, "client_id is invalid"),
        (REQUEST | {"client_id": ["shop", "shop"]}, "client_id is invalid"),
        (without(REQUEST, "redirect_uri"), "redirect_uri is invalid"),
        (REQUEST | {"redirect_uri": BACK + "/"}, "redirect_uri is invalid"),
        (REQUEST | {"redirect_uri": BACK + "?x=1"}, "redirect_uri is invalid"),
        (REQUEST | {"redirect_uri": BACK + "#x"}, "redirect_uri is invalid"),
        (REQUEST | {"redirect_uri": BACK.upper()}, "redirect_uri is invalid"),
        (REQUEST | {"redirect_uri": BACK + ".evil.example"}, "redirect_uri is invalid"),
        (REQUEST | {"redirect_uri": [BACK, BACK]}, "redirect_uri is invalid"),
        (
            REQUEST | {"redirect_uri": "https://bank.example/back?from=operator"},
            "redirect_uri is invalid",
        ),
    ],
)
def test_nobody_is_redirected_to_where_the_client_is_not_registered(
    client, query, description
):
    answer = client.get(f"{AUTHORIZE}?{urlencode(query, doseq=True)}")

    assert answer.status_code == 400
    assert "Location" not in answer
    assert answer.json() == {
        "error": "invalid_request",
        "error_description": description,
    }


@pytest.mark.parametrize("fields", [{"network": "wifi"}, {"number": ""}], ids=str)
def test_a_phone_that_the_network_cannot_see_must_log_in(client, fields):
    set_handset(client, **fields)

    query = query_of(authorized(client))

    assert query["error"] == "login_required"
    assert query["state"] == "a state"


def test_the_handset_counts_as_it_is_at_the_hop_through_the_network(client):
    first = client.get(f"{AUTHORIZE}?{urlencode(REQUEST)}")
    set_handset(client, network="wifi")

    second = client.get(first["Location"])

    assert query_of(second)["error"] == "login_required"


def test_a_login_hint_never_stands_in_for_the_sim(client):
    set_handset(client, number="+447700900907")

    token = token_of(client, login_hint=f"MSISDN:{NUMBER.removeprefix('+')}")

    assert ask(client, token).json()["device_msisdn_verified"] is False


@pytest.mark.parametrize("hop", [1, 2])
def test_a_hop_can_be_taken_once(client, hop):
    location = hops(client, REQUEST)[hop - 1]["Location"]

    again = client.get(location)

    assert again.status_code == 400
    assert again.json()["error"] == "invalid_request"


def test_the_ticket_of_one_hop_does_not_open_the_other(client):
    first = client.get(f"{AUTHORIZE}?{urlencode(REQUEST)}")["Location"]
    ticket = first.rpartition("/")[2]

    assert client.get(f"{AUTHORIZE}/login/{ticket}").status_code == 400


@pytest.mark.parametrize("hop", [1, 2])
@pytest.mark.parametrize(("seconds", "status"), [(59, 302), (61, 400)])
def test_a_hop_waits_a_minute(client, hop, seconds, status):
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        location = client.get(f"{AUTHORIZE}?{urlencode(REQUEST)}")["Location"]
        if hop == 2:
            location = client.get(location)["Location"]
        clock.shift(seconds)

        assert client.get(location).status_code == status


def test_two_requests_of_one_browser_do_not_meet(client):
    first = client.get(f"{AUTHORIZE}?{urlencode(REQUEST | {'state': 'one'})}")
    other = authorized(client, state="two")
    middle = client.get(first["Location"])
    last = client.get(middle["Location"])

    assert query_of(other)["state"] == "two"
    assert query_of(last)["state"] == "one"


@pytest.mark.parametrize("method", ["post", "put", "head", "options", "delete"])
def test_authorize_is_asked_by_get_alone(method):
    stranger = Client(enforce_csrf_checks=True)

    answer = getattr(stranger, method)(f"{AUTHORIZE}?{urlencode(REQUEST)}")

    assert answer.status_code == 405
    assert answer["Allow"] == "GET"


def test_looking_at_a_hop_by_head_does_not_take_it(client):
    location = client.get(f"{AUTHORIZE}?{urlencode(REQUEST)}")["Location"]
    client.head(location)

    assert client.get(location).status_code == 302


def test_each_code_is_another_one(client):
    codes = {code_of(client) for _ in range(5)}

    assert len(codes) == 5
    assert min(map(len, codes)) >= 32
    assert {buy(client, code).status_code for code in codes} == {200}
