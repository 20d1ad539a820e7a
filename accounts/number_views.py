"""A number that changes hands: removed, claimed, released, kept."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils.translation import gettext as _

from numberverify import ways
from numberverify.browser import SeeOther
from numberverify.errors import VerificationNotUsable
from numberverify.stepup import step_up_required

from . import claims, phone, releases
from .models import User
from .pages import PROFILE, form_page, gone, signed_in


def warn_of_claim(request: HttpRequest, user: User) -> None:
    """Tell the holder at the next login that somebody claims the number.

    By the profile, which the login has read already."""
    profile = getattr(user, "profile", None)
    if profile and profile.claimed_until:
        messages.warning(
            request,
            _("Somebody else has proved your mobile number. Keep it on your profile."),
        )


@step_up_required("remove_phone", form_fields=("remove",))
@form_page
def remove(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    if "remove" in request.POST:
        try:
            phone.remove(request, user)
        except VerificationNotUsable:
            return gone(request)
        messages.success(request, _("Your number is removed."))
        return SeeOther(resolve_url(PROFILE))
    context = {"msisdn": phone.msisdn_of(user), "has_other_way": ways.has_any(user)}
    return render(request, "accounts/phone_remove.html", context)


@step_up_required("keep_phone", form_fields=("keep",))
@form_page
def claim(request: HttpRequest) -> HttpResponse:
    """For the holder of a number that somebody claims: by the network alone."""
    user = signed_in(request)
    if "keep" in request.POST:
        try:
            kept = claims.keep(request, user)
        except VerificationNotUsable:
            return gone(request)
        words = (
            _("You keep your number.")
            if kept
            else _("Nobody claims your number any more.")
        )
        messages.success(request, words)
        return SeeOther(resolve_url(PROFILE))
    context = {"msisdn": phone.msisdn_of(user), "claim": claims.against(user)}
    return render(request, "accounts/phone_claim.html", context)


@step_up_required("stop_release", form_fields=("keep",))
@form_page
def release(request: HttpRequest) -> HttpResponse:
    """For whoever has the number that staff were asked to release."""
    user = signed_in(request)
    if "keep" in request.POST:
        try:
            stopped = releases.stop(request, user)
        except VerificationNotUsable:
            return gone(request)
        words = (
            _("You keep your number.")
            if stopped
            else _("Nobody asks for your number to be released any more.")
        )
        messages.success(request, words)
        return SeeOther(resolve_url(PROFILE))
    context = {"msisdn": phone.msisdn_of(user), "release": releases.open_for(user)}
    return render(request, "accounts/phone_release.html", context)
