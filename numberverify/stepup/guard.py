"""What stands before a guarded view: its proof, or the page that asks for one."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from numberverify import conf, flow, handoff, ways, words
from numberverify.browser import (
    SeeOther,
    bind,
    binding_of,
    browser_of,
    is_phone,
    lives,
    to_login,
    way_of,
)
from numberverify.choices import Method
from numberverify.errors import ConfigurationError, VerificationNotUsable
from numberverify.models import Verification
from numberverify.msisdn import Msisdn
from numberverify.policy import Action

from . import confirmed, held
from .confirmed import Confirmed, Details

# The fields of our own forms; anything more is a form of the site, intercepted.
TELLS = {"previous", "method", "confirmed"}
OWN_FIELDS = {"csrfmiddlewaretoken"} | TELLS
SAFE = ("GET", "HEAD")
# In the query: of a GET, to show the ways beside the network; of a POST, that the
# confirm page's button was pressed.
OTHER, CONFIRM = "nv_other", "nv_confirm"

NO_DETAILS: Details = {}
DetailsOf = Callable[[HttpRequest], Details | None]


@dataclass(frozen=True, slots=True)
class StepUp:
    """What a guarded view was opened by; `receipt` None when it was the session."""

    guard: "Guard"
    receipt: flow.Receipt | None = None
    proof: flow.Proof | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    action: Action
    form_fields: frozenset[str] = field(default_factory=frozenset)
    keep: tuple[str, ...] = ()
    details_of: DetailsOf | None = None

    def page_before(self, request: HttpRequest) -> HttpResponse | None:
        """Return what stands before the view, or None when it is open."""
        if not request.user.is_authenticated:
            return to_login(request)
        if back := came_back(request):
            return back
        stamp = held.stamp_of(request.user)
        if stamp is None:
            return self._page(request, "frozen")
        if self.details_of is None:
            return self._page_before_any(request, stamp)
        return self._page_before_these(request, self.details_of)

    def _page_before_any(self, request: HttpRequest, stamp: str) -> HttpResponse | None:
        ours = request.method == "POST" and self._is_from_our_page(request)
        # The confirm page's button, pressed once more, is no effect.
        twice = ours and (CONFIRM in request.GET or TELLS & set(request.POST))
        again = SeeOther(address_of(request)) if twice else None
        if self._is_held(request, stamp):
            return again
        proof = self.proof(request, conf.number_of(request.user))
        if receipt := flow.find_receipt(proof):
            if self._take(request, stamp, proof, receipt):
                return again
        elif ours:
            return self._begin(request, proof)
        return self._confirm(request, proof, {})

    def _page_before_these(
        self, request: HttpRequest, details_of: DetailsOf
    ) -> HttpResponse | None:
        """The form itself is open; sending it takes a proof for what is in it."""
        if request.method in SAFE:
            return None
        msisdn = conf.number_of(request.user)
        if self._is_from_our_page(request):
            said = self._read(request)
            if said is None and way_of(request).previous is None:
                return SeeOther(address_of(request))
            details = said.details if said else {}
            return self._begin(request, self.proof(request, msisdn, details))
        wanted = details_of(request)
        if wanted is None:
            return None
        proof = self.proof(request, msisdn, wanted)
        if receipt := flow.find_receipt(proof):
            held.renew(request)
            _attach(request, StepUp(self, receipt, proof))
            return None
        return self._confirm(request, proof, wanted)

    def _is_held(self, request: HttpRequest, stamp: str) -> bool:
        """Whether the session opens the view: no query but the session and the user.

        Anything but a look is an effect: where a proof serves once, its row is read.
        """
        if self.action.serves == "once" and request.method not in SAFE:
            return False
        if not held.is_held(request, self.action.name, stamp, self.action.max_age):
            return False
        _attach(request, StepUp(self))
        return True

    def _take(
        self, request: HttpRequest, stamp: str, proof: flow.Proof, receipt: flow.Receipt
    ) -> bool:
        """Open the view; a proof that serves for its age is redeemed here."""
        if self.action.serves == "age":
            try:
                flow.redeem(receipt, proof)
            except VerificationNotUsable:  # by an equal request, just now
                return False
        held.hold(request, self.action.name, stamp, receipt)
        _attach(request, StepUp(self, receipt, proof))
        return True

    def proof(
        self, request: HttpRequest, msisdn: Msisdn | None, details: Details = NO_DETAILS
    ) -> flow.Proof:
        return flow.Proof(
            purpose=self.action.purpose,
            user=request.user,
            holder=binding_of(request),
            msisdn=msisdn,
            action=self.action.in_row,
            max_age=self.action.max_age,
            details=confirmed.digest_of(self.action.name, details),
        )

    def _is_from_our_page(self, request: HttpRequest) -> bool:
        """Whether a POST is no form of the view: that one is never replayed."""
        own = self.form_fields or set(request.POST) - OWN_FIELDS
        return own.isdisjoint(request.POST)

    def _begin(self, request: HttpRequest, proof: flow.Proof) -> HttpResponse:
        if said := self._read(request):
            held.keep_typed(request, address_of(request), said.typed)
            held.keep_details(request, proof.details, said.details)
        browser = browser_of(request, request.user)
        url = flow.start(
            purpose=proof.purpose,
            action=proof.action,
            details=proof.details,
            msisdn=proof.msisdn,
            user=proof.user,
            browser=browser,
            next=held.keep_address(request, address_of(request)),
            way=way_of(request),
        )
        return bind(SeeOther(url), browser, max_age=lives(way_of(request)))

    def _confirm(
        self, request: HttpRequest, proof: flow.Proof, details: Details
    ) -> HttpResponse:
        """Name the action, its details and the ways; keep what was typed."""
        on_phone = proof.msisdn if Method.NETWORK in self.action.methods else None
        msisdn = None if OTHER in request.GET else on_phone
        asked = Verification(
            purpose=proof.purpose,
            action=proof.action,
            user=proof.user,
            number_fingerprint=(
                conf.fingerprints(proof.msisdn)[0] if proof.msisdn else b""
            ),
            browser_known=conf.knows_browser(request, request.user),
        )
        others = ways.open_to(asked)
        by_phone = OTHER in request.GET and not is_phone(request)
        by_phone = by_phone and on_phone is not None and handoff.is_open_to(asked)
        if on_phone is None and not others:
            return self._page(request, "number_needed")
        typed = {name: request.POST[name] for name in self.keep if name in request.POST}
        said = Confirmed(details, typed)
        return self._page(
            request,
            "confirm",
            msisdn=msisdn,
            ways=words.described(others, on_phone=by_phone),
            details=details,
            not_on_phone=address_of(request, OTHER),
            address=address_of(request),
            confirm_at=address_of(request, CONFIRM),
            confirmed=confirmed.write(said, self.action.name, request.user),
        )

    def _read(self, request: HttpRequest) -> Confirmed | None:
        value = request.POST.get("confirmed", "")
        return confirmed.read(value, self.action.name, request.user)

    def _page(self, request: HttpRequest, name: str, **context: Any) -> HttpResponse:
        context |= {
            "action": self.action,
            "label": self.action.label,
            "good_for": words.duration(self.action.max_age),
            "add_number_url": conf.add_number_url(),
            "unfreeze_url": conf.unfreeze_url(),
        }
        return render(request, f"numberverify/{name}.html", context)


def guard_for(
    name: str,
    max_age: int | None,
    form_fields: Collection[str],
    keep: Collection[str],
    details: DetailsOf | None,
) -> Guard:
    try:
        action = conf.actions()[name]
    except KeyError:
        raise ImproperlyConfigured(f"NV_STEP_UP has no action {name!r}") from None
    except ConfigurationError as error:
        raise ImproperlyConfigured(f"NV_STEP_UP: {error}") from None
    if max_age is not None:
        shorter = timedelta(seconds=max_age)
        if not timedelta(0) < shorter <= action.max_age:
            most = f"{action.max_age.total_seconds():.0f} seconds"
            raise ImproperlyConfigured(f"max_age of {name!r} is above its row's {most}")
        action = replace(action, max_age=shorter)
    if details and action.serves != "once":
        raise ImproperlyConfigured(f"{name!r} is bound to details, so it serves once")
    return Guard(action, frozenset(form_fields), tuple(keep), details)


def _attach(request: HttpRequest, step_up: StepUp) -> None:
    request.step_up = step_up  # type: ignore[attr-defined]


def came_back(request: HttpRequest) -> HttpResponse | None:
    """Lead to the page with its query, which no row was to hold."""
    address = held.kept_address(request)
    return SeeOther(address) if address else None


def address_of(request: HttpRequest, *added: str) -> str:
    """Return the address of the page, without what step-up adds to it."""
    address = request.get_full_path()
    if added or {OTHER, CONFIRM} & set(request.GET):
        query = request.GET.copy()
        query.pop(OTHER, None)
        query.pop(CONFIRM, None)
        query.update(dict.fromkeys(added, "1"))
        address = f"{request.path}?{query.urlencode()}" if query else request.path
    return address
