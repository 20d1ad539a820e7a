"""What the operator knows about its lines, by number.

Servers ask it about a number, without any handset.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.core.cache import cache

from numberverify.sandbox.handset import Handset, Sim, Subscriber
from numberverify.sandbox.store import Shelf

YEAR = 365 * 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Line:
    """None: for longer than anybody asks about."""

    sim_changed_at: datetime | None = None
    subscriber_changed_at: datetime | None = None


_lines = Shelf[Line]("line", YEAR)


def write(phone: Handset) -> None:
    """Take down what the person at the handset says about its line."""
    if phone.number:
        _lines.keep(phone.number, _line(phone))


def attach(phone: Handset) -> None:
    """Take it down unless the line is known: a cache may have been emptied since."""
    cache.add(_lines.key(phone.number), _line(phone), YEAR)


def line(number: str) -> Line:
    return _lines.look(number) or Line()


def _line(phone: Handset) -> Line:
    now = datetime.now(UTC)
    fresh, new = phone.sim is Sim.FRESH, phone.subscriber is Subscriber.NEW
    return Line(
        sim_changed_at=now - timedelta(hours=2) if fresh else None,
        subscriber_changed_at=now - timedelta(days=1) if new else None,
    )
