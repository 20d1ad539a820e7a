"""Verifications at one operator, while the other of two hangs and once its breaker is
open; and how soon the people of that other are told that nobody can say.

    DATABASE_URL=postgres://… CACHE_URL=redis://… python -m bench.hanging

starts ours, has sixteen browsers verify at the operator that answers, by turns alone
and beside sixteen whose operator hangs, prints the figures, and with `--write` puts
them into bench/hanging.md.
"""

import argparse
import os
import platform
import re
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from statistics import median

import redis

from .flows import driver, people, servers
from .flows.browsers import Flow
from .flows.report import processor

FILE = Path(__file__).with_name("hanging.md")
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
AT_ONCE = 16  # at either operator
HANGS = "two"
LEAST, SOON = 0.9, 30.0  # of the rate alone; milliseconds of a could not tell
OPENS_AFTER = (
    20.0  # seconds, its deadline of twelve and some, that the breaker may take
)


@dataclass(slots=True)
class Found:
    alone: list[float] = field(default_factory=list)  # flows a second
    hanging: list[float] = field(default_factory=list)
    open: list[float] = field(default_factory=list)
    told: list[float] = field(default_factory=list)  # ms, the medians, breaker open
    errors: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8.0, help="Of each turn.")
    parser.add_argument("--opens", type=float, default=OPENS_AFTER)
    parser.add_argument("--write", action="store_true", help="Into bench/hanging.md.")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *args: sys.exit(1))
    base, cache = os.environ["DATABASE_URL"], os.environ["CACHE_URL"]
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    with servers.running(["ours"], base=base, cache=cache) as (operator, started):
        ours = started["ours"]
        found = measure(ours, operator, cache, asked)
    lines = list(tables(found, asked, load))
    print("\n".join(lines))
    if asked.write:
        new = "\n".join([BEGIN, "", *lines, END])
        old = re.compile(f"{BEGIN}.*{END}", re.DOTALL)
        FILE.write_text(old.sub(lambda match: new, FILE.read_text()))


def measure(
    ours: servers.Server,
    operator: servers.Operator,
    cache: str,
    asked: argparse.Namespace,
) -> Found:
    found = Found()
    driver.run(ours.steps, at_once=AT_ONCE, seconds=min(asked.seconds, 3.0))
    for _ in range(asked.rounds):
        found.alone.append(_rate(ours, asked.seconds, found))
        operator.order(hangs=HANGS)
        with ThreadPoolExecutor(1) as beside:
            whole = 2 * asked.seconds + asked.opens
            left = beside.submit(_come_in_vain, ours, whole)
            found.hanging.append(_rate(ours, asked.seconds, found))
            time.sleep(asked.opens)
            found.open.append(_rate(ours, asked.seconds, found))
            left.result()
        found.told.append(_told(ours))
        operator.order(hangs="")
        redis.Redis.from_url(cache).flushdb()  # the breaker is closed for the next
        time.sleep(1.0)
    return found


def _rate(ours: servers.Server, seconds: float, found: Found) -> float:
    ran = driver.run(ours.steps, at_once=AT_ONCE, seconds=seconds)
    found.errors += ran.errors.total()
    return ran.flows / ran.seconds


def _come_in_vain(ours: servers.Server, seconds: float) -> driver.Ran:
    """Have people come whose operator hangs. Who was told so reads it for a second."""
    return driver.run(
        ours.steps,
        at_once=AT_ONCE,
        seconds=seconds,
        whom=cycle(people.FRENCH),
        flow_of=lambda person: Flow(person, ending="in vain"),
        rests=1.0,
    )


def _told(ours: servers.Server) -> float:
    """Return how long one start takes while the breaker is open, in milliseconds."""
    some = iter(people.FRENCH[:50])
    ran = driver.run(
        ours.steps,
        at_once=1,
        seconds=30,
        whom=some,
        flow_of=lambda person: Flow(person, ending="in vain"),
    )
    if ran.flows:
        raise RuntimeError("the breaker is not open")
    return median(ran.took["start"]) * 1000


def tables(found: Found, asked: argparse.Namespace, load: str) -> Iterator[str]:
    pairs = {
        "operator hangs": zip(found.alone, found.hanging, strict=True),
        "operator's breaker is open": zip(found.alone, found.open, strict=True),
    }
    yield (
        f"{processor()}, {os.cpu_count()} cores; Python {platform.python_version()}; "
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load before {load}. {AT_ONCE} "
        f"browsers verify at either operator. {asked.rounds} turns of "
        f"{asked.seconds:g} s each."
    )
    yield ""
    yield "| what | wanted | measured |"
    yield "|---|---|--:|"
    alone = median(found.alone)
    yield f"| verifications a second, nobody else comes | – | {alone:.1f} |"
    for what, each in pairs.items():
        ratio = median(beside / max(before, 0.001) for before, beside in each)
        reached = "" if ratio >= LEAST else " **not reached**"
        yield (
            f"| of that, while the other {what} | at least {LEAST} "
            f"| {ratio:.2f}{reached} |"
        )
    told = median(found.told)
    reached = "" if told <= SOON else " **not reached**"
    yield (
        f"| *could not tell* with its breaker open, ms | at most {SOON:g} "
        f"| {told:.1f}{reached} |"
    )
    yield f"| errors | 0 | {found.errors} |"
    yield ""


if __name__ == "__main__":
    main()
