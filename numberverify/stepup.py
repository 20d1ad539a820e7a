"""Step-up: a fresh proof before a sensitive action, for any site.

@step_up_required("password_change", max_age=300)
def change_password(request):
    ...
    with transaction.atomic():
        redeem_step_up(request)
        ...the effect...
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from . import conf, flow
from .browser import (
    SeeOther,
    View,
    bind,
    binding_of,
    browser_of,
    leaves_for_operator,
    to_login,
)
from .choices import Purpose
from .msisdn import Msisdn

# The confirm page's own form; anything more is a form of the site, intercepted.
OWN_FIELDS = {"csrfmiddlewaretoken", "previous"}
MAX_NEXT = 500  # characters, as the column is wide


@dataclass(frozen=True, slots=True)
class StepUp:
    """The proof that a guarded view was opened with, to be spent in its effect."""

    receipt: flow.Receipt
    proof: flow.Proof


def step_up_required(
    action: str, *, max_age: int = 300, form_fields: Collection[str] = ()
) -> Callable[[View], View]:
    """Guard a view by a fresh proof for `action`, at most `max_age` seconds old.

    A POST without a proof asks the operator, unless it is the view's own form: one
    with any of `form_fields`, or where none are named with any field at all.

    An action named like a purpose is that purpose; any other is a `step_up`. Raise
    ImproperlyConfigured for an action that NV_STEP_UP does not list.
    """
    try:
        label = conf.step_up_label(action)
    except KeyError:
        raise ImproperlyConfigured(f"NV_STEP_UP has no action {action!r}") from None
    guard = _Guard(action, label, timedelta(seconds=max_age), frozenset(form_fields))

    def decorate(view: View) -> View:
        @never_cache
        @leaves_for_operator
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            page = guard.page_before(request)
            return view(request, *args, **kwargs) if page is None else page

        return guarded

    return decorate


@dataclass(frozen=True, slots=True)
class _Guard:
    action: str
    label: str
    max_age: timedelta
    form_fields: frozenset[str]

    def page_before(self, request: HttpRequest) -> HttpResponse | None:
        """Return what stands before the view, or None when a proof opens it."""
        if not request.user.is_authenticated:
            return to_login(request)
        msisdn = conf.number_of(request.user)
        if msisdn is None:
            return _number_needed(request, self.label)
        proof = self._proof(request, msisdn)
        if receipt := flow.find_receipt(proof):
            request.step_up = StepUp(receipt, proof)  # type: ignore[attr-defined]
            return None
        if request.method == "POST" and not self._is_own_form(request):
            return _begin(request, proof)
        return _confirm(request, self.label, msisdn)

    def _proof(self, request: HttpRequest, msisdn: Msisdn) -> flow.Proof:
        is_purpose = self.action in Purpose.values
        return flow.Proof(
            purpose=Purpose(self.action) if is_purpose else Purpose.STEP_UP,
            user=request.user,
            holder=binding_of(request),
            msisdn=msisdn,
            action="" if is_purpose else self.action,
            max_age=self.max_age,
        )

    def _is_own_form(self, request: HttpRequest) -> bool:
        """Whether a form of the view was intercepted; it is never replayed."""
        own = self.form_fields or set(request.POST) - OWN_FIELDS
        return not own.isdisjoint(request.POST)


def redeem_step_up(request: HttpRequest) -> None:
    """Spend the proof of a guarded view, inside the transaction of its effect.

    Raise VerificationNotUsable when it was spent or ran out meanwhile.
    """
    step_up: StepUp = request.step_up  # type: ignore[attr-defined]
    flow.redeem(step_up.receipt, step_up.proof)


def previous_of(request: HttpRequest) -> UUID | None:
    """Return the verification that a "try again" follows, as its form says."""
    try:
        return UUID(request.POST.get("previous", ""))
    except ValueError:
        return None


def _begin(request: HttpRequest, proof: flow.Proof) -> HttpResponse:
    browser = browser_of(request)
    url = flow.start(
        purpose=proof.purpose,
        action=proof.action,
        msisdn=proof.msisdn,
        user=proof.user,
        browser=browser,
        next=_address(request),
        previous=previous_of(request),
    )
    return bind(SeeOther(url), browser.binding)


def _address(request: HttpRequest) -> str:
    """Return the page to come back to; a query string too long to keep is dropped."""
    address = request.get_full_path()
    return address if len(address) <= MAX_NEXT else request.path


def _confirm(request: HttpRequest, label: str, msisdn: Msisdn) -> HttpResponse:
    context = {"label": label, "msisdn": msisdn}
    return render(request, "numberverify/confirm.html", context)


def _number_needed(request: HttpRequest, label: str) -> HttpResponse:
    context = {"label": label, "add_number_url": conf.add_number_url()}
    return render(request, "numberverify/number_needed.html", context)
