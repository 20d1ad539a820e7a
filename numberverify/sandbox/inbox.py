"""The text messages that reached a number: the last ten, for an hour."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from numberverify.sandbox.store import Roll


@dataclass(frozen=True, slots=True)
class TextMessage:
    received_at: datetime
    text: str = field(repr=False)


_messages = Roll[TextMessage]("inbox", 10, 60 * 60)


def deliver(number: str, text: str) -> None:
    _messages.add(number, TextMessage(datetime.now(UTC), text))


def received(number: str) -> list[TextMessage]:
    """What came in, newest first."""
    return _messages.newest_first(number)
