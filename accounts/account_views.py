"""A person's own account: e-mail, sessions, data, end. Each asks for a fresh proof."""

from django.contrib import messages
from django.contrib.auth import logout as end_session
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from numberverify.browser import SeeOther, browser_of
from numberverify.errors import VerificationNotUsable
from numberverify.stepup import step_up_required, typed_before

from . import account, mail, signin
from .forms import CloseForm, EmailForm
from .pages import PROFILE, for_the_signed_in, form_page, gone, signed_in, signed_out


@step_up_required("email_change", form_fields=("email",), keep=("email",))
@form_page
def email_change(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    data = request.POST if "email" in request.POST else None
    form = EmailForm(data, initial=dict(typed_before(request)))
    if data and form.is_valid() and form.cleaned_data["email"] == user.email:
        form.add_error("email", _("That is your address already"))
    if data and form.is_valid():
        try:
            account.ask_for_email(request, user, form.cleaned_data["email"])
        except VerificationNotUsable:
            return gone(request)
        messages.success(
            request, _("Open the link that we have mailed to the new address.")
        )
        return SeeOther(resolve_url(PROFILE))
    return render(request, "accounts/email_change.html", {"form": form})


@never_cache
@for_the_signed_in
@form_page
def email_change_confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The link in the mail to the new address, for who asked for it alone: the address
    may have been mistyped. Acts by POST only."""
    change = mail.change_of(token)
    if change is None or change[0] != signed_in(request):
        return render(request, "accounts/link_is_over.html", status=410)
    user, email = change
    if request.method != "POST":
        context = {"person": user, "email": email}
        return render(request, "accounts/email_change_confirm.html", context)
    if not account.change_email(user, email, browser_of(request)):
        return render(request, "accounts/link_is_over.html", status=410)
    messages.success(request, _("Your e-mail address is changed."))
    return SeeOther(resolve_url(PROFILE))


@step_up_required("end_sessions", form_fields=("end",))
@form_page
def end_sessions(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    if "end" in request.POST:
        device = signin.known_browser(request, user)
        try:
            account.end_other_sessions(request, user, device=device)
        except VerificationNotUsable:
            return gone(request)
        messages.success(request, _("All your other sessions have ended."))
        response = SeeOther(resolve_url(PROFILE))
        now = timezone.now()  # the proof that this took
        return signin.remember_browser(
            request, response, user, device=device, proved_at=now
        )
    return render(request, "accounts/end_sessions.html")


@step_up_required("export_data", form_fields=("export",))
@form_page
def export(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    if "export" in request.POST:
        try:
            known = account.export(request, user)
        except VerificationNotUsable:
            return gone(request)
        response = JsonResponse(known, json_dumps_params={"indent": 2})
        response["Content-Disposition"] = 'attachment; filename="my-data.json"'
        return response
    return render(request, "accounts/export.html")


@step_up_required("close_account", form_fields=("close", "sure"))
@form_page
def close(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    data = request.POST if "close" in request.POST else None
    form = CloseForm(data)
    if data and form.is_valid():
        try:
            account.close(request, user)
        except account.StaffAccount:
            messages.error(
                request, _("Accounts of staff are closed by other members of staff.")
            )
            return SeeOther(resolve_url(PROFILE))
        except VerificationNotUsable:
            return gone(request)
        end_session(request)
        return signed_out(SeeOther(resolve_url("accounts:closed")))
    return render(request, "accounts/close.html", {"form": form})


@never_cache
@form_page
def closed(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/email_closed.html")
