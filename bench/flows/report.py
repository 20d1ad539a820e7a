"""The figures of the flows, as tables of Markdown."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from . import driver
from .browsers import Flow
from .servers import Operator, Server


@dataclass(frozen=True, slots=True)
class Load:
    """Milliseconds that each call to the operator takes, and flows at once."""

    latency: int
    at_once: int


LOADS = [Load(latency, n) for latency in (0, 150) for n in (1, 16, 64)]


@dataclass(slots=True)
class Turn:
    """One server, under load for some seconds."""

    rate: float  # flows a second
    cpu: float  # milliseconds of the worker's a flow
    calls: float  # to the operator, a flow
    connections: float  # to the operator, that are new, a flow
    steps: dict[str, float]  # the median of each, in milliseconds
    errors: Counter[str]


def run(
    operator: Operator,
    started: Mapping[str, Server],
    *,
    loads: Iterable[Load],
    rounds: int,
    seconds: float,
    new: int,
    write: bool,
) -> None:
    for load in loads:
        operator.order(latency=load.latency / 1000)
        for server in started.values():
            _turn(operator, server, load, min(seconds, 2.0), new)
        turns: dict[str, list[Turn]] = {name: [] for name in started}
        for _ in range(rounds):
            for name, server in started.items():
                turns[name].append(_turn(operator, server, load, seconds, new))
        print(f"\n{load.latency} ms, {load.at_once} at once")
        for name, all_of_it in turns.items():
            best = [
                f"{median(t.rate for t in all_of_it):7.1f}/s",
                f"{median(t.cpu for t in all_of_it):6.2f} ms CPU",
                f"{median(t.calls for t in all_of_it):5.2f} calls",
                f"{median(t.connections for t in all_of_it):6.3f} conns",
            ]
            if name != "ours" and "ours" in turns:
                pairs = list(zip(turns["ours"], all_of_it, strict=True))
                best.append(
                    f"x{median(a.rate / max(b.rate, 0.001) for a, b in pairs):.2f}"
                )
                best.append(f"cpu x{median(a.cpu / b.cpu for a, b in pairs):.2f}")
            steps = all_of_it[-1].steps
            best += [f"{step} {took:.1f}" for step, took in steps.items()]
            errors = sum((t.errors for t in all_of_it), Counter())
            print(f"{name:8}", *best, dict(errors) or "")


def _turn(
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
    flows = max(ran.flows, 1)
    connections = now.pop("connections", 0)
    return Turn(
        rate=ran.flows / ran.seconds,
        cpu=(server.cpu() - cpu) * 1000 / flows,
        calls=now.total() / flows,
        connections=connections / flows,
        steps={step: median(took) * 1000 for step, took in ran.took.items()},
        errors=ran.errors,
    )
