"""The operator's way back to us, and the page of one verification."""

import re
from copy import copy
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from . import (
    codes,
    conf,
    flow,
    handoff,
    handoff_views,
    limits,
    network,
    policy,
    routing,
    trial,
    ways,
    words,
)
from .browser import (
    SeeOther,
    bind,
    binding_of,
    browser_of,
    is_phone,
    leaves_for_operator,
)
from .choices import Method, Purpose, Reason, Status
from .errors import CallbackRefused, SmsNotSent
from .forms import CodeForm, NetworkForm
from .models import Verification
from .operators.base import Callback
from .stepup import held

MAX_STATE, MAX_PARAMETER = 512, 2048  # characters
VSCHARS = re.compile(r"[\x20-\x7e]*")  # RFC 6749, A.11
MAY_CORRECT = {Purpose.SIGNUP, Purpose.PHONE_CHANGE}
CHOOSES_AFTER = {
    Status.PENDING,  # the operator did not send the browser back
    Status.MISMATCHED,
    Status.UNAVAILABLE,
    Status.REFUSED,
    Status.EXPIRED,
}
ON_THE_PHONE = {Reason.NOT_ME, Reason.WRONG_DIGITS}
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
    the code leaves the address bar and the browser's history; after a second at the
    latest to the row's page, which waits for the verdict."""
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
    matched = taken and flow.exchange_or_leave(row, read_callback(request.GET))
    # A phone that has proved it for a desktop is shown so, and goes no further.
    if matched and row.next and not row.is_handed_over:
        response = _go_on(request, row)
    else:
        response = SeeOther(row.get_absolute_url())
    response["Referrer-Policy"] = "no-referrer"
    return response


def _go_on(request: HttpRequest, row: Verification) -> HttpResponse:
    """Go on with the journey that the row was for: here and now, where its page says
    that it can, or in the browser's next request."""
    address = row.next
    try:
        page = resolve(urlsplit(address).path)
    except Resolver404:  # below a prefix of the server's, or another server's page
        return SeeOther(address)
    if getattr(page.func, "follows_callback", False):
        its_own = copy(request)  # the session, the user, the cookies: all the same
        its_own.path = its_own.path_info = address
        its_own.GET = QueryDict()
        its_own.resolver_match = page
        response: HttpResponse = page.func(
            its_own, *page.args, **page.kwargs, receipt=flow.receipt_of(row)
        )
        if response.status_code == SeeOther.status_code:
            return response
    return SeeOther(address)  # a page would stay at this address, which holds the code


def read_callback(query: QueryDict) -> Callback:
    """Read the redirect's parameters. A doubled or over-long one spoils them all, and
    so does a code of other signs than it may have: it would go to the operator."""
    if any(
        len(values) != 1 or len(values[0]) > MAX_PARAMETER
        for values in (query.getlist(name) for name in query)
    ):
        return Callback(malformed=True)
    if not VSCHARS.fullmatch(query.get("code", "")):
        return Callback(malformed=True)
    # An error without a name is an error all the same.
    error = query.get("error", "") or "unnamed" if "error" in query else ""
    return Callback(query.get("code", ""), error, query.get("iss", ""))


# An operator, or who made a code, may be asked on the way.
@transaction.non_atomic_requests
@never_cache
@leaves_for_operator
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def detail(request: HttpRequest, verification_id: UUID) -> HttpResponse:
    """How one verification stands, and the ways on. A POST is a typed code, asks for
    another text message, or says which network the SIM is on."""
    row = flow.look(verification_id)
    if row is None or not _may_see(request, row):
        raise Http404
    if row.is_handed_over and (page := handoff_views.page_of(request, row)):
        return page
    mine = _goes_on(request, row)
    if row.status == Status.PENDING and row.method in policy.TYPED and mine:
        if request.method == "POST":
            return _type(request, row)
        return _ask_for_code(request, row, CodeForm(method=row.method))
    if row.waits_for_operator and mine:
        return _ask_which_network(request, row)
    if request.method == "POST":
        return SeeOther(row.get_absolute_url())
    if row.status == Status.VERIFIED and row.redeemed_at is None and mine and row.next:
        if _is_fresh(row):
            return SeeOther(row.next)
        row.status = Status.EXPIRED  # for the page: nobody spent it in time
    return _ending(request, row)


@transaction.non_atomic_requests
@never_cache
@leaves_for_operator
@require_http_methods(["GET", "HEAD", "POST"])
def trial_page(
    request: HttpRequest, verification_id: UUID, secret: str
) -> HttpResponse:
    """Where `manage.py check_operator` sends a phone: one button, good once."""
    row = trial.find(verification_id, secret)
    if row is None:
        raise Http404
    if request.method == "POST":
        browser = browser_of(request)
        return bind(SeeOther(trial.take(row, secret, browser)), browser)
    context = {"verification": row, "network": _network(row)}
    return render(request, "numberverify/trial.html", context)


def _ending(request: HttpRequest, row: Verification) -> HttpResponse:
    """The page of a row that nobody has to type a code for."""
    mine = _goes_on(request, row)
    what_happened, what_to_do = words.could_not_tell(row.reason)
    context = {
        "verification": row,
        "what_happened": what_happened,
        "what_to_do": what_to_do,
        "may_correct": row.purpose in MAY_CORRECT,
        "network": _network(row),
        "ways": _chooser(request, row) if mine else [],
        "support_later": row.status == Status.MISMATCHED
        and _accepts(row, Method.MANUAL),
        "by_network": mine
        and bool(row.number_fingerprint)
        and _accepts(row, Method.NETWORK)
        and not ways.is_closed_by_a_swap(row, Method.NETWORK),
        "other_networks": mine
        and row.method == Method.NETWORK
        and row.status != Status.MISMATCHED  # that is the SIM's own network's word
        and network.others_serve(row),
        "details": held.details_of(request, bytes(row.details_digest)),
        "reassures": _asked_for(row) >= policy.REASSURED_AFTER,
        "offers_others": _asked_for(row) >= policy.OFFERED_OTHERS_AFTER,
    }
    ending = ENDINGS[Status(row.status)]
    if row.status == Status.PENDING and row.method == Method.MANUAL:
        ending = "waiting_for_staff"
    if row.status == Status.REFUSED and row.reason in ON_THE_PHONE:
        ending = "handoff_refused"
    return render(request, f"numberverify/{ending}.html", context)


def _chooser(request: HttpRequest, row: Verification) -> list[dict[str, Any]]:
    """The ways on, the phone first where this is none."""
    found = _ways_on(request, row)
    on_phone = found is not None and not is_phone(request) and handoff.is_open_to(row)
    return words.described(found or [], on_phone=on_phone)


def _ways_on(request: HttpRequest, row: Verification) -> list[Method] | None:
    """The chooser's ways; None before an ending, or when the journey is over."""
    last_moved = row.settled_at or row.created_at
    is_old = timezone.now() - last_moved > policy.GOES_ON_FOR
    chooses = row.status in CHOOSES_AFTER
    if row.status == Status.EXCHANGING:
        chooses = _asked_for(row) >= policy.OFFERED_OTHERS_AFTER
    if not chooses or not row.next or is_old:
        return None
    row.browser_known = conf.knows_browser(request, row.user) if row.user else False
    return ways.open_to(row)


def _asked_for(row: Verification) -> timedelta:
    """Return how long the operator has been asked, or had when it was over."""
    now = timezone.now()
    return (row.settled_at or now) - (row.claimed_at or now)


def _accepts(row: Verification, method: Method) -> bool:
    return method in conf.accepts(Purpose(row.purpose), row.action)


def _type(request: HttpRequest, row: Verification) -> HttpResponse:
    if "resend" in request.POST and row.method == Method.SMS:
        return _resend(request, row)
    form = CodeForm(request.POST, method=row.method)
    if form.is_valid():
        tries = limits.before_code(row, browser_of(request))
        try:
            tried = codes.try_code(row, form.cleaned_data["code"])
        except SmsNotSent:
            limits.hand_back(tries)
            form.add_error("code", words.NOBODY_CHECKED)
            return _ask_for_code(request, row, form)
        if tried.right:
            limits.hand_back(tries)
            return SeeOther(row.next)
        now = flow.look(row.pk)
        if now is not None and now.status == Status.REFUSED:
            limits.settled(now, now.status)
        elif now is None or now.status != Status.PENDING:  # late, or closed meanwhile
            limits.hand_back(tries)
        if now is None or now.status != Status.PENDING:
            return SeeOther(row.get_absolute_url())
        form.add_error("code", words.wrong_code(tried.left))
    return _ask_for_code(request, row, form)


def _resend(request: HttpRequest, row: Verification) -> HttpResponse:
    browser = browser_of(request)
    limits.before_text(row, browser)
    wait = codes.resend(row, browser)
    if wait:
        messages.warning(request, words.no_resend(wait))
    now = flow.look(row.pk)
    if not wait and now is not None and now.status == Status.PENDING:
        messages.success(request, words.SENT_AGAIN)
    return SeeOther(row.get_absolute_url())


def _ask_which_network(request: HttpRequest, row: Verification) -> HttpResponse:
    operators = network.choices_for(row)
    form = NetworkForm(
        request.POST if request.method == "POST" else None, operators=operators
    )
    if request.method == "POST" and form.is_valid():
        name, device = form.cleaned_data["operator"], binding_of(request)
        return SeeOther(network.send(row, name, device=device, operator_chosen=True))
    context = {
        "verification": row,
        "form": form,
        "details": held.details_of(request, bytes(row.details_digest)),
    }
    return render(request, "numberverify/which_network.html", context)


def _ask_for_code(
    request: HttpRequest, row: Verification, form: CodeForm
) -> HttpResponse:
    context = {
        "verification": row,
        "form": form,
        "details": held.details_of(request, bytes(row.details_digest)),
        "minutes": int(policy.CODE_FOR.total_seconds() // 60),
    }
    return render(request, f"numberverify/code_{row.method}.html", context)


def _network(row: Verification) -> str:
    """What people call the operator; the history outlives its table."""
    asked = routing.operators().get(row.operator)
    return asked.label if asked and asked.label else _("your mobile network")


def _may_see(request: HttpRequest, row: Verification) -> bool:
    if row.belongs_to(binding_of(request)):
        return True
    return row.user_id is not None and row.user_id == request.user.pk


def _goes_on(request: HttpRequest, row: Verification) -> bool:
    """Whether this browser may go on with it: of two, the one that began."""
    binding = binding_of(request)
    held = row.is_held_by(binding)
    return held or (not row.is_handed_over and row.belongs_to(binding))


def _is_fresh(row: Verification) -> bool:
    age: timedelta = timezone.now() - (row.settled_at or row.created_at)
    by_staff = row.method == Method.MANUAL
    return age < (policy.MANUAL_RECEIPT_FOR if by_staff else policy.RECEIPT_FOR)


def _start_again(request: HttpRequest, reference: UUID | None = None) -> HttpResponse:
    context = {"reference": reference}
    response = render(request, "numberverify/start_again.html", context, status=400)
    response["Referrer-Policy"] = "no-referrer"
    return response
