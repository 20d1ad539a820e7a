"""Opening a session, and the cookie by which an account knows a browser."""

import secrets
from datetime import datetime

from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from numberverify.browser import bind_anew, browser_of

from .models import Device, User

BACKEND = "django.contrib.auth.backends.ModelBackend"
REMEMBER_FOR = 400 * 24 * 60 * 60  # seconds; browsers keep no cookie longer


def cookie_name() -> str:
    return "__Host-nv_known" if settings.SESSION_COOKIE_SECURE else "nv_known"


def known_browser(request: HttpRequest, user: User) -> Device | None:
    """Return the browser as the account knows it, or None for a new one."""
    return Device.objects.of(user, request.COOKIES.get(cookie_name(), ""))


def knows_browser(request: HttpRequest, user: User) -> bool:
    """Say whether the person has proved something here before (NV_KNOWS_BROWSER).

    A password alone makes no browser trusted: it is what a stranger may have.
    """
    return has_proved(known_browser(request, user))


def has_proved(device: Device | None) -> bool:
    return device is not None and device.last_proof_at is not None


def note_proof(request: HttpRequest, user: User) -> None:
    """A proof after the login counts for the next login in this browser too."""
    if device := known_browser(request, user):
        device.last_proof_at = timezone.now()
        device.save(update_fields=["last_proof_at"])


def sign_in(
    request: HttpRequest,
    response: HttpResponse,
    user: User,
    *,
    proved_at: datetime | None,
) -> HttpResponse:
    """Open the session and know the browser from now on.

    The browser gets a new binding: what was begun before the login cannot be
    redeemed after it.
    """
    login(request, user, backend=BACKEND)
    remember_browser(request, response, user, proved_at=proved_at)
    return bind_anew(response)


def remember_browser(
    request: HttpRequest,
    response: HttpResponse,
    user: User,
    *,
    proved_at: datetime | None,
) -> HttpResponse:
    """Know this browser from now on, by a cookie that survives logout."""
    token = request.COOKIES.get(cookie_name()) or secrets.token_urlsafe(32)
    agent = browser_of(request).user_agent
    Device.remember(user, token, user_agent=agent, proved_at=proved_at)
    response.set_cookie(
        cookie_name(),
        token,
        max_age=REMEMBER_FOR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response
