"""What the pages of the accounts share."""

from functools import wraps
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from numberverify.browser import SeeOther, View, bind_anew, binding_of, to_login
from numberverify.history import reference_of

from . import signin
from .models import Pending, User

PROFILE = "accounts:profile"
MAX_NEXT = 500  # characters, as the column is wide
form_page = require_http_methods(["GET", "HEAD", "POST"])


def for_the_signed_in(view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return to_login(request)
        return view(request, *args, **kwargs)

    return guarded


def signed_out(response: HttpResponse) -> HttpResponse:
    """Leave nothing of the session that has just ended in this browser."""
    # Not "cookies": this browser stays known, and a guess at the password dear.
    response["Clear-Site-Data"] = '"cache", "storage"'
    return bind_anew(response)


def next_of(request: HttpRequest) -> str:
    """Return the page to go to afterwards; one of another host becomes the profile."""
    address = request.POST.get("next") or request.GET.get("next") or ""
    here = {request.get_host()}
    fits = len(address) <= MAX_NEXT and address.isprintable()
    if fits and url_has_allowed_host_and_scheme(address, here, request.is_secure()):
        return address
    return resolve_url(PROFILE)


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: an empty POST is a form as well, full of errors."""
    return request.POST if request.method == "POST" else None


def find_pending(request: HttpRequest, kind: str, journey: UUID) -> Pending | None:
    """Return the half-finished journey of this browser; who goes on has more time."""
    token = request.COOKIES.get(signin.cookie_name(), "")
    pending = Pending.live(kind, journey, binding_of(request), token)
    if pending and request.method == "POST":
        pending.live_on()
    return pending


def signed_in(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  for_the_signed_in saw to it
    return request.user


def gone(request: HttpRequest) -> HttpResponse:
    """The journey is over, or belongs to another browser."""
    if request.user.is_authenticated:
        return SeeOther(resolve_url(PROFILE))
    context = {"reference": reference_of(request.path, binding_of(request))}
    return render(request, "numberverify/start_again.html", context, status=410)
