"""The chain's links: how one is added, and the digest that holds it."""

import hashlib
import time
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connections, models, transaction

from ..models import Seal
from .leaf import VERSION, Form

NOBODY = UUID(int=0)
LOCK = 0x6E_76_73_65_61_6C  # "nvseal"
Kind = Seal.Kind
# What is long stands in the link's digest by its own digest.
LINK = Form(
    "nv-link-1",
    {field.name for field in Seal._meta.fields} - {"leaves", "left_open", "digest"},
)


def digest_of_link(link: Seal) -> bytes:
    return LINK.digest(getattr(link, name) for name in LINK.names)


def head() -> Seal | None:
    return _without_the_long().order_by("-number").first()


def links() -> models.QuerySet[Seal]:
    return _without_the_long().order_by("number")


def _without_the_long() -> models.QuerySet[Seal]:
    return Seal.objects.defer("leaves", "left_open")


def hold(*, wait: bool) -> bool:
    """Keep everybody else from adding a link, until the transaction ends.

    Say whether it is ours; without `wait` another's is not waited for. On SQLite there
    is one writer at a time anyway. A link's number has the last word.
    """
    connection = connections[transaction.get_connection().alias]
    if connection.vendor != "postgresql":
        return True
    call = "pg_advisory_xact_lock" if wait else "pg_try_advisory_xact_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {call}(%s)", [LOCK])
        return wait or bool(cursor.fetchone()[0])


def append(kind: Seal.Kind, *, now: datetime, rows: int, **columns: Any) -> Seal:
    """Add a link behind the last. Hold the chain first."""
    last = head()
    columns.setdefault("purged_to", last.purged_to if last else None)
    columns.setdefault("after_id", last.last_id if last else NOBODY)
    columns.setdefault("last_id", columns["after_id"])
    link = Seal(
        number=last.number + 1 if last else 1,
        version=VERSION,
        kind=kind.value,
        rows=rows,
        made_at=now,
        previous_digest=bytes(last.digest) if last else b"",
        **columns,
    )
    link.leaves_digest = hashlib.sha256(link.leaves).digest()
    link.left_open_digest = hashlib.sha256(link.left_open).digest()
    link.digest = digest_of_link(link)
    link.save(force_insert=True)
    return link


def first_key(at: datetime) -> UUID:
    """Return the lowest key that a row of that millisecond can have."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def last_key_before(at: datetime) -> UUID:
    return UUID(int=first_key(at).int - 1)


class Until:
    """A time limit for work that is done in steps."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    def is_over(self) -> bool:
        return time.monotonic() >= self.end
