"""What is filtered by, in words: one chip a filter, and the address without it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..choices import Method, Purpose, Reason, Status
from ..models import Verification
from .filters import Filters, Place, query

LABELS = {
    "outcome": _("Outcome"),
    "reason": _("Reason"),
    "purpose": _("Purpose"),
    "method": _("Method"),
    "operator": _("Operator"),
    "country": _("Country"),
    "since": _("From"),
    "until": _("To"),
    "flag": _("Attention"),
    "test": _("Test"),
    "person": _("Person"),
    "address": _("Client address"),
    "fingerprint": _("Number"),
}
WORDS: dict[str, dict[str, Any]] = {
    "outcome": dict(Status.choices),
    "reason": dict(Reason.choices),
    "purpose": dict(Purpose.choices),
    "method": dict(Method.choices),
    "flag": {"yes": _("looks like an attack")},
    "test": {"yes": _("test rows alone"), "no": _("no test rows")},
}


@dataclass(frozen=True, slots=True)
class Chip:
    label: Any
    value: str
    without: str  # the address of the list without this filter


def chips(filters: Filters, place: Place, rows: Sequence[Verification]) -> list[Chip]:
    """Name each filter that is set. `rows` are those of the page: they know what a
    person is called, and how a number is masked."""
    found = [
        Chip(
            LABELS[name],
            _words(name, value, filters, rows),
            query(filters.without(name)),
        )
        for name, value in filters.as_query().items()
    ]
    if place.at:
        at = date_format(place.at, gettext("j M Y, H:i"))
        found.append(Chip(_("Back from"), f"{at} UTC", query(filters)))
    return found


def _words(
    name: str, value: str, filters: Filters, rows: Sequence[Verification]
) -> str:
    if name == "person":
        known = next((str(row.user) for row in rows if row.user), "")
        return known or f"#{value}"
    if name == "fingerprint":
        known = next((row.number_mask for row in rows if row.number_mask), "")
        return known or gettext("the one searched for")
    if name in ("since", "until"):
        return date_format(getattr(filters, name), gettext("j M Y"))
    return str(WORDS.get(name, {}).get(value, value))
