"""Signup, login, logout, profile, number: read the request, call a journey, answer."""

from dataclasses import replace
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import logout as end_session
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from numberverify import ways
from numberverify.browser import (
    SeeOther,
    bind,
    browser_of,
    follows_callback,
    language_of,
    leaves_for_operator,
    lives,
    way_of,
)
from numberverify.errors import VerificationNotUsable
from numberverify.flow import Receipt
from numberverify.history import of_person
from numberverify.limits import hand_back
from numberverify.stepup import is_frozen, step_up_required

from . import claims, login, notices, phone, releases, sessions, signup, tries
from .forms import FirstPhoneForm, LoginForm, PhoneForm, SignupForm
from .models import Pending
from .notice import Kind
from .number_views import warn_of_claim
from .pages import (
    PROFILE,
    find_pending,
    for_the_signed_in,
    form_page,
    gone,
    next_of,
    posted,
    signed_in,
    signed_out,
)
from .signin import (
    has_proved,
    known_browser,
    note_language,
    note_proof,
    sign_in,
)


@never_cache
@leaves_for_operator
@sensitive_post_parameters("password1", "password2")
@form_page
def signup_page(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return SeeOther(next_of(request))
    form = SignupForm(posted(request))
    if request.method == "POST" and form.is_valid():
        tries.before_signup(request)
        browser = browser_of(request)
        url = signup.begin(
            email=form.cleaned_data["email"],
            password=form.cleaned_data["password1"],
            msisdn=form.cleaned_data["phone"],
            typed=form["phone"].value().strip(),
            browser=browser,
            next=next_of(request),
            way=way_of(request),
        )
        return bind(SeeOther(url), browser)
    context = {"form": form, "next": next_of(request)}
    return render(request, "accounts/signup.html", context)


@follows_callback
@never_cache
@leaves_for_operator
@form_page
def signup_journey(
    request: HttpRequest, journey: UUID, receipt: Receipt | None = None
) -> HttpResponse:
    """GET goes on with a receipt, or keeps what was typed; POST asks again."""
    browser = browser_of(request)
    pending = find_pending(request, Pending.Kind.SIGNUP, journey)
    if pending is None:
        return gone(request)
    if request.method == "POST":
        return SeeOther(signup.ask(pending, browser, way_of(request)))
    try:
        user = signup.resume(pending, browser, receipt, language=language_of(request))
    except signup.NumberTaken:
        return SeeOther(resolve_url("accounts:signup-number-taken"))
    except signup.EmailTaken:
        return SeeOther(resolve_url("accounts:signup-email-taken"))
    except VerificationNotUsable:
        if find_pending(request, Pending.Kind.SIGNUP, journey) is None:
            return gone(request)  # an equal request has just gone on
        typed = {"email": pending.email, "phone": pending.phone_typed}
        context = {"form": SignupForm(initial=typed), "next": pending.next}
        return render(request, "accounts/signup.html", context)
    return sign_in(
        request,
        SeeOther(pending.next),
        user,
        device=None,
        proved_at=timezone.now(),
    )


@never_cache
@require_safe
def number_taken(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/number_taken.html")


@never_cache
@require_safe
def email_taken(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/email_taken.html")


@never_cache
@leaves_for_operator
@sensitive_post_parameters("password")
@form_page
def login_page(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return SeeOther(next_of(request))
    form = LoginForm(request, posted(request))
    if request.method == "POST" and form.is_valid() and form.user:
        if form.user.frozen_at:
            hand_back(form.tries)
            return render(request, "accounts/frozen.html", status=403)
        device = form.device or known_browser(request, form.user)
        known = has_proved(device)
        browser = replace(browser_of(request), is_known=known, tries=form.tries)
        url = login.begin(
            form.user,
            browser=browser,
            device=device,
            next=next_of(request),
            way=way_of(request),
        )
        hand_back(form.tries)  # what no start has taken along
        if url is None:
            response = SeeOther(next_of(request))
            warn_of_claim(request, form.user)
            note_language(request, form.user)
            if device is None:
                notices.tell_sparingly(form.user, Kind.NEW_BROWSER, browser)
            return sign_in(request, response, form.user, device=device, proved_at=None)
        return bind(SeeOther(url), browser)
    context = {"form": form, "next": next_of(request)}
    return render(request, "accounts/login.html", context)


@follows_callback
@never_cache
@form_page
def login_journey(
    request: HttpRequest, journey: UUID, receipt: Receipt | None = None
) -> HttpResponse:
    """GET goes on with a receipt; POST asks again."""
    pending = find_pending(request, Pending.Kind.LOGIN, journey)
    if pending is None or pending.user is None:
        return gone(request)
    device = pending.device
    browser = replace(browser_of(request), is_known=has_proved(device))
    try:
        if request.method == "POST":
            way = way_of(request)
            response = SeeOther(login.ask_again(pending, browser, way))
            return bind(response, browser, max_age=lives(way))
        user = login.resume(pending, browser, receipt)
    except VerificationNotUsable:
        return gone(request)
    warn_of_claim(request, user)
    if device is None:
        note_language(request, user)
        notices.tell(user, Kind.NEW_BROWSER, browser)
    return sign_in(
        request,
        SeeOther(pending.next),
        user,
        device=device,
        proved_at=timezone.now(),
    )


@never_cache
@require_safe
def admin_login(request: HttpRequest) -> HttpResponse:
    """The admin's login is the site's. Whoever is signed in and comes here lacks the
    permission, and would be sent back and forth for ever."""
    if request.user.is_authenticated:
        raise PermissionDenied
    query = request.META["QUERY_STRING"]
    return SeeOther(resolve_url("accounts:login") + (query and f"?{query}"))


@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "home.html")


@require_POST
def logout_page(request: HttpRequest) -> HttpResponse:
    end_session(request)
    return signed_out(SeeOther("/"))


@never_cache
@for_the_signed_in
@require_safe
def profile_page(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    context = {
        "msisdn": phone.msisdn_of(user),
        "profile": getattr(user, "profile", None),
        "verifications": of_person(user),
        "claimed": claims.of(user),
        "claim": claims.against(user),
        "release": releases.open_for(user),
        "has_app": ways.has_app(user),
        "codes_left": ways.codes_left(user),
    }
    return render(request, "accounts/profile.html", context)


@never_cache
@leaves_for_operator
@sensitive_post_parameters("password")
@for_the_signed_in
@form_page
def phone_page(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    if msisdn := phone.msisdn_of(user):
        return render(request, "accounts/phone_on_file.html", {"msisdn": msisdn})
    # Who can prove more than the password does; a frozen account is told there.
    if ways.has_any(user) or is_frozen(user):
        return SeeOther(resolve_url("accounts:phone-change"))
    just_typed = sessions.has_just_shown_password(request.session)
    form = FirstPhoneForm(user, posted(request), asks_password=not just_typed)
    if request.method == "POST" and form.is_valid():
        browser = browser_of(request, user)
        number, typed = form.cleaned_data["phone"], form["phone"].value().strip()
        url = phone.begin(user, number, browser, typed=typed, way=way_of(request))
        request.session.cycle_key()  # the password is a proof (OWASP ASVS 7.2.4)
        return bind(SeeOther(url), browser)
    context = {"form": form, "address": request.path}
    return render(request, "accounts/phone.html", context)


@step_up_required("change_phone", form_fields=("phone",))
@form_page
def phone_change(request: HttpRequest) -> HttpResponse:
    """Another number, or the first of a person who has another way already."""
    user = signed_in(request)
    on_file = phone.msisdn_of(user)
    data = request.POST if "phone" in request.POST else None
    form = PhoneForm(data)
    if data and form.is_valid() and form.cleaned_data["phone"] == on_file:
        form.add_error("phone", _("That is your number already"))
    if data and form.is_valid():
        number, typed = form.cleaned_data["phone"], form["phone"].value().strip()
        try:
            return SeeOther(phone.begin_change(request, user, number, typed=typed))
        except VerificationNotUsable:
            return gone(request)
    context = {"form": form, "msisdn": on_file, "address": request.path}
    return render(request, "accounts/phone.html", context)


@never_cache
@leaves_for_operator
@for_the_signed_in
@form_page
def phone_journey(request: HttpRequest, journey: UUID) -> HttpResponse:
    """GET goes on with a receipt, or keeps what was typed; POST asks again."""
    pending = find_pending(request, Pending.Kind.PHONE_CHANGE, journey)
    if pending is None or pending.user != request.user or not pending.still_holds():
        return gone(request)
    browser = browser_of(request, pending.user)
    if "phone" in request.POST:
        return _correct_number(request, pending)
    if request.method == "POST":
        return SeeOther(phone.ask(pending, browser, way_of(request)))
    try:
        phone.resume(pending, browser)
    except phone.NumberTaken:
        return render(request, "accounts/number_taken.html")
    except phone.Claimed:
        note_proof(request, signed_in(request))
        return SeeOther(resolve_url(PROFILE))
    except VerificationNotUsable:
        if find_pending(request, Pending.Kind.PHONE_CHANGE, journey) is None:
            return gone(request)
        form = PhoneForm(initial={"phone": pending.phone_typed})
        context = {"form": form, "address": request.path}
        return render(request, "accounts/phone.html", context)
    note_proof(request, signed_in(request))
    request.session.cycle_key()  # a proof is a login once more (OWASP ASVS 7.2.4)
    messages.success(request, _("Your number is confirmed."))
    return SeeOther(resolve_url(PROFILE))


def _correct_number(request: HttpRequest, pending: Pending) -> HttpResponse:
    """Go on with another number in the same journey: who began it has been proved."""
    form = PhoneForm(request.POST)
    if not form.is_valid():
        context = {"form": form, "address": request.path}
        return render(request, "accounts/phone.html", context)
    typed = form["phone"].value().strip()
    phone.correct(pending, form.cleaned_data["phone"], typed=typed)
    browser = browser_of(request, pending.user)
    return SeeOther(phone.ask(pending, browser, way_of(request)))
