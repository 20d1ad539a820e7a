"""The browser's part: the request, two hops inside the operator, the way back.

The errors and their descriptions are those of GSMA's MC_di v2.3.
"""

import time

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from numberverify.sandbox import clients, handset, trace
from numberverify.sandbox.endpoint import (
    Refusal,
    demand,
    demand_no_doubles,
    endpoint,
    redirect_back,
    short,
    single,
    words,
)
from numberverify.sandbox.handset import Fault, Handset
from numberverify.sandbox.mobile_connect.grants import Ask, Grant, asks, codes, grants
from numberverify.sandbox.trace import traced

SCOPES = {"mc_vm_match", "mc_vm_match_hash"}
VERSIONS = {"mc_v1.1", "mc_v2.0", "mc_di_r2_v2.3", "mc_v2.1"}
LEVELS_OF_ASSURANCE = {"1", "2", "3", "4"}
PROMPTS = {"none", "login", "consent", "select_account", "no_seam"}


@traced("authorize")
@endpoint("GET")
def authorize(request: HttpRequest) -> HttpResponse:
    ask = _read(request.GET, flow=trace.begin(request))
    # An error in these two is answered here. To redirect to an address that
    # nobody registered would lend it the operator's name.
    client = clients.find(ask.client_id)
    if client is None:
        raise Refusal("invalid_request", "client_id is invalid")
    demand(ask.redirect_uri in client.redirect_uris, "redirect_uri is invalid")
    try:
        _check(ask, request.GET)
    except Refusal as refusal:
        return _failed(ask, refusal)
    return HttpResponseRedirect(reverse("sandbox:network-hop", args=[asks.put(ask)]))


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
        _authenticate(ask, phone)
    except Refusal as refusal:
        return _failed(ask, refusal)
    grant = Grant(ask, phone.number, phone.fault, int(time.time()))
    return HttpResponseRedirect(reverse("sandbox:login-hop", args=[grants.put(grant)]))


@traced("login")
@endpoint("GET")
def login_hop(request: HttpRequest, ticket: str) -> HttpResponse:
    """Where the operator turns the number into a customer."""
    grant = grants.take(ticket)
    if grant is None:
        raise _no_such_ticket()
    trace.go_on(request, grant.ask.flow)
    return _back(grant.ask, code=codes.put(grant))


def _read(query: QueryDict, *, flow: str) -> Ask:
    scopes = words(query, "scope") - {"openid"}
    return Ask(
        client_id=single(query, "client_id"),
        redirect_uri=single(query, "redirect_uri"),
        scope=" ".join(sorted(scopes)),
        state=short(query, "state"),
        nonce=short(query, "nonce"),
        prompt=words(query, "prompt"),
        correlation_id=short(query, "correlation_id"),
        flow=flow,
    )


def _check(ask: Ask, query: QueryDict) -> None:
    demand_no_doubles(query)
    _check_service(ask, query)
    _check_bindings(ask, query)
    _check_manner(ask, query)


def _check_service(ask: Ask, query: QueryDict) -> None:
    response_type = single(query, "response_type")
    demand(response_type != "", "MANDATORY parameter response_type is missing")
    demand(
        response_type == "code",
        "The response_type value is invalid",
        "unsupported_response_type",
    )
    demand(single(query, "scope") != "", "MANDATORY parameter scope is missing")
    scope_fits = "openid" in words(query, "scope") and ask.scope in SCOPES
    demand(scope_fits, "The scope value is invalid")
    demand(
        single(query, "version") in VERSIONS,
        "MANDATORY parameter version is missing / invalid.",
    )


def _check_bindings(ask: Ask, query: QueryDict) -> None:
    demand(ask.state != "", "MANDATORY parameter state is missing or invalid.")
    demand(ask.nonce != "", "MANDATORY parameter nonce is missing (or) invalid.")
    demand(
        ask.correlation_id == single(query, "correlation_id"),
        "The correlation_id value is invalid",
    )


def _check_manner(ask: Ask, query: QueryDict) -> None:
    levels = words(query, "acr_values")
    demand(
        bool(levels) and levels <= LEVELS_OF_ASSURANCE,
        "MANDATORY parameter acr_values are missing or invalid values.",
    )
    # "none" forbids what each of the others asks for.
    prompt_fits = ask.prompt <= PROMPTS and (
        "none" not in ask.prompt or len(ask.prompt) == 1
    )
    demand(prompt_fits, "Prompt value is invalid")
    demand(
        single(query, "response_mode") in {"", "query"},
        "The response_mode value is invalid",
    )


def _authenticate(ask: Ask, phone: Handset) -> None:
    demand(phone.known_to_network, "User is not recognized", "login_required")
    # no_seam: the network's word shall not do, and there is no other way here.
    # A login_hint is no proof of anything, and is not looked at.
    demand("no_seam" not in ask.prompt, "Seamless login only", "login_required")
    demand(phone.fault is not Fault.REFUSED, "Unknown user", "access_denied")
    demand(phone.fault is not Fault.CONSENT, "Consent is missing", "consent_required")


def _failed(ask: Ask, refusal: Refusal) -> HttpResponse:
    return _back(ask, error=refusal.error, error_description=refusal.description)


def _back(ask: Ask, **answer: str) -> HttpResponse:
    answer |= {"state": ask.state, "correlation_id": ask.correlation_id}
    return redirect_back(ask.redirect_uri, answer)


def _no_such_ticket() -> Refusal:
    return Refusal("invalid_request", "The login is unknown or over")
