"""Telling people what happens to their accounts, so that no attack is silent.

Each mail has a link by which a person says "this wasn't me" (`not_me`). Call these in
the transaction of what they are about: what is told leaves after its commit.
"""

import logging
import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from numberverify.browser import Browser
from numberverify.msisdn import Msisdn

from . import mail, places
from .models import Device, Notice, User, digest
from .notice import GOOD_FOR, Kind

logger = logging.getLogger(__name__)
MOST = 10  # an hour, of a kind that takes no proof to bring about
# Put into words when the mail is written, in the person's language.
in_words = lazy(places.browser_in_words, str)
in_place = lazy(places.place, str)


def tell(
    user: User,
    kind: Kind,
    browser: Browser | None = None,
    *,
    about: Device | None = None,
    email_before: str = "",
    **more: Any,
) -> None:
    """Mail the person. `browser` is where it was done, None when nobody did it in one;
    `about` another browser that it was done to; `more` what the kind's own template
    wants. With `email_before` the mail goes there, and its link gives it back.
    """
    token = secrets.token_urlsafe(32)
    country = places.country_of(browser.ip) if browser else ""
    notice = Notice.objects.create(
        user=user,
        kind=kind,
        token_digest=digest(token),
        user_agent=browser.user_agent if browser else "",
        country=country,
        email_before=email_before,
    )
    said = {
        "news": kind.label,
        "at": notice.created_at,
        "browser": in_words(browser.user_agent) if browser else "",
        "place": in_place(country) if country else "",
        "about": in_words(about.user_agent) if about else "",
        "days": GOOD_FOR.days,
    }
    mail.send_notice(user, kind, token, said | more, to=email_before or user.email)


def tell_sparingly(
    user: User, kind: Kind, browser: Browser | None, *, about: Device | None = None
) -> None:
    """Tell what a person, or a thief, brings about by the password or a session alone:
    ten times an hour, by when the person knows."""
    since = timezone.now() - timedelta(hours=1)
    told = Notice.objects.filter(user=user, kind=kind, created_at__gt=since)
    if told[:MOST].count() < MOST:
        tell(user, kind, browser, about=about)
    else:
        logger.warning("account %s: %s is told no more this hour", user.pk, kind)


def tell_of_number(
    user: User,
    kind: Kind,
    browser: Browser | None,
    *,
    before: Msisdn | None,
    text: Kind | None = None,
    **more: Any,
) -> None:
    """Tell by mail, and the number that was on file before by a text message: whoever
    has taken the mailbox, too, has not taken that. `text`: what it is to that number,
    where that is something else.

    Once a change, which has taken a proof: nobody makes us send many.
    """
    tell(user, kind, browser, **more)
    if before:
        words = _(
            "{site}: {news}. Was it not you? Open the link in our mail to you, or set "
            "a new password."
        )
        news = (text or kind).label
        said = format_lazy(words, site=settings.NV_SITE_NAME, news=news)
        mail.text(before, said, user.language)
