"""How the code is exchanged: what is sent, and who we say that we are."""

import base64
import time
from urllib.parse import parse_qs

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from numberverify.errors import (
    AccessDenied,
    MalformedCallback,
    OperatorError,
    OperatorRefused,
)
from numberverify.msisdn import Msisdn
from numberverify.operators.base import Callback, Question
from numberverify.operators.camara import Camara
from tests.fake_camara import CLIENT_KEY, DISCOVERY, TOKEN, VERIFY
from tests.fake_operator import Reply
from tests.numberverify.operators.conftest import BACK, NONCE, VERIFIER

QUESTION = Question(Msisdn("+447700900123"), BACK, NONCE, VERIFIER)
RSA = RSAKey.generate_key(2048)
BASIC = {
    "client_auth": "client_secret_basic",
    "client_secret": "s3cret: 100%+",
    "private_key": None,
}


def pem(key: ECKey | RSAKey) -> str:
    return key.as_pem(private=True).decode()


def form(call) -> dict[str, list[str]]:
    return parse_qs(call.body.decode(), strict_parsing=True)


def assertion_of(call, key=CLIENT_KEY) -> jwt.Token:
    """The client assertion, once its signature holds."""
    (assertion,) = form(call)["client_assertion"]
    return jwt.decode(assertion, key, algorithms=["ES256", "RS256", "PS256"])


def test_the_code_is_exchanged_by_body_alone(fake, ask):
    ask()

    (call,) = fake.calls_to(TOKEN)
    (code,) = fake.nonces
    assert (call.method, call.path) == ("POST", TOKEN)
    assert call.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Authorization" not in call.headers
    sent = form(call)
    assert sent.pop("client_assertion")
    assert sent == {
        "grant_type": ["authorization_code"],
        "code": [code],
        "redirect_uri": [BACK],
        "code_verifier": [VERIFIER],
        "client_assertion_type": [
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        ],
    }


def test_the_assertion_says_who_we_are_to_whom_and_for_how_long(fake, ask):
    """RFC 7523, 3; the profile allows five minutes and wants one audience, as text."""
    began = int(time.time())
    ask()
    now = time.time()

    claims = assertion_of(*fake.calls_to(TOKEN)).claims
    assert set(claims) == {"iss", "sub", "aud", "jti", "iat", "exp"}
    assert claims["iss"] == claims["sub"] == "id of ours"
    assert claims["aud"] == fake.base_url + TOKEN
    assert claims["iat"] <= began
    assert now < claims["exp"] <= began + 300
    assert 0 < claims["exp"] - claims["iat"] <= 300
    assert type(claims["iat"]) is type(claims["exp"]) is int
    assert len(claims["jti"]) >= 22  # 128 bits in base64url


def test_each_assertion_is_a_new_one(fake, ask):
    for _ in range(5):
        ask()

    names = {assertion_of(call).claims["jti"] for call in fake.calls_to(TOKEN)}
    assert len(names) == 5


@pytest.mark.parametrize(
    ("key", "wanted", "algorithm"),
    [
        pytest.param(CLIENT_KEY, None, "ES256", id="EC"),
        pytest.param(CLIENT_KEY, "ES256", "ES256", id="EC, ES256"),
        pytest.param(RSA, None, "RS256", id="RSA"),
        pytest.param(RSA, "RS256", "RS256", id="RSA, RS256"),
        pytest.param(RSA, "PS256", "PS256", id="RSA, PS256"),
    ],
)
def test_the_assertion_is_signed_as_key_and_table_say(
    fake, ask, key, wanted, algorithm
):
    ask(private_key=pem(key), token_endpoint_auth_signing_alg=wanted)

    header = assertion_of(*fake.calls_to(TOKEN), key).header
    assert header == {"alg": algorithm, "typ": "JWT", "kid": key.thumbprint()}


def test_a_key_is_called_what_the_operator_calls_it(fake, ask):
    ask(kid="registered-1")

    assert assertion_of(*fake.calls_to(TOKEN)).header["kid"] == "registered-1"


def test_a_key_from_a_file_signs_as_well(fake, ask, tmp_path):
    path = tmp_path / "key.pem"
    path.write_text(pem(RSA))

    ask(private_key=None, private_key_file=str(path))

    assert assertion_of(*fake.calls_to(TOKEN), RSA).header["alg"] == "RS256"


@pytest.mark.parametrize(
    "changes", [BASIC, BASIC | {"private_key": pem(RSA)}], ids=["secret", "and a key"]
)
def test_a_secret_goes_form_encoded_into_a_header_and_nowhere_else(fake, ask, changes):
    ask(**changes)

    (call,) = fake.calls_to(TOKEN)
    # "id of ours" and "s3cret: 100%+": RFC 6749, 2.3.1 encodes before it joins.
    scheme, _, credentials = call.headers["Authorization"].partition(" ")
    assert scheme == "Basic"
    assert base64.b64decode(credentials) == b"id+of+ours:s3cret%3A+100%25%2B"
    assert set(form(call)) == {"grant_type", "code", "redirect_uri", "code_verifier"}


def test_a_token_endpoint_with_a_query_is_the_audience_as_it_stands(fake, ask):
    there = f"{fake.base_url}{TOKEN}?policy=sim"
    fake.described = {"token_endpoint": there}

    assert ask().matched
    (call,) = fake.calls_to(TOKEN)
    assert call.path == f"{TOKEN}?policy=sim"
    assert assertion_of(call).claims["aud"] == there


@pytest.mark.parametrize(
    ("brought", "raised"),
    [
        pytest.param({"error": "access_denied"}, AccessDenied, id="error"),
        pytest.param({"error": "access_denied", "code": "c"}, AccessDenied, id="both"),
        pytest.param({}, MalformedCallback, id="no code"),
        pytest.param({"code": "c", "malformed": True}, MalformedCallback, id="odd"),
        pytest.param({"code": "c", "iss": "https://a.b"}, MalformedCallback, id="iss"),
    ],
)
def test_a_redirect_that_brings_no_code_is_told_without_asking(
    fake, read, within, brought, raised
):
    """Also by a process that knows nothing of the operator yet."""
    fake.replies[DISCOVERY] = Reply(503)

    with pytest.raises(raised):
        Camara(read()).ask(Callback(**brought), QUESTION, within)
    assert not fake.calls


@pytest.mark.parametrize("said", [True, False, None, "true", 1, ["true"]])
def test_the_issuer_is_demanded_of_who_says_that_it_sends_it(fake, ask, said):
    """RFC 9207, 2.4 and 3."""
    fake.described = {"authorization_response_iss_parameter_supported": said}

    if said is True:
        with pytest.raises(MalformedCallback):
            ask(brought={"iss": ""})
        assert not fake.calls_to(TOKEN)
    else:
        assert ask(brought={"iss": ""}).matched


@pytest.mark.parametrize("said", [True, False, None])
@pytest.mark.parametrize(
    "iss", ["https://evil.example", "http://127.0.0.1", "{}/", "{}?", "{}/authorize"]
)
def test_an_issuer_that_comes_is_always_compared(fake, ask, said, iss):
    fake.described = {"authorization_response_iss_parameter_supported": said}

    with pytest.raises(MalformedCallback):
        ask(brought={"iss": iss.format(fake.base_url)})
    assert not fake.calls_to(TOKEN)


def test_a_code_of_nobody_is_refused_and_nothing_asked(fake, ask):
    with pytest.raises(OperatorRefused) as caught:
        ask(brought={"code": "made-up"})

    assert (caught.value.status, caught.value.said) == (400, "invalid_grant")
    assert not fake.calls_to(VERIFY)


@pytest.mark.parametrize("path", [DISCOVERY, TOKEN])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 404, 500])
def test_nothing_is_asked_after_a_step_that_failed(fake, ask, path, status):
    fake.replies[path] = Reply(status, headers={"Location": VERIFY})

    with pytest.raises(OperatorError):
        ask()
    assert not fake.calls_to(VERIFY)
