"""The question that all of this is for: is this the number of that SIM?"""

import hashlib
import re
import uuid

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.common import no_append_slash

from numberverify.sandbox import strict_json, trace
from numberverify.sandbox.bearer import bearer_token
from numberverify.sandbox.delay import wait_if_slow
from numberverify.sandbox.endpoint import Refusal, endpoint
from numberverify.sandbox.handset import E164, Fault
from numberverify.sandbox.id_tokens import pairwise_sub
from numberverify.sandbox.mobile_connect.grants import Grant, spend_token
from numberverify.sandbox.trace import traced

# The one claim that fits a scope, and its form.
CLAIMS = {
    "mc_vm_match_hash": ("device_msisdn_hash", re.compile(r"[0-9a-fA-F]{64}")),
    "mc_vm_match": ("device_msisdn", E164),
}


@no_append_slash  # Else Django answers a POST without the slash with an exception.
@traced("match")
@endpoint("POST")
def match(request: HttpRequest) -> HttpResponse:
    # Spent whatever comes next: a token is good for one call, not for one answer.
    grant = spend_token(bearer_token(request))
    if grant is None:
        raise Refusal(
            "invalid_token",
            "access_token does not exist",
            status=401,
            challenge='Bearer error="invalid_token"',
        )
    trace.go_on(request, grant.ask.flow)
    _misbehave(grant.fault)
    if request.content_type != "application/json":
        raise Refusal("invalid_request", "The body must be JSON", status=415)
    claimed = _claimed(request.body, grant.ask.scope)
    return JsonResponse(_answer(grant, claimed))


def _misbehave(fault: Fault) -> None:
    wait_if_slow(fault)
    if fault is Fault.OVERLOADED:
        raise Refusal("temporarily_unavailable", "Try again later", status=503)


def _claimed(raw: bytes, scope: str) -> str:
    """The number, or its hash, that the body asks about."""
    name, form = CLAIMS[scope]
    claimed = _only_member(_only_member(_json(raw), "mc_claims"), name)
    if not isinstance(claimed, str) or not form.fullmatch(claimed):
        raise Refusal("invalid_request", f"{name} is invalid")
    return claimed


def _only_member(body: object, name: str) -> object:
    if not isinstance(body, dict) or set(body) != {name}:
        raise Refusal("invalid_request", f"Exactly one member is expected: {name}")
    return body[name]


def _json(raw: bytes) -> object:
    try:
        return strict_json.parse(raw)
    except ValueError:
        raise Refusal("invalid_request", "The body is not JSON") from None


def _answer(grant: Grant, claimed: str) -> dict[str, object]:
    held = grant.number
    if grant.ask.scope == "mc_vm_match_hash":
        held = hashlib.sha256(held.encode("ascii")).hexdigest()
    # In lower case: a client may write the hash either way.
    verified: object = constant_time_compare(claimed.lower(), held)
    if grant.fault is Fault.MALFORMED:
        verified = "true"
    sub = pairwise_sub(grant.ask.client_id, grant.number)
    if grant.fault is Fault.WRONG_SUB:
        sub = str(uuid.uuid4())
    return {"sub": sub, "device_msisdn_verified": verified}
