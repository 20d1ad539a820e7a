"""The browser's part: the request, two hops inside the operator, the way back."""

import re
import time

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from numberverify.sandbox import clients, handset, register, trace
from numberverify.sandbox.camara import scopes
from numberverify.sandbox.camara.grants import Ask, Grant, Sim, asks, codes, grants
from numberverify.sandbox.camara.identity import issuer
from numberverify.sandbox.clients import KeyClient
from numberverify.sandbox.endpoint import (
    Refusal,
    demand,
    demand_no_doubles,
    endpoint,
    redirect_back,
    short,
    single,
)
from numberverify.sandbox.handset import Fault, Handset
from numberverify.sandbox.trace import traced

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43,128}")
OTHER_ISSUER = "https://another-operator.example"


@traced("camara-authorize")
@endpoint("GET")
def authorize(request: HttpRequest) -> HttpResponse:
    flow = trace.begin(request)
    client = clients.find_with_keys(single(request.GET, "client_id"))
    redirect_uri = single(request.GET, "redirect_uri")
    # An error in these two is answered here. To redirect to an address that
    # nobody registered would lend it the operator's name.
    if client is None:
        raise Refusal("invalid_request", "client_id is invalid")
    demand(redirect_uri in client.redirect_uris, "redirect_uri is invalid")
    try:
        ask = _ask(client, redirect_uri, request.GET, flow=flow)
    except Refusal as refusal:
        state = short(request.GET, "state")
        return _failed(refusal, redirect_uri, state, issuer(request))
    ticket = asks.put(ask)
    return HttpResponseRedirect(reverse("sandbox:camara-network-hop", args=[ticket]))


@traced("network")
@endpoint("GET")
def network_hop(request: HttpRequest, ticket: str) -> HttpResponse:
    """Where the mobile network adds the number of the SIM to the request."""
    ask = asks.take(ticket)
    if ask is None:
        raise _no_such_ticket()
    trace.go_on(request, ask.flow)
    phone = handset.of(request)
    trace.note(request, phone, sees_sim=phone.known_to_network)
    try:
        _authenticate(phone)
    except Refusal as refusal:
        return _failed(refusal, ask.redirect_uri, ask.state, issuer(request))
    register.attach(phone)
    sim = Sim(phone.number, phone.fault, int(time.time()), ask.flow)
    name = grants.put(Grant(ask, sim))
    return HttpResponseRedirect(reverse("sandbox:camara-login-hop", args=[name]))


@traced("login")
@endpoint("GET")
def login_hop(request: HttpRequest, ticket: str) -> HttpResponse:
    """Where the operator turns the number into a customer."""
    grant = grants.take(ticket)
    if grant is None:
        raise _no_such_ticket()
    trace.go_on(request, grant.ask.flow)
    named = issuer(request)
    if grant.sim.fault is Fault.WRONG_ISS:
        named = OTHER_ISSUER
    answer = {"code": codes.put(grant), "state": grant.ask.state, "iss": named}
    return redirect_back(grant.ask.redirect_uri, answer)


def _ask(client: KeyClient, redirect_uri: str, query: QueryDict, *, flow: str) -> Ask:
    demand_no_doubles(query)
    _check_manner(query)
    _check_bindings(query)
    scope = scopes.read(single(query, "scope"), old_scopes=client.old_scopes)
    demand(scope.openid, "openid is missing", "invalid_scope")
    scopes.demand_purpose(scope)
    scopes.demand_apis(scope, scopes.NUMBER_VERIFICATION)
    return Ask(
        client_id=client.client_id,
        redirect_uri=redirect_uri,
        scope=scope.asked,
        apis=scope.apis,
        state=short(query, "state"),
        nonce=short(query, "nonce"),
        challenge=single(query, "code_challenge"),
        flow=flow,
    )


def _check_manner(query: QueryDict) -> None:
    response_type = single(query, "response_type")
    demand(response_type != "", "response_type is missing")
    demand(
        response_type == "code",
        "response_type must be code",
        "unsupported_response_type",
    )
    for name in ("request", "request_uri"):
        demand(name not in query, f"{name} is not read", f"{name}_not_supported")
    demand(
        single(query, "response_mode") in {"", "query"}, "response_mode must be query"
    )
    # Nobody is ever shown a page here: a SIM is seen, or it is not.
    demand(single(query, "prompt") in {"", "none"}, "prompt must be none")


def _check_bindings(query: QueryDict) -> None:
    demand(short(query, "state") != "", "state is missing or too long")
    demand(short(query, "nonce") != "", "nonce is missing or too long")
    challenge = single(query, "code_challenge")
    demand(CHALLENGE.fullmatch(challenge) is not None, "code_challenge is invalid")
    # Left out, it would mean "plain" (RFC 7636, 4.3).
    method = single(query, "code_challenge_method")
    demand(method == "S256", "code_challenge_method must be S256")


def _authenticate(phone: Handset) -> None:
    # A login_hint is no proof of anything, and is not looked at.
    demand(phone.known_to_network, "No SIM of ours is seen", "login_required")
    demand(phone.fault is not Fault.REFUSED, "The person is refused", "access_denied")
    demand(phone.fault is not Fault.CONSENT, "Consent is missing", "consent_required")


def _failed(
    refusal: Refusal, redirect_uri: str, state: str, issuer: str
) -> HttpResponse:
    answer = {
        "error": refusal.error,
        "error_description": refusal.description,
        "state": state,
        "iss": issuer,
    }
    return redirect_back(redirect_uri, answer)


def _no_such_ticket() -> Refusal:
    return Refusal("invalid_request", "The login is unknown or over")
