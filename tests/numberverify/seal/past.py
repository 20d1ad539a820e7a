"""A history that is old enough to be sealed, and hands that alter it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from numberverify import seal
from numberverify.models import Verification
from numberverify.seal import leaf
from numberverify.uuid7 import uuid7
from tests.factories import VerificationFactory


def begun(ago: timedelta, **columns) -> Verification:
    """A row that began so long ago; verified within two seconds unless said else."""
    at = timezone.now() - ago
    if not columns.keys() & {"mismatched", "unavailable", "exchanging", "status"}:
        columns.setdefault("verified", True)
    if "status" not in columns and "exchanging" not in columns:
        columns.setdefault("claimed_at", at + timedelta(seconds=1))
        columns.setdefault("settled_at", at + timedelta(seconds=2))
    return VerificationFactory(
        id=uuid7(at.timestamp()),
        created_at=at,
        **{"expires_at": at + timedelta(minutes=5)} | columns,
    )


def smuggled(ago: timedelta, **columns) -> Verification:
    """A row that is written now and says that it began when all is sealed."""
    with by_the_back_door():
        return begun(ago, **columns)


def erase(row: Verification) -> None:
    """What `forget_person` does to a row, and no link tells of it."""
    read = next(leaf.read(Verification.objects.filter(pk=row.pk)))
    alter(row, user=None, commitment=leaf.commitment_of(read), **leaf.PERSONAL)


def past(count: int, *, days: float = 2) -> list[Verification]:
    """So many rows, oldest first, a minute apart, the first of them `days` ago."""
    return [begun(timedelta(days=days, minutes=-n)) for n in range(count)]


def sealed(count: int, *, days: float = 2, batch: int = 10_000) -> list[Verification]:
    rows = past(count, days=days)
    assert seal.seal_due(batch=batch) == count
    return rows


def findings(**which) -> list[seal.Finding]:
    return list(seal.check(seal.Checked(), **which))


def found(**which) -> set[tuple[str, object]]:
    """What was found: its kind, and the row; a link is named in its words alone."""
    return {(each.what, each.row) for each in findings(**which)}


@contextmanager
def by_the_back_door() -> Iterator[None]:
    """What who owns the database can do: past the triggers."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            yield
        finally:
            cursor.execute("SET session_replication_role = origin")


def alter(row: Verification, **columns) -> None:
    with by_the_back_door():
        assert Verification.objects.filter(pk=row.pk).update(**columns) == 1
