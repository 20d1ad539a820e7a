"""A token of the SIM itself (TS.43), spent by the JWT bearer grant."""

import time
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import RSAKey

from numberverify.errors import (
    BadIdToken,
    InsufficientScope,
    MalformedAnswer,
    NotOnMobileNetwork,
    OperatorError,
    OperatorRefused,
    OperatorTokenRefused,
)
from numberverify.operators.base import Answer, OperatorToken
from tests.fake_camara import CLIENT_KEY, DISCOVERY, JWKS, TOKEN, VERIFY, claims_of
from tests.fake_operator import FakeOperator, Reply
from tests.numberverify.operators.test_id_token import BAD_CLAIMS

TOKEN_OF_SIM = OperatorToken("an-operator-token")
OTHER = "+447700900907"
FORGED = RSAKey.generate_key(2048, {"kid": "fake-1"})
MAX_LENGTH = 4096


def with_id_token(fake, **claims) -> None:
    """Let an ID token come along, which the grant does not promise."""
    fake.claims = {"at_hash": None, "nonce": None} | claims
    fake.tokens = {"id_token": fake.id_token("unused", "unused")}


def test_a_match_and_no_match(ask):
    assert ask(brought=TOKEN_OF_SIM) == Answer(True, "")
    assert ask(number=OTHER, brought=TOKEN_OF_SIM) == Answer(False, "")


def test_the_grant_is_an_assertion_and_nothing_else(fake, ask):
    """The profile: no scope in the form, and the assertion itself authenticates us."""
    ask(brought=TOKEN_OF_SIM)

    (call,) = fake.calls_to(TOKEN)
    form = parse_qs(call.body.decode(), strict_parsing=True)
    assert set(form) == {"grant_type", "assertion"}
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    assert (call.method, call.path) == ("POST", TOKEN)
    assert "Authorization" not in call.headers


def test_the_assertion_names_us_the_token_and_what_it_is_for(fake, ask):
    began = int(time.time())
    ask(brought=TOKEN_OF_SIM)

    (call,) = fake.calls_to(TOKEN)
    token = jwt.decode(call.form["assertion"], CLIENT_KEY, algorithms=["ES256"])
    claims = token.claims
    assert set(claims) == {"iss", "sub", "aud", "exp", "iat", "jti", "scope"}
    assert claims["iss"] == "id of ours"
    assert claims["sub"] == "operatortoken:an-operator-token"
    assert claims["aud"] == fake.base_url + TOKEN
    assert claims["scope"] == (
        "dpv:FraudPreventionAndDetection number-verification:verify"
    )
    assert claims["iat"] <= began < claims["exp"] <= began + 300
    assert claims["exp"] - claims["iat"] <= 300
    assert token.header["kid"] == CLIENT_KEY.thumbprint()


def test_each_assertion_is_a_new_one(fake, ask):
    for _ in range(3):
        ask(brought=TOKEN_OF_SIM)

    calls = fake.calls_to(TOKEN)
    assert len({claims_of(call.form["assertion"])["jti"] for call in calls}) == 3


@pytest.mark.parametrize(
    ("scope", "asked"),
    [
        ("dpv:A openid number-verification:verify", "dpv:A number-verification:verify"),
        ("openid dpv:A#number-verification:verify", "dpv:A#number-verification:verify"),
    ],
)
def test_the_scope_is_the_tables_without_openid(fake, ask, scope, asked):
    ask(brought=TOKEN_OF_SIM, scope=scope)

    (call,) = fake.calls_to(TOKEN)
    assert claims_of(call.form["assertion"])["scope"] == asked


def test_two_calls_after_the_description_and_the_reference_goes_along(fake, ask):
    fake.tokens = {"access_token": "the-token"}
    ask(brought=TOKEN_OF_SIM)

    assert [call.path for call in fake.calls] == [DISCOVERY, TOKEN, VERIFY]
    (call,) = fake.calls_to(VERIFY)
    assert call.json == {"phoneNumber": "+447700900123"}
    assert call.headers["x-correlator"] == "c-1"
    assert call.headers["Authorization"] == "Bearer the-token"


def test_a_key_beside_a_secret_signs_the_assertion(fake, ask):
    basic = {"client_auth": "client_secret_basic", "client_secret": "s3cret"}

    assert ask(brought=TOKEN_OF_SIM, **basic).matched
    (call,) = fake.calls_to(TOKEN)
    assert "Authorization" not in call.headers


def test_a_token_of_no_sim_is_refused(fake, ask):
    with pytest.raises(OperatorRefused) as caught:
        ask(brought=OperatorToken("made-up"))

    assert caught.value.said == "invalid_grant"
    assert not fake.calls_to(VERIFY)


def test_the_api_may_say_that_no_sim_stood_behind_it(fake, ask):
    code = "NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK"
    fake.replies[VERIFY] = Reply(403, {"code": code})

    with pytest.raises(NotOnMobileNetwork):
        ask(brought=TOKEN_OF_SIM)


def test_without_the_scope_nothing_is_asked(fake, ask):
    fake.tokens = {"scope": "dpv:FraudPreventionAndDetection"}

    with pytest.raises(InsufficientScope):
        ask(brought=TOKEN_OF_SIM)
    assert not fake.calls_to(VERIFY)


def test_an_id_token_that_comes_along_is_checked_and_needs_no_nonce(fake, ask):
    with_id_token(fake)

    assert ask(brought=TOKEN_OF_SIM) == Answer(True, "pcr-1")
    assert fake.calls_to(JWKS)


@pytest.mark.parametrize(
    "claims",
    [case for case in BAD_CLAIMS if "nonce" not in case.values[0]],
)
def test_a_claim_of_it_that_does_not_hold_is_no_answer(fake, ask, claims):
    with_id_token(fake, **claims)

    with pytest.raises(BadIdToken):
        ask(brought=TOKEN_OF_SIM)
    assert not fake.calls_to(VERIFY)


def test_its_signature_must_hold(fake, ask):
    fake.signing = {"key": FORGED, "alg": "RS256", "kid": "fake-1"}
    with_id_token(fake)

    with pytest.raises(BadIdToken):
        ask(brought=TOKEN_OF_SIM)
    assert not fake.calls_to(VERIFY)


@pytest.mark.parametrize("id_token", ["", "x", "a.b.c", 5, ["a.b.c"], {"sub": "pcr-1"}])
def test_what_is_no_id_token_is_no_answer(fake, ask, id_token):
    fake.tokens = {"id_token": id_token}

    with pytest.raises((BadIdToken, MalformedAnswer)):
        ask(brought=TOKEN_OF_SIM)
    assert not fake.calls_to(VERIFY)


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="empty"),
        pytest.param(" ", id="space"),
        pytest.param("tel:+447700900123", id="a number"),
        pytest.param("operatortoken:an-operator-token", id="prefixed"),
        pytest.param("ipport:80.90.34.2:16790", id="address"),
        pytest.param("an operator token", id="spaces"),
        pytest.param(" an-operator-token", id="space first"),
        pytest.param("an-operator-token\n", id="line end"),
        pytest.param("an-operator\0token", id="NUL"),
        pytest.param("an-operator\ttoken", id="tab"),
        pytest.param("an-operator\x7ftoken", id="DEL"),
        pytest.param("an,operator", id="comma"),
        pytest.param('an"operator', id="quote"),
        pytest.param("tökén", id="not ASCII"),
        pytest.param("１２３", id="full-width"),
        pytest.param("\ud800", id="half a character"),
        pytest.param("x" * (MAX_LENGTH + 1), id="4097 characters"),
    ],
)
def test_what_is_no_token_is_refused_before_anything_is_sent(fake, ask, token):
    with pytest.raises(OperatorTokenRefused):
        ask(brought=OperatorToken(token))
    assert not fake.calls


@pytest.mark.parametrize(
    "token", ["x", "eyJ.e30.c2ln", "YQ==", "a-b_c~d.e/f+g=", "x" * MAX_LENGTH]
)
def test_a_token_goes_out_as_it_is(fake, ask, token):
    fake.operator_tokens = {token}

    assert ask(brought=OperatorToken(token)).matched


@given(token=st.text() | st.from_regex(r"[a-z0-9:+.@-]{1,40}", fullmatch=True))
def test_whatever_the_app_brings_is_spent_as_a_token_or_not_at_all(fake, ask, token):
    fake.calls.clear()
    fake.operator_tokens = {token}
    try:
        ask(brought=OperatorToken(token))
    except OperatorTokenRefused:
        assert not fake.calls
        return
    (call,) = fake.calls_to(TOKEN)
    assert claims_of(call.form["assertion"])["sub"] == f"operatortoken:{token}"
    assert ":" not in token


def test_without_a_key_to_sign_with_nobody_is_asked(fake, ask):
    basic = {"client_auth": "client_secret_basic", "client_secret": "s3cret"}

    with pytest.raises(OperatorTokenRefused):
        ask(brought=TOKEN_OF_SIM, private_key=None, **basic)
    assert not fake.calls


class TestMobileConnect:
    @pytest.fixture
    def fake(self):
        fake = FakeOperator()
        yield fake
        fake.close()

    def test_it_takes_no_operator_token(self, fake, ask):
        with pytest.raises(OperatorTokenRefused) as caught:
            ask(brought=TOKEN_OF_SIM)
        assert isinstance(caught.value, OperatorError)
        assert not fake.calls
