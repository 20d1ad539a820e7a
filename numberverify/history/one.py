"""One verification: its steps, its journey, its facts, and where there is more."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from .. import conf, routing
from ..choices import Method
from ..models import Ended, Handoff, Verification, VerificationQuerySet
from .filters import Filters
from .sentences import operator_names

FOLLOWING = 20  # a person who tries more often is found by the links


@dataclass(frozen=True, slots=True)
class Step:
    at: datetime
    words: str
    after: str  # the start, in words; "" for the start itself


@dataclass(frozen=True, slots=True)
class Others:
    """A link to the list: `words` say of what."""

    words: str
    filters: Filters


def steps(row: Verification) -> list[Step]:
    """What happened when, in order."""
    asked = {"operator": operator_names(row.operator).inside}
    came_back = gettext("The browser came back, and %(operator)s was asked.") % asked
    said = [
        (row.created_at, gettext("Started.")),
        (row.sent_at, gettext("The last text message was handed over.")),
        (row.claimed_at, came_back),
        (row.settled_at, _settled(row)),
        (row.redeemed_at, gettext("Redeemed: the proof was spent on what it is for.")),
    ]
    said += _on_the_phone(row)
    taken = [(at, words) for at, words in said if at]
    taken.sort(key=lambda step: step[0])
    return [Step(at, words, _after(row, at)) for at, words in taken]


def _on_the_phone(row: Verification) -> list[tuple[datetime | None, str]]:
    """The steps of the link to a phone, for as long as it is kept."""
    if not row.is_handed_over:
        return []
    by = Q(pk=row.pk) | Q(verification=row.pk)
    link = Handoff.objects.filter(by).order_by("pk").first()
    if link is None:
        return []
    ended = {
        Ended.WRONG_DIGITS: gettext("Wrong digits were typed on the phone, twice."),
        Ended.NOT_ME: gettext("The person on the phone said no."),
        Ended.CANCELLED: gettext("Another way was chosen at the computer."),
    }
    return [
        (link.claimed_at, gettext("The link was opened on a phone.")),
        (link.confirmed_at, gettext("The digits were right, and the phone said yes.")),
        *((link.ended_at, words) for how, words in ended.items() if link.ended == how),
    ]


def _settled(row: Verification) -> str:
    ended = gettext("Settled: %(outcome)s.") % {"outcome": row.get_status_display()}
    if row.operator_ms is None:
        return ended
    took = gettext("Asking took %(took)d ms.") % {"took": row.operator_ms}
    return f"{ended} {took}"


def _after(row: Verification, at: datetime) -> str:
    return f"+{seconds(at - row.created_at)}" if at != row.created_at else ""


def seconds(length: timedelta) -> str:
    return f"{number_format(round(length.total_seconds(), 1), 1)} s"


def duration(row: Verification) -> str:
    """From the start to the outcome; a dash while it is open."""
    return seconds(row.settled_at - row.created_at) if row.settled_at else "–"


def before(row: Verification) -> Verification | None:
    """The row that this one follows, if it is still there."""
    if row.previous is None:
        return None
    return _rows().filter(pk=row.previous).first()


def after(row: Verification) -> list[Verification]:
    """The rows that follow this one, in their order."""
    return list(_rows().filter(previous=row.pk).order_by("pk")[:FOLLOWING])


def _rows() -> VerificationQuerySet:
    return Verification.objects.select_related("user")


def others(row: Verification) -> list[Others]:
    """Where there is more of the same number, person, address, operator."""
    found = []
    if row.number_fingerprint:
        prints = bytes(row.number_fingerprint).hex()
        words = gettext("of the same number")
        if len(conf.fingerprint_keys()) > 1:
            words = gettext("of the same number, written under the same key")
        found.append(Others(words, Filters(fingerprint=prints)))
    if row.user_id:
        words = gettext("of the same person")
        found.append(Others(words, Filters(person=str(row.user_id))))
    if row.ip:
        words = gettext("from the same client address")
        found.append(Others(words, Filters(address=row.ip)))
    if row.operator:
        words = gettext("at the same operator")
        found.append(Others(words, Filters(operator=row.operator)))
    return found


def facts(row: Verification) -> list[tuple[Any, str]]:
    """What else the row says, by its name; what it does not say is left out."""
    said = [
        (_("Reference"), str(row.pk)),
        (_("Person"), str(row.user or "")),
        (_("Number"), row.number_mask),
        (_("Country"), row.country),
        (_("Purpose"), row.get_purpose_display()),
        (_("Action"), row.action),
        (_("Asked because"), row.get_asked_because_display()),
        (_("Method"), row.get_method_display()),
        (_("Operator"), _operator(row)),
        (_("SIM swap"), row.get_sim_swap_display()),
        (_("Reason"), _reason(row)),
        (_("Codes"), _codes(row)),
        (_("At the operator"), _milliseconds(row)),
        (_("Until the outcome"), duration(row) if row.settled_at else ""),
        (_("Client address"), row.ip or ""),
        (_("Browser"), row.user_agent),
        (_("Known browser"), _known(row)),
        (_("Operator's name for the subscriber"), row.operator_subject),
        (_("Notice"), row.notice_version),
    ]
    return [(name, value) for name, value in said if value]


def _operator(row: Verification) -> str:
    if not row.operator:
        return ""
    asked = routing.operators().get(row.operator)
    label = str(asked.label) if asked else ""
    named = f"{label} ({row.operator})" if label else row.operator
    return f"{named}, {_('chosen by the person')}" if row.operator_chosen else named


def _reason(row: Verification) -> str:
    return f"{row.get_reason_display()} ({row.reason})" if row.reason else ""


def _codes(row: Verification) -> str:
    if not (row.tries or row.sends):
        return ""
    sent = ngettext("%d text message", "%d text messages", row.sends) % row.sends
    wrong = ngettext("%d wrong code", "%d wrong codes", row.tries) % row.tries
    return f"{sent}, {wrong}"


def _milliseconds(row: Verification) -> str:
    return "" if row.operator_ms is None else f"{row.operator_ms} ms"


def _known(row: Verification) -> str:
    if row.user_id is None or row.method == Method.MANUAL:
        return ""
    return gettext("yes") if row.browser_known else gettext("no")
