"""Where limits are counted: in Redis for all processes, or in this one.

A move gives back, clears and takes, all of what one request wants: in one round trip.
The counters are those of `limits`: fixed windows that open with the first hit.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import redis
from limits import RateLimitItem
from limits.storage import MemoryStorage, RedisStorage
from redis.backoff import NoBackoff
from redis.retry import Retry

from . import conf

PREFIX = "nv-limits"
# Seconds for the store to answer: everybody who logs in waits for it.
PATIENCE = 1.0
# What is left of a limit that is full, to those who have not used it yet: the limit
# `x_spare` is asked, and counted, only while `x` is full, and counts them apart.
SPARE = "_spare"
# Whether all that is to be taken has room is seen before any of it is counted: who is
# turned away does not move the end of the wait, nor use up other limits. Of each there
# are four arguments: amount, milliseconds, whether it counts, and its group: those with
# a spare have a number, and the spare the same below nought.
MOVE = """
local back, clear = tonumber(ARGV[1]), tonumber(ARGV[2])
for i = 1, back do
  if tonumber(redis.call('get', KEYS[i]) or '0') > 0 then
    redis.call('decr', KEYS[i])
  end
end
for i = back + 1, back + clear do
  redis.call('del', KEYS[i])
end
local first = back + clear
local left, over, spare = {}, {}, {}
for i = first + 1, #KEYS do
  local at = 3 + 4 * (i - first - 1)
  local group = tonumber(ARGV[at + 3])
  left[i] = 0
  if tonumber(redis.call('get', KEYS[i]) or '0') >= tonumber(ARGV[at]) then
    left[i] = math.max(redis.call('pttl', KEYS[i]), 1)
    over[group] = true
  end
  spare[group] = math.max(spare[group] or 0, left[i])
end
local full, wait = -1, 0
for i = first + 1, #KEYS do
  local group = tonumber(ARGV[3 + 4 * (i - first - 1) + 3])
  if group >= 0 and left[i] > 0 then
    local until_then = left[i]
    if group > 0 then
      until_then = math.min(until_then, spare[-group])
    end
    if until_then > wait or full < 0 then
      full, wait = i - first - 1, until_then
    end
  end
end
if wait > 0 then
  return {full, wait}
end
for i = first + 1, #KEYS do
  local at = 3 + 4 * (i - first - 1)
  local group = tonumber(ARGV[at + 3])
  if ARGV[at + 2] == '1' and (group >= 0 or over[-group]) then
    if redis.call('incr', KEYS[i]) == 1 then
      redis.call('pexpire', KEYS[i], ARGV[at + 1])
    end
  end
end
return {full, 0}
"""


class StoreDown(Exception):
    """The shared store does not answer."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One in the window `item`, of whom `key` stands for; only looked at, unless it
    `counts`."""

    item: RateLimitItem
    key: str
    counts: bool = True

    @property
    def name(self) -> str:
        return self.item.key_for(self.key)

    @property
    def limit(self) -> str:
        return self.key.partition("/")[0]

    @property
    def is_spare(self) -> bool:
        return self.limit.endswith(SPARE)


@dataclass(slots=True)
class Taken:
    """Tries that are handed back, once, if they were right; and what that clears."""

    back: list[Hit] = field(default_factory=list)
    clear: list[Hit] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.back or self.clear)

    def empty(self) -> tuple[list[Hit], list[Hit]]:
        back, clear, self.back, self.clear = self.back, self.clear, [], []
        return back, clear


@dataclass(frozen=True, slots=True)
class Full:
    """A window without room, of several the one that lasts longest; for no seconds,
    where its spare had room."""

    hit: Hit
    seconds: float


class Store(Protocol):
    def move(
        self,
        take: Sequence[Hit],
        *,
        back: Sequence[Hit] = (),
        clear: Sequence[Hit] = (),
    ) -> Full | None:
        """Give back and clear; then take all, or none if one has no room: that is what
        is returned. Raise StoreDown."""


def groups(take: Sequence[Hit]) -> list[int]:
    """Number the limits that have their spare with them; the spares below nought."""
    names = [hit.limit.removesuffix(SPARE) for hit in take if hit.is_spare]
    numbers = {name: n for n, name in enumerate(dict.fromkeys(names), 1)}
    return [
        -numbers[hit.limit.removesuffix(SPARE)]
        if hit.is_spare
        else numbers.get(hit.limit, 0)
        for hit in take
    ]


class InProcess:
    """For development and tests: each process counts for itself."""

    def __init__(self) -> None:
        self.storage = MemoryStorage()
        self._lock = threading.Lock()

    def move(
        self,
        take: Sequence[Hit],
        *,
        back: Sequence[Hit] = (),
        clear: Sequence[Hit] = (),
    ) -> Full | None:
        with self._lock:
            for hit in back:
                self.storage.decr(hit.name)
            for hit in clear:
                self.storage.clear(hit.name)
            found, over = self._look(take)
            if found and found.seconds:
                return found
            for hit, group in zip(take, groups(take), strict=True):
                if hit.counts and (group >= 0 or -group in over):
                    self.storage.incr(hit.name, hit.item.get_expiry())
            return found

    def _look(self, take: Sequence[Hit]) -> tuple[Full | None, set[int]]:
        """Return what is full, and the groups that are, as the script does."""
        left = [self._left(hit) for hit in take]
        numbered = groups(take)
        spare: dict[int, float] = {}
        for seconds, group in zip(left, numbered, strict=True):
            spare[group] = max(spare.get(group, 0), seconds)
        full = [
            Full(hit, min(seconds, spare[-group]) if group else seconds)
            for hit, seconds, group in zip(take, left, numbered, strict=True)
            if seconds and group >= 0
        ]
        over = {group for group, seconds in spare.items() if seconds}
        return max(full, key=lambda each: each.seconds, default=None), over

    def _left(self, hit: Hit) -> float:
        if self.storage.get(hit.name) < hit.item.amount:
            return 0
        return max(self.storage.get_expiry(hit.name) - time.time(), 0.001)


class Shared:
    """For all processes, in one Redis (not a cluster)."""

    def __init__(self, address: str, prefix: str = PREFIX) -> None:
        self.storage = RedisStorage(
            address,
            key_prefix=prefix,
            socket_connect_timeout=PATIENCE,
            socket_timeout=PATIENCE,
            # Once more, at once, on a connection that the server has closed.
            retry=Retry(NoBackoff(), 1),  # type: ignore[arg-type]
        )
        self._move = self.storage.get_connection().register_script(MOVE.encode())

    def move(
        self,
        take: Sequence[Hit],
        *,
        back: Sequence[Hit] = (),
        clear: Sequence[Hit] = (),
    ) -> Full | None:
        keys = [self.storage.prefixed_key(hit.name) for hit in (*back, *clear, *take)]
        arguments = [len(back), len(clear)]
        for hit, group in zip(take, groups(take), strict=True):
            milliseconds = hit.item.get_expiry() * 1000
            arguments += [hit.item.amount, milliseconds, int(hit.counts), group]
        try:
            full, wait = self._move(keys, arguments)
        except redis.RedisError as error:
            raise StoreDown from error
        return Full(take[full], wait / 1000) if full >= 0 else None

    def forgets(self) -> str:
        """Return the policy by which it evicts counters when it is full, or ""."""
        try:
            # Not CONFIG GET, which is closed at many who keep a Redis for others.
            found = self.storage.get_connection().info("memory")  # type: ignore[attr-defined]
        except redis.RedisError as error:
            raise StoreDown from error
        policy = str(found.get("maxmemory_policy", ""))
        return "" if policy == "noeviction" else policy


in_process = InProcess()
shared = lru_cache(maxsize=4)(Shared)


def store() -> Store:
    address, prefix = conf.limits_store()
    return shared(address, prefix + PREFIX) if address else in_process
