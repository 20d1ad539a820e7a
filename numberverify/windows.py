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
# Whether all that is to be taken has room is seen before any of it is counted: who is
# turned away does not move the end of the wait, nor use up other limits.
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
local full, wait = -1, 0
for i = back + clear + 1, #KEYS do
  local at = 3 + 3 * (i - back - clear - 1)
  if tonumber(redis.call('get', KEYS[i]) or '0') >= tonumber(ARGV[at]) then
    local left = math.max(redis.call('pttl', KEYS[i]), 1)
    if left > wait then
      full, wait = i - back - clear - 1, left
    end
  end
end
if wait > 0 then
  return {full, wait}
end
for i = back + clear + 1, #KEYS do
  local at = 3 + 3 * (i - back - clear - 1)
  if ARGV[at + 2] == '1' and redis.call('incr', KEYS[i]) == 1 then
    redis.call('pexpire', KEYS[i], ARGV[at + 1])
  end
end
return {-1, 0}
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
    """A window without room, of several the one that lasts longest."""

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
            full = [self._full(hit) for hit in take if self._has_no_room(hit)]
            if full:
                return max(full, key=lambda each: each.seconds)
            for hit in take:
                if hit.counts:
                    self.storage.incr(hit.name, hit.item.get_expiry())
            return None

    def _has_no_room(self, hit: Hit) -> bool:
        return self.storage.get(hit.name) >= hit.item.amount

    def _full(self, hit: Hit) -> Full:
        return Full(hit, self.storage.get_expiry(hit.name) - time.time())


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
        for hit in take:
            milliseconds = hit.item.get_expiry() * 1000
            arguments += [hit.item.amount, milliseconds, int(hit.counts)]
        try:
            full, wait = self._move(keys, arguments)
        except redis.RedisError as error:
            raise StoreDown from error
        return Full(take[full], wait / 1000) if wait else None


in_process = InProcess()
shared = lru_cache(maxsize=4)(Shared)


def store() -> Store:
    address, prefix = conf.limits_store()
    return shared(address, prefix + PREFIX) if address else in_process
