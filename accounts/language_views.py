"""The choice of a language."""

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from numberverify import ways
from numberverify.browser import SeeOther

from . import languages, phone
from .models import User
from .signin import has_proved, known_browser

MAX_BACK = 2000  # characters of an address


@never_cache
@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Keep the choice, and go back to the page where it was made."""
    chosen = request.POST.get("language", "")
    response = SeeOther(_back(request))
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


def _back(request: HttpRequest) -> str:
    """Return the page of this host that the form names, or the start page."""
    back, host = request.POST.get("next", ""), request.get_host()
    fits = len(back) <= MAX_BACK and back.isprintable()
    if fits and url_has_allowed_host_and_scheme(back, {host}, request.is_secure()):
        address = urlsplit(back)
        # Without the host, which only this one can be.
        path = "/" + address.path.lstrip("/")
        return f"{path}?{address.query}" if address.query else path
    return "/"
