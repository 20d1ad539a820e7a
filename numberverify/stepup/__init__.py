"""Step-up: a fresh proof before a sensitive action, for any site.

@step_up_required("transfer", max_age=300)
def transfer(request):
    ...
    with transaction.atomic():
        redeem_step_up(request)
        ...the effect...

docs/step-up.md shows the rest.
"""

from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from functools import wraps
from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured
from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from numberverify import conf, flow
from numberverify.browser import View as FunctionView
from numberverify.browser import leaves_for_operator
from numberverify.errors import VerificationNotUsable

from . import held
from .guard import DetailsOf, Guard, StepUp, address_of, came_back, guard_for

__all__ = [
    "StepUpRequiredMixin",
    "came_back",
    "is_frozen",
    "redeem_step_up",
    "step_up_required",
    "typed_before",
]


def step_up_required(
    action: str,
    *,
    max_age: int | None = None,
    form_fields: Collection[str] = (),
    keep: Collection[str] = (),
    details: DetailsOf | None = None,
) -> Callable[[FunctionView], FunctionView]:
    """Guard a view by a fresh proof for `action`, a row of NV_STEP_UP.

    `max_age` (seconds) may shorten the table's. A POST without a proof begins one,
    unless it is the view's own form: one with any of `form_fields`, or where none are
    named with any field at all. That is never replayed: the page names the action, and
    `typed_before` gives back the fields named in `keep`. Name no secret there.

    `details` binds the proof to what exactly is done. It is given the request of a POST
    and returns what the person is to confirm, or None where the form has errors; then,
    and for a GET, the view is called without a proof.

    Raise ImproperlyConfigured for an action that the table does not list.
    """
    guard = guard_for(action, max_age, form_fields, keep, details)

    def decorate(view: FunctionView) -> FunctionView:
        own = _as_the_site_wants(view)

        # The guard may have to ask an operator where its pages are.
        @transaction.non_atomic_requests
        @never_cache
        @leaves_for_operator
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            page = guard.page_before(request)
            return own(request, *args, **kwargs) if page is None else page

        return guarded

    return decorate


class StepUpRequiredMixin:
    """The same for a class-based view, before its other bases.

    `step_up_details`, if any, takes the request alone.
    """

    step_up_action: ClassVar[str]
    step_up_max_age: ClassVar[int | None] = None
    step_up_form_fields: ClassVar[Collection[str]] = ()
    step_up_keep: ClassVar[Collection[str]] = ()
    step_up_details: ClassVar[DetailsOf | None] = None
    _guard: ClassVar[Guard]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # At import, so that a mistake stops the server and not a person.
        order = cls.__mro__
        if View in order and order.index(View) < order.index(StepUpRequiredMixin):
            raise ImproperlyConfigured(f"{cls.__name__}: the mixin guards what follows")
        if hasattr(cls, "step_up_action"):
            cls._guard = guard_for(
                cls.step_up_action,
                cls.step_up_max_age,
                cls.step_up_form_fields,
                cls.step_up_keep,
                cls.step_up_details,
            )

    @classmethod
    def as_view(cls, **initial: Any) -> Any:
        if not hasattr(cls, "_guard"):
            raise ImproperlyConfigured(f"{cls.__name__} has no step_up_action")
        view = super().as_view(**initial)  # type: ignore[misc]
        return transaction.non_atomic_requests(view)

    @method_decorator(never_cache)
    @method_decorator(leaves_for_operator)  # type: ignore[arg-type]
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        page = self._guard.page_before(request)
        if page is None:
            dispatch = _as_the_site_wants(super().dispatch)  # type: ignore[misc]
            page = dispatch(request, *args, **kwargs)
        return page


def _as_the_site_wants(view: FunctionView) -> FunctionView:
    """Run the site's own part in a transaction where its ATOMIC_REQUESTS says so."""

    @wraps(view)
    def own(*args: Any, **kwargs: Any) -> HttpResponse:
        with ExitStack() as stack:
            for alias, database in connections.settings.items():
                if database["ATOMIC_REQUESTS"]:
                    stack.enter_context(transaction.atomic(using=alias))
            return view(*args, **kwargs)

    return own


def redeem_step_up(request: HttpRequest) -> None:
    """Spend the proof of a guarded view, inside the transaction of its effect.

    One that serves for its age was spent when it came into the session. Raise
    VerificationNotUsable when there is none, or it was spent or ran out meanwhile.
    """
    step_up: StepUp | None = getattr(request, "step_up", None)
    if step_up is None:
        raise VerificationNotUsable
    held.forget_typed(request, address_of(request))
    guard = step_up.guard
    if guard.action.serves == "age":
        return
    held.forget(request, guard.action.name)
    # What the session holds opens the page; what pays is the row.
    proof = step_up.proof or guard.proof(request, conf.number_of(request.user))
    receipt = step_up.receipt or flow.find_receipt(proof)
    if receipt is None:
        raise VerificationNotUsable
    flow.redeem(receipt, proof)


def typed_before(request: HttpRequest) -> Mapping[str, str]:
    """Return what was typed before the person was asked: initial data for the form."""
    return held.typed_at(request, address_of(request))


def is_frozen(user: Any) -> bool:
    """Whether the site has frozen step-up for this person (`NV_PROOF_STAMP`)."""
    return held.stamp_of(user) is None
