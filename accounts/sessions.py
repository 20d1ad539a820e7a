"""How long a session lives, by times that it keeps itself, and how one is ended.

Nothing here is asked of a row but the session's own, so that it costs no query.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from numberverify.words import duration

if TYPE_CHECKING:
    from .models import User

# Keys of the session: seconds since 1970, and whether a Device has its key.
BEGAN, SEEN, TRACKED = "nv_began", "nv_seen", "nv_tracked"
# When the password was typed: by a login, or a signup.
PASSWORD_AT, PASSWORD_IS_FRESH_FOR = "nv_password", timedelta(minutes=10)
# So much longer than it is good for is a session kept, to say why it ended.
KEPT_FOR = timedelta(days=1)
NOTED_AT_MOST_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Limits:
    """`idle` since the last request, `absolute` since the login; None is no end."""

    idle: timedelta
    absolute: timedelta | None

    @property
    def note_every(self) -> timedelta:
        """How far behind "last seen" may be."""
        return min(NOTED_AT_MOST_EVERY, self.idle / 60)


def limits_of(user: "User") -> Limits:
    """Read at each request: who becomes staff is under the stricter rule at once."""
    if user.is_staff:
        return Limits(settings.NV_STAFF_IDLE, settings.NV_STAFF_ABSOLUTE)
    return Limits(settings.NV_PEOPLE_IDLE, settings.NV_PEOPLE_ABSOLUTE)


def begin(request: HttpRequest, user: "User", *, tracked: bool) -> None:
    """Start the session's clocks; `tracked` says that a Device has its key."""
    request.session[BEGAN] = int(timezone.now().timestamp())
    request.session[TRACKED] = tracked
    note(request, user)


def note(request: HttpRequest, user: "User") -> None:
    """Write down that the session was used just now; its cookie lives on from here."""
    request.session[SEEN] = int(timezone.now().timestamp())
    keep = limits_of(user).idle + KEPT_FOR
    request.session.set_expiry(int(keep.total_seconds()))


def note_password(session: SessionBase) -> None:
    session[PASSWORD_AT] = int(timezone.now().timestamp())


def has_just_shown_password(session: SessionBase) -> bool:
    """Say whether to ask for the password once more would be to ask twice."""
    at = session.get(PASSWORD_AT)
    return at is not None and timezone.now() - _moment(at) < PASSWORD_IS_FRESH_FOR


def why_over(session: SessionBase, limits: Limits) -> str:
    """Say why the session has run out, or "" while it has not."""
    now = timezone.now()
    if limits.absolute and now - began_at(session) >= limits.absolute:
        return _(
            "You were signed out, since you logged in %(time)s ago. Log in to go on."
        ) % {"time": duration(limits.absolute)}
    if now - _moment(session[SEEN]) >= limits.idle:
        return _(
            "You were signed out, since nothing happened for %(time)s. Log in to go on."
        ) % {"time": duration(limits.idle)}
    return ""


def is_due(session: SessionBase, limits: Limits) -> bool:
    """Say whether it is time to write down that the session is used."""
    return timezone.now() - _moment(session[SEEN]) >= limits.note_every


def began_at(session: SessionBase) -> datetime:
    return _moment(session[BEGAN])


def delete_stored(keys: Iterable[str]) -> None:
    """Delete sessions by their keys, from whatever store there is."""
    for key in keys:
        _store()(key).delete()


def purge_sessions() -> int:
    """Delete the stored sessions that are over."""
    return _store().clear_expired() or 0


def _store() -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
