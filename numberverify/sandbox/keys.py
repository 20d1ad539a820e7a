"""The operator's signing key."""

import functools
import json

from django.core.cache import cache
from joserfc.jwk import RSAKey

CACHE_KEY = "sandbox:signing-key"
BITS = 2048


def signing_key() -> RSAKey:
    """The key of all processes that share a cache."""
    stored = cache.get(CACHE_KEY)
    if stored is None:
        # add(), so that of two processes which both made a key one is heard.
        cache.add(CACHE_KEY, _own_key(), timeout=None)
        stored = cache.get(CACHE_KEY, _own_key())
    return _parsed(stored)


@functools.cache
def _own_key() -> str:
    """A key made once in this process: it survives a cache that was emptied."""
    key = RSAKey.generate_key(
        BITS, parameters={"use": "sig", "alg": "RS256"}, auto_kid=True
    )
    return json.dumps(key.as_dict(private=True))


@functools.lru_cache(maxsize=2)
def _parsed(stored: str) -> RSAKey:
    # Remembered: checking the numbers of an RSA key takes milliseconds.
    return RSAKey.import_key(json.loads(stored))
