"""The time by which the history is sealed and purged: what is done is done for good."""

from datetime import datetime, timedelta

from django.db import connections, transaction
from django.utils import timezone

from .errors import ClocksDiffer

APART = timedelta(minutes=5)  # as far as PostgreSQL lets a row's key and time be


def agreed() -> datetime:
    """Return now: the earlier of this machine's time and the database's.

    Raise ClocksDiffer when they are further apart than clocks that are set by NTP ever
    are. A batch that ends in the time to come would name honest rows for ever.
    """
    now = timezone.now()
    its = of_database()
    if its is None:
        return now
    if abs(now - its) > APART:
        apart = timedelta(seconds=round(abs(now - its).total_seconds()))
        side = "ahead of" if now > its else "behind"
        raise ClocksDiffer(
            f"The clock of this machine is {apart} {side} the database's."
        )
    return min(now, its)


def of_database() -> datetime | None:
    """Return the time of the database's machine; None where that is this one."""
    connection = connections[transaction.get_connection().alias]
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        its: datetime = cursor.fetchone()[0]
    return its
