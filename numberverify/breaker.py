"""A breaker for each operator, and for each further API there: after repeated failures
nobody waits for it, until one who is let through gets an answer.

Shared through the site's cache. Closed: it is asked. Open: it is not, for
`breaker_seconds`. Then half-open: one at a time is let through, an answer closes, a
failure opens anew. Cache away: closed, as with NV_LIMITS off.

docs/decisions/0033-breaker.md says what counts and what does not.
"""

import logging
import time
from collections.abc import Callable
from enum import StrEnum
from math import ceil
from typing import TypeVar

from django.core.cache import cache

from . import conf
from .errors import BreakerOpen, OperatorError
from .operators.base import OperatorSettings

logger = logging.getLogger(__name__)
T = TypeVar("T")
# Failures are in a row while no answer comes between them, and within:
IN_A_ROW = 60 * 60  # seconds
# For so long a process believes that nothing is wrong without looking again.
BELIEVED = 1.0  # seconds
_clean_until: dict[str, float] = {}


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


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


def guard(
    operator: OperatorSettings,
    ask: Callable[[], T],
    *,
    api: str = "",
    closes: bool = True,
) -> T:
    """Ask, unless the breaker is open; raise BreakerOpen then, or what `ask` raises.

    `api` is a neighbour of the verification at the operator, which fails for itself.
    Not `closes`: an answer to this shows too little.
    """
    key = _key(operator, api)
    state, failed = _look(key, operator)
    probes = state == State.HALF_OPEN
    # A probe that dies with its process holds up the next no longer than it may take.
    if state == State.OPEN or (probes and not _add(f"{key}/probe", operator.deadline)):
        raise BreakerOpen
    try:
        answer = ask()
    except BaseException as error:
        if isinstance(error, OperatorError) and error.is_outage:
            _failed(key, operator)
        elif probes:  # neither for nor against it: the next may try
            _forget(f"{key}/probe")
        raise
    if closes and failed:
        _forget(*(f"{key}/{part}" for part in ("open", "failures", "probe", "sent")))
        if probes:
            logger.warning("%s answers again, %s", operator.name, api or "verify")
    elif probes:
        _forget(f"{key}/probe")
    return answer


def state_of(operator: OperatorSettings, api: str = "") -> State:
    """Return how the breaker stands; closed where the cache is away."""
    return _look(_key(operator, api), operator)[0]


def _look(key: str, operator: OperatorSettings) -> tuple[State, bool]:
    """Return the state, and whether there are failures for an answer to clear."""
    if conf.limits() is None or time.monotonic() < _clean_until.get(key, 0):
        return State.CLOSED, False
    found = _safely(lambda: cache.get_many([f"{key}/open", f"{key}/failures"])) or {}
    failures = found.get(f"{key}/failures", 0)
    if f"{key}/open" in found:
        return State.OPEN, True
    if failures >= operator.breaker_failures:
        return State.HALF_OPEN, True
    if not failures:
        _clean_until[key] = time.monotonic() + BELIEVED
    return State.CLOSED, failures > 0


def _failed(key: str, operator: OperatorSettings) -> None:
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
        logger.error("%s failed %s times in a row", operator.name, failures)


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


def _key(operator: OperatorSettings, api: str = "") -> str:
    return f"nv-breaker/{operator.name}" + (f"/{api}" if api else "")
