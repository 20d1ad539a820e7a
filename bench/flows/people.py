"""The people who log in: the same in every database, each by a number."""

import os
from uuid import UUID

# So many that no limit on one account is met.
COUNT = int(os.environ.get("BENCH_PEOPLE", 20_000))
# More of them, whose numbers the other of the two operators has.
FRENCH = range(COUNT, COUNT + 400)
HOST = "bench.example"
_FIRST = UUID("6f1c6e0e-0000-4000-8000-000000000000").int


def email(n: int) -> str:
    return f"{n}@{HOST}"


def phone(n: int) -> str:
    return f"+3363998{n - COUNT:04d}" if n in FRENCH else f"+447911{n:06d}"


def subject(n: int) -> str:
    """What the operator calls the person."""
    return str(UUID(int=_FIRST + n))


def by_subject(subject: str) -> int:
    return UUID(subject).int - _FIRST


def browser(n: int) -> str:
    """The cookie by which the person's account knows a browser."""
    return f"a-known-browser-of-the-bench-{n:015d}"


def address(n: int) -> str:
    """Where the person's browser is: a network of its own."""
    return f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"
