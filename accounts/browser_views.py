"""The browsers of an account: a list, and what can be done to each.

Ending one session takes no fresh proof, so that an owner is quick; it is mailed, so
that a thief is not silent. Forgetting another browser takes away what was proved in it,
so it takes a proof.
"""

from django.contrib import messages
from django.contrib.auth import logout as end_session
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from numberverify.browser import SeeOther
from numberverify.errors import VerificationNotUsable
from numberverify.stepup import step_up_required

from . import browsers, sessions, signin
from .models import Device
from .pages import for_the_signed_in, form_page, gone, signed_in, signed_out

BROWSERS = "accounts:browsers"


@never_cache
@for_the_signed_in
@form_page
def browsers_page(request: HttpRequest) -> HttpResponse:
    """The list. POST of `end`, the id of a browser, signs that one out."""
    user = signed_in(request)
    here = signin.known_browser(request, user)
    if request.method != "POST":
        shown = browsers.of_person(user, here)
        context = {"browsers": shown, "is_cut": len(shown) == browsers.SHOWN}
        return render(request, "accounts/browsers.html", context)
    device = _find(request, request.POST.get("end", ""))
    if here and device.pk == here.pk:
        end_session(request)
        return signed_out(SeeOther("/"))
    browsers.sign_out_other(request, user, device)
    messages.success(request, _("That browser is signed out."))
    return SeeOther(resolve_url(BROWSERS))


@never_cache
@for_the_signed_in
@form_page
def forget_browser(request: HttpRequest, device_id: int) -> HttpResponse:
    """This browser is forgotten at once, another with a fresh proof."""
    device = _find(request, device_id)
    here = signin.known_browser(request, signed_in(request))
    if here is None or device.pk != here.pk:
        return _forget_other(request, device)
    if request.method != "POST":
        return _ask(request, device, here)
    end_session(request)
    browsers.forget(device)
    messages.success(request, _("This browser is forgotten, and you are signed out."))
    response = signed_out(SeeOther(resolve_url("accounts:login")))
    response.delete_cookie(signin.cookie_name(), samesite="Lax")
    return response


@step_up_required("forget_browser", form_fields=("forget",))
def _forget_other(request: HttpRequest, device: Device) -> HttpResponse:
    if "forget" not in request.POST:
        return _ask(request, device, None)
    try:
        browsers.forget_other(request, signed_in(request), device)
    except VerificationNotUsable:
        return gone(request)
    messages.success(request, _("That browser is forgotten and signed out."))
    return SeeOther(resolve_url(BROWSERS))


def _ask(request: HttpRequest, device: Device, here: Device | None) -> HttpResponse:
    limits = sessions.limits_of(signed_in(request))
    context = {"browser": browsers.describe(device, limits, here)}
    return render(request, "accounts/forget_browser.html", context)


def _find(request: HttpRequest, device_id: str | int) -> Device:
    device = browsers.find(signed_in(request), device_id)
    if device is None:
        raise Http404
    return device
