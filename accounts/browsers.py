"""The browsers of an account: what is shown of them, signing them out, forgetting them.

Which browser it is and where is said by `places`; how a browser gets known by `signin`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from numberverify.browser import browser_of
from numberverify.stepup import redeem_step_up

from . import notices, places, sessions
from .models import Device, User
from .notice import Kind

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """A browser in words."""

    id: int
    name: str
    place: str
    first_seen: str
    last_seen: str
    is_signed_in: bool
    is_this: bool


def of_person(user: User, here: Device | None) -> list[Shown]:
    """Describe the person's browsers, the one last seen first; before all, `here`."""
    newest = Device.objects.filter(user=user).order_by("-last_seen_at", "-pk")[:SHOWN]
    limits = sessions.limits_of(user)
    shown = [describe(each, limits, here) for each in newest]
    return sorted(shown, key=lambda one: not one.is_this)


def describe(device: Device, limits: sessions.Limits, here: Device | None) -> Shown:
    is_this = here is not None and device.pk == here.pk
    return Shown(
        id=device.pk,
        name=places.browser_in_words(device.user_agent),
        place=places.place(device.country),
        first_seen=places.when(device.created_at),
        last_seen=places.when(timezone.now() if is_this else device.last_seen_at),
        is_signed_in=is_this or _is_signed_in(device, limits),
        is_this=is_this,
    )


def find(user: User, device_id: Any) -> Device | None:
    """Return this person's browser; nobody else's is found by its id."""
    try:
        return Device.objects.filter(user=user, pk=device_id).first()
    except (ValueError, OverflowError):
        return None


def sign_out_other(request: HttpRequest, user: User, device: Device) -> None:
    """End the session in another browser, and tell the person: it takes no proof."""
    with transaction.atomic():
        if sign_out(device):
            here = browser_of(request)
            notices.tell_sparingly(user, Kind.BROWSER_ENDED, here, about=device)


def forget_other(request: HttpRequest, user: User, device: Device) -> None:
    """Do the same, and know the browser no more. Raise VerificationNotUsable."""
    with transaction.atomic():
        redeem_step_up(request)
        forget(device)
        here = browser_of(request)
        notices.tell(user, Kind.BROWSER_FORGOTTEN, here, about=device)


def sign_out(device: Device | None) -> bool:
    """End the session in a browser, whatever its key has become meanwhile; say whether
    there was one."""
    while device and device.session_key:
        if device.take(""):
            return True
        device = Device.objects.filter(pk=device.pk).first()
    return False


def sign_out_others(user: User, key: str | None) -> None:
    """End the person's sessions, but that with this key."""
    for device in Device.objects.filter(user=user).exclude(session_key=""):
        if device.session_key != key:
            sign_out(device)


def forget(device: Device) -> None:
    """End the session in a browser, and let it be a new one at the next login."""
    nobody = Device.objects.filter(pk=device.pk, session_key="")
    sign_out(device)
    while not nobody.delete()[0]:  # signed in again just now, or gone
        found = Device.objects.filter(pk=device.pk).first()
        if found is None:
            return
        sign_out(found)


def _is_signed_in(device: Device, limits: sessions.Limits) -> bool:
    """By its times: what ran out is found to have ended by its next request alone."""
    now = timezone.now()
    since: datetime = device.signed_in_at or device.created_at
    is_too_old = limits.absolute is not None and now - since >= limits.absolute
    is_idle = now - device.last_seen_at >= limits.idle
    return bool(device.session_key) and not is_too_old and not is_idle
