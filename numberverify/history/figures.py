"""What sections of the overview are made of: figures in words, and where they lead."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.db.models import TextChoices
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..choices import Status
from . import charts
from .filters import Filters, Place, query
from .overview import ENDINGS, Counted, Ended
from .span import Column, Span

PICTURED = 12  # groups in a picture; the table has all


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    address: str = ""  # of the list that shows these rows


@dataclass(frozen=True, slots=True)
class Entry:
    """What a pattern stands for, and its sum."""

    swatch: SafeString
    name: str
    number: Cell


@dataclass(frozen=True, slots=True)
class Section:
    title: Any
    lead: Any  # what the figures are, and what their shares are of
    caption: Any = ""
    heads: Sequence[Any] = ()
    rows: Sequence[Sequence[Cell]] = ()  # the first cell of a row is its name
    picture: SafeString = field(default_factory=SafeString)
    legend: Sequence[Entry] = ()
    is_long: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page is about."""

    span: Span
    filters: Filters
    counted: Counted

    def address(self, **more: Any) -> str:
        """Of the list with the same filters and these; it knows whole days alone."""
        since, until = more.pop("days", self.span.days)
        return _list(query(replace(self.filters, since=since, until=until, **more)))

    def address_of(self, column: Column) -> str:
        """Of the list for a column: of an hour, back from its last minute."""
        if column.step != "hour":
            return self.address(days=column.days)
        place = Place(at=column.until - timedelta(minutes=1))
        always = replace(self.filters, since=None, until=None)
        return _list(query(always, place.as_query()))

    @property
    def known(self) -> float:
        """The share of the span's time that is counted."""
        whole = self.span.until - self.span.since
        return max(0.0, min(1.0, (self.counted.upto - self.span.since) / whole))


FIGURES: list[Any] = [
    _("Ended"),
    *(status.label for status in ENDINGS),
    _("Could not tell, share"),
]


def figures(ended: Ended, asked: Asked | None, **of: Any) -> list[Cell]:
    """How many ended, how each, and the share of what nobody could tell."""
    cells = [Cell(number_of(ended.total()))]
    for status in ENDINGS:
        number = ended[status]
        linked = asked and number
        address = asked.address(outcome=status.value, **of) if asked and linked else ""
        cells.append(Cell(number_of(number), address))
    return [*cells, Cell(share(ended[Status.UNAVAILABLE], ended.total()))]


def bars(
    title: str, drawn: Sequence[charts.Bars], *, whole: float | None = None
) -> SafeString:
    """Draw the first of them, and say them in words."""
    if not drawn:
        return SafeString("")
    shown = drawn[:PICTURED]
    said = "; ".join(
        f"{group.name}: {', '.join(bar.words for bar in group.bars)}" for group in shown
    )
    if len(drawn) > PICTURED:
        said += ". " + gettext("All of them are in the table below.")
    return charts.bars(title, said, shown, whole=whole)


def parts(ended: Ended) -> list[tuple[str, int]]:
    return [(status.value, ended[status]) for status in ENDINGS]


def share(number: int, of: int) -> str:
    """Return the share in per cent; never 0 or 100 where it is not just that."""
    if not of:
        return "–"
    tenths = round(1000 * number / of)
    if number and not tenths:
        return f"< {number_format(0.1, 1)} %"
    if tenths == 1000 and number < of:
        return f"> {number_format(99.9, 1)} %"
    return f"{number_format(tenths / 10, 1)} %"


def number_of(number: int) -> str:
    return number_format(number, force_grouping=True)


def milliseconds(time: float | None) -> str:
    if time is None:
        return "–"
    if time < 995:
        return f"{max(1, round(time))} ms"
    return f"{number_format(round(time / 1000, 1), 1)} s"  # it cuts off, else


def words_of(choices: type[TextChoices]) -> dict[str, str]:
    return {str(value): str(label) for value, label in choices.choices}


def _list(asked: str) -> str:
    return reverse("admin:numberverify_verification_changelist") + asked
