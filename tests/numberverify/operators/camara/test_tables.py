"""CAMARA's tables in operators.toml: what is read, refused, and how it is named."""

import tomllib

import pytest

from numberverify.operators.base import OperatorSettings
from numberverify.operators.tables import read_tables

from .tables import (
    EC,
    KEY,
    RSA_KEY,
    SCOPE,
    SECRET,
    TRADITIONAL,
    WITH_KEY,
    pem,
    read,
    refused,
)

BAD = [
    ({"client_sercet": SECRET}, "client_sercet", "unknown_key"),
    ({"acr_values": "2"}, "acr_values", "unknown_key"),
    ({"nonce": "x"}, "nonce", "unknown_key"),
    ({"expected_issuer": "x"}, "expected_issuer", "unknown_key"),
    ({"name": "x"}, "name", "unknown_key"),
    ({"issuer": None}, "issuer", "missing"),
    ({"issuer": ""}, "issuer", "missing"),
    ({"base_url": None}, "base_url", "missing"),
    ({"client_id": None}, "client_id", "missing"),
    ({"dialect": None}, "dialect", "missing"),
    ({"dialect": "CAMARA"}, "dialect", "value"),
    ({"client_secret": None}, "client_secret", "missing"),
    ({"client_secret": ""}, "client_secret", "missing"),
    ({"client_auth": "private_key_jwt"}, "private_key_file", "missing"),
    (WITH_KEY | {"private_key": ""}, "private_key_file", "missing"),
    (WITH_KEY | {"client_auth": "client_secret_basic"}, "client_secret", "missing"),
    ({"client_secret_env": "NOT_SET_AT_ALL"}, "one of them", "value"),
    (
        {"client_secret": None, "client_secret_env": "NOT_SET_AT_ALL"},
        "NOT_SET_AT_ALL",
        "missing",
    ),
    ({"issuer": "http://operator.example"}, "issuer", "http"),
    ({"base_url": "http://operator.example"}, "base_url", "http"),
    ({"match_url": "http://operator.example"}, "match_url", "http"),
    ({"jwks_uri": "http://operator.example"}, "jwks_uri", "http"),
    ({"token_endpoint": "HTTP://operator.example"}, "token_endpoint", "http"),
    ({"authorization_endpoint": "http://a.example"}, "authorization_endpoint", "http"),
    ({"sim_swap_url": "http://a.example"}, "sim_swap_url", "http"),
    ({"number_recycling_url": "http://a.example"}, "number_recycling_url", "http"),
    ({"one_time_password_sms_url": "http://10.0.0.1"}, "one_time_password", "http"),
    ({"issuer": "operator.example"}, "issuer", "value"),
    ({"issuer": ["https://operator.example"]}, "issuer", "value"),
    ({"issuer": "https://operator.example?a=b"}, "issuer", "value"),
    ({"issuer": "https://operator.example?"}, "issuer", "value"),
    ({"issuer": "https://operator.example#"}, "issuer", "value"),
    ({"issuer": " https://operator.example"}, "issuer", "value"),
    ({"issuer": "https://operator.example "}, "issuer", "value"),
    ({"issuer": f"https://id:{SECRET}@operator.example"}, "issuer", "value"),
    ({"base_url": "https://operator.example/v2?a=b"}, "base_url", "value"),
    ({"match_url": "https://operator.example/v2?a=b"}, "match_url", "value"),
    ({"sim_swap_url": "https://operator.example?a=b"}, "sim_swap_url", "value"),
    ({"jwks_uri": "https://operator.example/#keys"}, "jwks_uri", "value"),
    ({"token_endpoint": f"https://:{SECRET}@a.example"}, "token_endpoint", "value"),
    ({"client_auth": "client_secret_post"}, "client_auth", "value"),
    ({"client_auth": "none"}, "client_auth", "value"),
    ({"client_auth": ""}, "client_auth", "value"),
    ({"kid": 1}, "kid", "value"),
    ({"kid": "a\nb"}, "kid", "value"),
    ({"prompt": "login"}, "prompt", "value"),
    ({"prompt": "none consent"}, "prompt", "value"),
    ({"prompt": False}, "prompt", "value"),
    ({"send": "both"}, "send", "value"),
    ({"hash_input": "national"}, "hash_input", "value"),
    ({"send_login_hint": "true"}, "send_login_hint", "value"),
    ({"send_login_hint": True}, "send_login_hint", "value"),
    ({"send_login_hint": True, "test": False}, "send_login_hint", "value"),
    ({"scope": ""}, "scope", "scope"),
    ({"scope": 5}, "scope", "value"),
    ({"scope": SCOPE.split()}, "scope", "value"),
    ({"scope": SCOPE.replace(" ", "\n")}, "scope", "value"),
    ({"scope": "openid number-verification:verify"}, "scope", "scope"),
    ({"scope": f"{SCOPE} dpv:ServiceProvision"}, "scope", "scope"),
    ({"scope": f"{SCOPE} dpv:FraudPreventionAndDetection"}, "scope", "scope"),
    ({"scope": SCOPE.replace("openid ", "")}, "openid", "scope"),
    ({"scope": SCOPE.replace("openid", "OpenID")}, "openid", "scope"),
    ({"scope": SCOPE.replace(":verify", ":read")}, "number-verification", "scope"),
    ({"scope": "openid dpv:ServiceProvision"}, "number-verification", "scope"),
    ({"scope": "openid dpv: number-verification:verify"}, "dpv:", "scope"),
    ({"scope": "openid dpv:# number-verification:verify"}, "dpv:", "scope"),
    ({"scope": "openid dpv:#number-verification:verify"}, "dpv:", "scope"),
    ({"scope": "openid dpv:Ä number-verification:verify"}, "dpv:", "scope"),
    ({"token_endpoint_auth_signing_alg": "HS256"}, "signing_alg", "value"),
    ({"token_endpoint_auth_signing_alg": "none"}, "signing_alg", "value"),
    ({"token_endpoint_auth_signing_alg": ["ES256"]}, "signing_alg", "value"),
    (WITH_KEY | {"token_endpoint_auth_signing_alg": "RS256"}, "signing_alg", "value"),
    (WITH_KEY | {"token_endpoint_auth_signing_alg": "PS256"}, "signing_alg", "value"),
    (
        WITH_KEY | {"private_key": RSA_KEY, "token_endpoint_auth_signing_alg": "ES256"},
        "signing_alg",
        "value",
    ),
    (WITH_KEY | {"private_key_file": "k.pem"}, "one of them", "value"),
]


@pytest.mark.parametrize(
    ("changes", "named", "problem"),
    BAD,
    ids=[f"{named}-{n}" for n, (_, named, _) in enumerate(BAD)],
)
def test_a_bad_table_is_refused_by_key_and_problem(changes, named, problem):
    error = refused(**changes)

    assert named in str(error)
    assert error.problem == problem


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="five keys"),
        pytest.param(WITH_KEY, id="a key"),
        pytest.param(WITH_KEY | {"private_key": RSA_KEY}, id="RSA"),
        pytest.param(WITH_KEY | {"private_key": pem(EC, format=TRADITIONAL)}, id="old"),
        pytest.param({"private_key": KEY}, id="a key beside a secret"),
        pytest.param(WITH_KEY | {"kid": "k-1"}, id="kid"),
        pytest.param(
            WITH_KEY | {"token_endpoint_auth_signing_alg": "ES256"}, id="ES256"
        ),
        pytest.param(
            WITH_KEY
            | {"private_key": RSA_KEY, "token_endpoint_auth_signing_alg": "PS256"},
            id="PS256",
        ),
        pytest.param({"issuer": "https://operator.example/realm/"}, id="slash"),
        pytest.param({"issuer": "http://127.0.0.1:8000"}, id="loopback"),
        pytest.param({"prompt": "consent"}, id="prompt"),
        pytest.param({"prompt": ""}, id="no prompt"),
        pytest.param({"send": "hash", "hash_input": "digits"}, id="hash"),
        pytest.param({"send_login_hint": True, "test": True}, id="hint"),
        pytest.param(
            {"scope": "openid dpv:X#number-verification:verify"}, id="old scope"
        ),
        pytest.param(
            {"scope": "openid dpv:X number-verification-verify-read"}, id="older scope"
        ),
        pytest.param({"scope": f"{SCOPE} more"}, id="a scope more"),
        pytest.param(
            {
                "authorization_endpoint": "https://a.example/authorize?p=sim",
                "token_endpoint": "https://a.example/token?p=sim",
                "jwks_uri": "https://a.example/keys?p=sim",
            },
            id="queries",
        ),
        pytest.param({"match_url": "https://a.example/v1/verify"}, id="match"),
        pytest.param(
            {
                "one_time_password_sms_url": "https://a.example/otp",
                "sim_swap_url": "https://a.example/swap",
                "number_recycling_url": "https://a.example/recycling",
            },
            id="neighbours",
        ),
    ],
)
def test_a_good_table_is_read(changes):
    settings = read(**changes)

    for key, value in changes.items():
        assert getattr(settings, key) == (value or "")


def test_what_is_left_out_has_the_dialects_defaults():
    settings = read()

    assert settings.scope == SCOPE
    assert (settings.prompt, settings.send) == ("none", "plain")
    assert settings.client_auth == "client_secret_basic"
    assert (settings.kid, settings.token_endpoint_auth_signing_alg) == ("", "")
    assert settings.send_login_hint is settings.test is False


def test_the_table_of_the_documentation_is_read(tmp_path):
    path = tmp_path / "orange.pem"
    path.write_text(KEY)
    text = f"""
        [orange-fr]
        dialect = "camara"
        label = "Orange"
        issuer = "https://operator.example"
        base_url = "https://operator.example/number-verification/v2"
        client_id = "an id"
        client_auth = "private_key_jwt"
        private_key_file = "{path}"
        scope = "openid dpv:FraudPreventionAndDetection number-verification:verify"
        prompt = "none"
        send = "plain"
        countries = ["FR"]
    """

    (settings,) = read_tables(tomllib.loads(text)).values()

    assert settings == OperatorSettings(
        name="orange-fr",
        dialect="camara",
        label="Orange",
        issuer="https://operator.example",
        base_url="https://operator.example/number-verification/v2",
        client_id="an id",
        client_auth="private_key_jwt",
        private_key=KEY,
        scope=SCOPE,
        prompt="none",
        send="plain",
        countries=("FR",),
    )


def test_every_address_of_the_table_is_told():
    """`check --deploy` looks at them."""
    addresses = {
        name: f"https://{n}.example"
        for n, name in enumerate(
            [
                "base_url",
                "issuer",
                "authorization_endpoint",
                "token_endpoint",
                "match_url",
                "jwks_uri",
                "one_time_password_sms_url",
                "sim_swap_url",
                "number_recycling_url",
            ]
        )
    }

    assert sorted(read(**addresses).addresses) == sorted(addresses.values())


CAMARA_ALONE = {
    "client_auth": "private_key_jwt",
    "private_key": KEY,
    "private_key_file": "k.pem",
    "kid": "k-1",
    "token_endpoint_auth_signing_alg": "ES256",
    "scope": SCOPE,
    "prompt": "none",
    "send_login_hint": True,
    "one_time_password_sms_url": "https://a.example",
    "sim_swap_url": "https://a.example",
    "number_recycling_url": "https://a.example",
}


@pytest.mark.parametrize("key", CAMARA_ALONE)
def test_mobile_connect_knows_none_of_its_keys(key):
    changes = {"dialect": "mobile-connect", "issuer": None, key: CAMARA_ALONE[key]}
    error = refused(**changes)

    assert error.problem == "unknown_key"
    assert repr(key) in str(error)
