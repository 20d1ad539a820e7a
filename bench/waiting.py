"""Verifications at full rate, while desktops wait for their phones and while none does.

    DATABASE_URL=postgres://… CACHE_URL=redis://… python -m bench.waiting

starts ours in one process of sixteen threads, has browsers verify by turns without and
with the desktops, prints the figures, and with `--write` puts them into
bench/waiting.md.
"""

import argparse
import json
import os
import platform
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from .flows import driver, servers
from .flows.report import processor

FILE = Path(__file__).with_name("waiting.md")
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
THREADS, AT_ONCE = 16, 16
SOON, LATER = 3.0, 10.0  # seconds, as the page asks: in its first minute, and then
LEAST = 0.9  # of the rate without desktops
DESKTOPS = [sys.executable, "-m", "bench.flows.desktops"]


@dataclass(slots=True)
class Found:
    alone: list[float] = field(default_factory=list)  # flows a second
    beside: list[float] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)  # questions a second
    ms: list[float] = field(default_factory=list)  # of a question, the median
    errors: int = 0

    @property
    def ratio(self) -> float:
        """Compare neighbours in time, and take the median of that."""
        pairs = zip(self.alone, self.beside, strict=True)
        return median(beside / max(alone, 0.001) for alone, beside in pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--desktops", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=10.0, help="Of each turn.")
    parser.add_argument("--soon", type=float, default=SOON)
    parser.add_argument("--later", type=float, default=LATER)
    parser.add_argument("--write", action="store_true", help="Into bench/waiting.md.")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *args: sys.exit(1))
    base, cache = os.environ["DATABASE_URL"], os.environ["CACHE_URL"]
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    with servers.running(["ours"], base=base, cache=cache, threads=THREADS) as (
        operator,
        started,
    ):
        ours = started["ours"]
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "bench.flows.ours",
            "BENCH_OPERATOR": operator.address,
            "DATABASE_URL": ours.database,
        }
        made = subprocess.run(  # noqa: S603
            [*DESKTOPS, "make", str(asked.desktops)],
            env=environment,
            cwd=servers.ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        rhythm = (asked.soon, asked.later)
        found = measure(ours, made, asked.rounds, asked.seconds, rhythm)
    lines = list(told(found, asked, load))
    print("\n".join(lines))
    if asked.write:
        new = "\n".join([BEGIN, "", *lines, END])
        old = re.compile(f"{BEGIN}.*{END}", re.DOTALL)
        FILE.write_text(old.sub(lambda match: new, FILE.read_text()))


def measure(
    ours: servers.Server,
    desktops: str,
    rounds: int,
    seconds: float,
    rhythm: tuple[float, float],
) -> Found:
    """By turns, so that what else the machine does hits both alike; which comes first
    changes as well."""
    found = Found()
    driver.run(ours.steps, at_once=AT_ONCE, seconds=min(seconds, 3.0))
    for n in range(rounds):
        for waits in (n % 2 == 0, n % 2 == 1):
            if waits:
                with waiting(ours.steps.port, desktops, rhythm) as said:
                    found.beside.append(_rate(ours, seconds, found))
                found.asked.append(said["asked"] / seconds)
                found.ms.append(said["ms"])
                found.errors += said["wrong"]
            else:
                found.alone.append(_rate(ours, seconds, found))
    return found


def _rate(ours: servers.Server, seconds: float, found: Found) -> float:
    ran = driver.run(ours.steps, at_once=AT_ONCE, seconds=seconds)
    found.errors += ran.errors.total()
    return ran.flows / ran.seconds


@contextmanager
def waiting(
    port: int, desktops: str, rhythm: tuple[float, float]
) -> Iterator[dict[str, Any]]:
    """Have the desktops wait, in a process of their own; what they found is there at
    the end."""
    command = [*DESKTOPS, "ask", str(port), *map(str, rhythm)]
    process = subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=servers.ROOT,
    )
    assert process.stdin is not None  # noqa: S101  as asked for
    assert process.stdout is not None  # noqa: S101
    said: dict[str, Any] = {}
    try:
        process.stdin.write(desktops)
        process.stdin.close()
        if process.stdout.readline().strip() != "ready":
            raise RuntimeError("the desktops do not wait")
        yield said
    finally:
        process.send_signal(signal.SIGTERM)
        last = process.stdout.read()
        process.wait(timeout=30)
    said |= json.loads(last)


def told(found: Found, asked: argparse.Namespace, load: str) -> Iterator[str]:
    yield (
        f"{processor()}, {os.cpu_count()} cores; Python {platform.python_version()}; "
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load before {load}. One process of "
        f"{THREADS} threads, {AT_ONCE} browsers verify at once; {asked.desktops} "
        f"desktops ask, one of five every {asked.soon:g} s and the others every "
        f"{asked.later:g} s. {asked.rounds} turns of "
        f"{asked.seconds:g} s each."
    )
    yield ""
    yield "| what | wanted | measured |"
    yield "|---|---|--:|"
    yield f"| verifications a second, nobody waits | – | {median(found.alone):.1f} |"
    yield f"| the same beside the desktops | – | {median(found.beside):.1f} |"
    reached = "" if found.ratio >= LEAST else " **not reached**"
    yield f"| of the rate, in pairs | at least {LEAST} | {found.ratio:.2f}{reached} |"
    yield f"| questions of desktops a second | – | {median(found.asked):.0f} |"
    yield f"| the median answer to one, ms | – | {median(found.ms):.1f} |"
    yield f"| errors | 0 | {found.errors} |"
    yield ""


if __name__ == "__main__":
    main()
