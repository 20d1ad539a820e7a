"""CAMARA Number Verification 2.1: is this the number of that SIM, and which is it?"""

import hashlib
import re

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare

from numberverify.sandbox.camara import scopes
from numberverify.sandbox.camara.api import api, invalid
from numberverify.sandbox.camara.body import members, text
from numberverify.sandbox.camara.grants import AccessToken
from numberverify.sandbox.handset import E164, Fault
from numberverify.sandbox.trace import traced

FORMS = {"phoneNumber": E164, "hashedPhoneNumber": re.compile(r"[a-fA-F0-9]{64}")}


@traced("camara-verify")
@api("POST", scopes.VERIFY)
def verify(request: HttpRequest, token: AccessToken) -> HttpResponse:
    body = members(request, optional=FORMS.keys())
    if len(body) != 1:
        raise invalid("Exactly one property is needed")
    (name,) = body
    claimed, held = text(body, name, form=FORMS[name]), token.number
    if name == "hashedPhoneNumber":
        held = hashlib.sha256(held.encode("ascii")).hexdigest()
    # In lower case: a client may write the hash either way.
    verified: object = constant_time_compare(claimed.lower(), held)
    if token.fault is Fault.MALFORMED:
        verified = "true"
    return JsonResponse({"devicePhoneNumberVerified": verified})


@traced("camara-share")
@api("GET", scopes.SHARE)
def share(request: HttpRequest, token: AccessToken) -> HttpResponse:
    malformed = token.fault is Fault.MALFORMED
    return JsonResponse({"devicePhoneNumber": "true" if malformed else token.number})
