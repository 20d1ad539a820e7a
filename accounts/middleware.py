"""What stands between a session and the site: its time-outs, and its Device."""

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from numberverify.browser import client_ip

from . import sessions
from .models import Device, User
from .places import country_of
from .signin import known_browser


class SessionMiddleware:
    """End a session whose time is over, note that another is used, and keep its Device
    in step with its key.

    A request with a session costs the session and the user; every few minutes one
    UPDATE of each, the session and the Device, more.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        key = None
        brought = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        if brought and isinstance(request.user, User):
            key = request.session.session_key
            if key != brought:  # Django gives it a new one after a new SECRET_KEY
                _follow(request, brought)
            _refuse_while_sessions_stand_still(request)
            _look_at_clock(request, request.user)
        response = self.get_response(request)
        if key and key != request.session.session_key:
            _follow(request, key)
        return response


def _refuse_while_sessions_stand_still(request: HttpRequest) -> None:
    """Nothing is begun whose session could not be changed after it. Pages go on."""
    why = _cannot_change(request)
    if why and request.method not in ("GET", "HEAD", "OPTIONS", "TRACE"):
        raise why


def _cannot_change(request: HttpRequest) -> Exception | None:
    # Of our stores; another that a site has chosen may know no such thing.
    return getattr(request.session, "cannot_change", None)


def _look_at_clock(request: HttpRequest, user: User) -> None:
    limits = sessions.limits_of(user)
    if sessions.BEGAN not in request.session:
        _adopt(request, user)
    elif why := sessions.why_over(request.session, limits):
        logout(request)  # a POST that comes now finds nobody and is not carried out
        messages.warning(request, why)
    elif sessions.is_due(request.session, limits) and not _cannot_change(request):
        _note(request, user)


def _adopt(request: HttpRequest, user: User) -> None:
    """Take on a session that has no clocks yet: `sign_in` has not opened it."""
    device = known_browser(request, user)
    tracked = device is not None and device.take(request.session.session_key or "")
    sessions.begin(request, user, tracked=tracked)


def _note(request: HttpRequest, user: User) -> None:
    mine = Device.objects.filter(session_key=request.session.session_key)
    seen = mine.update(
        last_seen_at=timezone.now(), country=country_of(client_ip(request))
    )
    if request.session.get(sessions.TRACKED) and not seen:
        logout(request)  # its browser was signed out or forgotten meanwhile
    else:
        sessions.note(request, user)


def _follow(request: HttpRequest, was: str) -> None:
    """The session has a new key, or is over."""
    session = request.session
    if not (session.session_key and isinstance(request.user, User)):
        Device.objects.filter(session_key=was).update(session_key="")
    elif session.get(sessions.TRACKED):
        # Stored first, so that whoever reads the key from the Device can end it. Not
        # found under either key: it was ended just now, so that it must not live on.
        session.save()
        mine = Device.objects.filter(session_key__in=[was, session.session_key])
        if not mine.update(session_key=session.session_key):
            logout(request)
