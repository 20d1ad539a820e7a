"""What the operator has seen of the last flows of a browser, on its side of the wire.

A flow begins where the browser comes with a request. Its name travels along with the
code and the token, so that what the client's server asks later is put to the same one.
"""

import secrets
import time
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from urllib.parse import parse_qsl, unquote_plus

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import (
    HttpRequest,
    HttpResponse,
    RawPostDataException,
    UnreadablePostError,
)

from numberverify.sandbox import cut, strict_json
from numberverify.sandbox.cut import Lines
from numberverify.sandbox.endpoint import P, View
from numberverify.sandbox.handset import Handset
from numberverify.sandbox.store import Roll

COOKIE = "sandbox_flows"
HOUR = 60 * 60
FLOWS = 5
STEPS = 10
# In the request's META, which is the request's own to write into.
FLOW, BROWSER, NOTES = "sandbox.flow", "sandbox.browser", "sandbox.notes"


@dataclass(frozen=True, slots=True)
class Step:
    """One exchange, of which no secret is whole."""

    leg: str
    at: datetime
    milliseconds: int
    method: str
    path: str
    sent: Lines
    noted: Lines
    status: int
    answered: Lines


@dataclass(frozen=True, slots=True)
class Flow:
    steps: tuple[Step, ...]  # oldest first


_flows = Roll[str]("flows", FLOWS, HOUR)
_steps = Roll[Step]("steps", STEPS, HOUR)


def begin(request: HttpRequest) -> str:
    """Return the name of a new flow of this browser."""
    flow = secrets.token_urlsafe(16)
    browser = request.COOKIES.get(COOKIE) or secrets.token_urlsafe(16)
    _flows.add(browser, flow)
    request.META[BROWSER] = browser
    go_on(request, flow)
    return flow


def go_on(request: HttpRequest, flow: str) -> None:
    """Say which flow the request turned out to be of; "" is none."""
    request.META[FLOW] = flow


def note(request: HttpRequest, phone: Handset, *, sees_sim: bool) -> None:
    """Add what only the operator knows: which handset the request comes from."""
    notes = [("SIM", cut.number(phone.number) if sees_sim else "—")]
    notes.append(("network", phone.network.value))
    if phone.fault:
        notes.append(("fault", phone.fault.value))
    request.META[NOTES] = tuple(notes)


def traced(leg: str) -> Callable[[View[P]], View[P]]:
    """Keep what the view is asked and answers, when it is of a flow."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def wrapped(
            request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponse:
            began = time.monotonic()
            response = view(request, *args, **kwargs)
            if flow := request.META.get(FLOW):
                took = round(1000 * (time.monotonic() - began))
                _steps.add(flow, _step(leg, request, response, took))
            if browser := request.META.get(BROWSER):
                _set_cookie(request, response, browser)
            return response

        return wrapped

    return decorate


def flows_of(request: HttpRequest) -> list[Flow]:
    """The last flows of this browser, newest first."""
    browser = request.COOKIES.get(COOKIE)
    names = _flows.newest_first(browser) if browser else []
    found = [tuple(reversed(_steps.newest_first(name))) for name in names]
    return [Flow(steps) for steps in found if steps]


def _set_cookie(request: HttpRequest, response: HttpResponse, browser: str) -> None:
    response.set_cookie(
        COOKIE,
        browser,
        max_age=HOUR,
        secure=request.is_secure(),
        httponly=True,
        # The way to an operator is a link from elsewhere, which Lax lets it follow.
        samesite="Lax",
    )


def _step(
    leg: str, request: HttpRequest, response: HttpResponse, milliseconds: int
) -> Step:
    return Step(
        leg=leg,
        at=datetime.now(UTC),
        milliseconds=milliseconds,
        method=request.method or "",
        path=cut.path(request.path),
        sent=_credentials(request) + _sent(request),
        noted=request.META.get(NOTES, ()),
        status=response.status_code,
        answered=_answered(response),
    )


def _credentials(request: HttpRequest) -> Lines:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    lines = {
        "basic": (("Authorization", f"Basic {_user(value)} : …"),),
        "bearer": (("Authorization", f"Bearer {cut.cut(value)}"),),
    }.get(scheme.lower(), ())
    correlator = request.headers.get("x-correlator", "")
    return lines + ((("x-correlator", correlator[:64]),) if correlator else ())


def _user(encoded: str) -> str:
    """The id before the secret, of which nothing is shown."""
    try:
        client_id = b64decode(encoded, validate=True).decode("utf-8").partition(":")[0]
    except ValueError:
        return "…"
    return unquote_plus(client_id)[:64]


def _sent(request: HttpRequest) -> Lines:
    try:
        if request.method == "GET":
            return cut.parameters(request.GET.dict())
        if request.content_type == "application/json":
            return cut.members(strict_json.parse(request.body))
        if request.content_type == "application/x-www-form-urlencoded":
            return cut.parameters(request.POST.dict())
    except (
        BadRequest,
        SuspiciousOperation,
        UnreadablePostError,
        RawPostDataException,
        ValueError,
    ):
        pass
    return (("body", "…"),) if request.META.get("CONTENT_LENGTH") else ()


def _answered(response: HttpResponse) -> Lines:
    if location := response.get("Location"):
        address, _, query = location.partition("?")
        to = ("Location", cut.path(address))
        return (to, *cut.parameters(dict(parse_qsl(query))))
    if response.get("Content-Type") == "application/json":
        return cut.members(strict_json.parse(response.content))
    return ()
