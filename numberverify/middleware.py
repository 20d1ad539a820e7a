"""What a limit that is reached looks like, and what a refusal leaves behind."""

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from . import conf, correlation, handoff_views, records, words
from .errors import Limited, StoreAway
from .paths import UUID as UUID_SIGNS

# A new password opens an account at which too many were wrong.
OF_ONE_ACCOUNT = {
    "login_account",
    "login_account_address",
    "login_in_a_row",
    "login_known",
    "password_in_a_row",
}
# Nobody waits so long: it is said what opens the account instead.
ENDLESS = timedelta(days=60).total_seconds()
POLLED = "/handoff/"
AGAIN_IN = 60  # seconds, while the store is away


class CorrelationMiddleware:
    """Tell the server's own log, once the request is over, what it was about. First of
    all, so that every line of the request is between."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        correlation.is_over()  # whatever a thread that died was about
        try:
            return self.get_response(request)
        finally:
            request.META[correlation.KEY] = correlation.is_over()


class HandoffMiddleware:
    """Answer the desktops that wait for a phone, of which there may be hundreds, before
    anything looks at sessions. Without it their view answers, for several times as
    much."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.address = ""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.endswith(POLLED):
            return self.get_response(request)
        self.address = self.address or _polled_address()
        asked = re.fullmatch(self.address, request.path_info)
        if asked is None:
            return self.get_response(request)
        return handoff_views.poll(request, UUID(asked[1]))


def _polled_address() -> str:
    some = UUID(int=0)
    address = reverse("numberverify:handoff", args=[some], current_app=None)
    return re.escape(address).replace(re.escape(str(some)), f"({UUID_SIGNS})")


class LimitsMiddleware:
    """Answer Limited with 429 and StoreAway with 503, saying when to try again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(
        self, request: HttpRequest, error: Exception
    ) -> HttpResponse | None:
        if isinstance(error, Limited):
            return _limited(request, error)
        if isinstance(error, StoreAway):
            response = render(request, "numberverify/store_away.html", status=503)
            return _later(response, AGAIN_IN)
        return None


def _limited(request: HttpRequest, error: Limited) -> HttpResponse:
    title, explanation = words.too_many(error.name)
    context = {
        "title": title,
        "explanation": explanation,
        "wait": words.wait(error.retry_after),
        "at": timezone.now() + timedelta(seconds=error.retry_after),
        "seconds": error.retry_after,
        "endless": error.retry_after > ENDLESS,
        "by_browser": error.name == "login_in_a_row",
        "reset_url": conf.unfreeze_url() if error.name in OF_ONE_ACCOUNT else None,
    }
    response = render(request, "numberverify/limited.html", context, status=429)
    return _later(response, error.retry_after)


def _later(response: HttpResponse, seconds: int) -> HttpResponse:
    response["Retry-After"] = str(seconds)
    add_never_cache_headers(response)
    return response


class RefusedMiddleware:
    """Have each page of the admin that somebody may not see leave a record."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> None:
        if isinstance(error, PermissionDenied):
            records.refused(request)
