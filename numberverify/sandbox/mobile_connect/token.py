"""The client's server buys a token with the code that came back to it."""

from django.http import HttpRequest, HttpResponse, JsonResponse

from numberverify.sandbox import clients, trace
from numberverify.sandbox.endpoint import (
    Refusal,
    demand,
    demand_no_doubles,
    endpoint,
    form_of,
    single,
)
from numberverify.sandbox.handset import Fault
from numberverify.sandbox.mobile_connect.grants import (
    TOKEN_SECONDS,
    AccessToken,
    Grant,
    codes,
    tokens,
)
from numberverify.sandbox.mobile_connect.identity import id_token, issuer
from numberverify.sandbox.trace import traced


@traced("token")
@endpoint("POST")
def token(request: HttpRequest) -> HttpResponse:
    client = clients.authenticated(request.headers.get("Authorization", ""))
    if client is None:
        raise Refusal(
            "invalid_client",
            "Client authentication failed",
            status=401,
            challenge='Basic realm="Mobile Connect"',
        )
    # A code in an address would stay behind in the log of every server between.
    demand(not request.META.get("QUERY_STRING"), "Parameters belong in the body")
    form = form_of(request)
    demand_no_doubles(form)
    grant_type, code = single(form, "grant_type"), single(form, "code")
    redirect_uri = single(form, "redirect_uri")
    demand(grant_type != "", "MANDATORY parameter grant_type is missing")
    demand(
        grant_type == "authorization_code",
        "The grant_type value is invalid",
        "unsupported_grant_type",
    )
    demand(code != "", "MANDATORY parameter code is missing")
    demand(redirect_uri != "", "MANDATORY parameter redirect_uri is missing")
    grant = _redeemed(request, code, client.client_id, redirect_uri)
    return _issued(request, grant, code, single(form, "correlation_id"))


def _redeemed(
    request: HttpRequest, code: str, client_id: str, redirect_uri: str
) -> Grant:
    """Spend the code. In wrong hands it is spent as well: it has leaked."""
    grant = codes.take(code)
    if grant is not None:
        trace.go_on(request, grant.ask.flow)
    if (
        grant is None
        or grant.ask.client_id != client_id
        or grant.ask.redirect_uri != redirect_uri
        or grant.fault is Fault.TOKEN_ERROR
    ):
        raise Refusal(
            "invalid_grant", "The code is unknown, expired, used or not yours"
        )
    return grant


def _issued(
    request: HttpRequest, grant: Grant, code: str, correlation_id: str
) -> HttpResponse:
    access_token = tokens.put(AccessToken(grant, code))
    body = {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": TOKEN_SECONDS,
        "id_token": id_token(grant, issuer=issuer(request), access_token=access_token),
    }
    if correlation_id:
        body["correlation_id"] = correlation_id
    return JsonResponse(body)
