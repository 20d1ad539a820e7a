"""Operators' tables that cannot be used: each named, with an id and what to do."""

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from joserfc.jwk import ECKey, OKPKey, RSAKey

SECRET = "s3cret-of-ours"
MOBILE_CONNECT = {
    "dialect": "mobile-connect",
    "base_url": "https://operator.example",
    "client_id": "id of ours",
    "client_secret": SECRET,
}
CAMARA = {
    "dialect": "camara",
    "issuer": "https://operator.example",
    "base_url": "https://api.operator.example/number-verification/v2",
    "client_id": "id of ours",
    "client_secret": SECRET,
}
TWO = "openid dpv:FraudPreventionAndDetection dpv:IdentityVerification "
VERIFY = "number-verification:verify"
BY_KEY = CAMARA | {"client_auth": "private_key_jwt", "client_secret": None}


def complaints(settings, tables):
    settings.NV_OPERATORS = tables
    found = run_checks()
    return [each for each in found if each.id.startswith("numberverify.E01")]


def without_none(table):
    return {key: value for key, value in table.items() if value is not None}


def pem(key) -> str:
    return key.as_pem(private=True).decode()


PROBLEMS = [
    ("E010", MOBILE_CONNECT | {"colour": "red"}, "colour"),
    ("E010", MOBILE_CONNECT | {"scope": "openid"}, "scope"),
    ("E010", MOBILE_CONNECT | {"private_key_file": "x"}, "private_key_file"),
    ("E010", CAMARA | {"jwks_url": "https://a.example"}, "jwks_url"),
    ("E011", MOBILE_CONNECT | {"client_secret": None}, "client_secret"),
    ("E011", CAMARA | {"client_secret": None}, "client_secret"),
    ("E011", CAMARA | {"client_secret": None, "client_secret_env": "NV_X"}, "NV_X"),
    ("E011", BY_KEY, "private_key_file"),
    ("E011", CAMARA | {"issuer": None}, "issuer"),
    ("E011", MOBILE_CONNECT | {"dialect": None}, "dialect"),
    ("E012", CAMARA | {"issuer": "http://operator.example"}, "issuer"),
    ("E012", CAMARA | {"sim_swap_url": "http://10.0.0.1/x"}, "sim_swap_url"),
    ("E012", MOBILE_CONNECT | {"base_url": "http://operator.example"}, "base_url"),
    ("E013", CAMARA | {"scope": TWO + VERIFY}, "exactly one"),
    ("E013", CAMARA | {"scope": f"openid {VERIFY}"}, "exactly one"),
    ("E013", CAMARA | {"scope": f"dpv:IdentityVerification {VERIFY}"}, "openid"),
    ("E013", CAMARA | {"scope": "openid dpv:IdentityVerification"}, VERIFY),
    ("E014", BY_KEY | {"private_key_file": "/nowhere/key.pem"}, "private_key_file"),
    ("E014", BY_KEY | {"private_key_file": "/"}, "private_key_file"),
    ("E014", BY_KEY | {"private_key": SECRET}, "private_key"),
    (
        "E014",
        BY_KEY | {"private_key": pem(ECKey.generate_key("P-384"))},
        "P-256",
    ),
    ("E014", BY_KEY | {"private_key": pem(OKPKey.generate_key("Ed25519"))}, "RSA"),
    (
        "E014",
        BY_KEY
        | {"private_key": ECKey.generate_key("P-256").as_pem(private=False).decode()},
        "private key",
    ),
    ("E015", BY_KEY | {"private_key": pem(RSAKey.generate_key(1024))}, "2048"),
    ("E016", CAMARA | {"prompt": "login"}, "prompt"),
    ("E016", CAMARA | {"send_login_hint": True}, "send_login_hint"),
    ("E016", MOBILE_CONNECT | {"deadline": 0}, "deadline"),
    ("E016", MOBILE_CONNECT | {"dialect": "smtp"}, "dialect"),
    ("E016", "no table", "table"),
]


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@pytest.mark.parametrize(
    ("id", "table", "named"),
    [
        pytest.param(*each, id=f"{each[0]}-{each[2]}-{n}")
        for n, each in enumerate(PROBLEMS)
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_a_hint(settings, id, table, named):
    table = without_none(table) if isinstance(table, dict) else table

    (found,) = complaints(settings, {"good": MOBILE_CONNECT, "orange-fr": table})

    assert found.id == f"numberverify.{id}"
    assert "'orange-fr'" in found.msg
    assert named in found.msg
    assert "NV_OPERATORS_FILE" in found.msg
    assert found.hint
    assert SECRET not in f"{found}"
    assert "BEGIN" not in f"{found}"


def test_each_bad_table_is_named_at_once(settings):
    bad = MOBILE_CONNECT | {"colour": "red"}

    found = complaints(settings, {"a": bad, "b": MOBILE_CONNECT, "c": bad})

    assert [each.msg.partition(":")[0] for each in found] == [
        "operator 'a'",
        "operator 'c'",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="a secret"),
        pytest.param({"prompt": ""}, id="no prompt"),
        pytest.param(
            {"scope": f"openid dpv:FraudPreventionAndDetection#{VERIFY}"},
            id="old scope",
        ),
        pytest.param(
            {
                "client_auth": "private_key_jwt",
                "client_secret": None,
                "private_key": pem(RSAKey.generate_key(2048)),
                "token_endpoint_auth_signing_alg": "PS256",
            },
            id="an RSA key",
        ),
        pytest.param({"test": True, "send_login_hint": True}, id="a vendor's sandbox"),
    ],
)
def test_a_good_table_is_refused_nothing(settings, changes):
    assert complaints(settings, {"o": without_none(CAMARA | changes)}) == []


def test_a_key_file_is_read(settings, tmp_path):
    path = tmp_path / "key.pem"
    path.write_text(pem(ECKey.generate_key("P-256")))
    table = without_none(BY_KEY | {"private_key_file": str(path)})

    assert complaints(settings, {"o": table}) == []


def test_the_app_itself_refuses_to_start(settings):
    settings.NV_OPERATORS = {"o": MOBILE_CONNECT | {"colour": "red"}}

    with pytest.raises(ImproperlyConfigured, match=r"numberverify\.E010.*'o'.*colour"):
        apps.get_app_config("numberverify").ready()
