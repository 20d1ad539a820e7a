import json

import pytest
import time_machine
from django.core.cache import cache
from joserfc.jwk import RSAKey

from numberverify.sandbox import keys
from tests.numberverify.sandbox.wire import JWKS


def test_one_public_key_for_signatures_is_published(client):
    answer = client.get(JWKS)

    assert answer.status_code == 200
    (key,) = answer.json()["keys"]
    assert set(key) == {"kty", "n", "e", "kid", "use", "alg"}
    assert (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS256")
    assert RSAKey.import_key(key).raw_value.key_size == 2048


def test_the_key_is_read_by_get_alone(client):
    assert client.post(JWKS).status_code == 405


@pytest.fixture
def made():
    """Two keys, as two processes would make them."""
    pair = [RSAKey.generate_key(2048, auto_kid=True) for _ in range(2)]
    return [json.dumps(key.as_dict(private=True)) for key in pair]


def test_of_two_processes_the_first_key_counts(monkeypatch, made):
    cache.clear()
    first, second = made

    def second_while_the_first_is_stored():
        cache.add(keys.CACHE_KEY, first, timeout=None)
        return second

    monkeypatch.setattr(keys, "_own_key", second_while_the_first_is_stored)

    assert keys.signing_key().kid == json.loads(first)["kid"]


def test_the_key_is_kept_for_ever(monkeypatch, made):
    cache.clear()
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        before = keys.signing_key().kid
        monkeypatch.setattr(keys, "_own_key", lambda: made[0])
        clock.shift(10 * 365 * 24 * 60 * 60)

        assert keys.signing_key().kid == before


def test_a_process_stays_with_its_key_when_the_cache_is_emptied():
    cache.clear()
    before = keys.signing_key().kid

    cache.clear()

    assert keys.signing_key().kid == before
