"""The whole leg against an operator over HTTP, and exactly what we send it."""

import base64
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlsplit

import pytest

from numberverify.errors import OperatorRefused
from numberverify.msisdn import Msisdn
from numberverify.operators.base import Answer, Question
from numberverify.operators.mobile_connect import MobileConnect
from numberverify.operators.registry import line_to
from tests.fake_operator import AUTHORIZE, JWKS, MATCH, TOKEN, Reply
from tests.numberverify.operators.conftest import BACK, NONCE, STATE

OTHER = "+447700900907"
# Copied from the protocol notes, not computed: what is hashed is under test.
HASH = "a8acc3a90a7b4e4dc65e93db9240ed26523050ef754d63b75b5161de76781436"
HASH_OF_DIGITS = "033134b911b137918338415ee3d20a064b24773d36a3b02e8b99fdd3fcd6b4cd"


@pytest.mark.parametrize("send", ["hash", "plain"])
def test_the_number_of_the_sim_matches(ask, send):
    assert ask(send=send) == Answer(True, "pcr-1")


@pytest.mark.parametrize("send", ["hash", "plain"])
def test_another_number_is_a_no_match_and_no_error(ask, send):
    assert ask(number=OTHER, send=send) == Answer(False, "pcr-1")


@pytest.mark.parametrize(
    ("changes", "claims"),
    [
        pytest.param({}, {"device_msisdn_hash": HASH}, id="hash, by default with +"),
        pytest.param(
            {"hash_input": "digits"},
            {"device_msisdn_hash": HASH_OF_DIGITS},
            id="hash of the digits",
        ),
        pytest.param({"send": "plain"}, {"device_msisdn": "+447700900123"}, id="plain"),
        pytest.param(
            {"send": "plain", "hash_input": "digits"},
            {"device_msisdn": "+447700900123"},
            id="plain keeps its +",
        ),
    ],
)
def test_the_number_goes_out_as_the_operator_wants_it(fake, ask, changes, claims):
    ask(**changes)

    (call,) = fake.calls_to(MATCH)
    assert call.json == {"mc_claims": claims}
    assert call.method == "POST"
    assert call.headers["Content-Type"] == "application/json"


def test_the_code_is_exchanged_by_body_and_with_encoded_credentials(fake, ask):
    ask()

    (call,) = fake.calls_to(TOKEN)
    (code,) = fake.nonces
    assert (call.method, call.path) == ("POST", TOKEN)
    assert call.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(call.body.decode(), strict_parsing=True) == {
        "grant_type": ["authorization_code"],
        "code": [code],
        "redirect_uri": [BACK],
    }
    # "id of ours" and "s3cret: 100%+": RFC 6749, 2.3.1 encodes before it joins.
    scheme, _, credentials = call.headers["Authorization"].partition(" ")
    assert scheme == "Basic"
    assert base64.b64decode(credentials) == b"id+of+ours:s3cret%3A+100%25%2B"


@pytest.mark.parametrize("secret", ["päss: wörd%", "a:b:c", "🔑", "+ +", "~._-"])
def test_any_secret_arrives_as_it_is(fake, ask, secret):
    ask(client_secret=secret)

    (call,) = fake.calls_to(TOKEN)
    pair = base64.b64decode(call.headers["Authorization"].split()[1]).decode("ascii")
    identifier, _, sent = pair.partition(":")
    assert (unquote_plus(identifier), unquote_plus(sent)) == ("id of ours", secret)


def test_the_match_is_asked_with_the_token_that_the_code_bought(fake, ask):
    fake.tokens = {"access_token": "the-token"}
    fake.claims = {"at_hash": None}

    ask()

    (call,) = fake.calls_to(MATCH)
    assert call.headers["Authorization"] == "Bearer the-token"


@pytest.mark.parametrize(
    ("send", "scope"),
    [("hash", "openid mc_vm_match_hash"), ("plain", "openid mc_vm_match")],
)
def test_the_authorization_url_asks_for_exactly_this(fake, read, send, scope):
    question = Question(Msisdn("+447700900123"), BACK, nonce=NONCE)

    url = MobileConnect(read(send=send)).authorization_url(question, state=STATE)

    assert url.startswith(f"{fake.base_url}{AUTHORIZE}?")
    pairs = parse_qsl(urlsplit(url).query, strict_parsing=True)
    assert sorted(pairs) == [
        ("acr_values", "2"),
        ("client_id", "id of ours"),
        ("nonce", NONCE),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("scope", scope),
        ("state", STATE),
        ("version", "mc_di_r2_v2.3"),
    ]


@pytest.mark.parametrize("send", ["hash", "plain"])
def test_neither_number_code_nor_token_is_in_any_address(fake, ask, read, send):
    fake.tokens = {"access_token": "the-token"}
    fake.claims = {"at_hash": None}

    ask(send=send)

    question = Question(Msisdn("+447700900123"), BACK, nonce=NONCE)
    url = MobileConnect(read(send=send)).authorization_url(question, state=STATE)
    (code,) = fake.nonces
    for address in [url, *(call.path for call in fake.calls)]:
        for private in ("7700900123", HASH, code, "the-token", "s3cret"):
            assert private not in address


def test_three_calls_make_a_first_verification_and_two_a_later_one(fake, ask):
    ask()
    ask()

    paths = [call.path for call in fake.calls]
    assert paths == [TOKEN, JWKS, MATCH, TOKEN, MATCH]


def test_endpoints_given_outright_win_over_the_base_address(fake, ask, read):
    fake.replies["/other/match"] = Reply(
        body={"sub": "pcr-1", "device_msisdn_verified": True}
    )
    fake.replies["/other/token"] = Reply(400, {"error": "invalid_grant"})

    assert ask(match_url=fake.base_url + "/other/match").matched
    assert not fake.calls_to(MATCH)
    settings = read(authorization_endpoint=fake.base_url + "/other/authorize")
    question = Question(Msisdn(OTHER), BACK, nonce=NONCE)
    url = MobileConnect(settings).authorization_url(question, state=STATE)
    assert urlsplit(url).path == "/other/authorize"
    with pytest.raises(OperatorRefused):
        ask(token_endpoint=fake.base_url + "/other/token")
    assert len(fake.calls_to(TOKEN)) == 1


def test_a_process_has_one_line_to_an_operator(read):
    assert line_to(read()) is line_to(read())
    assert line_to(read()) is not line_to(read(send="plain"))
