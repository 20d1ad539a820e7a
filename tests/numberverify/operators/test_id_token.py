"""The claims of the ID token: OpenID Connect Core 3.1.3.7, and who vouches how."""

import json
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from joserfc import jws

from numberverify.errors import BadIdToken
from tests.fake_operator import KEY, MATCH, TOKEN

# Each check holds whether the signature can be checked or not.
both = pytest.mark.parametrize(
    "table",
    [pytest.param({}, id="keys"), pytest.param({"jwks_uri": None}, id="no keys")],
)


# What holds in no dialect.
BAD_CLAIMS = [
    pytest.param({"nonce": "another"}, id="wrong nonce"),
    pytest.param({"nonce": "A-NONCE-OF-OURS"}, id="nonce in capitals"),
    pytest.param({"nonce": ""}, id="empty nonce"),
    pytest.param({"nonce": None}, id="no nonce"),
    pytest.param({"nonce": ["a-nonce-of-ours"]}, id="nonce a list"),
    pytest.param({"nonce": True}, id="nonce true"),
    pytest.param({"nonce": "é"}, id="nonce not ASCII"),
    pytest.param({"aud": "another"}, id="wrong aud"),
    pytest.param({"aud": ["another"]}, id="wrong aud in a list"),
    pytest.param({"aud": ["id of ours", "another"]}, id="one aud more"),
    pytest.param({"aud": ["id of ours"] * 2}, id="aud twice"),
    pytest.param({"aud": []}, id="empty aud"),
    pytest.param({"aud": None}, id="no aud"),
    pytest.param({"aud": {"id of ours": 1}}, id="aud an object"),
    pytest.param({"azp": "another"}, id="wrong azp"),
    pytest.param({"azp": ""}, id="empty azp"),
    pytest.param({"azp": ["id of ours"]}, id="azp a list"),
    pytest.param({"iss": "https://evil.example"}, id="wrong iss"),
    pytest.param({"iss": "http://127.0.0.1"}, id="iss without the port"),
    pytest.param({"iss": None}, id="no iss"),
    pytest.param({"iss": ""}, id="empty iss"),
    pytest.param({"sub": None}, id="no sub"),
    pytest.param({"sub": ""}, id="empty sub"),
    pytest.param({"sub": 1}, id="sub a number"),
    pytest.param({"sub": ["pcr-1"]}, id="sub a list"),
    pytest.param({"sub": "pcr\0-1"}, id="sub with a NUL"),
    pytest.param({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, id="wrong at_hash"),
    pytest.param({"at_hash": ""}, id="empty at_hash"),
    pytest.param({"at_hash": 0}, id="at_hash a number"),
    pytest.param({"exp": None}, id="no exp"),
    pytest.param({"exp": "9999999999"}, id="exp as text"),
    pytest.param({"exp": True}, id="exp true"),
    pytest.param({"exp": [9999999999]}, id="exp a list"),
    pytest.param({"exp": 0}, id="exp nought"),
    pytest.param({"exp": -1}, id="exp before the epoch"),
    pytest.param({"iat": None}, id="no iat"),
    pytest.param({"iat": "1"}, id="iat as text"),
    pytest.param({"iat": False}, id="iat false"),
    pytest.param({"iat": 10**12}, id="iat in milliseconds"),
    pytest.param({"iat": 10**400}, id="iat beyond any float"),
    pytest.param({"nbf": "0"}, id="nbf as text"),
    pytest.param({"nbf": 10**12}, id="nbf in milliseconds"),
    pytest.param({"nbf": 10**400}, id="nbf beyond any float"),
    pytest.param({"amr": ["pwd"]}, id="amr a password"),
    pytest.param({"amr": ["otp", "sms"]}, id="amr a code"),
    pytest.param({"amr": []}, id="empty amr"),
    pytest.param({"amr": "SEAM_OK"}, id="amr as text"),
    pytest.param({"amr": {"SEAM_OK": 1}}, id="amr an object"),
    pytest.param({"amr": [["SEAM_OK"]]}, id="amr a list in a list"),
    pytest.param({"amr": ["seam_ok"]}, id="amr in small letters"),
]
# A level of assurance below the one that was asked: Mobile Connect alone has them.
BAD_LEVELS = [
    pytest.param({"acr": "1"}, id="acr 1"),
    pytest.param({"acr": "0"}, id="acr 0"),
    pytest.param({"acr": 1}, id="acr 1 as a number"),
    pytest.param({"acr": "x"}, id="acr a word"),
    pytest.param({"acr": ""}, id="empty acr"),
    pytest.param({"acr": True}, id="acr true"),
    pytest.param({"acr": ["2"]}, id="acr a list"),
    pytest.param({"acr": "1 2"}, id="acr two levels"),
]


@both
@pytest.mark.parametrize("claims", BAD_CLAIMS + BAD_LEVELS)
def test_a_claim_that_does_not_hold_is_no_answer(fake, ask, table, claims):
    fake.claims = claims

    with pytest.raises(BadIdToken):
        ask(**table)
    assert fake.calls_to(TOKEN)
    assert not fake.calls_to(MATCH)


OUT_OF_TIME = [
    pytest.param("exp", -70, id="expired"),
    pytest.param("iat", 75, id="issued in the future"),
    pytest.param("nbf", 75, id="not valid yet"),
]


@both
@pytest.mark.parametrize(("claim", "seconds"), OUT_OF_TIME)
def test_a_token_out_of_its_time_is_no_answer(fake, ask, table, claim, seconds):
    fake.claims = {claim: int(time.time()) + seconds}

    with pytest.raises(BadIdToken):
        ask(**table)


IN_TIME = [
    pytest.param("exp", -45, id="just expired"),
    pytest.param("exp", 0.5, id="a fraction"),
    pytest.param("iat", 45, id="our clock is behind"),
    pytest.param("iat", -3000, id="issued long ago"),
    pytest.param("nbf", 45, id="valid in a moment"),
    pytest.param("nbf", -3000, id="valid for long"),
]


@pytest.mark.parametrize(("claim", "seconds"), IN_TIME)
def test_clocks_may_differ_by_a_minute(fake, ask, claim, seconds):
    fake.claims = {claim: time.time() + seconds}

    assert ask().matched


@both
@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"at_hash": None}, id="no at_hash"),
        pytest.param({"azp": None}, id="no azp"),
        pytest.param({"nbf": None}, id="no nbf"),
        pytest.param({"aud": "id of ours"}, id="aud as text"),
        pytest.param({"acr": None}, id="no acr"),
        pytest.param({"acr": "3"}, id="acr 3"),
        pytest.param({"acr": 2}, id="acr as a number"),
        pytest.param({"amr": None}, id="no amr"),
        pytest.param({"amr": ["nba"]}, id="amr of CAMARA"),
        pytest.param({"amr": ["mnba"]}, id="amr of CAMARA's mobile network"),
        pytest.param({"amr": ["pwd", None, {}, "SEAM_OK"]}, id="amr one of several"),
        pytest.param({"hashed_login_hint": "x"}, id="one claim more"),
    ],
)
def test_a_claim_that_may_differ_does_not_disturb(fake, ask, table, claims):
    fake.claims = claims

    assert ask(**table).matched


def test_the_issuer_is_the_one_of_the_table_when_it_names_one(fake, ask):
    fake.claims = {"iss": "https://issuer.example"}

    assert ask(issuer="https://issuer.example").matched
    fake.claims = {}
    with pytest.raises(BadIdToken):
        ask(issuer="https://issuer.example")


def signed_as_written(payload: bytes) -> str:
    """What no careful library would write, with a signature that holds."""
    header = {"alg": "RS256", "kid": "fake-1"}
    return jws.serialize_compact(header, payload, KEY)


@both
@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda text: text[:-1] + ',"nonce":"x"}', id="doubled claim"),
        pytest.param(lambda text: text[:-1] + ',"a":NaN}', id="NaN"),
        pytest.param(lambda text: text[:-1], id="cut"),
        pytest.param(lambda text: f"[{text}]", id="list"),
        pytest.param(lambda text: text.replace("a-nonce", "\\ud800"), id="half nonce"),
        pytest.param(
            lambda text: (
                text[:-1].replace('"at_hash"', '"a"') + ',"at_hash":"\\ud800"}'
            ),
            id="half at_hash",
        ),
        pytest.param(lambda text: text.replace("pcr-1", "\\ud800"), id="half sub"),
        pytest.param(lambda text: "null", id="null"),
        pytest.param(lambda text: "", id="empty"),
    ],
)
def test_claims_that_are_not_strict_json_are_refused(fake, ask, table, spoil):
    fake.forge = lambda claims: signed_as_written(spoil(json.dumps(claims)).encode())

    with pytest.raises(BadIdToken):
        ask(**table)
    assert not fake.calls_to(MATCH)


CLAIMS = ["iss", "sub", "aud", "azp", "exp", "iat", "nbf", "nonce", "acr", "amr"]
ODD = st.recursive(
    st.booleans() | st.integers(max_value=0) | st.text() | st.just([]) | st.just({}),
    lambda inner: st.lists(inner, min_size=1) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)


@given(claim=st.sampled_from(CLAIMS), value=ODD)
def test_whatever_else_a_claim_says_does_not_hold(fake, ask, claim, value):
    # What may hold: a moment long past, any text as a subject, a level.
    assume(not (claim in ("iat", "nbf") and type(value) is int))
    assume(not (claim == "sub" and isinstance(value, str)))
    assume(not (claim == "acr" and value in ("2", "3", "4")))
    fake.forge = lambda claims: signed_as_written(
        json.dumps(claims | {claim: value}).encode()
    )

    with pytest.raises(BadIdToken):
        ask()


def test_claims_written_by_hand_pass_when_nothing_is_spoilt(fake, ask):
    fake.forge = lambda claims: signed_as_written(json.dumps(claims).encode())

    assert ask().matched
