from django.http import HttpRequest, QueryDict

from numberverify.sandbox.assertions import BadAssertion, accepted
from numberverify.sandbox.camara.identity import token_endpoint
from numberverify.sandbox.clients import KeyClient
from numberverify.sandbox.endpoint import Refusal, single

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def authenticated(request: HttpRequest, form: QueryDict) -> KeyClient:
    """The client that private_key_jwt, and nothing else, proves."""
    try:
        return _client(request, form)
    except BadAssertion as bad:
        raise Refusal("invalid_client", str(bad), status=401) from None


def _client(request: HttpRequest, form: QueryDict) -> KeyClient:
    # RFC 6749, 2.3: not more than one way at a time.
    if "Authorization" in request.headers or "client_secret" in form:
        raise BadAssertion("private_key_jwt is the one way in")
    if single(form, "client_assertion_type") != ASSERTION_TYPE:
        raise BadAssertion("client_assertion_type is missing or unknown")
    assertion = accepted(
        single(form, "client_assertion"), audience=token_endpoint(request)
    )
    client_id = assertion.client.client_id
    if assertion.text("sub") != client_id:
        raise BadAssertion("sub is not iss")
    if single(form, "client_id") not in {"", client_id}:
        raise BadAssertion("client_id is another one")
    return assertion.client
