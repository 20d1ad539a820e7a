"""How we say who we are at a token endpoint, and what buys a token there."""

import base64
import secrets
import time
import warnings
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from .base import RSA_BITS, OperatorSettings
from .values import Unfit

CLIENT_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# Of the five minutes that operators allow; used at once, and once.
ASSERTION_FOR = 120  # seconds
# An operator whose clock is behind ours refuses what was issued in its future.
BACKDATED = 10  # seconds
CURVE = "P-256"


def client_authentication(
    settings: OperatorSettings, token_endpoint: str
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the form fields and the headers that authenticate us."""
    if settings.client_auth == "private_key_jwt":
        claims = {"sub": settings.client_id}
        assertion = signed_assertion(settings, token_endpoint, claims)
        fields = {
            "client_assertion_type": CLIENT_ASSERTION,
            "client_assertion": assertion,
        }
        return fields, {}
    return {}, {"Authorization": f"Basic {basic_credentials(settings)}"}


def basic_credentials(settings: OperatorSettings) -> str:
    """Return id and secret for Basic, each form-encoded first (RFC 6749, 2.3.1)."""
    pair = f"{quote_plus(settings.client_id)}:{quote_plus(settings.client_secret)}"
    return base64.b64encode(pair.encode("ascii")).decode("ascii")


def signed_assertion(
    settings: OperatorSettings, audience: str, claims: Mapping[str, Any]
) -> str:
    """Return a JWT of ours (RFC 7523, 3), good once and for two minutes.

    One audience, as text: a list could be good at two operators.
    """
    key, now = read_key(settings.private_key), int(time.time())
    algorithm = algorithm_of(key, settings.token_endpoint_auth_signing_alg)
    header = {"alg": algorithm, "typ": "JWT", "kid": settings.kid or key.thumbprint()}
    every = {
        "iss": settings.client_id,
        "aud": audience,
        "jti": secrets.token_urlsafe(32),
        "iat": now - BACKDATED,
        "exp": now + ASSERTION_FOR,
    }
    return jwt.encode(header, {**every, **claims}, key, algorithms=[algorithm])


@lru_cache(maxsize=64)  # to read an RSA key takes milliseconds
def read_key(pem: str) -> RSAKey | ECKey:
    """Read our private key; raise Unfit when it is none, or too short."""
    key = _imported(pem)
    if key is None or not key.is_private:
        raise Unfit("a private key, RSA or EC, as PEM that is not encrypted", "key")
    if isinstance(key, RSAKey) and key.raw_value.key_size < RSA_BITS:
        raise Unfit(f"an RSA key of {RSA_BITS} bits or more", "short_key")
    if isinstance(key, ECKey) and key.curve_name != CURVE:
        raise Unfit(f"an EC key on {CURVE}, the curve of ES256", "key")
    return key


def _imported(pem: str) -> RSAKey | ECKey | None:
    kinds: tuple[type[RSAKey] | type[ECKey], ...] = (RSAKey, ECKey)
    for kind in kinds:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a short key, which is refused anyway
            try:
                return kind.import_key(pem)
            except (JoseError, ValueError, TypeError, KeyError, UnsupportedAlgorithm):
                continue
    return None


def algorithm_of(key: RSAKey | ECKey, wanted: str) -> str:
    """Return the signing algorithm; raise Unfit when `wanted` is not for that key."""
    fits = ["RS256", "PS256"] if isinstance(key, RSAKey) else ["ES256"]
    if wanted and wanted not in fits:
        raise Unfit(f"{' or '.join(fits)} with that key")
    return wanted or fits[0]
