"""Signed assertions, by which a client's server says who it is (RFC 7523)."""

import time
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import import_key

from numberverify.sandbox import clients, strict_json
from numberverify.sandbox.clients import KeyClient
from numberverify.sandbox.store import Turns

ALGORITHMS = ["RS256", "PS256", "ES256"]
LIFETIME = 300  # seconds
SKEW = 5  # seconds that a client's clock may be ahead

# Remembered for as long as an assertion could live.
_uses = Turns("jti", 1, LIFETIME + SKEW)


class BadAssertion(Exception):
    """Says for people what is wrong, never what was sent."""


@dataclass(frozen=True, slots=True)
class Assertion:
    client: KeyClient
    claims: dict[str, Any]

    def text(self, name: str) -> str:
        value = self.claims.get(name)
        return value if isinstance(value, str) else ""


def accepted(raw: str, *, audience: str) -> Assertion:
    """Return an assertion that holds, for the first and only time."""
    assertion = _verified(raw)
    _check_audience(assertion, audience)
    _check_times(assertion.claims)
    jti = assertion.text("jti")
    _demand(jti != "", "jti is missing")
    turn = _uses.take(f"{assertion.client.client_id} {jti}")
    _demand(turn == 1, "jti was seen before")
    return assertion


def _verified(raw: str) -> Assertion:
    """Who signed it is read from the assertion itself, then proved by its key."""
    try:
        unverified = jws.extract_compact(raw.encode("utf-8"))
        claims = strict_json.parse(unverified.payload or b"")
        header = unverified.headers()
    except (JoseError, ValueError):
        raise BadAssertion("The assertion is no JWT") from None
    if not isinstance(claims, dict):
        raise BadAssertion("The assertion is no JWT")
    client = _client(claims.get("iss"))
    key = _key_of(client, header.get("kid"))
    try:
        holds = jws.validate_compact(unverified, import_key(key), ALGORITHMS)
    except (JoseError, ValueError):
        holds = False
    _demand(holds, "The signature does not hold")
    return Assertion(client, claims)


def _client(issuer: object) -> KeyClient:
    client = clients.find_with_keys(issuer) if isinstance(issuer, str) else None
    if client is None:
        raise BadAssertion("iss is not a client")
    return client


def _key_of(client: KeyClient, kid: object) -> dict[str, Any]:
    for key in client.keys:
        if kid is not None and key.get("kid") == kid:
            return key
    raise BadAssertion("kid is not a registered key")


def _check_audience(assertion: Assertion, audience: str) -> None:
    # One string: of several audiences another one could replay it here.
    _demand(assertion.claims.get("aud") == audience, "aud is not this endpoint")


def _check_times(claims: dict[str, Any]) -> None:
    now = time.time()
    expires = _time(claims, "exp")
    _demand(expires > now, "exp is past")
    _demand(expires <= now + LIFETIME, "exp is too far ahead")
    if "iat" in claims:
        issued = _time(claims, "iat")
        _demand(issued <= now + SKEW, "iat is in the future")
        _demand(expires - issued <= LIFETIME, "exp is too far from iat")
    if "nbf" in claims:
        _demand(_time(claims, "nbf") <= now + SKEW, "nbf is in the future")


def _time(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadAssertion(f"{name} is missing or no time")
    try:
        return float(value)
    except OverflowError:
        raise BadAssertion(f"{name} is no time") from None


def _demand(holds: bool, description: str) -> None:
    if not holds:
        raise BadAssertion(description)
