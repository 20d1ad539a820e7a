"""The limits: how many of what, within how long, and how NV_LIMITS changes them.

docs/reference/settings.md lists them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache

from limits import RateLimitItem, RateLimitItemPerSecond

from .errors import ConfigurationError

OFF = "off"
WINDOW = re.compile(r"([1-9][0-9]{0,6})/([1-9][0-9]{0,6})?([smhd])")
UNITS = {"s": 1, "m": 60, "h": 60 * 60, "d": 24 * 60 * 60}
LONGEST = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Rate:
    """So many within each window.

    A window opens with the first and ends for all at once. `closed`: what this limits
    is not done while nobody can count it.
    """

    name: str
    windows: tuple[RateLimitItem, ...]
    closed: bool


def parse(text: str) -> tuple[RateLimitItem, ...]:
    """Read windows like `10/15m;30/d`; raise ValueError."""
    windows = []
    for each in text.split(";"):
        found = WINDOW.fullmatch(each.strip())
        if not found:
            raise ValueError
        seconds = int(found[2] or 1) * UNITS[found[3]]
        if seconds > LONGEST.total_seconds():
            raise ValueError
        windows.append(RateLimitItemPerSecond(int(found[1]), seconds, "nv"))
    return tuple(windows)


def _named(closed: bool, **windows: str) -> dict[str, Rate]:
    return {name: Rate(name, parse(text), closed) for name, text in windows.items()}


DEFAULTS: Mapping[str, Rate] = {
    # Guessing. Wrong ones count; a right one hands its try back.
    **_named(
        closed=True,
        login_account_address="10/15m;30/d",
        login_account="30/h",
        # NIST SP 800-63B-4, 3.2.2: a hundred in a row, until a right one.
        login_in_a_row="100/365d",
        # Whole towns share the address of a mobile network.
        login_address="100/15m;1000/d",
        login_known="10/15m;100/365d",
        password_account="10/15m;30/d",  # noqa: S106
        password_in_a_row="100/365d",  # noqa: S106
        code_account="20/h",
        code_number="20/h;100/30d",
        code_address="100/h;500/d",
        # Links for a phone that are none; one that is hands its try back.
        phone_address="100/15m;1000/d",
    ),
    # What reaches other people, and costs money.
    **_named(
        closed=True,
        # Within the hour the history counts them: five.
        text_number="20/d",
        text_account="30/d",
        text_address="30/h;150/d",
        text_dialling_code="1000/h;5000/d",
        # Left to an address when the dialling code has had them all: nobody else's
        # flood keeps a newcomer out. So it is with the mails to an e-mail.
        text_dialling_code_spare="2/h",
        mail_email_address="3/h;10/d",
        mail_email="10/h;30/d",
        mail_email_spare="2/d",
        mail_address="50/h;200/d",
    ),
    # What shows staff more than they need from day to day.
    **_named(closed=True, staff_numbers="20/h;60/d"),
    # What costs us work, or an operator's answer.
    **_named(
        closed=False,
        signup_address="100/h;500/d",
        # As long as a check may stay open: one that has run out counts no more.
        start_number_address="10/5m",
        start_number="100/5m",
        start_account="20/5m",
        start_address="300/10m",
        # Left to each number or account at an address that has had them all.
        start_address_spare="3/10m",
        start_dialling_code="3000/10m",
        start_dialling_code_spare="5/h",
        # Checks that ended in "no match", or in too many wrong codes.
        no_account="10/h;30/d",
        no_number="10/h;30/d",
        # Records of pages refused to one account, lest it fills the table with them.
        staff_refused="100/h",
    ),
}


@lru_cache(maxsize=8)
def read(text: str) -> Mapping[str, Rate] | None:
    """Return the limits by name, as NV_LIMITS changes them; None: there are none.

    Raise ConfigurationError, which names what cannot be read.
    """
    if text.strip().lower() == OFF:
        return None
    found = dict(DEFAULTS)
    for part in filter(None, (each.strip() for each in text.split(","))):
        name, _, windows = (each.strip() for each in part.partition("="))
        if name not in DEFAULTS:
            raise ConfigurationError(f"there is no limit named {name!r}")
        try:
            found[name] = replace(found[name], windows=parse(windows))
        except ValueError:
            message = f"{name} must be like 10/15m;30/d, not {windows!r}"
            raise ConfigurationError(message) from None
    return found
