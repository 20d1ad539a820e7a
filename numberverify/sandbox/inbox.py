"""The text messages that reached a number: the last ten, for an hour."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.core.cache import cache

from numberverify.sandbox.store import key_of

SECONDS = 60 * 60
SHOWN = 10


@dataclass(frozen=True, slots=True)
class TextMessage:
    received_at: datetime
    text: str = field(repr=False)


def deliver(number: str, text: str) -> None:
    key = key_of("inbox", number)
    # Each under a number of its own: of two at once in one list, one would be lost.
    cache.add(key, 0, None)
    cache.set(f"{key}:{cache.incr(key)}", TextMessage(datetime.now(UTC), text), SECONDS)


def received(number: str) -> list[TextMessage]:
    """What came in, newest first."""
    key = key_of("inbox", number)
    newest: int = cache.get(key, 0)
    keys = [f"{key}:{n}" for n in range(newest, max(newest - SHOWN, 0), -1)]
    found: dict[str, TextMessage] = cache.get_many(keys)
    return [found[key] for key in keys if key in found]
