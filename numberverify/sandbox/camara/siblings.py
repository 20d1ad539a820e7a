"""CAMARA SIM Swap 2.1 and Number Recycling 0.2: may the number still be trusted?"""

import re
from datetime import UTC, date, datetime, timedelta

from django.http import HttpRequest, HttpResponse, JsonResponse

from numberverify.sandbox import register
from numberverify.sandbox.camara import scopes
from numberverify.sandbox.camara.api import ApiError, api, invalid
from numberverify.sandbox.camara.body import Body, members, text
from numberverify.sandbox.camara.grants import AccessToken
from numberverify.sandbox.handset import E164

DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
DEFAULT_HOURS = 240
MOST_HOURS = 2400


@api("POST", scopes.SIM_SWAP_CHECK, scopes.SIM_SWAP)
def sim_swap(request: HttpRequest, token: AccessToken) -> HttpResponse:
    body = members(request, optional={"phoneNumber", "maxAge"})
    hours = _hours(body)
    changed = register.line(_number(body, token)).sim_changed_at
    since = datetime.now(UTC) - timedelta(hours=hours)
    return JsonResponse({"swapped": changed is not None and changed >= since})


@api("POST", scopes.RECYCLING)
def recycling(request: HttpRequest, token: AccessToken) -> HttpResponse:
    body = members(request, required={"specifiedDate"}, optional={"phoneNumber"})
    day = _day(body)
    changed = register.line(_number(body, token)).subscriber_changed_at
    recycled = changed is not None and changed.date() > day
    return JsonResponse({"phoneNumberRecycled": recycled})


def _hours(body: Body) -> int:
    hours = body.get("maxAge", DEFAULT_HOURS)
    if isinstance(hours, bool) or not isinstance(hours, int):
        raise invalid("maxAge is no whole number")
    if not 1 <= hours <= MOST_HOURS:
        raise ApiError(400, "OUT_OF_RANGE", f"maxAge is from 1 to {MOST_HOURS}")
    return hours


def _day(body: Body) -> date:
    """The date that is asked about, in UTC like all dates here."""
    try:
        day = date.fromisoformat(text(body, "specifiedDate", form=DATE))
    except ValueError:
        raise invalid("specifiedDate is no date") from None
    if day > datetime.now(UTC).date():
        raise ApiError(400, "OUT_OF_RANGE", "specifiedDate is in the future")
    return day


def _number(body: Body, token: AccessToken) -> str:
    """The number that the token stands for, or else the one in the body."""
    named = text(body, "phoneNumber", form=E164) if "phoneNumber" in body else ""
    if token.number and named:
        raise ApiError(422, "UNNECESSARY_IDENTIFIER", "The token names the number")
    if not token.number and not named:
        raise ApiError(422, "MISSING_IDENTIFIER", "Nothing names the number")
    return token.number or named
