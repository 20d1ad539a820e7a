"""The published keys: how many, of which kind, and for what."""

import hmac
import json
from base64 import urlsafe_b64encode

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from numberverify.errors import BadIdToken, MalformedAnswer
from numberverify.operators.provider import MOST_KEYS
from tests.fake_camara import CLIENT_KEY, JWKS, VERIFY
from tests.fake_operator import KEY, Reply

PUBLIC = KEY.as_dict(private=False)
EC = ECKey.generate_key("P-256", {"kid": "ec-1"})
EC_PUBLIC = EC.as_dict(private=False)
RSA = RSAKey.generate_key(2048, {"kid": "rsa-1"})
SECRET = b"a secret that is published is none"
OCT = OctKey.import_key(SECRET, {"kid": "fake-1"})


def publish(fake, *listed):
    fake.replies[JWKS] = Reply(body={"keys": list(listed)})


def signed(claims, key, **header):
    header = {"alg": "RS256", "kid": key.kid} | header
    return jws.serialize_compact(
        header, json.dumps(claims), key, algorithms=[header["alg"]]
    )


def part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(raw).decode().rstrip("=")


def by_hand(claims, secret: bytes | None, algorithm: str, kid: str) -> str:
    text = f"{part({'alg': algorithm, 'kid': kid})}.{part(claims)}"
    signature = b"" if secret is None else hmac.digest(secret, text.encode(), "sha256")
    return f"{text}.{part(signature)}"


@pytest.mark.parametrize("number", [1, 2, 100, MOST_KEYS])
def test_up_to_128_keys_are_read(fake, ask, number):
    others = [EC_PUBLIC | {"kid": f"key-{n}"} for n in range(number - 1)]
    publish(fake, *others, PUBLIC)

    assert MOST_KEYS == 128
    assert ask().matched


@pytest.mark.parametrize("number", [129, 130, 300])
@pytest.mark.parametrize(
    "other",
    [
        pytest.param(EC_PUBLIC, id="keys"),
        pytest.param({"kty": "new"}, id="not understood"),
        pytest.param(None, id="no objects"),
    ],
)
def test_more_are_refused_unread(fake, ask, number, other):
    publish(fake, PUBLIC, *[other] * (number - 1))

    with pytest.raises(MalformedAnswer):
        ask()
    assert not fake.calls_to(VERIFY)


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param(None, id="none"),
        pytest.param(SECRET, id="published"),
        pytest.param(b"", id="empty"),
        pytest.param(KEY.as_pem(private=False), id="public PEM"),
        pytest.param(KEY.as_pem(private=False).strip(), id="public PEM, no line end"),
        pytest.param(KEY.as_der(private=False), id="public DER"),
        pytest.param(json.dumps(PUBLIC).encode(), id="public JWK"),
        pytest.param(PUBLIC["n"].encode(), id="modulus"),
        pytest.param(CLIENT_KEY.as_pem(private=False), id="our public PEM"),
        pytest.param(b"id of ours", id="our id"),
    ],
)
@pytest.mark.parametrize("algorithm", ["HS256", "none", "None", "", "RS256", "ES256"])
@pytest.mark.parametrize("published", ["RSA", "oct", "both"])
def test_what_everybody_knows_signs_nothing(fake, ask, published, algorithm, secret):
    oct_key = OCT.as_dict(private=True)
    listed = {"RSA": [PUBLIC], "oct": [oct_key], "both": [PUBLIC, oct_key]}
    publish(fake, *listed[published])
    fake.forge = lambda claims: by_hand(claims, secret, algorithm, "fake-1")

    with pytest.raises(BadIdToken):
        ask()
    assert not fake.calls_to(VERIFY)


def test_the_forgery_would_hold_under_its_own_key():
    """Else the test above would prove nothing."""
    token = by_hand({"sub": "x"}, SECRET, "HS256", "fake-1")

    assert jws.deserialize_compact(token, OCT, algorithms=["HS256"]).payload


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"use": "enc"}, id="for encryption"),
        pytest.param({"alg": "RSA-OAEP"}, id="for RSA-OAEP"),
        pytest.param({"alg": "PS256"}, id="for PS256"),
        pytest.param({"alg": "RS512"}, id="for RS512"),
        pytest.param({"alg": "ES256"}, id="for ES256"),
    ],
)
def test_a_key_for_something_else_signs_nothing(fake, ask, members):
    publish(fake, RSA.as_dict(private=False) | members)
    fake.forge = lambda claims: signed(claims, RSA)

    with pytest.raises(BadIdToken):
        ask()


@pytest.mark.parametrize(
    ("key", "algorithm"), [(RSA, "RS256"), (RSA, "PS256"), (EC, "ES256")]
)
@pytest.mark.parametrize("said", [True, False], ids=["said", "not said"])
def test_a_key_for_the_algorithm_signs(fake, ask, key, algorithm, said):
    members = {"alg": algorithm, "use": "sig"} if said else {}
    publish(fake, key.as_dict(private=False) | members)
    fake.forge = lambda claims: signed(claims, key, alg=algorithm)

    assert ask().matched


def test_a_key_of_another_kind_under_the_name_signs_nothing(fake, ask):
    publish(fake, EC_PUBLIC | {"kid": "fake-1"})

    with pytest.raises(BadIdToken):
        ask()


def test_our_own_key_signs_nothing_of_theirs(fake, ask):
    fake.forge = lambda claims: signed(
        claims, CLIENT_KEY, alg="ES256", kid=CLIENT_KEY.thumbprint()
    )

    with pytest.raises(BadIdToken):
        ask()


@pytest.mark.parametrize("kid", [None, 5, ["fake-1"], {"fake-1": 1}, True])
def test_a_key_without_a_name_in_text_is_not_looked_for(fake, ask, kid):
    header = {"alg": "RS256"} | ({} if kid is None else {"kid": kid})
    fake.forge = lambda claims: f"{part(header)}.{part(claims)}.{part(b'x')}"

    with pytest.raises(BadIdToken):
        ask()
    assert not fake.calls_to(JWKS)
