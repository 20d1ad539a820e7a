"""A history of any size, made quickly: for the benchmarks, and for the tests of plans.

The rows are those of a site that is used: mostly logins by the network that match, and
of each column that the history is filtered by a frequent value and a rare one. The same
`seed` gives the same rows, but for the random part of their keys.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.db.models import BaseConstraint, Index

from numberverify import conf
from numberverify.models import Verification
from numberverify.msisdn import Msisdn

LATELY = timedelta(minutes=4)  # what is open began within it
NETWORKS = (
    ("GB", "vodafone-uk"),
    ("GB", "o2-uk"),
    ("FR", "orange-fr"),
    ("SE", "tele-se"),
)
AGENT = "Mozilla/5.0 (Linux; Android 16; Pixel 10) Chrome/146.0 Mobile Safari/537.36"
AT_ONCE = 5_000  # for SQLite
A_PART = 1_000_000  # rows, in a transaction of their own
ONCE = "nv_state_once"  # the constraint whose index is of random values

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


def fill(
    count: int,
    *,
    until: datetime | None = None,
    span: timedelta = timedelta(days=365),
    seed: int = 7,
    done: int = 0,
    reached: Callable[[int], None] = lambda done: None,
) -> None:
    """Write `count` rows of the `span` before `until`, and the people in them.

    In parts, each committed. `done` rows are there already: an earlier run with the
    same arguments was interrupted. `reached` hears after each part how many there are.
    """
    until = until or datetime.now(UTC)
    people = _people(max(10, count // 20), again=bool(done))
    with _without_indexes():
        for first in range(done, count, A_PART):
            part = range(first, min(first + A_PART, count))
            chance = random.Random(seed + first)
            rows = _rows(part, people, (until - span, until, span / count), chance)
            with transaction.atomic():
                (_copy if connection.vendor == "postgresql" else _insert)(rows)
                reached(part.stop)
    table = Verification._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {table}")
        if connection.vendor == "postgresql" and not connection.in_atomic_block:
            # As autovacuum does to rows that have settled down.
            cursor.execute(f"VACUUM {table}")


def _people(count: int, *, again: bool) -> list[Any]:
    people = get_user_model()._default_manager
    was = people.count()
    email = get_user_model().get_email_field_name()
    new = [
        get_user_model()(**{email: f"bench{n}@example.com"})
        for n in range(was, was if again else was + count)
    ]
    people.bulk_create(new, batch_size=AT_ONCE)
    return list(people.order_by("-pk").values_list("pk", flat=True)[:count])


def _rows(
    part: range,
    people: list[Any],
    time: tuple[datetime, datetime, timedelta],
    chance: random.Random,
) -> Iterator[dict[str, Any]]:
    """Oldest first, evenly over the `time` (its beginning, its end, the step from row
    to row); the last few are open."""
    began, until, step = time
    count = round((until - began) / step)
    numbers, addresses = max(10, count // 20), max(10, count // 30)
    wanted: dict[str, dict[Any, int]] = {
        "purpose": PURPOSES,
        "method": METHODS,
        "network": NETWORK_OF,
        "end": ENDS,
    }
    pick = {name: _endless(chance, weights) for name, weights in wanted.items()}
    still_open = min(20, count // 100)
    prints = [conf.fingerprints(number_of(n))[0] for n in range(numbers)]
    key = conf.fingerprint_key_id()
    for n in part:
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
            "number_fingerprint": prints[number],
            "fingerprint_key": key,
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


def number_of(n: int) -> Msisdn:
    """Return the n-th of the numbers: made up, and such as one can search for."""
    return Msisdn(f"+4475{n:08}")


def _endless(chance: random.Random, weights: dict[Any, int]) -> Iterator[Any]:
    while True:
        yield from chance.choices(list(weights), list(weights.values()), k=10_000)


@contextmanager
def _without_indexes() -> Iterator[None]:
    """The indexes come after the rows: several times as fast as with them. Those that
    an interrupted run left out are made, too."""
    left_out: list[Index | BaseConstraint] = [*Verification._meta.indexes]
    with connection.cursor() as cursor:
        for index in Verification._meta.indexes:
            cursor.execute(f"DROP INDEX IF EXISTS {index.name}")
        if connection.vendor == "postgresql":
            table = Verification._meta.db_table
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {ONCE}")
            cursor.execute("SET maintenance_work_mem = '512MB'")
            all_of_them = Verification._meta.constraints
            left_out += [each for each in all_of_them if each.name == ONCE]
    yield
    editor = connection.SchemaEditorClass(connection, collect_sql=True)
    with connection.cursor() as cursor:
        for each in left_out:
            cursor.execute(str(each.create_sql(Verification, editor)))


def _copy(rows: Iterator[dict[str, Any]]) -> None:
    first = next(rows)
    columns = ", ".join(first)
    with connection.cursor() as cursor:
        into = f"COPY {Verification._meta.db_table} ({columns}) FROM STDIN"
        with cursor.copy(into) as copy:
            copy.write_row(list(first.values()))
            for row in rows:
                copy.write_row(list(row.values()))
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


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
