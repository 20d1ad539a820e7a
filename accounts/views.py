"""Pages of the accounts: read the request, call one journey, answer."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth import logout as end_session
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from numberverify.browser import (
    SeeOther,
    bind,
    bind_anew,
    binding_of,
    browser_of,
    leaves_for_operator,
)
from numberverify.errors import VerificationNotUsable
from numberverify.history import of_person
from numberverify.stepup import previous_of, step_up_required

from . import login, mail, password, phone, signup
from .forms import EmailForm, LoginForm, PhoneForm, SignupForm
from .models import Pending, User
from .signin import known_browser, sign_in

PROFILE = "accounts:profile"
MAX_NEXT = 500  # characters, as the column is wide
pages = require_http_methods(["GET", "HEAD", "POST"])


@never_cache
@leaves_for_operator
@sensitive_post_parameters("password1", "password2")
@pages
def signup_page(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return SeeOther(next_of(request))
    form = SignupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        browser = browser_of(request)
        url = signup.begin(
            email=form.cleaned_data["email"],
            password=form.cleaned_data["password1"],
            msisdn=form.cleaned_data["phone"],
            browser=browser,
            next=next_of(request),
        )
        return bind(SeeOther(url), browser.binding)
    context = {"form": form, "next": next_of(request)}
    return render(request, "accounts/signup.html", context)


@never_cache
@leaves_for_operator
@pages
def signup_journey(request: HttpRequest, journey: UUID) -> HttpResponse:
    """GET goes on with a receipt, or keeps what was typed; POST asks again."""
    browser = browser_of(request)
    pending = find_pending(request, Pending.Kind.SIGNUP, journey)
    if pending is None:
        return gone(request)
    if request.method == "POST":
        return SeeOther(signup.ask(pending, browser, previous_of(request)))
    try:
        user = signup.resume(pending, browser)
    except signup.NumberTaken:
        return SeeOther(resolve_url("accounts:signup-number-taken"))
    except signup.EmailTaken:
        return SeeOther(resolve_url("accounts:signup-email-taken"))
    except VerificationNotUsable:
        if find_pending(request, Pending.Kind.SIGNUP, journey) is None:
            return gone(request)  # an equal request has just gone on
        typed = {"email": pending.email, "phone": pending.phone}
        context = {"form": SignupForm(initial=typed), "next": pending.next}
        return render(request, "accounts/signup.html", context)
    return sign_in(request, SeeOther(pending.next), user, proved_at=timezone.now())


@require_safe
def number_taken(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/number_taken.html")


@require_safe
def email_taken(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/email_taken.html")


@never_cache
@leaves_for_operator
@sensitive_post_parameters("password")
@pages
def login_page(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return SeeOther(next_of(request))
    form = LoginForm(request, request.POST or None)
    if request.method == "POST" and form.is_valid() and form.user:
        browser = browser_of(request)
        url = login.begin(
            form.user,
            browser=browser,
            device=known_browser(request, form.user),
            next=next_of(request),
        )
        if url is None:
            response = SeeOther(next_of(request))
            return sign_in(request, response, form.user, proved_at=None)
        return bind(SeeOther(url), browser.binding)
    context = {"form": form, "next": next_of(request)}
    return render(request, "accounts/login.html", context)


@never_cache
@pages
def login_journey(request: HttpRequest, journey: UUID) -> HttpResponse:
    """GET goes on with a receipt; POST asks again."""
    browser = browser_of(request)
    pending = find_pending(request, Pending.Kind.LOGIN, journey)
    if pending is None:
        return gone(request)
    try:
        if request.method == "POST":
            return SeeOther(login.ask_again(pending, browser, previous_of(request)))
        user = login.resume(pending, browser)
    except VerificationNotUsable:
        return gone(request)
    return sign_in(request, SeeOther(pending.next), user, proved_at=timezone.now())


@require_POST
def logout_page(request: HttpRequest) -> HttpResponse:
    end_session(request)
    return bind_anew(SeeOther("/"))


@never_cache
@login_required
@require_safe
def profile_page(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    context = {
        "msisdn": phone.msisdn_of(user),
        "profile": getattr(user, "profile", None),
        "verifications": of_person(user),
    }
    return render(request, "accounts/profile.html", context)


@never_cache
@leaves_for_operator
@login_required
@pages
def phone_page(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    if msisdn := phone.msisdn_of(user):
        return render(request, "accounts/phone_on_file.html", {"msisdn": msisdn})
    form = PhoneForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        browser = browser_of(request)
        url = phone.begin(user, form.cleaned_data["phone"], browser)
        return bind(SeeOther(url), browser.binding)
    return render(request, "accounts/phone.html", {"form": form})


@never_cache
@leaves_for_operator
@login_required
@pages
def phone_journey(request: HttpRequest, journey: UUID) -> HttpResponse:
    """GET goes on with a receipt, or keeps what was typed; POST asks again."""
    browser = browser_of(request)
    pending = find_pending(request, Pending.Kind.PHONE_CHANGE, journey)
    if pending is None or pending.user != request.user:
        return gone(request)
    if request.method == "POST":
        return SeeOther(phone.ask(pending, browser, previous_of(request)))
    try:
        phone.resume(pending, browser)
    except phone.NumberTaken:
        return render(request, "accounts/number_taken.html")
    except VerificationNotUsable:
        if find_pending(request, Pending.Kind.PHONE_CHANGE, journey) is None:
            return gone(request)
        form = PhoneForm(initial={"phone": pending.phone})
        return render(request, "accounts/phone.html", {"form": form})
    messages.success(request, _("Your number is confirmed."))
    return SeeOther(resolve_url(PROFILE))


@sensitive_post_parameters()
@step_up_required("password_change", max_age=300)
@pages
def password_change(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    form = PasswordChangeForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            password.change(request, user, form.cleaned_data["new_password1"])
        except VerificationNotUsable:
            return gone(request)
        messages.success(request, _("Your password is changed."))
        return SeeOther(resolve_url(PROFILE))
    return render(request, "accounts/password_change.html", {"form": form})


@never_cache
@pages
def password_reset(request: HttpRequest) -> HttpResponse:
    """The answer is the same whether or not there is such an account."""
    form = EmailForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        password.send_reset_link(form.cleaned_data["email"])
        return SeeOther(resolve_url("accounts:password-reset-sent"))
    return render(request, "accounts/password_reset.html", {"form": form})


@require_safe
def password_reset_sent(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/password_reset_sent.html")


@never_cache
@leaves_for_operator
@pages
def password_reset_link(request: HttpRequest, uidb64: str, token: str) -> HttpResponse:
    """The mailed link. A GET shows a button only: mail scanners open links."""
    user = password.user_of_link(uidb64, token)
    if user is None:
        return render(request, "accounts/link_is_over.html", status=410)
    if request.method == "POST":
        browser = browser_of(request)
        url = password.begin_reset(user, browser)
        return bind(SeeOther(url), browser.binding)
    context = {"msisdn": phone.msisdn_of(user)}
    return render(request, "accounts/password_reset_link.html", context)


@never_cache
@leaves_for_operator
@sensitive_post_parameters()
@pages
def password_reset_new(request: HttpRequest, journey: UUID) -> HttpResponse:
    """With a receipt: the new password. Without one, POST asks again."""
    browser = browser_of(request)
    pending = find_pending(request, Pending.Kind.PASSWORD_RESET, journey)
    if pending is None or pending.user is None:
        return gone(request)
    try:
        if not password.is_proved(pending, browser):
            if request.method == "POST":
                return SeeOther(password.ask(pending, browser, previous_of(request)))
            context = {"msisdn": phone.msisdn_of(pending.user)}
            return render(request, "accounts/password_reset_link.html", context)
        form = SetPasswordForm(pending.user, request.POST or None)
        if request.method == "POST" and form.is_valid():
            password.reset(pending, browser, form.cleaned_data["new_password1"])
            messages.success(request, _("Your password is changed. Log in with it."))
            return SeeOther(resolve_url("accounts:login"))
    except VerificationNotUsable:
        return gone(request)
    return render(request, "accounts/password_reset_new.html", {"form": form})


@never_cache
@pages
def email_confirm(request: HttpRequest, token: str) -> HttpResponse:
    user = mail.confirmed_by(token)
    if user is None:
        return render(request, "accounts/link_is_over.html", status=410)
    if request.method == "POST" and user.email_confirmed_at is None:
        user.email_confirmed_at = timezone.now()
        user.save(update_fields=["email_confirmed_at"])
    return render(request, "accounts/email_confirm.html", {"person": user})


@never_cache
@pages
def email_close(request: HttpRequest, token: str) -> HttpResponse:
    """Close an account that somebody else opened with this e-mail. Only while the
    e-mail is not confirmed: an old mail must not be a key to a living account."""
    user = mail.confirmed_by(token)
    if user is None or user.email_confirmed_at:
        return render(request, "accounts/link_is_over.html", status=410)
    if request.method == "POST":
        User.objects.filter(pk=user.pk, email_confirmed_at=None).delete()
        return render(request, "accounts/email_closed.html")
    return render(request, "accounts/email_close.html", {"person": user})


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
