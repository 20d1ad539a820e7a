"""The overview as sections: a picture, and the same figures in a table below it."""

from typing import Any

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from ..choices import Method, Purpose, Reason, Status
from . import charts
from .figures import (
    FIGURES,
    PICTURED,
    Asked,
    Cell,
    Entry,
    Section,
    bars,
    figures,
    number_of,
    parts,
    share,
    words_of,
)
from .overview import ENDINGS, Ended, Overview
from .sentences import ICONS
from .times import times, times_over_time

HEADS = {"operator": _("Operator"), "country": _("Country"), "purpose": _("Purpose")}
NAMELESS: dict[str, Any] = {"operator": _("no operator"), "country": _("unknown")}


def sections(overview: Overview, asked: Asked) -> list[Section]:
    return [
        _over_time(overview, asked),
        _reasons(overview, asked),
        _fallbacks(overview),
        times(overview),
        times_over_time(overview, asked),
        _groups("operator", gettext("Operators"), overview.by_operator, asked),
        _groups("country", gettext("Countries"), overview.by_country, asked),
        _groups("purpose", gettext("Purposes"), overview.by_purpose, asked),
    ]


def _over_time(overview: Overview, asked: Asked) -> Section:
    ended, rows, drawn = overview.ended, [], []
    for start, column in asked.span.columns().items():
        here = overview.by_time.get(start, Ended())
        drawn.append(charts.Stack(column.short, parts(here)))
        name = Cell(column.name, asked.address_of(column))
        if column.since >= asked.counted.upto and not here:
            unknown = [gettext("not counted yet"), *["–"] * (len(FIGURES) - 1)]
            rows.append([name, *map(Cell, unknown)])
        elif column.step == "hour":
            rows.append([name, *figures(here, None)])
        else:
            rows.append([name, *figures(here, asked, days=column.days)])
    title, said = gettext("Outcomes over time"), _in_words(ended)
    return Section(
        title=title,
        lead=_of_all(ended),
        caption=_("Outcomes over time, by when a verification began"),
        heads=[_("Time (UTC)"), *FIGURES],
        rows=rows,
        picture=charts.stacks(title, said, drawn, counted=asked.known),
        legend=_legend(ended, asked),
        is_long=len(rows) > PICTURED,
    )


def _reasons(overview: Overview, asked: Asked) -> Section:
    found, ended = overview.could_not_tell, overview.ended.total()
    words, missed = words_of(Reason), found.total()
    rows, drawn = [], []
    for reason, number in found.most_common():
        name = words.get(reason, reason) or gettext("no reason named")
        more = {"outcome": Status.UNAVAILABLE.value, "reason": reason}
        linked = Cell(number_of(number), asked.address(**more) if reason else "")
        part = share(number, missed)
        rows.append([Cell(name), linked, Cell(part), Cell(share(number, ended))])
        said = f"{number_of(number)} · {part}"
        drawn.append(charts.Bars(name, [charts.Bar([("unavailable", number)], said)]))
    title = gettext("Could not tell, by reason")
    return Section(
        title=title,
        lead=_("%(missed)s of the %(ended)s that ended, %(share)s, ended so.")
        % {
            "missed": number_of(missed),
            "ended": number_of(ended),
            "share": share(missed, ended),
        }
        + " "
        + gettext("That is no “no match”, and says nothing against anybody."),
        heads=[
            _("Reason"),
            _("Verifications"),
            _("Of all “could not tell”"),
            _("Of all that ended"),
        ],
        rows=rows,
        picture=bars(title, drawn),
    )


def _fallbacks(overview: Overview) -> Section:
    found = sorted(overview.fallbacks.items(), key=lambda each: -each[1].total())
    words, every = words_of(Method), sum(ended.total() for _how, ended in found)
    rows, drawn = [], []
    for method, ended in found:
        number, name = number_of(ended.total()), words.get(method, method)
        match = share(ended[Status.VERIFIED], ended.total())
        counts = [Cell(number_of(ended[status])) for status in ENDINGS]
        part = Cell(share(ended.total(), every))
        rows.append([Cell(name), Cell(number), part, *counts, Cell(match)])
        said = gettext("%(number)s · match %(share)s")
        said %= {"number": number, "share": match}
        drawn.append(charts.Bars(name, [charts.Bar(parts(ended), said)]))
    title = gettext("Fallbacks used, and how they ended")
    return Section(
        title=title,
        lead=ngettext(
            "%(number)s verification followed another one in the same journey: by "
            "another way, or by the network once more.",
            "%(number)s verifications followed another one in the same journey: by "
            "another way, or by the network once more.",
            every,
        )
        % {"number": number_of(every)},
        heads=[
            _("Way"),
            _("Verifications"),
            _("Of all fallbacks"),
            *(status.label for status in ENDINGS),
            _("Match, of this way"),
        ],
        rows=rows,
        picture=bars(title, drawn),
    )


def _groups(name: str, title: str, found: dict[str, Ended], asked: Asked) -> Section:
    words = words_of(Purpose) if name == "purpose" else {}
    rows, drawn = [], []
    for group, ended in sorted(found.items(), key=lambda each: -each[1].total()):
        called = str(words.get(group, group) or NAMELESS[name])
        of = {name: group}  # the list finds no rows by what they do not say
        first = Cell(called, asked.address(**of) if group else "")
        rows.append([first, *figures(ended, asked if group else None, **of)])
        missed = ended[Status.UNAVAILABLE]
        said = gettext("%(share)s of %(ended)s") % {
            "share": share(missed, ended.total()),
            "ended": number_of(ended.total()),
        }
        bar = charts.Bar([("unavailable", missed / ended.total())], said)
        drawn.append(charts.Bars(called, [bar]))
    pictured = gettext("%(title)s: share of “could not tell”") % {"title": title}
    return Section(
        title=title,
        lead=_(
            "The bars are the share of “could not tell” in all that ended in the same "
            "line."
        ),
        heads=[HEADS[name], *FIGURES],
        rows=rows,
        picture=bars(pictured, drawn, whole=1),
    )


def _legend(ended: Ended, asked: Asked) -> list[Entry]:
    return [
        Entry(
            charts.swatch(status.value),
            f"{ICONS[status]} {status.label}",
            Cell(said, asked.address(outcome=status.value)),
        )
        for status, said in _sums(ended)
    ]


def _sums(ended: Ended) -> list[tuple[Status, str]]:
    """Of each ending how many, and which share."""
    return [
        (each, f"{number_of(ended[each])} · {share(ended[each], ended.total())}")
        for each in ENDINGS
    ]


def _of_all(ended: Ended) -> str:
    words = ngettext(
        "%(number)s verification ended. Shares are of it.",
        "%(number)s verifications ended. Shares are of all of them.",
        ended.total(),
    )
    return words % {"number": number_of(ended.total())}


def _in_words(ended: Ended) -> str:
    said = (f"{status.label} {words}" for status, words in _sums(ended))
    return f"{_of_all(ended)} {', '.join(said)}."
