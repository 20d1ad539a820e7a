"""OpenID Connect for both dialects: what is exchanged for a token, and the ID token.

A token says by its type what it was got by. `SubscriberToken`: a code that came back to
the device, or a SIM's own token; it alone can serve a network proof. `ClientToken`: our
credentials, which stand for nobody.
"""

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from ..errors import (
    AccessDenied,
    AuthorizationFailed,
    BadIdToken,
    ConsentRequired,
    MalformedAnswer,
    MalformedCallback,
    NotOnMobileNetwork,
    SaidUnavailable,
)
from ..msisdn import Msisdn, sha256_hex
from . import wire
from .base import Callback, Deadline, OperatorSettings, OperatorToken, Question
from .credentials import client_authentication, signed_assertion
from .http import Http
from .provider import Keys

ALGORITHMS = ["RS256", "PS256", "ES256"]
CLOCK_SKEW = 60  # seconds
# How the subscriber was found: by the network (CAMARA: nba, mnba) or the SIM (Mobile
# Connect: SEAM_OK), never by a password or a code.
NETWORK_AMR = {"nba", "mnba", "SEAM_OK"}
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
A_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
SEPARATORS = re.compile(r"[\s().-]")  # that people write into numbers
# Digits enough for a number that are no part of a hexadecimal text, or a number's URI.
A_NUMBER = re.compile(r"^(tel|sips?|msisdn):|(?<![0-9a-f])[0-9]{7,15}(?![0-9a-f])")
# RFC 6750, section 2.1; anything else could break out of the header.
BEARER = re.compile(r"[A-Za-z0-9\-._~+/]+=*")

ERRORS: Mapping[str, type[AuthorizationFailed | SaidUnavailable]] = {
    "access_denied": AccessDenied,
    "consent_required": ConsentRequired,
    "interaction_required": ConsentRequired,
    "login_required": NotOnMobileNetwork,
    "NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK": NotOnMobileNetwork,
    "server_error": SaidUnavailable,
    "temporarily_unavailable": SaidUnavailable,
}


@dataclass(frozen=True, slots=True)
class SubscriberToken:
    """Good for one call about the subscriber whose device or SIM it came from."""

    access_token: str = field(repr=False)
    id_token: str = field(repr=False)  # "" when none came
    scope: str = ""  # as granted; "" when it is as asked (RFC 6749, 5.1)


@dataclass(frozen=True, slots=True)
class ClientToken:
    """Good for one call of ours about nobody's device."""

    access_token: str = field(repr=False)


def code_of(callback: Callback, issuer: str, *, iss_demanded: bool = False) -> str:
    """Return the authorization code, or raise what the redirect says instead.

    RFC 9207: `iss` must be the one that was asked, also beside an error, and there
    when the operator says that it sends it. RFC 6749, 4.1.2.1: an error wins over a
    code.
    """
    is_another = callback.iss and callback.iss != issuer
    if callback.malformed or is_another:
        raise MalformedCallback
    if callback.error:
        raise ERRORS.get(callback.error, AuthorizationFailed)
    if not callback.code or (iss_demanded and not callback.iss):
        raise MalformedCallback
    return callback.code


def exchange_code(
    http: Http,
    settings: OperatorSettings,
    url: str,
    code: str,
    question: Question,
    within: Deadline,
    *,
    pkce: bool = False,
) -> SubscriberToken:
    """Spend the code (RFC 6749, 4.1.3); it goes by body, never by URL."""
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": question.redirect_uri,
    }
    if pkce:
        fields["code_verifier"] = question.code_verifier
    answer = _bought(http, settings, url, fields, within)
    id_token = wire.text(answer, "id_token")
    return SubscriberToken(_bearer(answer), id_token, _scope(answer))


def exchange_operator_token(
    http: Http,
    settings: OperatorSettings,
    url: str,
    operator_token: OperatorToken,
    scope: str,
    within: Deadline,
) -> SubscriberToken:
    """Spend a token of the SIM by the JWT bearer grant (RFC 7523, 2.1; CAMARA).

    The assertion is what authenticates us. An ID token may come, and need not.
    """
    claims = {"sub": f"operatortoken:{operator_token.token}", "scope": scope}
    assertion = signed_assertion(settings, url, claims)
    fields = {"grant_type": JWT_BEARER, "assertion": assertion}
    answer = http.post_form(url, fields=fields, headers={}, within=within)
    id_token = wire.text(answer, "id_token") if "id_token" in answer else ""
    return SubscriberToken(_bearer(answer), id_token, _scope(answer))


def client_token(
    http: Http, settings: OperatorSettings, url: str, scope: str, within: Deadline
) -> ClientToken:
    """Get a token by our credentials alone (RFC 6749, 4.4)."""
    fields = {"grant_type": "client_credentials", "scope": scope}
    return ClientToken(_bearer(_bought(http, settings, url, fields, within)))


def _bought(
    http: Http,
    settings: OperatorSettings,
    url: str,
    fields: Mapping[str, str],
    within: Deadline,
) -> dict[str, Any]:
    ours, headers = client_authentication(settings, url)
    return http.post_form(
        url, fields={**fields, **ours}, headers=headers, within=within
    )


def _bearer(answer: Mapping[str, Any]) -> str:
    access_token = wire.text(answer, "access_token")
    if not BEARER.fullmatch(access_token):
        raise MalformedAnswer("access token is no bearer token")
    if wire.text(answer, "token_type").lower() != "bearer":
        raise MalformedAnswer("not a bearer token")
    return access_token


def _scope(answer: Mapping[str, Any]) -> str:
    """Return what was granted. What is no text, as null is, names no scope of ours."""
    granted = answer.get("scope")
    return "" if granted is None else str(granted)


def check_id_token(
    token: SubscriberToken,
    settings: OperatorSettings,
    *,
    nonce: str | None,
    keys: Keys | None,
    within: Deadline,
) -> dict[str, Any]:
    """Check the ID token as OpenID Connect Core 3.1.3.7 says and return its claims.

    Without `keys` the signature cannot be checked; the token came over TLS from
    the token endpoint itself (3.1.3.7, rule 6), and all else still holds. `nonce` is
    None where no browser was sent and so none was asked for.
    """
    claims = _signed_claims(token.id_token, keys, within)
    checks = {
        "iss": claims.get("iss") == settings.expected_issuer,
        "aud": claims.get("aud") in (settings.client_id, [settings.client_id]),
        "azp": claims.get("azp", settings.client_id) == settings.client_id,
        "times": _is_current(claims, now=time.time()),
        "nonce": nonce is None or _same(claims.get("nonce"), nonce),
        "at_hash": "at_hash" not in claims
        or _same(claims["at_hash"], half_hash(token.access_token)),
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
    except (JoseError, ValueError, TypeError) as error:
        raise BadIdToken("not a signed token") from error
    if header.get("alg") not in ALGORITHMS:
        raise BadIdToken("algorithm not allowed")
    # What is wrong with the published keys is no fault of the token's.
    key = keys.find(header.get("kid"), within) if keys else None
    try:
        if key is not None:
            jws.deserialize_compact(id_token, key, algorithms=ALGORITHMS)
        return wire.json_object(unverified.payload)
    except (JoseError, ValueError, TypeError, MalformedAnswer) as error:
        raise BadIdToken("not a signed token") from error


def pseudonym(subject: str, msisdn: Msisdn) -> str:
    """Return the operator's name for the subscriber, or "" when it tells a number, the
    asked one or any: the profiles forbid that, and the history would keep it."""
    if A_UUID.fullmatch(subject):
        return subject
    bare = SEPARATORS.sub("", subject).lower()
    hashes = [sha256_hex(msisdn, plus=plus) for plus in (True, False)]
    told = any(part in bare for part in (msisdn.e164[1:], *hashes))
    number = A_NUMBER.search(bare) or A_NUMBER.search(subject.lower())
    return "" if told or number else subject


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
