"""The choice of a language."""

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache

from numberverify import ways
from numberverify.browser import SeeOther

from . import languages, phone
from .models import User
from .pages import form_page
from .signin import has_proved, known_browser

MAX_BACK = 2000  # characters of an address


@never_cache
@form_page
def language_page(request: HttpRequest) -> HttpResponse:
    """GET shows what there is; POST keeps the choice, and goes back to the page before.

    A page of its own, so that every other holds its own forms alone.
    """
    if request.method != "POST":
        back = _ours(request, request.headers.get("Referer", ""))
        return render(request, "accounts/language.html", {"back": back})
    chosen = request.POST.get("language", "")
    response = SeeOther(_ours(request, request.POST.get("next", "")))
    if languages.is_ours(chosen):
        if isinstance(request.user, User):
            _keep(request, request.user, chosen)
        languages.remember(response, chosen)
    return response


def _keep(request: HttpRequest, user: User, language: str) -> None:
    if _is_the_owner(request, user):
        request.session.pop(languages.CHOSEN, None)
        User.objects.filter(pk=user.pk).update(language=language)
    else:
        request.session[languages.CHOSEN] = language


def _is_the_owner(request: HttpRequest, user: User) -> bool:
    """Whether more than the password was shown here, or there is nothing more."""
    if has_proved(known_browser(request, user)):
        return True
    return phone.number_of(user) is None and not ways.has_any(user)


def _ours(request: HttpRequest, address: str) -> str:
    """Return the page of this host that an address names, or the start page."""
    fits = len(address) <= MAX_BACK and address.isprintable()
    host = {request.get_host()}
    if fits and url_has_allowed_host_and_scheme(address, host, request.is_secure()):
        parts = urlsplit(address)
        # Without the host, which only this one can be.
        path = "/" + parts.path.lstrip("/")
        return f"{path}?{parts.query}" if parts.query else path
    return "/"
