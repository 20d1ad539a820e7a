"""Whose signature holds, under which algorithm."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from numberverify.errors import BadIdToken
from tests.fake_operator import JWKS, KEY, MATCH, Reply

OTHER = RSAKey.generate_key(2048, {"kid": "fake-1"})
OLD = RSAKey.generate_key(2048, {"kid": "fake-0"})
EC = ECKey.generate_key("P-256", {"kid": "ec-1", "use": "sig"})
EC_384 = ECKey.generate_key("P-384", {"kid": "ec-384"})
ANY_RSA = RSAKey.import_key(
    {k: v for k, v in KEY.as_dict(private=True).items() if k not in ("alg", "use")}
)


def part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(raw).decode().rstrip("=")


def publish(fake, *keys):
    listed = [key.as_dict(private=False) for key in keys]
    fake.replies[JWKS] = Reply(body={"keys": listed})


def signed(claims, *, key=KEY, **header):
    header = {"alg": "RS256", "kid": "fake-1"} | header
    payload = json.dumps(claims)
    return jws.serialize_compact(header, payload, key, algorithms=[header["alg"]])


def with_hmac(claims, secret: bytes) -> str:
    text = f"{part({'alg': 'HS256', 'kid': 'fake-1'})}.{part(claims)}"
    return f"{text}.{part(hmac.digest(secret, text.encode(), hashlib.sha256))}"


def unsigned(claims, algorithm: object, signature: str = "") -> str:
    return f"{part({'alg': algorithm, 'kid': 'fake-1'})}.{part(claims)}.{signature}"


def tampered(claims) -> str:
    header, _, signature = signed({**claims, "sub": "pcr-2"}).split(".")
    return f"{header}.{part(claims)}.{signature}"


def confused(claims) -> str:
    """RS256 by its name, ES256 by its making."""
    _, payload, signature = signed(claims, key=EC, alg="ES256").split(".")
    return f"{part({'alg': 'RS256', 'kid': 'ec-1'})}.{payload}.{signature}"


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(lambda c: unsigned(c, "none"), id="none"),
        pytest.param(lambda c: unsigned(c, "None"), id="None"),
        pytest.param(lambda c: unsigned(c, "none", "c2ln"), id="none with a signature"),
        pytest.param(lambda c: unsigned(c, None), id="null"),
        pytest.param(lambda c: unsigned(c, ["RS256"]), id="list"),
        pytest.param(
            lambda c: with_hmac(c, KEY.as_pem(private=False)), id="HS256, public PEM"
        ),
        pytest.param(
            lambda c: with_hmac(c, KEY.as_der(private=False)), id="HS256, public DER"
        ),
        pytest.param(lambda c: with_hmac(c, b"s3cret: 100%+"), id="HS256, our secret"),
        pytest.param(lambda c: with_hmac(c, b""), id="HS256, empty secret"),
        pytest.param(lambda c: signed(c, key=ANY_RSA, alg="RS512"), id="RS512"),
        pytest.param(lambda c: signed(c, key=ANY_RSA, alg="PS384"), id="PS384"),
        pytest.param(lambda c: signed(c, key=EC_384, alg="ES384"), id="ES384"),
    ],
)
@pytest.mark.parametrize("keys", [True, False], ids=["keys", "no keys"])
def test_an_algorithm_that_is_not_allowed_is_refused(fake, ask, forge, keys):
    publish(fake, ANY_RSA, EC_384)
    fake.forge = forge

    with pytest.raises(BadIdToken):
        ask(**({} if keys else {"jwks_uri": None}))
    assert not fake.calls_to(MATCH)


FORGERIES = [
    pytest.param(lambda c: signed(c, key=OTHER), id="another key"),
    pytest.param(tampered, id="another payload"),
    pytest.param(lambda c: unsigned(c, "RS256"), id="no signature"),
    pytest.param(lambda c: unsigned(c, "RS256", "c2ln"), id="three bytes"),
    pytest.param(lambda c: unsigned(c, "RS256", part(bytes(256))), id="noughts"),
    pytest.param(confused, id="ES256 called RS256"),
]


@pytest.mark.parametrize("forge", FORGERIES)
def test_a_forged_signature_is_refused(fake, ask, forge):
    publish(fake, KEY, EC)
    fake.forge = forge

    with pytest.raises(BadIdToken):
        ask()
    assert not fake.calls_to(MATCH)


@pytest.mark.parametrize("forge", FORGERIES)
def test_without_keys_a_signature_cannot_be_checked(fake, ask, forge):
    fake.forge = forge

    assert ask(jwks_uri=None).matched
    assert not fake.calls_to(JWKS)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param({"kid": "unknown"}, id="unknown kid"),
        pytest.param({"kid": ""}, id="empty kid"),
        pytest.param({"kid": "FAKE-1"}, id="kid in capitals"),
        pytest.param({"kid": "../jwks"}, id="kid a path"),
    ],
)
def test_a_key_that_is_not_published_is_refused(fake, ask, header):
    fake.forge = lambda claims: signed(claims, **header)

    with pytest.raises(BadIdToken):
        ask()


@pytest.mark.parametrize(
    "header",
    [
        pytest.param({"jwk": OTHER.as_dict(private=False)}, id="jwk"),
        pytest.param({"jku": "http://evil.example/jwks"}, id="jku"),
        pytest.param({"x5u": "http://evil.example/cert"}, id="x5u"),
    ],
)
def test_a_key_that_the_token_brings_along_is_not_believed(fake, ask, header):
    fake.forge = lambda claims: signed(claims, key=OTHER, **header)

    with pytest.raises(BadIdToken):
        ask()


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        pytest.param(ANY_RSA, "RS256", id="RS256"),
        pytest.param(ANY_RSA, "PS256", id="PS256"),
        pytest.param(EC, "ES256", id="ES256"),
    ],
)
def test_each_allowed_algorithm_is_accepted(fake, ask, key, algorithm):
    publish(fake, OLD, key)
    fake.forge = lambda claims: signed(claims, key=key, alg=algorithm, kid=key.kid)

    assert ask().matched


def test_a_key_for_encryption_signs_nothing(fake, ask):
    public = KEY.as_dict(private=False) | {"use": "enc"}
    fake.replies[JWKS] = Reply(body={"keys": [public]})

    with pytest.raises(BadIdToken):
        ask()


def test_a_critical_header_that_we_do_not_know_is_refused(fake, ask):
    """RFC 7515, 4.1.11. Signed by hand: no library would."""

    def forge(claims):
        header = {"alg": "RS256", "kid": "fake-1", "crit": ["new"], "new": 1}
        text = f"{part(header)}.{part(claims)}"
        signature = KEY.private_key.sign(text.encode(), PKCS1v15(), SHA256())
        return f"{text}.{part(signature)}"

    fake.forge = forge
    with pytest.raises(BadIdToken):
        ask()
