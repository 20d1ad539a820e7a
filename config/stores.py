"""The database and the cache of the environment."""

from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from config.environment import backend, count, positive, read

Config = dict[str, Any]
# Seconds for a connection to PostgreSQL, and for each call of the cache.
FOR_A_CONNECTION, FOR_THE_CACHE = 3, 1
# Where the network swallows everything, TCP alone can tell: in some ten seconds instead
# of a quarter of an hour. How long a statement may take is the server's to say
# (statement_timeout, docs/deploy.md).
GIVES_UP = {
    "connect_timeout": FOR_A_CONNECTION,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 5000,  # milliseconds
}
# By all who use the Redis: Django's cache, limits, copies of sessions, breakers.
UNDERSTOOD = {"BACKEND", "LOCATION"}


def database(otherwise: str) -> Config:
    parse = backend(environ.Env.db_url_config, "ENGINE")
    found: Config = read("DATABASE_URL", parse, otherwise)
    options = found.setdefault("OPTIONS", {})
    if "sqlite" in found["ENGINE"]:
        # Writers wait for each other instead of failing.
        options.update(
            transaction_mode="IMMEDIATE",
            timeout=10,
            init_command="PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        )
    elif "postgresql" in found["ENGINE"]:
        found["OPTIONS"] = options = GIVES_UP | options
        options["pool"] = _pool(read("DATABASE_POOL_SIZE", positive, "20"))
        # Of config.postgresql's keeping cursors: Django's own never do.
        after = read("DATABASE_PREPARE_AFTER", count, "3")
        options["prepare_threshold"] = after or None
        # The pool keeps them, and config.postgresql looks whether they are alive.
        found |= {"ENGINE": "config.postgresql", "CONN_MAX_AGE": 0}
    return found


def _pool(size: int) -> Config:
    return {
        "min_size": min(2, size),
        "max_size": size,
        "timeout": FOR_A_CONNECTION,
        # After these seconds it leaves the trying to the next request. Else each try
        # waits twice as long as the last, and an outage lasts on when it is over.
        "reconnect_timeout": 2,
    }


def cache(*, is_for_one_process: bool) -> Config:
    parse = backend(environ.Env.cache_url_config, "BACKEND")
    found: Config = read("CACHE_URL", parse, "locmemcache://")
    if "dummy" in found["BACKEND"]:
        raise ImproperlyConfigured("CACHE_URL: a dummy cache keeps nothing")
    if is_shared(found):
        if found.keys() - UNDERSTOOD:
            raise ImproperlyConfigured(
                "CACHE_URL of a Redis cannot have a question mark: a password stands "
                "before the host, the number of the database after it"
            )
        found["OPTIONS"] = {
            "socket_connect_timeout": FOR_THE_CACHE,
            "socket_timeout": FOR_THE_CACHE,
        }
    elif not is_for_one_process:
        raise ImproperlyConfigured(
            "CACHE_URL must be a Redis when DEBUG is off: in nothing else are the "
            "limits of all processes counted together"
        )
    elif "locmem" in found["BACKEND"]:
        found.setdefault("OPTIONS", {})["MAX_ENTRIES"] = 10_000
    return found


def is_shared(cache: Config) -> bool:
    return "redis" in str(cache["BACKEND"]).lower()
