"""Opening a session, and the cookie by which an account knows a browser."""

import secrets
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from numberverify.browser import agent_of, bind_anew, client_ip, language_of
from numberverify.prepared import Update

from . import languages, sessions, tries
from .models import KNOWN_FOR, Device, User, digest
from .places import country_of

BACKEND = "django.contrib.auth.backends.ModelBackend"
_logged_in = Update(
    User,
    lambda gap: User.objects.filter(pk=gap("id")),
    lambda gap: {"last_login": gap("last_login")},
)


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


def note_language(request: HttpRequest, user: User) -> None:
    """Write down the language of the browser, for an account that has none so far. What
    is on file is the person's own choice, which no other browser undoes."""
    found = language_of(request)
    if found and not user.language:
        User.objects.filter(pk=user.pk).update(language=found)
        user.language = found


def language_on_file(user: User) -> str:
    """Return the language of pages, mails and text messages, or "" (NV_LANGUAGE_OF)."""
    return user.language


def sign_in(
    request: HttpRequest,
    response: HttpResponse,
    user: User,
    *,
    device: Device | None,
    proved_at: datetime | None,
) -> HttpResponse:
    """Open a session with a key of its own, and know the browser from now on.

    `device` is the browser as the account knows it. The browser gets a new binding:
    what was begun before the login cannot be redeemed after it.
    """
    leave(request)
    login(request, user, backend=BACKEND)
    user.last_login = timezone.now()
    _logged_in.ask(id=user.pk, last_login=user.last_login)
    sessions.begin(request, user, tracked=True)
    sessions.note_password(request.session)
    remember_browser(request, response, user, device=device, proved_at=proved_at)
    languages.take_over(request, response, user)
    return bind_anew(response)


def leave(request: HttpRequest) -> None:
    """End the session that the browser has, if any, whoever it is that has it."""
    if key := request.session.session_key:
        Device.objects.filter(session_key=key).update(session_key="")
    request.session.flush()


def remember_browser(
    request: HttpRequest,
    response: HttpResponse,
    user: User,
    *,
    device: Device | None,
    proved_at: datetime | None,
) -> HttpResponse:
    """Know this browser, and its session, from now on, by a cookie that survives
    logout."""
    token = request.COOKIES.get(cookie_name()) or secrets.token_urlsafe(32)
    request.session[sessions.TRACKED] = True
    # Stored before the browser's row has its key: whoever reads it there can end it.
    request.session.save()
    seen: dict[str, Any] = {
        "user_agent": agent_of(request),
        "country": country_of(client_ip(request)),
        "last_seen_at": timezone.now(),
        "signed_in_at": sessions.began_at(request.session),
    }
    if proved_at:
        seen["last_proof_at"] = proved_at
    _write_down(user, token, device, request.session.session_key or "", seen)
    response.set_cookie(
        cookie_name(),
        token,
        max_age=KNOWN_FOR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    tries.own(request, response, user.email, token)
    return response


def _write_down(
    user: User, token: str, device: Device | None, key: str, seen: dict[str, Any]
) -> None:
    """Write the browser's row. Of logins that race in it, each ends the one before."""
    while not (device and device.take(key, **seen)):
        if device and (device := Device.objects.of(user, token)):
            continue  # another request has changed it
        try:  # no transaction is open, which a refusal would spoil
            Device.objects.create(
                user=user, token_digest=digest(token), session_key=key, **seen
            )
            return
        except IntegrityError:
            device = Device.objects.of(user, token)
