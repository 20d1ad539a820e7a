"""The operator's way back to us, and the page of one verification."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from . import flow, policy, routing, words
from .browser import SeeOther, binding_of, leaves_for_operator
from .choices import Purpose, Status
from .errors import CallbackRefused
from .models import Verification
from .operators.base import Callback

MAX_STATE, MAX_PARAMETER = 512, 2048  # characters
MAY_CORRECT = {Purpose.SIGNUP, Purpose.PHONE_CHANGE}
ENDINGS = {
    Status.PENDING: "waiting",
    Status.EXCHANGING: "checking",
    Status.VERIFIED: "match",
    Status.MISMATCHED: "no_match",
    Status.UNAVAILABLE: "could_not_tell",
    Status.REFUSED: "refused",
    Status.EXPIRED: "expired",
}


# The exchange must not run inside a site's ATOMIC_REQUESTS.
@transaction.non_atomic_requests
@never_cache
@require_GET
def callback(request: HttpRequest, operator: str) -> HttpResponse:
    """Where the operator sends the browser back to. Answers with a redirect, so that
    the code leaves the address bar and the browser's history."""
    if operator not in routing.operators():
        raise Http404
    states = request.GET.getlist("state")
    if len(states) != 1 or len(states[0]) > MAX_STATE:
        return _start_again(request)
    try:
        row, taken = flow.claim(
            state=states[0],
            operator=operator,
            device=binding_of(request),
            viewer=lambda: request.user.pk,
        )
    except CallbackRefused as refused:
        return _start_again(request, refused.reference)
    goes_on = taken and flow.exchange_and_settle(row, read_callback(request.GET))
    response = SeeOther(row.next if goes_on else flow.detail_url(row.pk))
    response["Referrer-Policy"] = "no-referrer"
    return response


def read_callback(query: QueryDict) -> Callback:
    """Read the redirect's parameters; a doubled or over-long one spoils them all."""
    if any(
        len(values) != 1 or len(values[0]) > MAX_PARAMETER
        for values in (query.getlist(name) for name in query)
    ):
        return Callback(malformed=True)
    # An error without a name is an error all the same.
    error = query.get("error", "") or "unnamed" if "error" in query else ""
    return Callback(query.get("code", ""), error, query.get("iss", ""))


@never_cache
@leaves_for_operator
@require_GET
def detail(request: HttpRequest, verification_id: UUID) -> HttpResponse:
    """How one verification stands, and the ways on."""
    row = flow.look(verification_id)
    if row is None or not _may_see(request, row):
        raise Http404
    ending = ENDINGS[Status(row.status)]
    if row.status == Status.VERIFIED and row.redeemed_at is None:
        if _is_fresh(row) and row.belongs_to(binding_of(request)):
            return SeeOther(row.next)
        ending = "expired"
    what_happened, what_to_do = words.could_not_tell(row.reason)
    context = {
        "verification": row,
        "what_happened": what_happened,
        "what_to_do": what_to_do,
        "may_correct": row.purpose in MAY_CORRECT,
        "network": _network(row),
    }
    return render(request, f"numberverify/{ending}.html", context)


def _network(row: Verification) -> str:
    """What people call the operator; the history outlives its table."""
    asked = routing.operators().get(row.operator)
    return asked.label if asked and asked.label else _("your mobile network")


def _may_see(request: HttpRequest, row: Verification) -> bool:
    if row.belongs_to(binding_of(request)):
        return True
    return row.user_id is not None and row.user_id == request.user.pk


def _is_fresh(row: Verification) -> bool:
    age: timedelta = timezone.now() - (row.settled_at or row.created_at)
    return age < policy.RECEIPT_FOR


def _start_again(request: HttpRequest, reference: UUID | None = None) -> HttpResponse:
    context = {"reference": reference}
    response = render(request, "numberverify/start_again.html", context, status=400)
    response["Referrer-Policy"] = "no-referrer"
    return response
