"""The overview's sections of how long operators took."""

from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .. import rollup
from . import charts
from .figures import PICTURED, Asked, Cell, Section, bars, milliseconds, number_of
from .overview import Overview, Took

TAKEN = [_("Asked"), _("Median"), _("95 of 100 within")]


def times(overview: Overview) -> Section:
    rows, drawn = [], []
    for operator, took in sorted(overview.took.items(), key=lambda i: -i[1].total()):
        rows.append([Cell(operator), *_taken(took)])
        half, most = _median(took), _most(took)
        words = (
            gettext("median %(time)s") % {"time": milliseconds(half)},
            gettext("95 of 100: %(time)s") % {"time": milliseconds(most)},
        )
        pair = [
            charts.Bar([("median", half or 0)], words[0]),
            charts.Bar([("p95", most or 0)], words[1]),
        ]
        drawn.append(charts.Bars(operator, pair))
    title = gettext("How long operators took")
    return Section(
        title=title,
        lead=_(
            "What our server's calls took, of the verifications in which the operator "
            "was asked. Half took no longer than the median, 95 of 100 no longer than "
            "the second figure. Each is at most a fifth too high: times are kept in "
            "steps."
        ),
        heads=[_("Operator"), *TAKEN],
        rows=rows,
        picture=bars(title, drawn),
    )


def times_over_time(overview: Overview, asked: Asked) -> Section:
    columns = asked.span.columns()
    took = [overview.took_by_time.get(start, Took()) for start in columns]
    rows = [
        [Cell(column.name, asked.address_of(column)), *_taken(here)]
        for column, here in zip(columns.values(), took, strict=True)
        if here
    ]
    title = gettext("How long operators took, over time")
    picture = charts.lines(
        title,
        gettext("The median and what 95 of 100 stay within, in milliseconds."),
        [column.short for column in columns.values()],
        [
            charts.Points("median", list(map(_median, took))),
            charts.Points("p95", list(map(_most, took))),
        ],
    )
    return Section(
        title=title,
        lead=_(
            "The whole line is the median, the dashed one what 95 of 100 stay within, "
            "of all operators that are shown here. Where nobody was asked there is a "
            "gap."
        ),
        heads=[_("Time (UTC)"), *TAKEN],
        rows=rows,
        picture=picture if rows else SafeString(""),
        is_long=len(rows) > PICTURED,
    )


def _taken(took: Took) -> list[Cell]:
    words = milliseconds(_median(took)), milliseconds(_most(took))
    return [Cell(number_of(took.total())), *map(Cell, words)]


def _median(took: Took) -> float | None:
    return rollup.percentile(took, 0.5)


def _most(took: Took) -> float | None:
    return rollup.percentile(took, 0.95)
