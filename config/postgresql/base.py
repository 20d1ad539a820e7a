"""Django's PostgreSQL, with a pool that looks at a connection before it is used without
asking the server: with Django's own check each time costs a round trip, which is four
in a login. What is asked in every login the server reads and plans once.
docs/decisions/0031-speed.md
"""

import select
import time
from typing import Any

from django.db.backends.postgresql import base, operations
from psycopg import Error, OperationalError
from psycopg.pq import TransactionStatus
from psycopg.types.datetime import TimestamptzLoader

# Seconds that a connection may have been idle and is still believed: a network that
# drops it without a word takes minutes to do so.
BELIEVED_FOR = 30.0


django: Any = base  # the stubs know no psycopg 3


class KeptCursor(django.ServerBindingCursor):  # type: ignore[misc]
    """One for all kept statements of a connection, which go one after the other, so
    that none is made for each."""

    def close(self) -> None:
        """Let go of what was read, and of what was asked."""
        super().close()
        self._tx.set_pgresult(None)
        self._query, self._closed = None, False


class DatabaseOperations(operations.DatabaseOperations):
    def last_executed_query(self, cursor: Any, sql: Any, params: Any) -> str:
        # psycopg has no text of a statement that the server has kept.
        return super().last_executed_query(cursor, sql, params) or str(sql)


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations

    def get_new_connection(self, conn_params: Any) -> Any:
        if not self.pool:
            return super().get_new_connection(conn_params)
        # All that the pool holds may have been ended; the next is new.
        for _ in range(self.pool.max_size + 1):
            connection: Any = super().get_new_connection(conn_params)
            if is_alive(connection):
                return connection
            connection.close()
            connection._pool.putconn(connection)  # which replaces it
        raise OperationalError("no connection of the pool is alive")

    def keeping_cursor(self) -> Any:
        """Return a cursor whose statements the server keeps for the connection, once
        asked `prepare_threshold` times (numberverify.prepared has it used)."""
        self.ensure_connection()
        with self.wrap_database_errors:
            connection: Any = self.connection
            cursor = getattr(connection, "nv_cursor", None)
            if cursor is None:
                cursor = connection.nv_cursor = KeptCursor(connection)
                # psycopg's own, which is C: the zone is the connection's, as Django
                # has set it. Django's writes `datetime.UTC` in, in Python.
                cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
            return self._prepare_cursor(cursor)  # type: ignore[attr-defined]

    def _close(self) -> Any:
        if self.connection is not None and self.pool:
            self.connection.nv_used_at = time.monotonic()
        return super()._close()  # type: ignore[misc]  # the stubs have none


def is_alive(connection: Any) -> bool:
    """An idle connection on which something waits to be read has been ended."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    used_at = getattr(connection, "nv_used_at", None)
    if used_at is None:
        return not poll.poll(0)  # new
    if not poll.poll(0) and time.monotonic() - used_at < BELIEVED_FOR:
        return True
    try:
        connection.execute("")
        if connection.info.transaction_status != TransactionStatus.IDLE:
            connection.rollback()  # one without autocommit has begun by that
    except Error:
        return False
    return True
