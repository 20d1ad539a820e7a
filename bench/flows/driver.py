"""So many verifications at once, for so long; and what they took."""

import asyncio
import itertools
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from . import people
from .browsers import Browser, Flow, Steps, Wrong, verify

# A prime, so that neighbours in time are no neighbours in the tables.
STRIDE = 7919
Ledger = dict[str, Flow]


@dataclass(slots=True)
class Ran:
    flows: int = 0
    seconds: float = 0.0
    errors: Counter[str] = field(default_factory=Counter)
    took: defaultdict[str, list[float]] = field(
        default_factory=lambda: defaultdict(list)
    )
    ledger: Ledger = field(default_factory=dict)


def everybody() -> Iterator[int]:
    """The people, one after the other, for ever."""
    first = random.randrange(people.COUNT)
    return ((first + n * STRIDE) % people.COUNT for n in itertools.count())


def run(
    steps: Steps,
    *,
    at_once: int,
    seconds: float,
    flow_of: Callable[[int], Flow] = Flow,
    whom: Iterator[int] | None = None,
    rests: float = 0.0,
) -> Ran:
    """Have `at_once` browsers verify one person after the other. What begins within
    the time counts, and its end is waited for. `rests`: seconds after each."""
    ran = Ran()
    people_to_come = whom or everybody()

    async def one(until: float) -> None:
        browser = Browser(steps.port)
        while time.perf_counter() < until:
            if (person := next(people_to_come, None)) is None:
                break
            flow = flow_of(person)
            try:
                state = await verify(browser, steps, flow, ran.took)
            except (Wrong, OSError, EOFError, TimeoutError) as error:
                browser.close()
                ran.errors[str(error) or type(error).__name__] += 1
            else:
                ran.flows += 1
                ran.ledger[state] = flow
            if rests:
                await asyncio.sleep(rests)
        browser.close()

    async def all_of_them() -> None:
        until = time.perf_counter() + seconds
        await asyncio.gather(*(one(until) for _ in range(at_once)))

    began = time.perf_counter()
    asyncio.run(all_of_them())
    ran.seconds = time.perf_counter() - began
    return ran
