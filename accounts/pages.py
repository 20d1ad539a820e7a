"""What the pages of the accounts share."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from numberverify.browser import SeeOther, binding_of

from .models import Pending, User

PROFILE = "accounts:profile"
MAX_NEXT = 500  # characters, as the column is wide
form_page = require_http_methods(["GET", "HEAD", "POST"])


def next_of(request: HttpRequest) -> str:
    """Return the page to go to afterwards; one of another host becomes the profile."""
    address = request.POST.get("next") or request.GET.get("next") or ""
    here = {request.get_host()}
    if url_has_allowed_host_and_scheme(address, here, request.is_secure()):
        return address if len(address) <= MAX_NEXT else resolve_url(PROFILE)
    return resolve_url(PROFILE)


def find_pending(request: HttpRequest, kind: str, journey: UUID) -> Pending | None:
    return Pending.objects.live(kind, journey, binding_of(request)).first()


def signed_in(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  login_required saw to it
    return request.user


def gone(request: HttpRequest) -> HttpResponse:
    """The journey is over, or belongs to another browser."""
    if request.user.is_authenticated:
        return SeeOther(resolve_url(PROFILE))
    return render(request, "numberverify/start_again.html", status=410)
