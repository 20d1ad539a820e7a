"""Things that wait in the cache, each under a random name, until taken once.

The cache, not a database table: an operator keeps these for seconds, and the
sandbox must leave no trace in the rows of the site that it runs beside.
"""

import hashlib
import secrets
from typing import Generic, TypeVar

from django.core.cache import cache

T = TypeVar("T")


def key_of(kind: str, name: str) -> str:
    # A digest: a name may be of any length and any characters, and one that
    # is a credential must not be legible in the cache.
    return f"sandbox:{kind}:{hashlib.sha256(name.encode()).hexdigest()}"


class Shelf(Generic[T]):
    """`seconds` is how long a thing waits before it is gone."""

    def __init__(self, kind: str, seconds: int) -> None:
        self.kind = kind
        self.seconds = seconds

    def put(self, thing: T) -> str:
        """Keep `thing` and return the name that takes it."""
        name = secrets.token_urlsafe(32)
        self.keep(name, thing)
        return name

    def keep(self, name: str, thing: T) -> None:
        """Keep `thing` under a name that is known, in place of what is there."""
        cache.set(self.key(name), thing, self.seconds)

    def look(self, name: str) -> T | None:
        """Return what `name` stands for and leave it where it is."""
        thing: T | None = cache.get(self.key(name))
        return thing

    def take(self, name: str) -> T | None:
        """Return what `name` stands for, to one caller only, else None."""
        key = self.key(name)
        thing: T | None = cache.get(key)
        # Several callers may have read it; only one of them deletes it.
        return thing if thing is not None and cache.delete(key) else None

    def key(self, name: str) -> str:
        return key_of(self.kind, name)


class WatchedShelf(Shelf[T]):
    """A shelf that remembers for `memory` seconds which names came twice."""

    def __init__(self, kind: str, seconds: int, *, memory: int) -> None:
        super().__init__(kind, seconds)
        self.memory = seconds + memory

    def take(self, name: str) -> T | None:
        mark = f"{self.key(name)}:uses"
        if cache.get(self.key(name)) is not None:
            # Marked before it is taken, so that whoever comes second finds the
            # mark; by add(), so that a late first mark never covers a second.
            cache.add(mark, "one", self.memory)
        thing = super().take(name)
        if thing is None and cache.get(mark):
            cache.set(mark, "several", self.memory)
        return thing

    def came_twice(self, name: str) -> bool:
        return bool(cache.get(f"{self.key(name)}:uses") == "several")


class Roll(Generic[T]):
    """Under each name the last `count` things that came, for `seconds`."""

    def __init__(self, kind: str, count: int, seconds: int) -> None:
        self.kind = kind
        self.count = count
        self.seconds = seconds

    def add(self, name: str, thing: T) -> None:
        key = key_of(self.kind, name)
        # Each under a number of its own: of two at once in one list, one would be
        # lost. The numbers outlive the things, or a new one would stand under an old.
        if not cache.add(key, 0, 2 * self.seconds):
            cache.touch(key, 2 * self.seconds)
        cache.set(f"{key}:{cache.incr(key)}", thing, self.seconds)

    def newest_first(self, name: str) -> list[T]:
        key = key_of(self.kind, name)
        newest: int = cache.get(key, 0)
        keys = [f"{key}:{n}" for n in range(newest, max(newest - self.count, 0), -1)]
        found: dict[str, T] = cache.get_many(keys)
        return [found[key] for key in keys if key in found]


class Turns:
    """So many turns under each name, each of them free again after `seconds`."""

    def __init__(self, kind: str, count: int, seconds: int) -> None:
        self.kind = kind
        self.count = count
        self.seconds = seconds

    def take(self, name: str) -> int:
        """Return which turn this is, from 1 on, or 0 when all are taken."""
        key = key_of(self.kind, name)
        for turn in range(1, self.count + 1):
            # add() succeeds for one caller only, in every cache.
            if cache.add(f"{key}:{turn}", True, self.seconds):
                return turn
        return 0

    def all_taken(self, name: str) -> bool:
        return cache.get(f"{key_of(self.kind, name)}:{self.count}") is not None
