"""The pages of a handoff: the desktop that waits, and the phone that opens its link."""

import io
from typing import Any
from uuid import UUID

import segno
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from . import conf, flow, handoff, limits, network, policy, routing, waiting, words
from .browser import (
    SeeOther,
    bind,
    binding_of,
    browser_of,
    is_fetched_by_a_person,
    leaves_for_operator,
)
from .choices import Purpose, Reason, Status
from .forms import DigitsForm, NetworkForm
from .handoff import Said
from .models import Ended, Handoff, Verification
from .stepup import held

RELOADS = 5  # seconds, without a script
GONE, TAKEN = 410, 409


@require_GET
def poll(request: HttpRequest, verification_id: UUID) -> HttpResponse:
    """What a desktop asks every few seconds: read from the cache alone, for the browser
    that began. `HandoffMiddleware` calls it before all others."""
    state = waiting.poll(verification_id, binding_of(request))
    if state is None:
        return _plain(JsonResponse({}, status=404))
    return _plain(JsonResponse({"state": state.value}))


def _plain(response: HttpResponse) -> HttpResponse:
    # What other middleware would say of it.
    response["Content-Length"] = str(len(response.content))
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def page_of(request: HttpRequest, row: Verification) -> HttpResponse | None:
    """What a row that goes by way of a phone shows instead of its own page, if
    anything: to the desktop that it waits, to the phone its own page."""
    link, binding = handoff.of(row), binding_of(request)
    if link is None:
        return None
    if link.is_on(binding):
        return SeeOther(_phone_url(link))
    if not link.is_held_by(binding):
        return None
    current = row if link.verification == row.pk else flow.look(link.verification)
    if current is None or not current.is_open:
        # The last one says how it ended.
        over = current is not None and current.pk != row.pk
        return SeeOther(current.get_absolute_url()) if over and current else None
    if request.method == "POST":
        if "cancel" in request.POST:
            handoff.cancel(link)
        return SeeOther(row.get_absolute_url())
    return _desk(request, link, current)


def _desk(request: HttpRequest, link: Handoff, row: Verification) -> HttpResponse:
    details = held.details_of(request, bytes(row.details_digest))
    if details and not link.details:  # so that the phone shows just what it confirms
        link.details = dict(details)
        Handoff.objects.filter(pk=link.pk, ended_at=None).update(details=link.details)
    state = waiting.state_of(link, row)
    waiting.remember(link, state)
    path = reverse(
        "numberverify:phone-link",
        args=[handoff.token_of(link.pk, binding_of(request))],
    )
    address = conf.site_url() + path
    context = {
        "verification": row,
        "link": link,
        "state": state.value,
        "says": words.WAITING[state],
        "states": words.WAITING.items(),
        "qr_code": mark_safe(_qr_code(address)),  # noqa: S308  made by us
        "address": address.partition("://")[2],
        "asks": _asks(row),
        "details": details,
        "poll_at": reverse("numberverify:handoff", args=[link.pk]),
        "seconds_left": max(0, int((row.expires_at - timezone.now()).total_seconds())),
        "reloads": RELOADS,
    }
    return render(request, "numberverify/handoff_desk.html", context)


def _qr_code(address: str) -> str:
    """Return an SVG element, black on white. Of capitals alone a QR code is smaller,
    but a path in them would be another."""
    out = io.BytesIO()
    made = segno.make(address, error="m", micro=False)
    made.save(out, kind="svg", xmldecl=False, omitsize=True, light="#fff", border=3)
    return out.getvalue().decode()


@transaction.non_atomic_requests
@never_cache
@require_http_methods(["GET", "HEAD"])
def link_page(request: HttpRequest, token: str) -> HttpResponse:
    """Where the link leads: the first phone that opens it has it."""
    browser = browser_of(request)
    tries = limits.before_link(browser)
    link = handoff.find(token)
    if link is None:
        return _no_link(request, "unknown", 404)
    limits.hand_back(tries)
    if link.is_held_by(browser.binding):
        return _no_link(request, "here", 200, at=link.pk)
    if link.is_on(browser.binding):
        return _private(SeeOther(_phone_url(link)))
    if link.claimed_at:
        return _no_link(request, "other_phone", TAKEN)
    if not link.is_open(timezone.now()):
        return _no_link(request, "over", GONE)
    if not is_fetched_by_a_person(request):
        return _private(HttpResponse(status=204))
    if not handoff.claim(link, browser):
        return _no_link(request, "other_phone", TAKEN)
    return _private(bind(SeeOther(_phone_url(link)), browser))


def _no_link(
    request: HttpRequest, why: str, status: int, at: UUID | None = None
) -> HttpResponse:
    context = {"why": why, "at": at}
    page = render(request, "numberverify/handoff_link.html", context, status=status)
    return _private(page)


def _private(response: HttpResponse) -> HttpResponse:
    """The address has the token in it."""
    response["Referrer-Policy"] = "no-referrer"
    return response


@transaction.non_atomic_requests
@never_cache
@leaves_for_operator
@sensitive_post_parameters("digits")
@require_http_methods(["GET", "HEAD", "POST"])
def phone_page(request: HttpRequest, verification_id: UUID) -> HttpResponse:
    """What the phone shows that has the handoff. A POST is a "yes" with digits, a "no",
    or the way to the operator."""
    link = Handoff.objects.filter(pk=verification_id).first()
    if link is None or not link.is_on(binding_of(request)):
        if link and link.is_held_by(binding_of(request)):
            return SeeOther(reverse("numberverify:detail", args=[link.pk]))
        raise Http404
    row = flow.look(link.verification)
    if row is None:
        raise Http404
    if request.method == "POST" and request.POST.get("answer") == "no":
        handoff.say_no(link, binding_of(request))
        return SeeOther(_phone_url(link))
    if row.status != Status.PENDING or link.ended_at:
        return _phone_ending(request, link, row)
    if link.confirmed_at is None:
        return _ask_whether_it_is_them(request, link, row)
    if row.state_digest is None:
        return _ask_to_go_on(request, link, row)
    return _phone_ending(request, link, row)


def _phone_url(link: Handoff) -> str:
    return reverse("numberverify:phone", args=[link.pk])


def _ask_whether_it_is_them(
    request: HttpRequest, link: Handoff, row: Verification
) -> HttpResponse:
    told = _told(row, link)
    # Nobody says yes to what cannot be shown.
    posted = request.method == "POST" and not told["lacks_details"]
    form = DigitsForm(request.POST if posted else None)
    if posted and form.is_valid():
        digits = form.cleaned_data["digits"]
        said = handoff.say_yes(link, digits, binding_of(request))
        link.refresh_from_db()
        if said == Said.TAKEN:
            row.refresh_from_db()
            return _go(request, link, row) or SeeOther(_phone_url(link))
        if said == Said.TOO_LATE or link.ended:
            return SeeOther(_phone_url(link))
        form.add_error("digits", words.WRONG_DIGITS)
    return render(request, "numberverify/handoff_confirm.html", told | {"form": form})


def _go(
    request: HttpRequest, link: Handoff, row: Verification, name: str = ""
) -> HttpResponse | None:
    """Send the phone to the operator that is certain, or was named; None without."""
    before = _before(row)
    chosen_before = before.operator if before and before.operator_chosen else ""
    chosen = name or chosen_before
    name = name or network.certain(row, chosen_before)
    if not name:
        return None
    browser = browser_of(request)
    return SeeOther(handoff.send(link, row, name, browser, chosen=name == chosen))


def _ask_to_go_on(
    request: HttpRequest, link: Handoff, row: Verification
) -> HttpResponse:
    """Which network, where that is not certain; or a further try."""
    before, operators = _before(row), network.choices_for(row)
    form = None
    if len(operators) > 1 and (before or not network.certain(row)):
        data = request.POST if request.method == "POST" else None
        initial = {"operator": before.operator} if before else {}
        form = NetworkForm(data, operators=operators, initial=initial)
    if request.method == "POST" and (form is None or form.is_valid()):
        name = form.cleaned_data["operator"] if form else ""
        if answer := _go(request, link, row, name):
            return answer
    context = _told(row, link) | {"form": form, "before": before}
    if before:
        happened, to_do = words.could_not_tell(before.reason)
        context |= {"what_happened": happened, "what_to_do": to_do}
    return render(request, "numberverify/handoff_go.html", context)


def _before(row: Verification) -> Verification | None:
    """The try before this one, of the same phone."""
    if row.previous is None:
        return None
    tried = Verification.objects.filter(pk=row.previous, status=Status.UNAVAILABLE)
    before = tried.first()
    return before if before and before.is_handed_over and before.operator else None


def _phone_ending(
    request: HttpRequest, link: Handoff, row: Verification
) -> HttpResponse:
    told = _told(row, link)
    if row.reason == Reason.NOT_ME or row.reason == Reason.WRONG_DIGITS:
        told["unfreeze_url"] = conf.unfreeze_url() if row.user_id else None
    asked = routing.operators().get(row.operator)
    told["network"] = asked.label if asked else ""
    told["is_cancelled"] = link.ended == Ended.CANCELLED
    told["is_late"] = (
        row.status == Status.VERIFIED
        and row.redeemed_at is None
        and row.settled_at is not None
        and timezone.now() - row.settled_at > policy.RECEIPT_FOR
    )
    return render(request, "numberverify/handoff_phone.html", told)


def _told(row: Verification, link: Handoff) -> dict[str, Any]:
    """Who asks, for what, from where: what a person needs to know to say yes or no."""
    asked_by = conf.who_asks(
        user=row.user, next=row.next, ip=row.ip, user_agent=row.user_agent
    )
    return {
        "verification": row,
        "link": link,
        "asks": _asks(row),
        "asked_by": asked_by,
        "details": link.details,
        "lacks_details": bool(row.details_digest) and not link.details,
        "site": conf.site_name(),
    }


def _asks(row: Verification) -> Any:
    """What the row is for, as it goes on after "to"."""
    action = conf.actions().get(row.action or row.purpose)
    return action.label if action else words.ASKED_FOR[Purpose(row.purpose)]
