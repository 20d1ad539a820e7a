"""The private key in a table: from where it is read, and which is refused."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from .tables import (
    EC,
    KEY,
    LOCKED,
    RSA,
    SECRET,
    TRADITIONAL,
    WITH_KEY,
    pem,
    public_pem,
    refused,
)


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        pytest.param(SECRET, "key", id="no PEM"),
        pytest.param("-----BEGIN PRIVATE KEY-----", "key", id="a first line"),
        pytest.param(KEY[: len(KEY) // 2], "key", id="cut"),
        pytest.param(" ", "key", id="blank"),
        pytest.param(public_pem(EC), "key", id="public EC"),
        pytest.param(public_pem(RSA), "key", id="public RSA"),
        pytest.param(pem(EC, LOCKED), "key", id="encrypted"),
        pytest.param(pem(EC, LOCKED, TRADITIONAL), "key", id="encrypted of old"),
        pytest.param(pem(RSA, LOCKED), "key", id="encrypted RSA"),
        pytest.param(
            pem(ec.generate_private_key(ec.SECP384R1())), "key", id="EC P-384"
        ),
        pytest.param(
            pem(ec.generate_private_key(ec.SECP256K1())), "key", id="EC secp256k1"
        ),
        pytest.param(pem(ed25519.Ed25519PrivateKey.generate()), "key", id="Ed25519"),
        pytest.param(
            pem(rsa.generate_private_key(65537, 1024)), "short_key", id="RSA 1024"
        ),
        pytest.param("-----BEGIN CERTIFICATE-----\nAAAA", "key", id="certificate"),
        pytest.param("é\ud800", "key", id="not ASCII"),
    ],
)
@pytest.mark.parametrize("auth", ["private_key_jwt", "client_secret_basic"])
@pytest.mark.parametrize("place", ["table", "file"])
def test_a_key_that_signs_nothing_is_refused(tmp_path, key, problem, auth, place):
    named = {"private_key": key}
    if place == "file":
        path = tmp_path / "key.pem"
        path.write_bytes(key.encode(errors="replace"))
        named = {"private_key_file": str(path)}

    assert refused(client_auth=auth, **named).problem == problem


@pytest.mark.parametrize("key", [5, True, 1.5, [KEY], {"kty": "EC"}, b"PEM"])
def test_a_key_that_is_no_text_is_refused(key):
    assert refused(**WITH_KEY | {"private_key": key}).problem == "key"


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/does/not/exist.pem", id="none there"),
        pytest.param("/", id="folder"),
        pytest.param("a\0b", id="NUL"),
        pytest.param("x" * 5000, id="over-long"),
        pytest.param(KEY, id="the key itself"),
        pytest.param(5, id="number"),
        pytest.param(True, id="true"),
        pytest.param(["k.pem"], id="list"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(path):
    error = refused(**WITH_KEY | {"private_key": None, "private_key_file": path})

    assert "private_key_file" in str(error)
    assert error.problem == "key"


def test_a_key_of_both_places_is_refused(tmp_path):
    path = tmp_path / "key.pem"
    path.write_text(KEY)

    error = refused(**WITH_KEY | {"private_key_file": str(path)})
    assert "private_key_file" in str(error)


def test_a_file_with_nothing_in_it_is_refused(tmp_path):
    """It names no key, and yet the table looks as if it had one."""
    path = tmp_path / "key.pem"
    path.touch()

    assert refused(private_key_file=str(path)).problem == "key"
