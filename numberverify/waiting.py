"""What a desktop that waits for a phone asks every few seconds: how it stands, read
from the cache alone. What the cache has lost its page knows, by the row."""

import logging
from enum import StrEnum
from uuid import UUID

from django.core.cache import cache
from django.utils.crypto import constant_time_compare

from . import policy
from .choices import Status
from .models import Handoff, Verification, digest

logger = logging.getLogger(__name__)
REMEMBERED_FOR = (policy.HANDOFF_FOR + 2 * policy.PENDING_FOR).total_seconds()


class State(StrEnum):
    """How it stands, for the desktop that waits."""

    WAITING = "waiting"
    OPENED = "opened"
    CONFIRMED = "confirmed"
    AGAIN = "again"  # nobody could tell, and the phone may try again
    OVER = "over"
    UNKNOWN = "unknown"  # the cache has lost it: the page knows


def state_of(link: Handoff, row: Verification) -> State:
    """How it stands, by its current row."""
    if not row.is_open:
        return State.OVER
    if link.confirmed_at is None:
        return State.OPENED if link.claimed_at else State.WAITING
    may_try = row.status == Status.PENDING and row.state_digest is None
    return State.AGAIN if may_try and row.pk != link.pk else State.CONFIRMED


def tell_desktop(link: Handoff, state: State) -> None:
    """Never raises: what has happened has happened."""
    try:
        cache.set(_key(link.pk), _value(link, state), REMEMBERED_FOR)
    except Exception as error:
        _is_away(error)


def remember(link: Handoff, state: State) -> None:
    """Put back what the cache has lost, and nothing in the place of what is newer."""
    try:
        cache.add(_key(link.pk), _value(link, state), REMEMBERED_FOR)
    except Exception as error:
        _is_away(error)


def poll(link: UUID, binding: str) -> State | None:
    """How it stands; None for another browser than the holder's."""
    try:
        said = cache.get(_key(link))
    except Exception as error:
        _is_away(error)
        return State.UNKNOWN
    if said is None:
        return State.UNKNOWN
    holder, state = said
    mine = constant_time_compare(holder, digest(binding).hex())
    return State(state) if mine else None


def _key(link: UUID) -> str:
    return f"nv-handoff-{link}"


def _value(link: Handoff, state: State) -> list[str]:
    return [bytes(link.holder_digest).hex(), state.value]


def _is_away(error: Exception) -> None:
    logger.warning("a desktop waits without the cache: %s", type(error).__name__)
