"""A breaker for each operator, and for each further API there: after repeated failures
nobody waits for it, until one who is let through gets an answer.

Shared through the site's cache. Closed: it is asked. Open: it is not, for
`breaker_seconds`. Then half-open: one at a time is let through, an answer closes, a
failure opens anew. Cache away: closed, as with NV_LIMITS off.

docs/decisions/0033-breaker.md says what counts and what does not.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from math import ceil
from typing import TypeVar

from django.core.cache import cache

from . import conf, metrics
from .errors import BreakerOpen, OperatorBusy, OperatorError
from .operators.base import OperatorSettings

logger = logging.getLogger(__name__)
T = TypeVar("T")
# What is asked of an operator; its description, by the verification's breaker.
VERIFY, DESCRIPTION = "verify", "description"
NEIGHBOURS = ("one_time_password_sms", "sim_swap", "number_recycling")
LOOKED_AT = ("open", "failures")
# Failures are in a row while no answer comes between them, and within:
IN_A_ROW = 60 * 60  # seconds
# For so long a process believes that nothing is wrong without looking again.
BELIEVED = 1.0  # seconds
_clean_until: dict[str, float] = {}


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


NUMBERS = {State.CLOSED: 0, State.OPEN: 1, State.HALF_OPEN: 2}


def before_start(operator: OperatorSettings) -> None:
    """Before a browser is sent to the operator; asks nobody. Raise BreakerOpen.

    Half-open, one browser is sent within each `breaker_seconds`: it may never return.
    """
    key = _key(operator)
    state, _ = _look(key, operator)
    if state == State.OPEN:
        raise BreakerOpen
    if state == State.HALF_OPEN and not _add(f"{key}/sent", operator.breaker_seconds):
        raise BreakerOpen


def guard(operator: OperatorSettings, ask: Callable[[], T], api: str = VERIFY) -> T:
    """Ask, unless the breaker is open; raise BreakerOpen then, or what `ask` raises."""
    with guarded(operator, api):
        return ask()


@contextmanager
def guarded(operator: OperatorSettings, api: str = VERIFY) -> Iterator[None]:
    """Asking within it counts. Raise BreakerOpen instead where the breaker is open.

    A neighbour of the verification at the operator fails for itself.
    """
    key = _key(operator, api)
    state, failed = _look(key, operator)
    probes = state == State.HALF_OPEN
    # A probe that dies with its process holds up the next little longer than it may
    # take; one that is late must not meet the next.
    patience = operator.deadline + 1
    if state == State.OPEN or (probes and not _add(f"{key}/probe", patience)):
        raise BreakerOpen
    began, outcome = time.monotonic(), "answered"
    try:
        yield
    except BaseException as error:
        outcome = "refused"
        if isinstance(error, OperatorError) and error.is_outage:
            outcome = "failed"
            _failed(key, operator, api)
        elif probes:  # neither for nor against it: the next may try, and be sent
            _forget(f"{key}/probe", f"{key}/sent")
        outcome = "busy" if isinstance(error, OperatorBusy) else outcome
        raise
    finally:
        metrics.leg(operator.name, api, outcome, time.monotonic() - began)
    # Others may have failed while this was asked: then it came between their failures.
    failed = failed or _look(key, operator)[1]
    if failed and api != DESCRIPTION:
        _forget(*(f"{key}/{part}" for part in ("open", "failures", "probe", "sent")))
        if probes:
            logger.warning("%s answers again: %s", operator.name, api)
    elif probes:
        _forget(f"{key}/probe")


def states(operators: Mapping[str, OperatorSettings]) -> dict[tuple[str, str], State]:
    """Return how each stands, by operator and API; none, where the cache is away."""
    keys = {
        (name, api): _key(operator, api)
        for name, operator in operators.items()
        for api in [VERIFY, *(n for n in NEIGHBOURS if getattr(operator, f"{n}_url"))]
    }
    wanted = [f"{key}/{part}" for key in keys.values() for part in LOOKED_AT]
    found = _safely(lambda: cache.get_many(wanted))
    if found is None:
        return {}
    return {each: _state(key, operators[each[0]], found) for each, key in keys.items()}


def _look(key: str, operator: OperatorSettings) -> tuple[State, bool]:
    """Return the state, and whether there are failures for an answer to clear."""
    if conf.limits() is None or time.monotonic() < _clean_until.get(key, 0):
        return State.CLOSED, False
    wanted = [f"{key}/{part}" for part in LOOKED_AT]
    found = _safely(lambda: cache.get_many(wanted)) or {}
    if not found:
        _clean_until[key] = time.monotonic() + BELIEVED
    return _state(key, operator, found), bool(found)


def _state(key: str, operator: OperatorSettings, found: Mapping[str, int]) -> State:
    if f"{key}/open" in found:
        return State.OPEN
    failures = found.get(f"{key}/failures", 0)
    return State.HALF_OPEN if failures >= operator.breaker_failures else State.CLOSED


def _failed(key: str, operator: OperatorSettings, api: str) -> None:
    if conf.limits() is None:
        return
    _clean_until.pop(key, None)

    def count() -> int:
        cache.add(f"{key}/failures", 0, IN_A_ROW)
        return cache.incr(f"{key}/failures")

    failures = _safely(count) or 0
    if failures < operator.breaker_failures:
        return
    # Not set: those who fail later, of the same outage, do not make it longer.
    if _add(f"{key}/open", operator.breaker_seconds):
        _safely(lambda: cache.touch(f"{key}/failures", IN_A_ROW))
        _forget(f"{key}/probe", f"{key}/sent")
        metrics.OPENED.labels(operator.name, api).inc()
        logger.error("%s failed repeatedly, and is not asked: %s", operator.name, api)


def _add(key: str, seconds: float) -> bool:
    return bool(_safely(lambda: cache.add(key, 1, ceil(seconds))))


def _forget(*keys: str) -> None:
    _safely(lambda: cache.delete_many(keys))


def _safely(act: Callable[[], T]) -> T | None:
    """Do without a cache that is away: it must not switch an operator off."""
    try:
        return act()
    except Exception as error:  # each backend has its own
        logger.error("breakers cannot be read, %s", type(error).__name__)
        return None


def _key(operator: OperatorSettings, api: str = VERIFY) -> str:
    named = f"/{api}" if api in NEIGHBOURS else ""
    return f"nv-breaker/{operator.name}{named}"
