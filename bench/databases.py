"""The databases of the benchmarks: one a size, filled once and kept between runs."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection, connections

from . import rows

BASE = "default"
A_YEAR = 10_000_000  # rows, of the site whose last rows a database has
LEAST = timedelta(days=3)  # or there is nothing old enough to be purged
FILLED = "bench_filled"  # how many of its rows a database has, and until when


def filled(count: int) -> str:
    """Return the alias of the database of `count` rows; fill it, or what is missing."""
    alias = _add(f"{count}")
    if not _exists(alias):
        _create(alias)
    with on(alias):
        call_command("migrate", verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute(
                f"CREATE TABLE IF NOT EXISTS {FILLED} (done bigint, until text)"
            )
            cursor.execute(f"SELECT done, until FROM {FILLED} ORDER BY done DESC")
            done, until = cursor.fetchone() or (0, datetime.now(UTC).isoformat())
        if done < count:
            _fill(count, done, until)
    return alias


def _fill(count: int, done: int, until: str) -> None:
    began = time.monotonic()

    def reached(now: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {FILLED} VALUES (%s, %s)", [now, until])
        took = time.monotonic() - began
        print(f"  {now:,} of {count:,} rows, {took:.0f} s", flush=True)

    if not done:
        reached(0)  # so that an interrupted run goes on from the same time
    end = datetime.fromisoformat(until)
    span = max(LEAST, timedelta(days=365) * (count / A_YEAR))
    rows.fill(count, until=end, span=span, done=done, reached=reached)


def copied(alias: str, name: str) -> str:
    """Return the alias of a fresh copy, to be altered; `drop` it in the end."""
    copy = _add(f"{alias}_{name}")
    drop(copy)
    if connections[BASE].vendor != "postgresql":
        with on(alias), connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copyfile(_name(alias), _name(copy))
        return copy
    for each in (alias, BASE):
        _close(each)
    _on_base(f'CREATE DATABASE "{_name(copy)}" TEMPLATE "{_name(alias)}"')
    with on(copy), connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return copy


def drop(alias: str) -> None:
    _close(alias)
    if connections[BASE].vendor == "postgresql":
        _on_base(f'DROP DATABASE IF EXISTS "{_name(alias)}" WITH (FORCE)')
        return
    for end in ("", "-wal", "-shm"):
        Path(f"{_name(alias)}{end}").unlink(missing_ok=True)


def wait_for_no_disk(alias: str) -> None:
    """Commit without waiting for the disk, which would hide what the rest costs."""
    if connections[BASE].vendor == "postgresql":
        _on_base(f'ALTER DATABASE "{_name(alias)}" SET synchronous_commit = off')
        _close(alias)


@contextmanager
def on(alias: str) -> Iterator[None]:
    """Let everything that asks the default database ask this one."""
    was = connections[BASE]
    connections[BASE] = connections[alias]
    try:
        yield
    finally:
        connections[BASE] = was


def url_of(alias: str) -> str:
    """Return the DATABASE_URL under which another process reaches it."""
    if connections[BASE].vendor == "sqlite":
        return f"sqlite:///{_name(alias)}"
    return os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{_name(alias)}"


def _add(name: str) -> str:
    if name not in connections.settings:
        base = connections.settings[BASE]
        own = f"{base['NAME']}_{name}"
        if connections[BASE].vendor == "sqlite":
            own = str(Path(base["NAME"]).with_suffix("")) + f"-{name}.sqlite3"
        connections.settings[name] = base | {"NAME": own}
    return name


def _name(alias: str) -> str:
    return str(connections.settings[alias]["NAME"])


def _exists(alias: str) -> bool:
    if connections[BASE].vendor == "sqlite":
        return Path(_name(alias)).exists()
    with connections[BASE].cursor() as cursor:
        cursor.execute("SELECT FROM pg_database WHERE datname = %s", [_name(alias)])
        return cursor.fetchone() is not None


def _create(alias: str) -> None:
    if connections[BASE].vendor == "postgresql":
        _on_base(f'CREATE DATABASE "{_name(alias)}"')


def _on_base(sql: str) -> None:
    with connections[BASE].cursor() as cursor:
        cursor.execute(sql)


def _close(alias: str) -> None:
    """Close its connections, those that a pool keeps too."""
    closing: Any = connections[alias]
    closing.close()
    if closing.vendor == "postgresql":
        closing.close_pool()
