"""Sessions read through Redis, and kept in the database (SESSION_ENGINE with a Redis).

The row is the truth. What is cached is a copy that a reader has put there, for
FRESH_FOR at most. Who changes or deletes a row marks the copy first, which takes it
away from everybody and lets nobody put another one there; a reader that had begun
before finds its lease gone. So a session that has ended is ended for all machines,
whoever was just reading it (docs/decisions/0032-cached-sessions.md).

Without Redis it is read from the database, and not changed: nobody could say who has
a copy. It is deleted all the same, and then said to be in doubt.
"""

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from hashlib import sha256
from typing import Any

import redis
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from redis.backoff import NoBackoff
from redis.retry import Retry

from . import session_store

logger = logging.getLogger(__name__)
PATIENCE = 1.0  # seconds for Redis to answer
# Seconds. So old may a copy be where Redis has lost a mark: at a failover.
FRESH_FOR = 300
# Seconds for a reader between its lease and its copy, and for a change of a row.
LEASE_FOR, MARK_FOR = 30, 60
COPY, LEASE, MARK = b"c", b"l", b"m"
SIGNED = 64  # bytes
# The copy; or nothing, and the lease of who asked, if nobody else has one.
LOOK = """
local found = redis.call('get', KEYS[1])
if not found then
  redis.call('set', KEYS[1], ARGV[1], 'EX', ARGV[2])
end
return found
"""
# The copy for the lease, if it is still there; for no copy the lease goes.
FILL = """
if redis.call('get', KEYS[1]) == ARGV[1] then
  if tonumber(ARGV[3]) > 0 then
    redis.call('set', KEYS[1], ARGV[2], 'EX', ARGV[3])
  else
    redis.call('del', KEYS[1])
  end
end
"""
# Leave nothing but the mark of another, who is still at it.
UNMARK = """
local found = redis.call('get', KEYS[1])
if found and (found == ARGV[1] or string.sub(found, 1, 1) ~= 'm') then
  redis.call('del', KEYS[1])
end
"""


class Copies:
    """What a Redis holds of sessions. Raise redis.RedisError."""

    def __init__(self, address: str, prefix: str) -> None:
        self._redis = redis.Redis.from_url(
            address,
            socket_connect_timeout=PATIENCE,
            socket_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 1),  # on a connection that the server has closed
        )
        self._prefix = prefix
        self._look = self._redis.register_script(LOOK.encode())
        self._fill = self._redis.register_script(FILL.encode())
        self._unmark = self._redis.register_script(UNMARK.encode())

    def look(self, key: str, lease: bytes) -> bytes | None:
        found: bytes | None = self._look([self._name(key)], [lease, LEASE_FOR])
        return found

    def fill(self, key: str, lease: bytes, data: bytes, seconds: int) -> None:
        self._fill([self._name(key)], [lease, COPY + data, seconds])

    def mark(self, key: str, mark: bytes) -> None:
        self._redis.set(self._name(key), mark, ex=MARK_FOR)

    def unmark(self, key: str, mark: bytes) -> None:
        self._unmark([self._name(key)], [mark])

    def _name(self, key: str) -> str:
        # Who lists the names in Redis has nobody's key.
        return f"{self._prefix}nv-session:{sha256(key.encode()).hexdigest()}"


_copies_in = lru_cache(maxsize=4)(Copies)


def copies() -> Copies:
    cache = settings.CACHES["default"]
    location = cache["LOCATION"]
    address = location if isinstance(location, str) else location[0]
    return _copies_in(address.split(",")[0], cache.get("KEY_PREFIX", ""))


class SessionStore(session_store.SessionStore):
    _began_here = False  # in this request: nobody else has the key yet, nor a copy

    def create(self) -> None:
        super().create()
        self._began_here = True

    def load(self) -> dict[str, Any]:
        key, lease = self.session_key, _token(LEASE)
        if key is None:
            return super().load()
        try:
            found = copies().look(key, lease)
        except redis.RedisError as error:
            self.cannot_change = error
            logger.error("sessions are read without a cache: %s", type(error).__name__)
            return super().load()
        if data := _data_in(found, key):
            return self.decode(data.decode())
        row = self._get_session_from_db()  # type: ignore[attr-defined]
        if found is None:
            self._fill(key, lease, row)
        return self.decode(row.session_data) if row else {}

    def save(self, must_create: bool = False) -> None:
        """Raise redis.RedisError where nobody could be told of a change."""
        if self.session_key is None or must_create or self._began_here:
            return super().save(must_create)
        with _marked(self.session_key):
            return super().save()

    def delete(self, session_key: str | None = None) -> None:
        """Raise redis.RedisError where somebody may go on with a copy: FRESH_FOR.

        Not within a transaction: that changes the person's row as well, which every
        request reads (a freeze, the end of all sessions), and must not be undone.
        """
        key = session_key or self.session_key
        if key is None:
            return None
        if key == self.session_key and self._began_here:
            return super().delete(key)
        try:
            with _marked(key):
                super().delete(key)
        except redis.RedisError as error:
            super().delete(key)
            if not transaction.get_connection().in_atomic_block:
                raise
            logger.error("a session ends unheard of: %s", type(error).__name__)

    def _fill(self, key: str, lease: bytes, row: Any) -> None:
        left = (row.expire_date - timezone.now()).total_seconds() if row else 0
        with suppress(redis.RedisError):  # the lease goes by itself
            data = _signed(row.session_data.encode(), key) if row else b""
            copies().fill(key, lease, data, int(min(left, FRESH_FOR)))


@contextmanager
def _marked(key: str) -> Iterator[None]:
    """Let nobody have a copy of the row until it is changed, and committed."""
    mark = _token(MARK)
    copies().mark(key, mark)
    try:
        yield
    finally:
        transaction.on_commit(lambda: _unmark(key, mark))


def _unmark(key: str, mark: bytes) -> None:
    with suppress(redis.RedisError):  # the mark goes by itself
        copies().unmark(key, mark)


def _signed(data: bytes, key: str) -> bytes:
    """Tie a copy to its session: who can write into Redis can move none to another."""
    return _signature(data, key) + data


def _data_in(found: bytes | None, key: str) -> bytes | None:
    if not found or not found.startswith(COPY):
        return None
    signature, data = found[1 : 1 + SIGNED], found[1 + SIGNED :]
    return data if constant_time_compare(signature, _signature(data, key)) else None


def _signature(data: bytes, key: str) -> bytes:
    made = salted_hmac(__name__, key.encode() + data, algorithm="sha256")
    return made.hexdigest().encode()


def _token(kind: bytes) -> bytes:
    return kind + secrets.token_hex(12).encode()
