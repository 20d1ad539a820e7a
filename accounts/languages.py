"""Which language a page is in: the account's, else the browser's.

A browser has the one that was chosen in it, else the one that it asks for. Mails are in
the account's alone, so that whoever has a password cannot have its owner told in a
language that the owner does not read.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import add_never_cache_headers, patch_vary_headers

from .models import User

# Of the session: chosen where nothing was proved, for the pages of that session alone.
CHOSEN = "nv_language"


class LanguageMiddleware:
    """Answer in the language of whoever asks, and say so. Costs no statement: a request
    with a session is read with its person anyway."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with translation.override(_of(request)):
            request.LANGUAGE_CODE = translation.get_language()
            response = self.get_response(request)
            return marked(response)


def marked(response: HttpResponse) -> HttpResponse:
    """Have caches keep a page apart for each language, and no page of an error: it says
    who is signed in, and may be gone at the next look."""
    if response.get("Content-Type", "").startswith("text/html"):
        patch_vary_headers(response, ["Accept-Language", "Cookie"])
        response.headers.setdefault("Content-Language", translation.get_language())
        if response.status_code >= 400:
            add_never_cache_headers(response)
    return response


def _of(request: HttpRequest) -> str:
    if request.COOKIES.get(settings.SESSION_COOKIE_NAME) and isinstance(
        request.user, User
    ):
        mine = request.session.get(CHOSEN) or request.user.language
        if is_ours(mine):
            return mine
    return of_browser(request)


def of_browser(request: HttpRequest) -> str:
    """Return the language for whoever it is, without a look at any store."""
    return translation.get_language_from_request(request)


def is_ours(code: str) -> bool:
    return code in dict(settings.LANGUAGES)


def in_its_language(
    page: Callable[..., HttpResponse],
) -> Callable[..., HttpResponse]:
    """For pages of errors, which may come from before or after the middleware."""

    @wraps(page)
    def shown(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        found = getattr(request, "LANGUAGE_CODE", None) or of_browser(request)
        with translation.override(found):
            return marked(page(request, *args, **kwargs))

    return shown


def remember(response: HttpResponse, language: str) -> None:
    """Keep it in the browser, for whoever is not signed in there."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def take_over(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """At a login: the browser goes on in the account's language, also where nobody can
    look the account up, and after the logout."""
    if is_ours(user.language) and user.language != of_browser(request):
        remember(response, user.language)


def chooser(request: HttpRequest) -> dict[str, Any]:
    """For the templates: the languages, each named in itself."""
    return {
        "languages": settings.LANGUAGES,
        "current_language": translation.get_language(),
    }
