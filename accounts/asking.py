"""What a phone is told of who began at a computer (NV_WHO_ASKS): enough to know whether
it was oneself, and no more: whoever is shown the link may open it."""

from typing import Any

from django.urls import Resolver404, resolve

from . import places
from .models import Pending, User


def who_asks(
    *, user: User | None, next: str, ip: str | None, user_agent: str
) -> dict[str, str]:
    """Return the e-mail address, masked, and browser and place in words."""
    country = places.country_of(ip)
    return {
        "email": masked(user.email if user else _email_of_journey(next)),
        "browser": places.browser_in_words(user_agent),
        "place": places.place(country) if country else "",
    }


def masked(email: str) -> str:
    """Keep the first sign and the host: a•••@example.com."""
    name, _, host = email.rpartition("@")
    return f"{name[:1]}•••@{host}" if name else ""


def _email_of_journey(path: str) -> str:
    """At a signup there is no account yet: the journey has the address."""
    try:
        journey: Any = resolve(path).kwargs.get("journey")
    except Resolver404:
        return ""
    pending = Pending.objects.filter(pk=journey).first() if journey else None
    return pending.email if pending else ""
