"""What time the overview is about, and its columns: hours, days, weeks or months."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

A_DAY = timedelta(days=1)
MOST = 400  # columns: more are thinner than a pixel on a phone
PERIODS: dict[str, tuple[int, Any]] = {
    "day": (1, _("Last 24 hours")),
    "week": (7, _("Last 7 days")),
    "month": (30, _("Last 30 days")),
    "year": (365, _("Last 12 months")),
}
STEPS: dict[str, Any] = {
    "hour": _("Hour"),
    "day": _("Day"),
    "week": _("Week, from Monday"),
    "month": _("Month"),
}


@dataclass(frozen=True, slots=True)
class Column:
    since: datetime
    until: datetime  # that moment excluded
    step: str

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last day in it."""
        return self.since.date(), (self.until - timedelta(microseconds=1)).date()

    @property
    def name(self) -> str:
        if self.step == "hour":
            return date_format(self.since, gettext("j M Y, H:i"))
        if self.step == "month":
            return date_format(self.since, "M Y")
        day = date_format(self.since, gettext("j M Y"))
        return gettext("week of %(day)s") % {"day": day} if self.step == "week" else day

    @property
    def short(self) -> str:
        """For an axis."""
        forms = {"hour": gettext("j M H:i"), "month": "M Y"}
        return date_format(self.since, forms.get(self.step) or gettext("j M"))


@dataclass(frozen=True, slots=True)
class Span:
    """From a moment to another, which is excluded; both at the edge of an hour, and but
    for hours at the edge of a day."""

    since: datetime
    until: datetime
    step: str

    def starts(self) -> Iterator[datetime]:
        """Where columns begin: the first and the last may reach beyond the span."""
        at = floor(self.since, self.step)
        while at < self.until:
            yield at
            at = _next(at, self.step)

    @property
    def is_too_fine(self) -> bool:
        return len(list(islice(self.starts(), MOST + 1))) > MOST

    def columns(self) -> dict[datetime, Column]:
        """By where they begin as the database says it; cut to the span."""
        edges = [*self.starts(), self.until]
        return {
            one: Column(max(one, self.since), two, self.step)
            for one, two in pairwise(edges)
        }

    @property
    def days(self) -> tuple[date, date]:
        return Column(self.since, self.until, self.step).days


def last(period: str, step: str, now: datetime) -> Span:
    """Return the period that ends with the hour or the day of `now`."""
    if period == "day" and step in ("", "hour"):
        until = floor(now, "hour") + timedelta(hours=1)
        return Span(until - A_DAY, until, "hour")
    today = now.astimezone(UTC).date()
    days = max(2, PERIODS[period][0])  # of 24 hours, two days have a part
    return between(today - timedelta(days=days - 1), today, step)


def between(first: date, last: date, step: str) -> Span:
    """Return the days from the first to the last; the columns fit, unless told."""
    days = (last - first).days + 1
    fits = next(name for name, most in FITS.items() if days <= most)
    return Span(midnight(first), midnight(last) + A_DAY, step or fits)


FITS = {"hour": 2, "day": 92, "week": 800, "month": 10**9}


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def floor(at: datetime, step: str) -> datetime:
    """Return the moment at which the hour, day, week or month of `at` began."""
    at = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if step == "hour":
        return at
    at = at.replace(hour=0)
    if step == "week":
        return at - at.weekday() * A_DAY
    return at.replace(day=1) if step == "month" else at


def _next(at: datetime, step: str) -> datetime:
    if step == "month":
        return (at + 31 * A_DAY).replace(day=1)
    lengths = {"hour": timedelta(hours=1), "day": A_DAY, "week": 7 * A_DAY}
    return at + lengths[step]
