"""A history of any size, made quickly: for the benchmarks, and for the tests of plans.

The rows are those of a site that is used: mostly logins by the network that match, and
of each column that the history is filtered by a frequent value and a rare one. The same
`seed` gives the same rows, but for the random part of their keys.
"""

import hashlib
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import connection, transaction

from numberverify.models import Verification

LATELY = timedelta(minutes=4)  # what is open began within it
NETWORKS = (
    ("GB", "vodafone-uk"),
    ("GB", "o2-uk"),
    ("FR", "orange-fr"),
    ("SE", "tele-se"),
)
AGENT = "Mozilla/5.0 (Linux; Android 16; Pixel 10) Chrome/146.0 Mobile Safari/537.36"
AT_ONCE = 5_000  # for SQLite

# value, weight: what is rare is one row in a thousand
PURPOSES = {
    "login": 700,
    "step_up": 120,
    "password_change": 90,
    "signup": 79,
    "phone_change": 10,
    "password_reset": 1,
}
METHODS = {"network": 880, "sms": 90, "totp": 25, "recovery_code": 4, "manual": 1}
NETWORK_OF = {NETWORKS[0]: 550, NETWORKS[1]: 309, NETWORKS[2]: 140, NETWORKS[3]: 1}
ENDS = {
    ("verified", ""): 700,
    ("mismatched", ""): 90,
    ("unavailable", "not_on_mobile_network"): 120,
    ("unavailable", "operator_timeout"): 40,
    ("unavailable", "other_browser"): 2,
    ("unavailable", "subject_mismatch"): 1,
    ("expired", ""): 46,
    ("refused", "wrong_codes"): 1,
}


def fill(count: int, *, until: datetime | None = None, seed: int = 7) -> None:
    """Write `count` rows of the year before `until`, and the people in them."""
    until = until or datetime.now(UTC)
    people = _people(max(10, count // 20))
    rows = _rows(count, people, until, random.Random(seed))
    if connection.vendor == "postgresql":
        _copy(rows)
    else:
        _insert(rows)
    table = Verification._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {table}")
        if connection.vendor == "postgresql" and not connection.in_atomic_block:
            # As autovacuum does to rows that have settled down.
            cursor.execute(f"VACUUM {table}")


def _people(count: int) -> list[Any]:
    people = get_user_model()._default_manager
    was = people.count()
    email = get_user_model().get_email_field_name()
    new = [
        get_user_model()(**{email: f"bench{n}@example.com"})
        for n in range(was, was + count)
    ]
    people.bulk_create(new, batch_size=AT_ONCE)
    return list(people.order_by("-pk").values_list("pk", flat=True)[:count])


def _rows(
    count: int, people: list[Any], until: datetime, chance: random.Random
) -> Iterator[dict[str, Any]]:
    """Oldest first, evenly over the year; the last few are open."""
    began, step = until - timedelta(days=365), timedelta(days=365) / max(1, count)
    numbers, addresses = max(10, count // 20), max(10, count // 30)
    pick = {
        name: _endless(chance, weights)
        for name, weights in {
            "purpose": PURPOSES,
            "method": METHODS,
            "network": NETWORK_OF,
            "end": ENDS,
        }.items()
    }
    still_open = min(20, count // 100)
    for n in range(count):
        at = began + n * step
        if n >= count - still_open:
            at = until - LATELY + (n - count + still_open) * timedelta(seconds=10)
        method, (country, operator) = next(pick["method"]), next(pick["network"])
        (status, reason), purpose = next(pick["end"]), next(pick["purpose"])
        is_open = n >= count - still_open
        if method != "network":
            operator = ""
            status, reason = ("expired", "") if status == "mismatched" else (status, "")
        settled = None if is_open else at + timedelta(seconds=2)
        number = chance.randrange(numbers)
        address = chance.randrange(addresses)
        yield {
            "id": UUID(
                int=int(at.timestamp() * 1000) << 80
                | 0x7 << 76
                | chance.getrandbits(12) << 64
                | 2 << 62
                | chance.getrandbits(62)
            ),
            "user_id": None if purpose == "signup" else chance.choice(people),
            "purpose": purpose,
            "action": "send_money" if purpose == "step_up" else "",
            "method": method,
            "operator": operator,
            "test": chance.random() < 0.001,
            "status": "pending" if is_open else status,
            "reason": "" if is_open else reason,
            "asked_because": "new_browser" if purpose == "login" else "required",
            "attention": reason == "other_browser" and not is_open,
            "number_mask": f"+44 •••• •••{number % 1000:03}",
            "number_fingerprint": fingerprint(number),
            "fingerprint_key": "bench",
            "country": country,
            "state_digest": chance.randbytes(32),
            "device_digest": b"d" * 32,
            "holder_digest": chance.randbytes(32),
            "salt": chance.randbytes(16),
            "browser_known": True,
            "next": "/accounts/profile/",
            "ip": f"10.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}",
            "user_agent": AGENT,
            "operator_subject": f"sub-{number}" if status == "verified" else "",
            "created_at": at,
            "expires_at": at + timedelta(minutes=5),
            "claimed_at": settled and at + timedelta(seconds=1),
            "settled_at": settled,
            "redeemed_at": settled if status == "verified" else None,
            "operator_ms": chance.randrange(150, 900) if settled and operator else None,
        } | CONSTANT


CONSTANT: dict[str, Any] = {
    "details_digest": b"",
    "operator_chosen": False,
    "sim_swap": "",
    "previous": None,
    "number": "",
    "nonce": "",
    "code_verifier": "",
    "code_digest": b"",
    "code_reference": "",
    "tries": 0,
    "tries_allowed": 5,
    "sends": 0,
    "sent_at": None,
    "notice_version": "",
    "commitment": b"",
}


def fingerprint(number: int) -> bytes:
    """What stands in for a number's fingerprint."""
    return hashlib.sha256(str(number).encode()).digest()[:16]


def _endless(chance: random.Random, weights: dict[Any, int]) -> Iterator[Any]:
    while True:
        yield from chance.choices(list(weights), list(weights.values()), k=10_000)


def _copy(rows: Iterator[dict[str, Any]]) -> None:
    """COPY, and the indexes after the rows: ten times as fast as with them."""
    first = next(rows)
    table = Verification._meta.db_table
    columns = ", ".join(first)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s "
            "AND indexname LIKE 'nv\\_%%' AND indexdef NOT LIKE '%%UNIQUE%%'",
            [table],
        )
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
            copy.write_row(list(first.values()))
            for row in rows:
                copy.write_row(list(row.values()))
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
        for _, definition in indexes:
            cursor.execute(definition)


def _insert(rows: Iterator[dict[str, Any]]) -> None:
    while batch := list(islice(rows, AT_ONCE)):
        with connection.cursor() as cursor:
            marks = ", ".join(["%s"] * len(batch[0]))
            columns = ", ".join(batch[0])
            cursor.executemany(
                f"INSERT INTO {Verification._meta.db_table} ({columns}) "
                f"VALUES ({marks})",
                [_for_sqlite(row) for row in batch],
            )


def _for_sqlite(row: dict[str, Any]) -> list[Any]:
    adapted = connection.ops.adapt_datetimefield_value
    return [
        value.hex
        if isinstance(value, UUID)
        else adapted(value)
        if isinstance(value, datetime)
        else value
        for value in row.values()
    ]
