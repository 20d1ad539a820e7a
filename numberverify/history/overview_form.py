"""The form of the overview: the list's filters as far as totals know them, and time."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from .form import UNKNOWN, FilterForm
from .span import PERIODS, STEPS, Span, between, last

KEPT = ("operator", "country", "since", "until", "purpose", "test")
USUAL = "month"
ORDER = ["period", "since", "until", "by", "operator", "country", "purpose", "test"]


class OverviewForm(FilterForm):
    """A wrong field says so, and is left out."""

    period = forms.ChoiceField(
        label=_("Period"),
        required=False,
        choices=[
            *((name, words) for name, (_days, words) in PERIODS.items()),
            ("", _("The days below")),
        ],
        error_messages=UNKNOWN,
        help_text=_("Days below take its place."),
    )
    by = forms.ChoiceField(
        label=_("Columns"),
        required=False,
        choices=[("", _("As they fit")), *STEPS.items()],
        error_messages=UNKNOWN,
    )

    def __init__(self, data: MultiValueDict[str, str], *, now: datetime) -> None:
        shown = data.copy()
        if data.get("since") or data.get("until"):
            if data.get("period") in PERIODS:  # the days count, so the form says so
                shown["period"] = ""
        elif not data.get("period"):
            shown["period"] = USUAL
        super().__init__(data)
        self.data = shown
        self.now = now
        for name in set(self.fields) - {*KEPT, "period", "by"}:
            del self.fields[name]
        self.order_fields(ORDER)

    def clean(self) -> dict[str, Any]:
        found = super().clean()
        since = found.get("since")
        if since and since > self.now.date():
            self.add_error("since", _("That day is still to come."))
        if found.get("by") and self._span(found).is_too_fine:
            words = _("So many columns do not fit: choose longer ones, or fewer days.")
            self.add_error("by", words)
        if self._span(found).is_too_fine:
            self.add_error("since", _("So many months do not fit: choose fewer."))
            found.pop("until", None)
        return found

    @property
    def span(self) -> Span:
        """The time that is understood; call `is_valid` first."""
        return self._span(self.cleaned_data)

    def _span(self, found: dict[str, Any]) -> Span:
        step = found.get("by") or ""
        since, until = found.get("since"), found.get("until")
        if not since and not until:
            return last(found.get("period") or USUAL, step, self.now)
        until = min(until or self.now.date(), self.now.date())
        days = timedelta(days=PERIODS[USUAL][0] - 1)
        return between(min(since or until - days, until), until, step)
