"""Pictures as SVG: pure functions of numbers and words.

Widths are shares of the page's and heights are pixels, so that words keep their size on
each screen. No colour speaks alone: each kind has a pattern of its own, and the figures
stand in a table below. Colours are those of static/admin-extra.css, by class: the
site's policy forbids styles in the page.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

TOP, BOTTOM, HEIGHT = 24, 184, 208  # of a plot over time
AXIS = 6  # names of columns on the widest screen
WIDEST = 52.0  # of 100, for the longest bar: its words stand behind it
BAR, LINE = 16, 22
NOT_XML = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Each kind is drawn by lines of its own over its colour.
MARKS = {
    "verified": "",
    "mismatched": "M0 0L8 8M8 0L0 8",
    "unavailable": "M-2 2L2 -2M0 8L8 0M6 10L10 6",
    "refused": "M0 2H8M0 6H8",
    "expired": "M2 2h1M6 6h1",
    "median": "",
    "p95": "M2 0V8M6 0V8",
}


@dataclass(frozen=True, slots=True)
class Stack:
    """A column: what it is called, and how high each kind is."""

    name: str
    parts: Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Bar:
    parts: Sequence[tuple[str, float]]
    words: str  # behind it


@dataclass(frozen=True, slots=True)
class Bars:
    name: str
    bars: Sequence[Bar]


@dataclass(frozen=True, slots=True)
class Points:
    """What is drawn as a line, None where nothing is known."""

    kind: str
    values: Sequence[float | None]


def patterns() -> SafeString:
    """The patterns that all pictures of a page are filled with: once on the page."""
    drawn = format_html_join(
        "",
        '<pattern id="nv-{0}" width="8" height="8" patternUnits="userSpaceOnUse">'
        '<rect width="8" height="8" class="kind-{0}"/>'
        '<path d="{1}" class="mark"/></pattern>',
        MARKS.items(),
    )
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" width="0" height="0" '
        'class="patterns" aria-hidden="true"><defs>{}</defs></svg>',
        drawn,
    )


def swatch(kind: str) -> SafeString:
    """A piece of the pattern, beside the words that it stands for."""
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" width="18" height="14" class="swatch" '
        'aria-hidden="true">{}</svg>',
        _rect(kind, "0", 0, "100%", 14),
    )


def stacks(
    name: str, words: str, columns: Sequence[Stack], *, counted: float = 1.0
) -> SafeString:
    """Columns over time. Up to the share `counted` of the time is known."""
    top = nice(max((sum(n for _, n in each.parts) for each in columns), default=0))
    width = 100 / max(1, len(columns))
    drawn = [_uncounted(counted), _grid(top)]
    for at, column in enumerate(columns):
        y = float(BOTTOM)
        for kind, number in column.parts:
            if number:
                # What there is can be seen, however little it is.
                high = max(1.0, number / top * (BOTTOM - TOP))
                y -= high
                left = f"{at * width + width * 0.08:.3f}%"
                drawn.append(_rect(kind, left, y, f"{width * 0.84:.3f}%", high))
    drawn.append(_axis([each.name for each in columns]))
    return _svg(name, words, HEIGHT, drawn)


def lines(
    name: str, words: str, columns: Sequence[str], series: Sequence[Points]
) -> SafeString:
    """Lines over time, in milliseconds."""
    known = [value for each in series for value in each.values if value is not None]
    top = nice(int(max(known, default=0)) + 1)
    width = 100 / max(1, len(columns))
    drawn = [_grid(top, in_time=True)]
    for each in series:
        last: tuple[str, str] | None = None
        for at, value in enumerate(each.values):
            if value is None:
                last = None
                continue
            x = f"{(at + 0.5) * width:.3f}%"
            y = f"{BOTTOM - value / top * (BOTTOM - TOP):.2f}"
            if last:
                drawn.append(_line(f"line line-{each.kind}", *last, x, y))
            drawn.append(_dot(each.kind, x, y))
            last = (x, y)
    drawn.append(_axis(columns))
    return _svg(name, words, HEIGHT, drawn)


def bars(
    name: str, words: str, groups: Sequence[Bars], *, whole: float | None = None
) -> SafeString:
    """Bars from left to right, each with words behind it; `whole` is as long as a bar
    can be, or else the longest is."""
    sums = [sum(n for _, n in bar.parts) for group in groups for bar in group.bars]
    longest = whole or max(sums, default=0) or 1
    drawn, y = [], 0
    for group in groups:
        drawn.append(_text("0", y + 15, group.name, "label"))
        y += LINE
        for bar in group.bars:
            x = 0.0
            for kind, number in bar.parts:
                width = number / longest * WIDEST
                if width:
                    drawn.append(_rect(kind, f"{x:.3f}%", y, f"{width:.3f}%", BAR))
                x += width
            drawn.append(_text(f"{x:.3f}%", y + 13, bar.words, "value", dx=6))
            y += BAR + 5
        y += 8
    return _svg(name, words, max(1, y), drawn)


def nice(most: int) -> int:
    """Return a round number that is not below `most`, for the top of an axis."""
    power = 1
    while power * 10 < most:
        power *= 10
    return next(n * power for n in (1, 2, 4, 6, 10) if n * power >= most)


def _svg(name: str, words: str, height: int, drawn: Sequence[SafeString]) -> SafeString:
    # Named by its title and described by its words, which a screen reader reads out.
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" class="chart" '
        'width="100%" height="{}"><title>{}</title><desc>{}</desc>{}</svg>',
        height,
        _clean(name),
        _clean(words),
        mark_safe("".join(drawn)),  # noqa: S308  each is escaped where it is made
    )


def _grid(top: int, *, in_time: bool = False) -> SafeString:
    """Lines at the top, at half of it where that is whole, and at nought."""
    drawn = []
    for value in {top, top if top % 2 else top // 2, 0}:
        y = BOTTOM - value / top * (BOTTOM - TOP)
        drawn.append(_line("grid", "0", f"{y:.2f}", "100%", f"{y:.2f}"))
        said = _time(value) if in_time else number_format(value, force_grouping=True)
        drawn.append(_text("0", y - 4, said, "tick"))
    return mark_safe("".join(drawn))  # noqa: S308


def _time(value: int) -> str:
    if value < 1000:
        return f"{value} ms"
    return f"{number_format(value / 1000, 1 if value % 1000 else 0)} s"


def _axis(names: Sequence[str]) -> SafeString:
    """Names of some columns. Every second goes where the screen is small."""
    every = -(-len(names) // AXIS) or 1
    drawn = []
    for nth, at in enumerate(range(0, len(names), every)):
        x = f"{at / len(names) * 100:.3f}%"
        kind = "axis wide" if nth % 2 else "axis"
        drawn.append(_text(x, BOTTOM + 18, names[at], kind))
    return mark_safe("".join(drawn))  # noqa: S308


def _uncounted(counted: float) -> SafeString:
    if counted >= 1:
        return SafeString("")
    return format_html(
        '<rect x="{}%" y="{}" width="{}%" height="{}" class="uncounted"/>',
        f"{counted * 100:.3f}",
        TOP,
        f"{100 - counted * 100:.3f}",
        BOTTOM - TOP,
    )


def _rect(kind: str, x: str, y: float, width: str, height: float) -> SafeString:
    return format_html(
        '<rect x="{}" y="{}" width="{}" height="{}" fill="url(#nv-{})"/>',
        x,
        f"{y:.2f}",
        width,
        f"{height:.2f}",
        kind,
    )


def _line(kind: str, x1: str, y1: str, x2: str, y2: str) -> SafeString:
    return format_html(
        '<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>', kind, x1, y1, x2, y2
    )


def _dot(kind: str, x: str, y: str) -> SafeString:
    return format_html('<circle class="dot-{}" cx="{}" cy="{}" r="2.5"/>', kind, x, y)


def _text(x: str, y: float, words: str, kind: str, *, dx: int = 0) -> SafeString:
    return format_html(
        '<text x="{}" y="{}" dx="{}" class="{}">{}</text>',
        x,
        f"{y:.2f}",
        dx,
        kind,
        _clean(words),
    )


def _clean(words: str) -> SafeString:
    """Words as XML may hold them."""
    return conditional_escape(NOT_XML.sub("�", str(words)))
