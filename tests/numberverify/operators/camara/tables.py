"""A good table of CAMARA, and ways to read it with changes."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from numberverify.errors import ConfigurationError
from numberverify.operators.base import OperatorSettings
from numberverify.operators.tables import read_tables

SECRET = "s3cret-of-ours"
SCOPE = "openid dpv:FraudPreventionAndDetection number-verification:verify"


def pem(key, encryption=None, format=PrivateFormat.PKCS8) -> str:
    encryption = encryption or NoEncryption()
    return key.private_bytes(Encoding.PEM, format, encryption).decode()


def public_pem(key) -> str:
    public = key.public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


EC = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)
KEY, RSA_KEY = pem(EC), pem(RSA)
LOCKED = BestAvailableEncryption(SECRET.encode())
TRADITIONAL = PrivateFormat.TraditionalOpenSSL

GOOD = {
    "dialect": "camara",
    "issuer": "https://operator.example",
    "base_url": "https://operator.example/number-verification/v2",
    "client_id": "id of ours",
    "client_secret": SECRET,
}
WITH_KEY = {"client_secret": None, "client_auth": "private_key_jwt", "private_key": KEY}


def read(**changes) -> OperatorSettings:
    table = {k: v for k, v in (GOOD | changes).items() if v is not None}
    return read_tables({"orange-fr": table})["orange-fr"]


def refused(**changes) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        read(**changes)
    shown = f"{caught.value!r} {caught.value.__cause__!r}"
    assert "orange-fr" in shown
    assert SECRET not in shown
    for key in (KEY, RSA_KEY, *map(str, changes.values())):
        body = key.splitlines()[1:-1] if "-----" in key else []
        assert not [line for line in body if line and line in shown]
    return caught.value
