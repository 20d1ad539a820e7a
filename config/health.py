"""Whether this process lives and is ready, and the page for when it is not.

Load balancers ask by address and over plain http, so that these two come before
everything that looks at host names, schemes or sessions.
"""

import logging
import sys
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from django.core.cache import caches
from django.db import (
    DEFAULT_DB_ALIAS,
    InterfaceError,
    InternalError,
    OperationalError,
    connection,
    connections,
)
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers
from django.views.defaults import server_error as fault
from psycopg.errors import ReadOnlySqlTransaction
from psycopg_pool import PoolTimeout
from redis import RedisError

from accounts.languages import in_its_language
from config.addresses import LIVE, READY

logger = logging.getLogger(__name__)
PATIENCE = 2.0  # seconds for each part; a balancer gives up after a few
GIVEN_UP = 10.0  # seconds, for one that hangs: then another may be sent
AGAIN_IN = 30  # seconds, for who meets the page


class HealthMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info not in (LIVE, READY):
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            return _plain("method not allowed", 405)
        failed = [] if request.path_info == LIVE else failures()
        return _plain("\n".join(failed or ["ok"]) + "\n", 503 if failed else 200)


def failures() -> list[str]:
    """Say what the site cannot do without, and does not have now. Operators are none
    of it: people go on by another way."""
    found = []
    if not DATABASE.answers():
        found.append("the database is away")
    elif not MIGRATIONS.answers():
        found.append("migrations are not applied")
    if not CACHE.answers():
        found.append("the cache is away")
    return found


class Part:
    """Something to ask, in a thread that nobody waits for longer than PATIENCE. While
    one hangs no second one is sent after it, until that one is given up: it may hang on
    a connection that is lost, when all is well again."""

    def __init__(self, ask: Callable[[], bool]) -> None:
        self._ask = ask
        self._is_asked, self._since = threading.Lock(), 0.0

    def answers(self) -> bool:
        if self._is_asked.locked() and time.monotonic() - self._since > GIVEN_UP:
            self._is_asked = threading.Lock()
        turn = self._is_asked
        if not turn.acquire(timeout=PATIENCE):
            return False
        self._since = time.monotonic()
        said: list[bool] = []
        thread = threading.Thread(target=self._run, args=(said, turn), daemon=True)
        thread.start()
        thread.join(PATIENCE)
        return said == [True]

    def _run(self, said: list[bool], turn: threading.Lock) -> None:
        try:
            _connect_past_the_pool()
            said.append(self._ask())
        except Exception as error:  # whatever it is, it is not ready
            logger.warning("not ready: %s", type(error).__name__)
        finally:
            connection.close()
            turn.release()


def _connect_past_the_pool() -> None:
    """Give this thread a connection of its own: when people have all of the pool's,
    nothing is away, and no balancer must send them to the next machine."""
    own: Any = connections.create_connection(DEFAULT_DB_ALIAS)
    options = {k: v for k, v in own.settings_dict["OPTIONS"].items() if k != "pool"}
    own.settings_dict = own.settings_dict | {"OPTIONS": options}
    connections[DEFAULT_DB_ALIAS] = own


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True


def _migrations() -> bool:
    applied = MigrationRecorder.Migration.objects.using("default")
    return _known() <= set(applied.values_list("app", "name"))


@cache
def _known() -> set[tuple[str, str]]:
    """The migrations of this code, read once: their files do not change under it."""
    return set(MigrationLoader(None).graph.leaf_nodes())


def _cache() -> bool:
    store = caches["default"]
    store.set("nv-ready", 1, 10)
    return bool(store.get("nv-ready") == 1)


DATABASE, MIGRATIONS, CACHE = Part(_database), Part(_migrations), Part(_cache)


@in_its_language
def server_error(request: HttpRequest) -> HttpResponse:
    """What a request gets that failed: 503 where a store is away, which is over soon
    and no fault of the code; else the page for our faults (`handler500`)."""
    error = sys.exc_info()[1]
    if error and refuses_our_time(error):
        logger.error(
            "the clock of this machine is wrong: a verification's time was refused"
        )
        return unavailable()
    what = away(error) if error else ""
    if not error or not what:
        return fault(request)
    if is_all_in_use(error):
        logger.error("all connections of the pool are in use: none came free in time")
    else:
        logger.error("the %s is away: %s", what, type(error).__name__)
    if hasattr(request, "session"):
        request.session.modified = False  # whatever the view had begun with it
    return unavailable()


def away(error: BaseException) -> str:
    """Name the store that `error` says is away, or ""."""
    if isinstance(error, RedisError):
        return "cache"
    if isinstance(error, OperationalError | InterfaceError):
        return "database"
    # After a failover the old primary still answers, and takes no writes.
    is_read_only = isinstance(error.__cause__, ReadOnlySqlTransaction)
    return "database" if isinstance(error, InternalError) and is_read_only else ""


def is_all_in_use(error: BaseException) -> bool:
    """Whether the pool had no connection because people have all of them. Of a database
    that is away it has none either, and fewer than it may have."""
    pool = getattr(connection, "pool", None)
    if pool is None or not isinstance(error.__cause__, PoolTimeout):
        return False
    known = pool.get_stats()
    return bool(known.get("pool_size", 0) >= known["pool_max"])


def refuses_our_time(error: BaseException) -> bool:
    """Whether PostgreSQL says that a new row is of a time that is sealed, or of two."""
    about = getattr(error.__cause__, "diag", None)
    return getattr(about, "constraint_name", None) == "nv_keep_time"


def unavailable() -> HttpResponse:
    # No context: who is signed in would be asked of the database.
    response = HttpResponse(render_to_string("503.html"), status=503)
    response["Retry-After"] = str(AGAIN_IN)
    add_never_cache_headers(response)
    # One line has been logged; Django would add a traceback for each request.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _plain(text: str, status: int) -> HttpResponse:
    response = HttpResponse(text, status=status, content_type="text/plain")
    add_never_cache_headers(response)
    response["X-Content-Type-Options"] = "nosniff"
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response
