"""The operator's published keys: what is in the set, and how often it is fetched."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, RSAKey

from numberverify.errors import BadIdToken, OperatorError
from numberverify.operators import provider
from numberverify.operators.registry import line_to
from tests.fake_operator import JWKS, KEY, MATCH, Reply

PUBLIC = KEY.as_dict(private=False)
OTHER = RSAKey.generate_key(2048, {"kid": "fake-2"})
with pytest.warns(SecurityWarning):
    SHORT = RSAKey.generate_key(1024, {"kid": "short"})


def without(*names):
    return {name: PUBLIC[name] for name in PUBLIC if name not in names}


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(body=b""), id="empty"),
        pytest.param(Reply(body=b"<html></html>"), id="HTML"),
        pytest.param(Reply(body=[PUBLIC]), id="list"),
        pytest.param(Reply(body=PUBLIC), id="a key and no set"),
        pytest.param(Reply(body={}), id="no keys"),
        pytest.param(Reply(body={"keys": None}), id="null"),
        pytest.param(Reply(body={"keys": []}), id="empty list"),
        pytest.param(Reply(body={"keys": {"fake-1": PUBLIC}}), id="object"),
        pytest.param(Reply(body={"keys": ["fake-1", 1, None]}), id="no objects"),
        pytest.param(Reply(body={"keys": [{"kty": "RSA"}]}), id="half a key"),
        pytest.param(Reply(body={"keys": [without("n")]}), id="no modulus"),
        pytest.param(Reply(body={"keys": [without("kty")]}), id="no type"),
        pytest.param(Reply(body={"keys": [PUBLIC | {"n": "AQ"}]}), id="tiny modulus"),
        pytest.param(
            Reply(body={"keys": [SHORT.as_dict(private=False)]}), id="1024 bits"
        ),
        pytest.param(Reply(body={"keys": [PUBLIC | {"n": "é"}]}), id="odd modulus"),
        pytest.param(
            Reply(body={"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "fake-1"}]}),
            id="a secret",
        ),
        pytest.param(
            Reply(body={"keys": [OTHER.as_dict(private=False) | {"kid": "fake-1"}]}),
            id="another key under that name",
        ),
        pytest.param(Reply(body={"keys": [PUBLIC] * 300}), id="over 64 KiB"),
        pytest.param(Reply(404, {"keys": [PUBLIC]}), id="404"),
        pytest.param(Reply(500, {"keys": [PUBLIC]}), id="500"),
        pytest.param(Reply(302, headers={"Location": "/elsewhere"}), id="302"),
        pytest.param(Reply(body={"keys": [PUBLIC]}, cut=True), id="cut"),
    ],
)
def test_without_the_right_key_nothing_passes(fake, ask, reply):
    fake.replies[JWKS] = reply

    with pytest.raises(OperatorError):
        ask()
    assert not fake.calls_to(MATCH)


@pytest.mark.parametrize(
    "beside",
    [
        pytest.param([], id="alone"),
        pytest.param([PUBLIC], id="twice"),
        pytest.param([OTHER.as_dict(private=False)], id="another"),
        pytest.param([{"kty": "oct", "k": "c2VjcmV0", "kid": "x"}], id="a secret"),
        pytest.param(
            [{"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": "x"}], id="Ed25519"
        ),
        pytest.param([{"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"}], id="new type"),
        pytest.param(["x", 1, None, []], id="no objects"),
        pytest.param([PUBLIC | {"kid": f"key-{n}"} for n in range(100)], id="hundred"),
        # RFC 7517, 5: what is not understood or out of range should be ignored.
        pytest.param(
            [{"kty": "EC", "crv": "P-999", "x": "AA", "y": "AA", "kid": "x"}],
            id="new curve",
        ),
        pytest.param(
            [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "x"}],
            id="no point of its curve",
        ),
        pytest.param([{"kty": "RSA", "kid": "x"}], id="half a key"),
        pytest.param([PUBLIC | {"kid": None}], id="kid null"),
        pytest.param([PUBLIC | {"kid": 7}], id="kid a number"),
        pytest.param([PUBLIC | {"kid": "x", "kty": ["RSA"]}], id="type a list"),
        pytest.param([without("kid", "alg")], id="no kid"),
        pytest.param([PUBLIC | {"kid": "x", "x5c": "text"}], id="odd certificate"),
    ],
)
def test_other_keys_beside_the_right_one_do_not_disturb(fake, ask, beside):
    fake.replies[JWKS] = Reply(body={"keys": [*beside, PUBLIC]})

    assert ask().matched


def test_the_private_half_published_by_mistake_does_not_disturb(fake, ask):
    fake.replies[JWKS] = Reply(body={"keys": [KEY.as_dict(private=True)]})

    assert ask().matched


def test_the_keys_are_fetched_once(fake, ask):
    for _ in range(3):
        assert ask().matched

    assert len(fake.calls_to(JWKS)) == 1


def test_many_at_once_fetch_the_keys_once(fake, ask, read):
    line_to(read())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(), range(8)))

    assert all(answer.matched for answer in answers)
    assert len(fake.calls_to(JWKS)) == 1


def test_a_key_that_is_too_short_signs_nothing(fake, ask):
    """RFC 7518, 3.3: RSA of 2048 bits or more."""
    fake.replies[JWKS] = Reply(body={"keys": [SHORT.as_dict(private=False)]})
    fake.signing = {"key": SHORT, "alg": "RS256", "kid": "short"}

    with pytest.raises(BadIdToken):
        ask()


def rotate(fake):
    new = ECKey.generate_key("P-256", {"kid": "new"})
    fake.replies[JWKS] = Reply(body={"keys": [PUBLIC, new.as_dict(private=False)]})
    fake.signing = {"key": new, "alg": "ES256", "kid": "new"}


def test_an_unknown_key_is_looked_up_once_more(fake, ask, monkeypatch):
    assert ask().matched
    rotate(fake)

    monkeypatch.setattr(provider, "REFRESH_AFTER", 0)

    assert ask().matched
    monkeypatch.undo()
    assert ask().matched
    assert len(fake.calls_to(JWKS)) == 2


def test_unknown_keys_do_not_hammer_the_operator(fake, ask):
    for n in range(5):
        fake.signing = {"key": OTHER, "alg": "RS256", "kid": f"made-up-{n}"}
        with pytest.raises(BadIdToken):
            ask()

    assert len(fake.calls_to(JWKS)) == 1


def test_a_known_key_costs_no_second_look(fake, ask, monkeypatch):
    monkeypatch.setattr(provider, "REFRESH_AFTER", 0)

    for _ in range(3):
        assert ask().matched

    assert len(fake.calls_to(JWKS)) == 1


def test_keys_are_forgotten_after_their_time(fake, ask, monkeypatch):
    assert ask().matched
    fake.replies[JWKS] = Reply(body={"keys": [OTHER.as_dict(private=False)]})
    assert ask().matched

    monkeypatch.setattr(provider, "LIFETIME", 0)

    with pytest.raises(BadIdToken):
        ask()


def test_a_failed_fetch_is_made_up_for_by_the_next(fake, ask):
    fake.replies[JWKS] = Reply(503)
    with pytest.raises(OperatorError):
        ask()

    del fake.replies[JWKS]

    assert ask().matched
