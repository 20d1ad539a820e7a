"""CAMARA One-Time Password SMS 1.1: codes that the operator makes and checks."""

import secrets
import time
import uuid
from dataclasses import dataclass, field

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare

from numberverify.sandbox import inbox
from numberverify.sandbox.camara import scopes
from numberverify.sandbox.camara.api import ApiError, api, invalid
from numberverify.sandbox.camara.body import Body, members, text
from numberverify.sandbox.camara.grants import AccessToken
from numberverify.sandbox.handset import E164
from numberverify.sandbox.store import Shelf, Turns

PLACE = "{{code}}"
LONGEST_MESSAGE = 160
LONGEST_ID = 36
LONGEST_CODE = 10
HOUR = 60 * 60
CODE_SECONDS = 10 * 60
CODES_PER_HOUR = 5
ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Sent:
    client_id: str
    number: str = field(repr=False)
    code: str = field(repr=False)
    expires_at: float  # seconds since the epoch


# For longer than a code lives, so that "too late" is told from "unknown".
_sent = Shelf[Sent]("otp", HOUR)
_newest = Shelf[str]("otp-newest", HOUR)
_codes = Turns("otp-codes", CODES_PER_HOUR, HOUR)
_attempts = Turns("otp-attempts", ATTEMPTS, HOUR)
_uses = Turns("otp-uses", 1, HOUR)


@api("POST", scopes.ONE_TIME_PASSWORD)
def send_code(request: HttpRequest, token: AccessToken) -> HttpResponse:
    body = members(request, required={"phoneNumber", "message"}, optional=set())
    number = text(body, "phoneNumber", form=E164)
    message = _bounded(body, "message", LONGEST_MESSAGE)
    if PLACE not in message:
        raise invalid(f"message has no {PLACE}")
    if not _codes.take(number):
        raise _error(403, "MAX_OTP_CODES_EXCEEDED", "Too many codes for this number")
    code = f"{secrets.randbelow(1_000_000):06}"
    name = str(uuid.uuid4())
    _sent.keep(name, Sent(token.client_id, number, code, time.time() + CODE_SECONDS))
    _newest.keep(number, name)
    inbox.deliver(number, message.replace(PLACE, code))
    return JsonResponse({"authenticationId": name})


@api("POST", scopes.ONE_TIME_PASSWORD)
def validate_code(request: HttpRequest, token: AccessToken) -> HttpResponse:
    body = members(request, required={"authenticationId", "code"}, optional=set())
    name = _bounded(body, "authenticationId", LONGEST_ID)
    code = _bounded(body, "code", LONGEST_CODE)
    sent = _sent.look(name)
    if sent is None or sent.client_id != token.client_id:
        raise ApiError(404, "NOT_FOUND", "The authenticationId is unknown")
    if _is_over(name, sent):
        raise _expired()
    # Counted before it is looked at, so that of many at once none is for nothing.
    attempt = _attempts.take(name)
    right = attempt > 0 and constant_time_compare(code, sent.code)
    if not right and attempt in {0, ATTEMPTS}:
        raise _error(400, "VERIFICATION_FAILED", "Too many wrong codes")
    if not right:
        raise _error(400, "INVALID_OTP", "The code is wrong")
    if not _uses.take(name):
        raise _expired()
    return HttpResponse(status=204)


def _is_over(name: str, sent: Sent) -> bool:
    late = time.time() >= sent.expires_at
    return late or _uses.all_taken(name) or _newest.look(sent.number) != name


def _bounded(body: Body, name: str, longest: int) -> str:
    value = text(body, name)
    if len(value) > longest:
        raise invalid(f"{name} is too long")
    return value


def _expired() -> ApiError:
    return _error(400, "VERIFICATION_EXPIRED", "The code is used, replaced or too old")


def _error(status: int, code: str, message: str) -> ApiError:
    return ApiError(status, f"ONE_TIME_PASSWORD_SMS.{code}", message)
