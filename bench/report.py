"""The figures, as tables of Markdown: what is wanted, and what was measured."""

import os
import platform
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import django
from django.db import connections

from . import databases, exports, lists, sealing, writing
from .timing import Taken

FILE = Path(__file__).with_name("history.md")
AT_MOST = 1_000_000  # rows that are copied, to be sealed, purged and written to
# With enough rows; with few a run is to end soon, and shows only that all of it works.
ROUNDS, BLOCKS, WINDOW = 15, 60, 5.0
MANY = 100_000
QUERIES, DATABASE, GROWS = 6, 5.0, 1.5
EXPORTED, SEALED = 80_000, 25_000  # rows a second


def run(rows: int, *, small: int, parts: Sequence[str], write: bool) -> None:
    """Measure, print, and write down where that is asked for."""
    of_part: dict[str, Callable[[str], Iterable[str]]] = {
        "pages": lambda big: _pages(big, databases.filled(min(small, rows)), many),
        "export": _export,
        "sealing": lambda big: _sealing(databases.filled(min(rows, AT_MOST)), many),
        "writing": lambda big: _writing(databases.filled(min(rows, AT_MOST)), many),
    }
    many = min(1.0, rows / MANY)
    big = databases.filled(rows)
    vendor = connections[big].display_name
    for part in parts:
        found = []
        for line in chain(_heading(vendor, rows, part), of_part[part](big)):
            found.append(line)
            print(line, flush=True)
        if write:
            _write(f"{vendor} {rows} {part}", "\n".join(found))


def _write(name: str, text: str) -> None:
    """Put the figures of a part in the place of those of the last run of it."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    new = f"{begin}\n{text}\n{end}"
    whole = FILE.read_text()
    if begin in whole:
        old = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        FILE.write_text(old.sub(lambda match: new, whole))
    else:
        FILE.write_text(f"{whole.rstrip()}\n\n{new}\n")


def _heading(vendor: str, rows: int, part: str) -> list[str]:
    base = connections[databases.BASE]
    base.ensure_connection()
    version = ".".join(map(str, base.get_database_version()))
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    return [
        f"## {vendor}, {rows:,} rows: {part}",
        "",
        f"{_cpu()}, {os.cpu_count()} cores; {vendor} {version}, "
        f"Python {platform.python_version()}, Django {django.get_version()}; "
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load before {load}.",
        "",
    ]


def _cpu() -> str:
    said = Path("/proc/cpuinfo")
    text = said.read_text() if said.exists() else ""
    found = re.search(r"model name\s*: (.+)", text)
    return found[1] if found else platform.processor()


def _pages(big: str, small: str, many: float) -> Iterable[str]:
    yield "### Pages of the list, milliseconds"
    yield ""
    yield (
        "| page | queries | in the database | whole | Django's default "
        "| Django's, tuned | ours with few rows | not reached |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|---|"
    for row in lists.measure(big, small, rounds=max(1, int(ROUNDS * many))):
        ours = row.ours
        cells = [
            row.case.name,
            str(ours.queries),
            f"{ours.database:.1f}",
            f"{ours.whole:.0f}",
            _peer(ours, row.peers.get("plain")),
            _peer(ours, row.peers.get("tuned")),
            f"{row.small.whole:.0f} (× {ours.whole / row.small.whole:.1f})",
            ", ".join(_missed(row)),
        ]
        yield f"| {' | '.join(cells)} |"
    yield ""


def _peer(ours: Taken, peer: Taken | None) -> str:
    if peer is None:
        return "–"
    return f"{peer.whole:,.0f} (× {peer.whole / ours.whole:.0f})"


def _missed(row: lists.Row) -> Iterable[str]:
    """Say which of the targets this page does not reach."""
    if row.ours.queries > QUERIES:
        yield f"{QUERIES} queries"
    if row.ours.database > DATABASE:
        yield f"{DATABASE:.0f} ms in the database"
    if row.ours.whole > GROWS * row.small.whole:
        yield f"× {GROWS} of few rows"
    plain = row.peers.get("plain")
    if row.case.times and plain and plain.whole < row.case.times * row.ours.whole:
        yield f"× {row.case.times} of the default"


def _table(title: str, rows: Iterable[tuple[str, str, str, bool]]) -> Iterable[str]:
    yield f"### {title}"
    yield ""
    yield "| what | wanted | measured | reached |"
    yield "|---|---|--:|---|"
    for what, wanted, measured, is_reached in rows:
        says = "–" if wanted == "–" else "yes" if is_reached else "**no**"
        yield f"| {what} | {wanted} | {measured} | {says} |"
    yield ""


def _export(big: str) -> Iterable[str]:
    rows = []
    for form, found in exports.measure(big).items():
        rate = found["rows"] / found["seconds"]
        wanted, first, memory = "–", found["first_rows"], found["memory"]
        if form == "csv":
            wanted = f"at least {EXPORTED:,}"
        rows += [
            (f"{form}: rows a second", wanted, f"{rate:,.0f}", rate >= EXPORTED),
            (
                f"{form}: MiB above the idle process",
                "at most 32",
                f"{memory:.0f} for {found['mib']:,.0f} MiB",
                memory <= 32,
            ),
            (
                f"{form}: ms to the first rows",
                "at most 300",
                f"{first:.0f}",
                first <= 300,
            ),
        ]
    yield from _table("Export of all rows", rows)


def _sealing(alias: str, many: float) -> Iterable[str]:
    copy = databases.copied(alias, "sealed")
    try:
        sealed = sealing.measure_sealing(copy)
        yield from _table(
            f"Sealing and verifying of {sealed.rows:,} rows, in one process",
            [
                *_rate("sealing", sealed.sealing),
                *_rate("verifying", sealed.verifying),
            ],
        )
        purged = sealing.measure_purge(copy, window=max(0.2, WINDOW * many))
        yield from _purge(purged)
    finally:
        databases.drop(copy)


def _rate(what: str, rate: sealing.Rate) -> Iterable[tuple[str, str, str, bool]]:
    clock, work = f"{rate.by_clock:,.0f}", f"{rate.by_work:,.0f}"
    wanted = f"at least {SEALED:,}"
    yield f"{what}: rows a second", wanted, clock, rate.by_clock >= SEALED
    yield f"{what}: rows in a second of the process's own work", "–", work, True


def _purge(purged: sealing.Purged) -> Iterable[str]:
    longest = max(purged.deletes, default=0) * 1000
    mark = max(purged.marks, default=0) * 1000
    alone = sum(purged.alone) / len(purged.alone)
    yield from _table(
        f"Purge of {purged.rows:,} rows, while another process writes verifications",
        [
            (
                f"longest of {len(purged.deletes):,} steps that delete, ms",
                "at most 100",
                f"{longest:.0f}",
                longest <= 100,
            ),
            (
                f"longest of {len(purged.marks):,} marks in the chain, ms",
                "at most 100",
                f"{mark:.0f}",
                mark <= 100,
            ),
            (
                f"the writer loses, of {alone:.0f} verifications a second",
                "less than 10 %",
                f"{purged.loses:.1%}",
                purged.loses < 0.1,
            ),
            (
                "rows a second that are purged",
                "–",
                f"{purged.rows / max(purged.seconds, 0.001):,.0f}",
                True,
            ),
        ],
    )


def _writing(alias: str, many: float) -> Iterable[str]:
    taken = writing.measure(alias, rounds=max(1, int(BLOCKS * many)))
    full = taken["full"]
    one = full.whole / writing.A_BLOCK

    def costs(what: str, wanted: str, without: Taken) -> tuple[str, str, str, bool]:
        share = full.whole / without.whole - 1
        of_database = full.database / without.database - 1
        says = f"{share:+.1%} ({of_database:+.1%} in the database)"
        return what, wanted, says, share < 0.1

    rows = [
        costs(
            f"the history's indexes, of a verification of {one:.1f} ms",
            "less than 10 %",
            taken["without indexes"],
        )
    ]
    if "without triggers" in taken:
        rows.append(costs("the seal's triggers", "–", taken["without triggers"]))
    rows.append(costs("nothing: two equal copies", "–", taken["full again"]))
    yield from _table(
        f"What writing a verification costs, {full.rounds} blocks of {writing.A_BLOCK}",
        rows,
    )
