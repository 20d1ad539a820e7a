"""Where a person puts ways of their own on file: an app, codes on paper."""

from django.contrib import messages
from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from . import conf, ways
from .browser import SeeOther, to_login
from .errors import VerificationNotUsable
from .factors import recovery, totp
from .forms import AuthenticatorForm
from .stepup import held, is_frozen, redeem_step_up, step_up_required

SALT = "numberverify.factor_views.key"
KEY_FOR = 30 * 60  # seconds to set the app up


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def authenticator(request: HttpRequest) -> HttpResponse:
    """Add, change or remove the app. Who has nothing yet to prove with gives the
    password; everybody else a fresh proof."""
    if not request.user.is_authenticated:
        return to_login(request)
    has_way = conf.number_of(request.user) or ways.has_any(request.user)
    if not has_way and not is_frozen(request.user):
        return _enrol(request, by_password=True)
    return _guarded_authenticator(request)


@step_up_required("authenticator", form_fields=("key", "code", "remove"))
def _guarded_authenticator(request: HttpRequest) -> HttpResponse:
    if "remove" in request.POST:
        try:
            with transaction.atomic():
                redeem_step_up(request)
                totp.remove(request.user)
        except VerificationNotUsable:
            return SeeOther(request.path)
        messages.success(request, _("The authenticator app is removed."))
        return SeeOther(conf.account_url())
    return _enrol(request)


def _enrol(request: HttpRequest, *, by_password: bool = False) -> HttpResponse:
    key = _key_of(request)
    signed = _sign(request, key)
    data = request.POST.copy() if "code" in request.POST else None
    if data:
        data["key"] = signed
    user = request.user if by_password else None
    form = AuthenticatorForm(data, initial={"key": signed}, user=user)
    if data and form.is_valid():
        try:
            with transaction.atomic():
                if not by_password:
                    redeem_step_up(request)
                enrolled = totp.enrol(request.user, key, form.cleaned_data["code"])
                transaction.set_rollback(not enrolled)
        except VerificationNotUsable:
            return SeeOther(request.path)
        if enrolled:
            if by_password:  # which is a proof that nothing else has noted
                held.renew(request)
            messages.success(request, _("The authenticator app is on file."))
            return SeeOther(conf.account_url())
        form.add_error("code", _("That code is not right. Wait for the next one."))
    address = totp.address_of(key, request.user.get_username())
    context = {
        "form": form,
        "has_app": totp.device_of(request.user.pk) is not None,
        "has_other_way": ways.codes_left(request.user) > 0
        or conf.number_of(request.user) is not None,
        "qr_code": mark_safe(totp.qr_code(address)),  # noqa: S308  made by us
        "typed_key": totp.typed_key(key),
    }
    return render(request, "numberverify/authenticator.html", context)


def _key_of(request: HttpRequest) -> str:
    """Return the key that our page showed to this person, or a new one."""
    try:
        key, user = signing.loads(
            request.POST.get("key", ""), salt=SALT, max_age=KEY_FOR
        )
    except signing.BadSignature:
        return totp.new_key()
    return str(key) if user == str(request.user.pk) else totp.new_key()


def _sign(request: HttpRequest, key: str) -> str:
    return signing.dumps([key, str(request.user.pk)], salt=SALT)


@step_up_required("recovery_codes", form_fields=("make",))
@require_http_methods(["GET", "HEAD", "POST"])
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Make ten codes and show them, once, in the answer to the POST itself."""
    made: list[str] = []
    if "make" in request.POST:
        try:
            with transaction.atomic():
                redeem_step_up(request)
                made = recovery.make(request.user)
        except VerificationNotUsable:
            return SeeOther(request.path)
    context = {"made": made, "left": recovery.left(request.user.pk)}
    return render(request, "numberverify/recovery_codes.html", context)
