"""A limit on what a read of the history, or a step of its purge, may cost: the database
itself stops it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction

SECONDS = 1.0  # while somebody looks at the page
STOPPED = "57014"  # PostgreSQL's query_canceled
STEPS = 5_000  # of SQLite's machine, between two looks at the clock


class TooSlow(Exception):
    """The database stopped what took longer than it may."""


@contextmanager
def deadline(seconds: float | None = None) -> Iterator[None]:
    """Stop what takes longer than a second, or than `seconds`; raise TooSlow.

    PostgreSQL counts for each statement within, SQLite for all of them, and looks now
    and then.
    """
    limit = SECONDS if seconds is None else seconds
    if connection.vendor == "postgresql":
        with _postgresql(limit):
            yield
    elif connection.vendor == "sqlite":
        with _sqlite(limit):
            yield
    else:
        yield


@contextmanager
def _postgresql(seconds: float) -> Iterator[None]:
    try:
        # LOCAL: it ends with the transaction, so that the pool gets its connection
        # back as it was.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {int(seconds * 1000)}")
            yield
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != STOPPED:
            raise
        raise TooSlow from None


@contextmanager
def _sqlite(seconds: float) -> Iterator[None]:
    connection.ensure_connection()
    until = time.monotonic() + seconds
    raw = connection.connection
    raw.set_progress_handler(lambda: time.monotonic() >= until, STEPS)
    try:
        yield
    except OperationalError as error:
        if str(error) != "interrupted":
            raise
        raise TooSlow from None
    finally:
        raw.set_progress_handler(None, 0)
