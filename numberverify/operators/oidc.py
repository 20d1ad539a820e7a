"""OpenID Connect for both dialects: the code exchange and the ID token's checks."""

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import quote_plus

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key

from ..errors import (
    AccessDenied,
    AuthorizationFailed,
    BadIdToken,
    ConsentRequired,
    MalformedAnswer,
    MalformedCallback,
    NotOnMobileNetwork,
    OperatorUnreachable,
)
from . import wire
from .base import Callback, Deadline, OperatorSettings, Question
from .http import Http

ALGORITHMS = ["RS256", "PS256", "ES256"]
CLOCK_SKEW = 60  # seconds
# How the subscriber was found: by the network (CAMARA: nba, mnba; Mobile Connect:
# SEAM_OK), never by a password or a code.
NETWORK_AMR = {"nba", "mnba", "SEAM_OK"}
# RFC 6750, section 2.1; anything else could break out of the header.
BEARER = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
PUBLIC_MEMBERS = ("kty", "kid", "alg", "use", "n", "e", "crv", "x", "y")
JWKS_LIFETIME = 60 * 60  # seconds
JWKS_REFRESH_AFTER = 60  # a forced refresh for an unknown `kid`, at most this often

ERRORS: Mapping[str, type[AuthorizationFailed | OperatorUnreachable]] = {
    "access_denied": AccessDenied,
    "consent_required": ConsentRequired,
    "interaction_required": ConsentRequired,
    "login_required": NotOnMobileNetwork,
    "NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK": NotOnMobileNetwork,
    "server_error": OperatorUnreachable,
    "temporarily_unavailable": OperatorUnreachable,
}


@dataclass(frozen=True, slots=True)
class Tokens:
    access_token: str = field(repr=False)
    id_token: str = field(repr=False)


def code_of(callback: Callback, settings: OperatorSettings) -> str:
    """Return the authorization code, or raise what the redirect says instead.

    RFC 6749, 4.1.2.1: an error wins over a code. RFC 9207: `iss` must be the one
    that was asked.
    """
    if callback.malformed:
        raise MalformedCallback
    if callback.error:
        raise ERRORS.get(callback.error, AuthorizationFailed)
    if not callback.code:
        raise MalformedCallback
    if callback.iss and callback.iss != settings.expected_issuer:
        raise MalformedCallback
    return callback.code


def exchange(
    http: Http,
    settings: OperatorSettings,
    url: str,
    code: str,
    question: Question,
    within: Deadline,
) -> Tokens:
    """Spend the code (RFC 6749, 4.1.3); it goes by body, never by URL."""
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": question.redirect_uri,
    }
    answer = http.post_form(
        url, fields=fields, basic=basic_credentials(settings), within=within
    )
    access_token = wire.text(answer, "access_token")
    if not BEARER.fullmatch(access_token):
        raise MalformedAnswer("access token is no bearer token")
    if wire.text(answer, "token_type").lower() != "bearer":
        raise MalformedAnswer("not a bearer token")
    return Tokens(access_token, wire.text(answer, "id_token"))


def basic_credentials(settings: OperatorSettings) -> str:
    """Return id and secret for Basic, each form-encoded first (RFC 6749, 2.3.1)."""
    pair = f"{quote_plus(settings.client_id)}:{quote_plus(settings.client_secret)}"
    return base64.b64encode(pair.encode("ascii")).decode("ascii")


class Keys:
    """The operator's signing keys, fetched once and kept for an hour."""

    def __init__(self, http: Http, url: str) -> None:
        self.http = http
        self.url = url
        self.lock = Lock()
        self.fetched_at = float("-inf")
        self.keys: dict[str, Key] = {}

    def find(self, kid: object, within: Deadline) -> Key:
        """Return the key `kid`; for an unknown one the set is fetched once more."""
        with self.lock:
            age = time.monotonic() - self.fetched_at
            known = kid in self.keys
            if age > JWKS_LIFETIME or (not known and age > JWKS_REFRESH_AFTER):
                self._fetch(within)
            if not isinstance(kid, str) or kid not in self.keys:
                raise BadIdToken("unknown key")
            return self.keys[kid]

    def _fetch(self, within: Deadline) -> None:
        listed = self.http.get(self.url, within=within).get("keys")
        if not isinstance(listed, list):
            raise MalformedAnswer("no list of keys")
        self.keys = dict(filter(None, map(_usable, listed)))
        self.fetched_at = time.monotonic()


def _usable(listed: Any) -> tuple[str, Key] | None:
    """Read one published key. What is not understood is ignored (RFC 7517, 5)."""
    if not isinstance(listed, dict) or not isinstance(listed.get("kid"), str):
        return None
    # Not "oct": a symmetric key in a public document is no secret.
    if listed.get("kty") not in ("RSA", "EC"):
        return None
    needed = {name: listed[name] for name in PUBLIC_MEMBERS if name in listed}
    try:
        return listed["kid"], import_key(needed)
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def check_id_token(
    tokens: Tokens,
    settings: OperatorSettings,
    *,
    nonce: str,
    keys: Keys | None,
    within: Deadline,
) -> dict[str, Any]:
    """Check the ID token as OpenID Connect Core 3.1.3.7 says and return its claims.

    Without `keys` the signature cannot be checked; the token came over TLS from
    the token endpoint itself (3.1.3.7, rule 6), and all else still holds.
    """
    claims = _signed_claims(tokens.id_token, keys, within)
    checks = {
        "iss": claims.get("iss") == settings.expected_issuer,
        "aud": claims.get("aud") in (settings.client_id, [settings.client_id]),
        "azp": claims.get("azp", settings.client_id) == settings.client_id,
        "times": _is_current(claims, now=time.time()),
        "nonce": _same(claims.get("nonce"), nonce),
        "at_hash": "at_hash" not in claims
        or _same(claims["at_hash"], half_hash(tokens.access_token)),
        "sub": _is_subject(claims.get("sub")),
        "amr": "amr" not in claims or _by_network(claims["amr"]),
    }
    for name, holds in checks.items():
        if not holds:
            raise BadIdToken(f"claim {name} does not hold")
    return claims


def half_hash(access_token: str) -> str:
    """Return `at_hash` for a SHA-256 algorithm (OpenID Connect Core 3.1.3.6)."""
    half = hashlib.sha256(access_token.encode("ascii")).digest()[:16]
    return base64.urlsafe_b64encode(half).rstrip(b"=").decode("ascii")


def _signed_claims(
    id_token: str, keys: Keys | None, within: Deadline
) -> dict[str, Any]:
    try:
        unverified = jws.extract_compact(id_token.encode("ascii"))
        header = unverified.headers()
        if header.get("alg") not in ALGORITHMS:
            raise BadIdToken("algorithm not allowed")
        if keys is not None:
            key = keys.find(header.get("kid"), within)
            jws.deserialize_compact(id_token, key, algorithms=ALGORITHMS)
        return wire.json_object(unverified.payload)
    except (JoseError, ValueError, TypeError, MalformedAnswer) as error:
        raise BadIdToken("not a signed token") from error


def _is_current(claims: Mapping[str, Any], *, now: float) -> bool:
    """`exp` and `iat` are demanded; `nbf` holds when it is there."""
    moments: list[Any] = [claims.get("exp"), claims.get("iat"), claims.get("nbf", 0)]
    if not all(type(moment) in (int, float) for moment in moments):
        return False
    exp, iat, nbf = moments
    latest = now + CLOCK_SKEW
    return bool(exp > now - CLOCK_SKEW and iat <= latest and nbf <= latest)


def _is_subject(sub: object) -> bool:
    return isinstance(sub, str) and sub != "" and "\0" not in sub


def _by_network(amr: object) -> bool:
    return isinstance(amr, list) and any(
        isinstance(method, str) and method in NETWORK_AMR for method in amr
    )


def _same(found: object, expected: str) -> bool:
    return isinstance(found, str) and hmac.compare_digest(
        found.encode(), expected.encode()
    )
