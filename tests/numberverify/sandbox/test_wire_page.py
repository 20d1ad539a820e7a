"""What the handset's page shows of the last flows, and what it never shows."""

import re
from html import unescape

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.utils.html import strip_tags

from numberverify.sandbox.handset import Fault
from numberverify.sandbox.legs import LEGS
from numberverify.sandbox.trace import COOKIE
from tests.numberverify.sandbox import camara_wire, wire
from tests.numberverify.sandbox.wire import HANDSET, NUMBER, set_handset

LONG = "a-state-that-is-long-enough-to-be-a-secret"
NONCE = "a-nonce-that-is-long-enough-to-be-a-secret"
LINE = re.compile(r"<dt><code>(.*?)</code></dt><dd><code>(.*?)</code></dd>")


def shown(browser):
    """The flows as text, newest first."""
    page = unescape(browser.get(HANDSET).content.decode())
    section = page.partition('<section id="wire"')[2].partition("</section>")[0]
    return section.split('<details class="flow"')[1:]


def exchanges(flow):
    """Method, path and status of each exchange, in their order."""
    found = re.findall(r'<p class="line">(.*?)</p>', flow)
    return [" ".join(strip_tags(line).split()) for line in found]


def match(browser, **changes):
    code = wire.code_of(browser, state=LONG, nonce=NONCE)
    token = wire.buy(browser, code, **changes).json().get("access_token")
    return code, token, wire.ask(browser, token) if token else None


def test_before_a_check_nothing_is_shown_or_stored(client):
    page = client.get(HANDSET)

    assert b"Nothing so far" in page.content
    assert COOKIE not in client.cookies


def test_what_is_cut_is_told_in_the_language_of_the_page(client):
    match(client)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"

    (flow,) = shown(client)
    assert f"{LONG[:6]}… ({len(LONG)} Zeichen)" in flow
    assert "characters" not in flow


def test_a_flow_of_mobile_connect_is_shown_step_by_step(client):
    match(client)

    (flow,) = shown(client)
    assert [line.partition(" → ")[2] for line in exchanges(flow)] == (
        ["302", "302", "302", "200", "200"]
    )
    assert exchanges(flow)[0] == f"GET {wire.AUTHORIZE} → 302"
    assert exchanges(flow)[3:] == [
        f"POST {wire.TOKEN} → 200",
        f"POST {wire.MATCH} → 200",
    ]
    assert re.findall(r"Leg (\d)", flow) == ["1", "1", "1", "2", "3"]
    lines = dict(LINE.findall(flow))
    assert lines["client_id"] == wire.SHOP
    assert lines["mc_claims / device_msisdn_hash"] == "a8acc3… (64 characters)"
    assert lines["device_msisdn_verified"] == "true"
    assert lines["id_token / amr"] == '["SEAM_OK"]'
    assert lines["SIM"] == "+44…123"
    assert "UTC</time>: match</summary>" in flow


def test_a_flow_of_camara_is_shown_with_its_assertion_and_correlator(client):
    token = camara_wire.token_of(client)
    camara_wire.ask(client, token, **{"x-correlator": "a-correlator"})

    (flow,) = shown(client)
    assert exchanges(flow)[0] == f"GET {camara_wire.AUTHORIZE} → 302"
    assert exchanges(flow)[3:] == [
        f"POST {camara_wire.TOKEN} → 200",
        f"POST {camara_wire.VERIFY} → 200",
    ]
    lines = dict(LINE.findall(flow))
    assert lines["client_assertion / alg"] == '"ES256"'
    assert lines["client_assertion / aud"] == f'"{camara_wire.TOKEN_ENDPOINT}"'
    assert lines["x-correlator"] == "a-correlator"
    assert lines["phoneNumber"] == "+46…605"
    assert lines["devicePhoneNumberVerified"] == "false"
    assert "UTC</time>: no match</summary>" in flow


def test_a_token_of_the_sim_has_a_flow_too(client):
    set_handset(client, network="wifi")
    token = camara_wire.operator_token_of(client)
    answer = camara_wire.exchange(client, f"operatortoken:{token}").json()
    camara_wire.ask(client, answer["access_token"])

    (flow,) = shown(client)
    assert [line.partition(" → ")[2] for line in exchanges(flow)] == ["200"] * 3
    assert token not in flow


def test_no_secret_of_a_flow_is_whole_on_the_page_or_in_the_cache(client, monkeypatch):
    kept = []
    monkeypatch.setattr(
        "numberverify.sandbox.trace._steps.add",
        lambda flow, step: kept.append(repr(step)),
    )
    code, token, answer = match(client)
    camara = camara_wire.code_of(client, state=LONG, nonce=NONCE)
    signed = camara_wire.assertion()
    bought = camara_wire.buy(client, camara, signed).json()
    camara_wire.ask(client, bought["access_token"])
    monkeypatch.undo()
    match(client)

    everything = " ".join(kept + shown(client))
    assert len(kept) == 10
    for secret in (
        *(code, token, LONG, NONCE, wire.SECRET, wire.basic().split()[1]),
        *(wire.HASH, NUMBER, NUMBER[1:], camara_wire.NUMBER),
        *(camara, signed, signed.rpartition(".")[2], bought["access_token"]),
        *(bought["id_token"], bought["id_token"].rpartition(".")[2]),
        *(camara_wire.VERIFIER, camara_wire.CHALLENGE, answer.json()["sub"]),
    ):
        assert secret not in everything


@pytest.mark.parametrize(
    ("fields", "ending", "steps"),
    [
        ({"network": "wifi"}, "login_required", 2),
        ({"number": ""}, "login_required", 2),
        ({"fault": "refused"}, "access_denied", 2),
        ({"fault": "token_error"}, "invalid_grant", 4),
        ({"fault": "503"}, "temporarily_unavailable", 5),
        ({"fault": "malformed"}, "an answer that is neither", 5),
        ({"number": "+447700900124"}, "no match", 5),
    ],
    ids=str,
)
def test_how_a_flow_ended_is_told(client, fields, ending, steps):
    set_handset(client, **fields)
    answer = wire.authorized(client)
    if "code=" in answer["Location"]:
        bought = wire.buy(client, wire.query_of(answer)["code"]).json()
        if token := bought.get("access_token"):
            wire.ask(client, token)

    (flow,) = shown(client)
    assert f"UTC</time>: {ending}</summary>" in flow
    assert len(exchanges(flow)) == steps
    fault = fields.get("fault", "")
    assert dict(LINE.findall(flow)).get("fault", "") == Fault(fault)


def test_a_refused_request_is_shown_too(client):
    wire.authorized(client, client_id="nobody")

    (flow,) = shown(client)
    assert exchanges(flow) == [f"GET {wire.AUTHORIZE} → 400"]
    assert "UTC</time>: invalid_request</summary>" in flow


def test_a_flow_that_was_left_says_so(client):
    wire.code_of(client)

    assert "UTC</time>: went no further</summary>" in shown(client)[0]


def test_the_last_five_flows_are_shown_newest_first(client):
    for n in range(6):
        wire.authorized(client, acr_values=f"{n}")

    levels = [dict(LINE.findall(flow))["acr_values"] for flow in shown(client)]
    assert levels == ["5", "4", "3", "2", "1"]


def test_of_the_newest_flow_alone_the_steps_are_open(client):
    wire.code_of(client)
    wire.code_of(client)

    assert [" open>" in flow.partition("\n")[0] for flow in shown(client)] == (
        [True, False]
    )


def test_a_flow_belongs_to_one_browser(client):
    match(client)

    other = Client()
    assert shown(other) == []
    match(other)
    assert len(shown(other)) == len(shown(client)) == 1


def test_the_server_of_the_site_needs_no_cookie(client):
    code = wire.code_of(client)
    server = Client()
    wire.ask(server, wire.buy(server, code).json()["access_token"])

    assert COOKIE not in server.cookies
    assert len(exchanges(shown(client)[0])) == 5


def test_a_flow_is_gone_after_an_hour(client):
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        wire.authorized(client)
        clock.shift(3599)
        assert len(shown(client)) == 1
        clock.shift(2)

        assert shown(client) == []


@pytest.mark.parametrize("cookie", ["", "x", "é\udc80", "n" * 5000])
def test_any_cookie_is_some_browser(rf, client, cookie):
    client.cookies[COOKIE] = cookie.encode("utf-8", "replace").decode()

    assert wire.authorized(client).status_code == 302
    assert client.get(HANDSET).status_code == 200


@pytest.mark.parametrize("secure", [False, True])
def test_the_cookie_is_kept_from_scripts_and_from_other_sites(client, secure):
    answer = client.get(wire.AUTHORIZE, wire.REQUEST, secure=secure)

    cookie = answer.cookies[COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert bool(cookie["secure"]) is secure
    assert cookie["max-age"] == 3600


@pytest.mark.parametrize(
    "form", ["application/json", "multipart/form-data", "text/plain", "x"]
)
def test_a_body_that_cannot_be_read_is_not_shown(client, form):
    token = wire.token_of(client)
    headers = {"authorization": f"Bearer {token}"}
    answer = client.post(wire.MATCH, b"\xff{", content_type=form, headers=headers)

    assert answer.status_code in {400, 415}

    assert ("body", "…") in LINE.findall(shown(client)[0])


def test_what_a_client_sends_is_text_and_no_markup(client):
    wire.authorized(client, acr_values="<b>2</b>")

    assert b"&lt;b&gt;2&lt;/b&gt;" in client.get(HANDSET).content


def test_a_flow_of_many_steps_stays_small(client):
    token = wire.token_of(client, correlation_id="c" * 300)
    wire.ask(client, token, {"x" * 40: "y" * 100_000})

    assert sum(map(len, shown(client))) < 20_000
    assert cache.get("anything") is None


def test_each_leg_has_its_words():
    assert {leg.number for leg in LEGS.values()} == {1, 2, 3}
    assert all(leg.words and leg.way and leg.name for leg in LEGS.values())
