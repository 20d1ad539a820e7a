"""The client's server gets a token: for a code, for a subscriber, or for itself."""

import hashlib
import re
from base64 import urlsafe_b64encode

from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.utils.crypto import constant_time_compare

from numberverify.sandbox import trace
from numberverify.sandbox.assertions import Assertion, BadAssertion, accepted
from numberverify.sandbox.camara import scopes
from numberverify.sandbox.camara.client_auth import authenticated
from numberverify.sandbox.camara.grants import (
    TOKEN_SECONDS,
    AccessToken,
    Grant,
    codes,
    operator_tokens,
    tokens,
)
from numberverify.sandbox.camara.identity import id_token, issuer, token_endpoint
from numberverify.sandbox.endpoint import (
    Refusal,
    demand,
    demand_no_doubles,
    endpoint,
    form_of,
    single,
)
from numberverify.sandbox.handset import E164, Fault
from numberverify.sandbox.trace import traced

VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
# Of an assertion, by which nobody comes by who could be told more.
REFUSING = {Fault.REFUSED, Fault.CONSENT, Fault.TOKEN_ERROR}


@traced("camara-token")
@endpoint("POST")
def token(request: HttpRequest) -> HttpResponse:
    # A code in an address would stay behind in the log of every server between.
    demand(not request.META.get("QUERY_STRING"), "Parameters belong in the body")
    form = form_of(request)
    demand_no_doubles(form)
    grant_type = single(form, "grant_type")
    demand(grant_type != "", "grant_type is missing")
    match grant_type:
        case "authorization_code":
            return _for_a_code(request, form)
        case "urn:ietf:params:oauth:grant-type:jwt-bearer":
            return _for_a_subscriber(request, form)
        case "client_credentials":
            return _for_itself(request, form)
    raise Refusal("unsupported_grant_type", "The grant_type is unknown")


def _for_a_code(request: HttpRequest, form: QueryDict) -> HttpResponse:
    client = authenticated(request, form)
    for name in ("code", "redirect_uri", "code_verifier"):
        demand(single(form, name) != "", f"{name} is missing")
    code = single(form, "code")
    grant = _redeemed(request, form, client.client_id)
    access_token = tokens.put(
        AccessToken(
            client_id=client.client_id,
            apis=grant.ask.apis,
            number=grant.sim.number,
            from_sim=True,
            fault=grant.sim.fault,
            code=code,
            flow=grant.ask.flow,
        )
    )
    signed = id_token(grant, issuer=issuer(request), access_token=access_token)
    return _answer(access_token, grant.ask.scope, id_token=signed)


def _redeemed(request: HttpRequest, form: QueryDict, client_id: str) -> Grant:
    """Spend the code. In wrong hands it is spent as well: it has leaked."""
    grant = codes.take(single(form, "code"))
    if grant is not None:
        trace.go_on(request, grant.ask.flow)
    if (
        grant is None
        or grant.ask.client_id != client_id
        or grant.ask.redirect_uri != single(form, "redirect_uri")
        or not _proves(single(form, "code_verifier"), grant.ask.challenge)
        or grant.sim.fault is Fault.TOKEN_ERROR
    ):
        raise Refusal(
            "invalid_grant", "The code is unknown, expired, used or not yours"
        )
    return grant


def _proves(verifier: str, challenge: str) -> bool:
    """RFC 7636, 4.6, with S256."""
    if not VERIFIER.fullmatch(verifier):
        return False
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    computed = urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
    return constant_time_compare(computed, challenge)


def _for_a_subscriber(request: HttpRequest, form: QueryDict) -> HttpResponse:
    for name in ("scope", "client_assertion"):
        demand(name not in form, f"{name} has no place beside an assertion")
    demand(single(form, "assertion") != "", "assertion is missing")
    assertion = _assertion(request, form)
    client = assertion.client
    scope = scopes.read(assertion.text("scope"), old_scopes=client.old_scopes)
    demand(not scope.openid, "There is no ID token here", "invalid_scope")
    scopes.demand_purpose(scope)
    scopes.demand_apis(scope, scopes.NUMBER_VERIFICATION | scopes.SIBLINGS)
    allowed = _subscriber(request, assertion.text("sub"), client.client_id, scope.apis)
    return _answer(tokens.put(allowed), scope.asked)


def _assertion(request: HttpRequest, form: QueryDict) -> Assertion:
    """RFC 7523, 2.1, of which CAMARA demands every claim."""
    try:
        assertion = accepted(
            single(form, "assertion"), audience=token_endpoint(request)
        )
    except BadAssertion as bad:
        raise Refusal("invalid_grant", str(bad)) from None
    demand("iat" in assertion.claims, "iat is missing", "invalid_grant")
    for name in ("sub", "scope"):
        demand(assertion.text(name) != "", f"{name} is missing", "invalid_grant")
    demand(
        single(form, "client_id") in {"", assertion.client.client_id},
        "client_id is another one",
        "invalid_grant",
    )
    return assertion


def _subscriber(
    request: HttpRequest, sub: str, client_id: str, apis: frozenset[str]
) -> AccessToken:
    kind, _, name = sub.partition(":")
    if kind == "tel" and E164.fullmatch(name):
        # Somebody wrote a number down: that proves nothing about a SIM.
        return AccessToken(client_id, apis, number=name)
    sim = operator_tokens.take(name) if kind == "operatortoken" else None
    if sim is not None:
        trace.go_on(request, sim.flow)
    if sim is None or sim.fault in REFUSING:
        raise Refusal("invalid_grant", "sub is unknown, expired or used")
    return AccessToken(
        client_id,
        apis,
        sim.number,
        from_sim=True,
        fault=sim.fault,
        flow=sim.flow,
    )


def _for_itself(request: HttpRequest, form: QueryDict) -> HttpResponse:
    client = authenticated(request, form)
    scope = scopes.read(single(form, "scope"), old_scopes=client.old_scopes)
    fits = not scope.openid and len(scope.purposes) <= 1
    demand(fits, "One purpose at most, and no openid", "invalid_scope")
    scopes.demand_apis(scope, scopes.SIBLINGS)
    return _answer(tokens.put(AccessToken(client.client_id, scope.apis)), scope.asked)


def _answer(access_token: str, scope: str, **more: str) -> HttpResponse:
    """Never with a refresh token: a SIM is seen now, or not at all."""
    body = {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": TOKEN_SECONDS,
        "scope": scope,
    }
    return JsonResponse(body | more)
