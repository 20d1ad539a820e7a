"""A new password, and the links that we mail."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from numberverify.browser import (
    SeeOther,
    bind,
    browser_of,
    leaves_for_operator,
    to_login,
    way_of,
)
from numberverify.errors import VerificationNotUsable
from numberverify.stepup import step_up_required

from . import account, mail, password, phone, signin, tries
from .forms import ChangePasswordForm, EmailForm, NewPasswordForm
from .models import Pending
from .pages import (
    PROFILE,
    find_pending,
    form_page,
    gone,
    posted,
    signed_in,
)
from .signin import note_proof


@sensitive_post_parameters()
@step_up_required(
    "password_change",
    max_age=300,
    form_fields=("old_password", "new_password1", "new_password2"),
)
@form_page
def password_change(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    # The confirm page's button, pressed twice, is no form with errors.
    data = request.POST if "old_password" in request.POST else None
    form = ChangePasswordForm(user, data)
    if request.method == "POST" and form.is_valid():
        try:
            password.change(request, user, form.cleaned_data["new_password1"])
        except VerificationNotUsable:
            return gone(request)
        note_proof(request, user)
        messages.success(request, _("Your password is changed."))
        return SeeOther(resolve_url(PROFILE))
    return render(request, "accounts/password_change.html", {"form": form})


@never_cache
@form_page
def password_reset(request: HttpRequest) -> HttpResponse:
    """The answer is the same whether or not there is such an account."""
    form = EmailForm(posted(request))
    if request.method == "POST" and form.is_valid():
        token = request.COOKIES.get(signin.cookie_name(), "")
        tries.before_mail(request, form.cleaned_data["email"], token)
        password.send_reset_link(form.cleaned_data["email"])
        return SeeOther(resolve_url("accounts:password-reset-sent"))
    return render(request, "accounts/password_reset.html", {"form": form})


@require_safe
def password_reset_sent(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/password_reset_sent.html")


@never_cache
@leaves_for_operator
@form_page
def password_reset_link(request: HttpRequest, uidb64: str, token: str) -> HttpResponse:
    """The mailed link. A GET shows a button only: mail scanners open links."""
    user = password.user_of_link(uidb64, token)
    if user is None:
        return render(request, "accounts/link_is_over.html", status=410)
    if request.method == "POST":
        browser = browser_of(request, user)
        url = password.begin_reset(user, browser, way_of(request))
        return bind(SeeOther(url), browser)
    context = {"msisdn": phone.msisdn_of(user)}
    return render(request, "accounts/password_reset_link.html", context)


@never_cache
@leaves_for_operator
@sensitive_post_parameters()
@form_page
def password_reset_new(request: HttpRequest, journey: UUID) -> HttpResponse:
    """With a receipt: the new password. Without one, POST asks again."""
    pending = find_pending(request, Pending.Kind.PASSWORD_RESET, journey)
    if pending is None or pending.user is None:
        return gone(request)
    browser = browser_of(request, pending.user)
    try:
        if not password.is_proved(pending, browser):
            if request.method == "POST":
                return SeeOther(password.ask(pending, browser, way_of(request)))
            context = {"msisdn": phone.msisdn_of(pending.user)}
            return render(request, "accounts/password_reset_link.html", context)
        form = NewPasswordForm(pending.user, posted(request))
        if request.method == "POST" and form.is_valid():
            password.reset(pending, browser, form.cleaned_data["new_password1"])
            token = request.COOKIES.get(signin.cookie_name(), "")
            tries.forgive(request, pending.user.email, token)
            messages.success(request, _("Your password is changed. Log in with it."))
            return SeeOther(resolve_url("accounts:login"))
    except VerificationNotUsable:
        return gone(request)
    return render(request, "accounts/password_reset_new.html", {"form": form})


@never_cache
@form_page
def email_confirm(request: HttpRequest, token: str) -> HttpResponse:
    user = mail.confirmed_by(token)
    if user is None:
        return render(request, "accounts/link_is_over.html", status=410)
    if request.method == "POST" and not account.confirm_email(user):
        return render(request, "accounts/link_is_over.html", status=410)
    return render(request, "accounts/email_confirm.html", {"person": user})


@require_POST
def email_resend(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return to_login(request, back_to=resolve_url(PROFILE))
    user = signed_in(request)
    if user.email_confirmed_at is None:
        tries.before_mail(request, user.email, "")
        mail.send_confirmation(user)
    messages.success(request, _("The mail is on its way."))
    return SeeOther(resolve_url(PROFILE))


@never_cache
@form_page
def email_close(request: HttpRequest, token: str) -> HttpResponse:
    """Close an account that somebody else opened with this e-mail. Only while the
    e-mail is not confirmed: an old mail must not be a key to a living account."""
    user = mail.confirmed_by(token)
    if user is None or user.email_confirmed_at:
        return render(request, "accounts/link_is_over.html", status=410)
    if request.method == "POST":
        if not account.close_unconfirmed(user):
            return render(request, "accounts/link_is_over.html", status=410)
        return render(request, "accounts/email_closed.html")
    return render(request, "accounts/email_close.html", {"person": user})
