"""The figures of the flows, as tables of Markdown: wanted, and measured."""

import os
import platform
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from statistics import median

from . import driver
from .browsers import Flow
from .servers import POOL, THREADS, Operator, Server

FILE = Path(__file__).parents[1] / "flow.md"


class Section(StrEnum):
    """Of the file; its heading."""

    TLS = "The last run"
    HTTP = "The last run over http"


PACKAGES = (
    "Django",
    "gunicorn",
    "psycopg",
    "requests",
    "django-allauth",
    "mozilla-django-oidc",
)
STARTS = 20  # that nobody comes back from, to see what a start asks


@dataclass(frozen=True, slots=True)
class Load:
    """Milliseconds that each call to the operator takes, and flows at once."""

    latency: int
    at_once: int

    def __str__(self) -> str:
        return f"{self.latency} ms, {self.at_once} at once"


LOADS = [Load(latency, n) for latency in (0, 150) for n in (1, 16, 64)]


@dataclass(slots=True)
class Turn:
    """One server, under load for some seconds."""

    rate: float  # flows a second
    cpu: float  # milliseconds of the worker's processor time a flow
    calls: float  # to the operator, a flow
    connections: float  # to the operator, that are new, a flow
    steps: dict[str, float]  # the median of each, in milliseconds
    errors: Counter[str]


Turns = dict[str, list[Turn]]


def run(
    operator: Operator,
    started: Mapping[str, Server],
    *,
    loads: Sequence[Load],
    rounds: int,
    seconds: float,
    new: int,
    section: Section,
    write: bool,
) -> None:
    found: dict[Load, Turns] = {}
    lines = []

    def say(line: str) -> None:
        lines.append(line)
        print(line, flush=True)

    for line in _heading(section, rounds, seconds, new):
        say(line)
    for load in loads:
        found[load] = _measure(operator, started, load, rounds, seconds, new)
        for line in _table(load, found[load], started):
            say(line)
    if "ours" in started:
        for line in _wanted(found, _calls_of_a_start(operator, started["ours"])):
            say(line)
    if write:
        whole = FILE.read_text()
        begin, end = f"<!-- {section} -->", f"<!-- end of {section} -->"
        old = re.compile(f"{begin}.*{end}", re.DOTALL)
        new_text = "\n".join([begin, "", *lines, end])
        FILE.write_text(old.sub(lambda match: new_text, whole))


def _measure(
    operator: Operator,
    started: Mapping[str, Server],
    load: Load,
    rounds: int,
    seconds: float,
    new: int,
) -> Turns:
    """Load each by turns, so that what else the machine does hits all alike."""
    operator.order(latency=load.latency / 1000)
    for server in started.values():
        take_turn(operator, server, load, min(seconds, 2.0), new)
    turns: Turns = {name: [] for name in started}
    for _ in range(rounds):
        for name, server in started.items():
            turns[name].append(take_turn(operator, server, load, seconds, new))
    return turns


def take_turn(
    operator: Operator, server: Server, load: Load, seconds: float, new: int
) -> Turn:
    def flow_of(person: int) -> Flow:
        return Flow(person, is_known=person % 100 >= new)

    cpu, counted = server.cpu(), Counter(operator.order())
    ran = driver.run(
        server.steps, at_once=load.at_once, seconds=seconds, flow_of=flow_of
    )
    now = Counter(operator.order())
    now.subtract(counted)
    flows, connections = max(ran.flows, 1), now.pop("connections", 0)
    return Turn(
        rate=ran.flows / ran.seconds,
        cpu=(server.cpu() - cpu) * 1000 / flows,
        calls=now.total() / flows,
        connections=connections / flows,
        steps={step: median(took) * 1000 for step, took in ran.took.items()},
        errors=ran.errors,
    )


def _calls_of_a_start(operator: Operator, ours: Server) -> float:
    people, before = driver.everybody(), operator.order()
    ran = driver.run(
        ours.steps,
        at_once=1,
        seconds=60,
        whom=(next(people) for _ in range(STARTS)),
        flow_of=lambda person: Flow(person, ending="abandoned"),
    )
    now = Counter(operator.order())
    now.subtract(before)
    now.pop("connections", None)
    return now.total() / max(ran.flows, 1)


def _heading(section: Section, rounds: int, seconds: float, new: int) -> Iterator[str]:
    listed = ", ".join(f"{name} {version(name)}" for name in _installed())
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    yield f"## {section}"
    yield ""
    yield (
        f"{processor()}, {os.cpu_count()} cores; Python {platform.python_version()}, "
        f"{listed}; {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load before {load}. "
        f"Each has one worker of {THREADS} threads and {POOL} database connections. "
        f"{rounds} turns of {seconds:g} s each; of a hundred flows {new} are in a new "
        "browser."
    )
    yield ""


def _installed() -> Iterator[str]:
    for name in PACKAGES:
        try:
            version(name)
        except ModuleNotFoundError:
            continue
        yield name


def _table(load: Load, turns: Turns, started: Mapping[str, Server]) -> Iterator[str]:
    yield f"### {load}"
    yield ""
    yield (
        "| | flows a second | ours is | CPU ms a flow | ours is | start, ms "
        "| callback, ms | calls a flow | new connections a flow | errors |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    for name, taken in turns.items():
        cells = [
            started[name].kind.label,
            f"{median(turn.rate for turn in taken):.1f}",
            _ratio(turns, name, lambda turn: turn.rate),
            f"{median(turn.cpu for turn in taken):.1f}",
            _ratio(turns, name, lambda turn: turn.cpu),
            *(_step(taken, step) for step in ("start", "callback")),
            f"{median(turn.calls for turn in taken):.2f}",
            f"{median(turn.connections for turn in taken):.2f}",
            _errors(taken),
        ]
        yield f"| {' | '.join(cells)} |"
    yield ""


def _ratio(turns: Turns, name: str, of: Callable[[Turn], float]) -> str:
    if name == "ours" or "ours" not in turns:
        return ""
    return f"× {_times(turns, name, of):.2f}"


def _times(turns: Turns, name: str, of: Callable[[Turn], float]) -> float:
    """Compare neighbours in time, and take the median of that."""
    pairs = zip(turns["ours"], turns[name], strict=True)
    return median(of(ours) / max(of(peer), 0.001) for ours, peer in pairs)


def _step(taken: list[Turn], step: str) -> str:
    found = [turn.steps[step] for turn in taken if step in turn.steps]
    return f"{median(found):.1f}" if found else ""


def _errors(taken: list[Turn]) -> str:
    all_of_them = sum((turn.errors for turn in taken), Counter())
    return ", ".join(f"{n} × {what}" for what, n in all_of_them.items()) or "0"


def _wanted(found: Mapping[Load, Turns], calls_of_a_start: float) -> Iterator[str]:
    yield "### What is wanted"
    yield ""
    yield "| what | wanted | measured | reached |"
    yield "|---|---|--:|---|"
    for what, wanted, measured, reached in _checks(found, calls_of_a_start):
        yield f"| {what} | {wanted} | {measured} | {'yes' if reached else '**no**'} |"
    yield ""


def _checks(
    found: Mapping[Load, Turns], calls_of_a_start: float
) -> Iterator[tuple[str, str, str, bool]]:
    for load, name, least in [
        (Load(0, 16), "allauth", 3.0),
        (Load(0, 16), "mozilla", 1.5),
        (Load(0, 16), "bare", 1.2),
        (Load(150, 64), "allauth", 2.5),
        (Load(150, 64), "bare", 1.1),
    ]:
        if name in found.get(load, {}):
            times = _times(found[load], name, lambda turn: turn.rate)
            what = f"{load}: flows a second, of those of {name}"
            yield what, f"at least × {least}", f"× {times:.2f}", times >= least
    if "bare" in found.get(Load(0, 16), {}):
        cpu = _times(found[Load(0, 16)], "bare", lambda turn: turn.cpu)
        what = f"{Load(0, 16)}: CPU a flow, of that of bare"
        yield what, "at most × 0.9", f"× {cpu:.2f}", cpu <= 0.9
    if alone := found.get(Load(150, 1)):
        for step, most in [("start", 10), ("callback", 330)]:
            took = median(turn.steps[step] for turn in alone["ours"])
            what = f"{Load(150, 1)}: median of the {step}, ms"
            yield what, f"at most {most}", f"{took:.1f}", took <= most
    ours = [turn for turns in found.values() for turn in turns["ours"]]
    calls = median(turn.calls for turn in ours)
    yield "calls to the operator, a flow", "2", f"{calls:.2f}", round(calls, 2) == 2
    yield "of them in the start", "0", f"{calls_of_a_start:g}", calls_of_a_start == 0
    kept = median(turn.connections for turn in ours)
    yield "new connections to the operator, a flow", "–", f"{kept:.3f}", kept < 0.1
    errors = sum(turn.errors.total() for turn in ours)
    yield "errors", "0", str(errors), errors == 0


def processor() -> str:
    said = Path("/proc/cpuinfo")
    text = said.read_text() if said.exists() else ""
    found = re.search(r"model name\s*: (.+)", text)
    return found[1] if found else platform.processor()
