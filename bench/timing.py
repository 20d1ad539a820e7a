"""How long something takes: ours and its peers by turns, so that what else the machine
does hits all of them alike."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from django.db import connection

LEAST = 3
PATIENCE = 12.0  # seconds for all rounds of one comparison, once there are LEAST
LONG = 20.0  # seconds of a run that need no warming up: its first is its figure


@dataclass(slots=True)
class Said:
    """What the database was asked, how long its answers took, and how long it all."""

    queries: int = 0
    seconds: float = 0.0
    whole: float = 0.0
    statements: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Taken:
    """Medians over the rounds: milliseconds whole, and of them in the database."""

    whole: float
    database: float
    queries: int
    rounds: int


@contextmanager
def listening() -> Iterator[Said]:
    said = Said()

    def listen(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, *args)
        finally:
            said.seconds += time.perf_counter() - began
            said.queries += 1
            said.statements.append(sql)

    with connection.execute_wrapper(listen):
        began = time.perf_counter()
        yield said
        said.whole = time.perf_counter() - began


def by_turns(
    runs: Mapping[str, Callable[[], Said]],
    *,
    rounds: int,
    patience: float = PATIENCE,
) -> dict[str, Taken]:
    """Run each of them by turns, after once to warm up, and return the medians.

    Each second round runs backwards, since who comes after whom matters as well.
    """
    taken: dict[str, list[Said]] = {name: [] for name in runs}
    quick = {}
    for name, run in runs.items():
        said = run()
        if said.whole > LONG:
            taken[name].append(said)
        else:
            quick[name] = run
    until = time.monotonic() + patience
    for done in range(rounds):
        if done >= LEAST and time.monotonic() > until:
            break
        for name in list(quick)[:: -1 if done % 2 else 1]:
            taken[name].append(quick[name]())
    return {name: _median(found) for name, found in taken.items()}


def _median(found: list[Said]) -> Taken:
    return Taken(
        whole=median(said.whole for said in found) * 1000,
        database=median(said.seconds for said in found) * 1000,
        queries=found[-1].queries,
        rounds=len(found),
    )
