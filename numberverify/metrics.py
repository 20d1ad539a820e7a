"""What is counted for Prometheus. Labels are words of ours and names of operators:
nothing about a person, and no more of them than there are.

With PROMETHEUS_MULTIPROC_DIR set before the first import, all processes are added up.
docs/reference/metrics.md lists them.
"""

import os
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from .models import Verification

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
SECONDS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 8, 12, 20, 60)
ours = CollectorRegistry()
STARTED = Counter(
    "numberverify_started",
    "Verifications that were begun.",
    ["purpose", "method", "operator"],
    registry=ours,
)
ENDED = Counter(
    "numberverify_ended",
    "Verifications that are over, by how.",
    ["purpose", "method", "operator", "outcome", "reason"],
    registry=ours,
)
LEGS = Histogram(
    "numberverify_operator_seconds",
    "From asking an operator to its answer, all calls of it.",
    ["operator", "api", "outcome"],
    buckets=SECONDS,
    registry=ours,
)
OPENED = Counter(
    "numberverify_breaker_opened",
    "How often a breaker opened, or opened anew.",
    ["operator", "api"],
    registry=ours,
)
LIMITS_HIT = Counter(
    "numberverify_limits_hit",
    "Requests that met a limit without room.",
    ["limit"],
    registry=ours,
)


def started(row: Verification) -> None:
    """Count a new row, and its ending if it is over at once. One that was not written,
    because an older one waits already, is none."""
    if row._state.adding:
        return
    STARTED.labels(row.purpose, row.method, row.operator).inc()
    if not row.is_open:
        ended(row, row.status, row.reason)


def ended(row: Verification, outcome: str, reason: str = "") -> None:
    ENDED.labels(row.purpose, row.method, row.operator, outcome, reason).inc()


def leg(operator: str, api: str, outcome: str, seconds: float) -> None:
    LEGS.labels(operator, api, outcome).observe(seconds)


def exposition(further: Iterable[Collector]) -> bytes:
    """Return all of it in Prometheus' text format, of all processes, with what
    `further` find out now."""
    registry = ours
    if os.environ.get(FOLDER):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    found = CollectorRegistry()
    for collector in further:
        found.register(collector)
    return generate_latest(registry) + generate_latest(found)
