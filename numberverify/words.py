"""What people are told when nobody could say, or a code was not right."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from .choices import Method, Purpose, Reason

OFF_WIFI = _(
    "Turn Wi-Fi and any VPN off for a moment, so that your phone uses mobile data, "
    "and try again."
)
LATER = _("Wait a minute and try again. Nothing was charged and nothing was blocked.")

# What happened, and what to do.
COULD_NOT_TELL: dict[str, tuple[Promise, Promise]] = {
    Reason.NO_OPERATOR: (
        _("We cannot check numbers of that country with a mobile network yet."),
        _("If the number has a mistake in it, it has to be corrected first."),
    ),
    Reason.NOT_ON_MOBILE_NETWORK: (
        _(
            "Your mobile network did not see this device. That happens on Wi-Fi, "
            "through a VPN, on a computer, or on another operator's network."
        ),
        OFF_WIFI,
    ),
    Reason.ACCESS_DENIED: (
        _("Your mobile network did not allow the check, or permission was refused."),
        _("Try again on mobile data, with Wi-Fi off, and allow the check when asked."),
    ),
    Reason.NOT_ON_PHONE: (
        _("Your mobile network can only be asked about the phone in your hand."),
        _("Choose another way, or go on with the phone that has the number."),
    ),
    Reason.METHOD_CLOSED: (
        _("That way is not open just now."),
        _("Use the phone that has the number, or another way. Later it may be open."),
    ),
    Reason.SMS_NOT_SENT: (
        _("The text message could not be sent."),
        _("Wait a minute and try again, or use another way."),
    ),
    Reason.BREAKER_OPEN: (_("Your mobile network does not answer us just now."), LATER),
    Reason.OPERATOR_BUSY: (
        _("Your mobile network does not answer us just now."),
        LATER,
    ),
    Reason.NOT_THEIR_NUMBER: (
        _("That network says that the number is not one of its own."),
        _("Choose the network that your SIM is on, or another way."),
    ),
    Reason.SIM_SWAPPED: (
        _("The SIM of this number was changed a short while ago."),
        _(
            "For a few days the number alone proves too little here. Use an "
            "authenticator app or a recovery code, or come back later."
        ),
    ),
    Reason.CONSENT_REQUIRED: (
        _("Your mobile network needs your permission before it answers us."),
        _("Allow the check with your network, then try again."),
    ),
}
SERVICE_PROBLEM = (_("The mobile network did not give us an answer."), LATER)


def could_not_tell(reason: str) -> tuple[Promise, Promise]:
    """Return what happened and what to do, for a person."""
    return COULD_NOT_TELL.get(reason, SERVICE_PROBLEM)


# What each way is called in the chooser, and its one line.
WAYS: dict[str, tuple[Promise, Promise]] = {
    Method.TOTP: (
        _("Authenticator app"),
        _("Type the code that the app on your phone or computer shows."),
    ),
    Method.SMS: (
        _("Text message"),
        _(
            "We send a code to your number. Less safe: a message can be intercepted, "
            "so never pass a code on."
        ),
    ),
    Method.MANUAL: (
        _("Ask our support"),
        _("Two members of staff confirm that it is you. That takes a while."),
    ),
    Method.RECOVERY_CODE: (
        _("Recovery code"),
        _("One of the ten codes that you wrote down. Each works once."),
    ),
}


# Not a method: the network is asked, about the phone that opens a link.
YOUR_PHONE: dict[str, Any] = {
    "value": "phone",
    "label": _("Your phone"),
    "hint": _(
        "Open a link on the phone that has the number. Its mobile network confirms it, "
        "and you go on here."
    ),
}


def described(
    ways: Iterable[Method], *, on_phone: bool = False
) -> list[dict[str, Any]]:
    """Return the ways as the chooser shows them, the phone first if it is one."""
    first: list[dict[str, Any]] = [YOUR_PHONE] if on_phone else []
    return first + [
        {"value": str(way), "label": WAYS[way][0], "hint": WAYS[way][1]} for way in ways
    ]


# What a phone is asked to confirm, where no row of the step-up table says it.
ASKED_FOR: dict[str, Promise] = {
    Purpose.SIGNUP: _("open an account"),
    Purpose.LOGIN: _("log in"),
    Purpose.PASSWORD_CHANGE: _("change the password"),
    Purpose.PASSWORD_RESET: _("set a new password"),
    Purpose.PHONE_CHANGE: _("put this mobile number on an account"),
    Purpose.STEP_UP: _("confirm a sensitive action"),
}
# What the desktop says while it waits.
WAITING: dict[str, Promise] = {
    "waiting": _("Waiting for your phone."),
    "opened": _("Opened on your phone. Type the two digits there."),
    "confirmed": _("Confirmed on your phone. Its mobile network is being asked."),
    "again": _(
        "Your mobile network could not tell. Your phone says what to do, and can try "
        "again."
    ),
    "over": _("Going on."),
}


NOBODY_CHECKED = _("Nobody could check the code just now. Try it again in a moment.")
SENT_AGAIN = _("A new code is on its way. The one before it does not work any more.")


def wrong_code(left: int) -> str:
    """Say that a code was wrong, and how many tries are left."""
    return (
        ngettext(
            "That code is not right, or it was used before. You have %d try left.",
            "That code is not right, or it was used before. You have %d tries left.",
            left,
        )
        % left
    )


def duration(length: timedelta) -> str:
    """Say how long, in the largest unit of which there are two at least."""
    seconds = int(length.total_seconds())
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days >= 2:
        return ngettext("%d day", "%d days", days) % days
    if hours >= 2:
        return ngettext("%d hour", "%d hours", hours) % hours
    if minutes >= 2:
        return ngettext("%d minute", "%d minutes", minutes) % minutes
    return ngettext("%d second", "%d seconds", seconds) % seconds


# What was too much, by the first part of the limit's name.
TOO_MANY: dict[str, tuple[Promise, Promise]] = {
    "login": (
        _("Too many wrong passwords"),
        _(
            "Too many wrong passwords were typed for this account, or at the internet "
            "connection that you use. A browser in which you have logged in before is "
            "not held up by what others type."
        ),
    ),
    "password": (
        _("Too many wrong passwords"),
        _("Too many wrong passwords were typed for this account."),
    ),
    "code": (
        _("Too many wrong codes"),
        _("Too many wrong codes were typed. This one was not looked at."),
    ),
    "text": (
        _("Too many text messages"),
        _(
            "Too many text messages were asked for. None was sent this time. Another "
            "way may be open: your mobile network, an app, a recovery code."
        ),
    ),
    "mail": (
        _("Too many mails"),
        _(
            "Too many mails were asked for. None was sent this time. Look for the last "
            "one, in the folder for spam as well."
        ),
    ),
    "phone": (
        _("Too many wrong links"),
        _(
            "Too many links for a phone were opened that are none, by you or by others "
            "at the internet connection that you use."
        ),
    ),
    "staff": (
        _("Too many numbers shown"),
        _(
            "Too many whole numbers were shown to you lately. Ask another member of "
            "staff, or wait."
        ),
    ),
    "no": (
        _("Too many checks without a match"),
        _(
            "Too many checks ended with another number than the one that was given, or "
            "with wrong codes. Your mobile network was not asked this time. Another "
            "way may be open: an app, a text message, a recovery code."
        ),
    ),
}
TOO_MANY_TRIES = (
    _("Too many tries"),
    _(
        "Too many checks were begun, by you or by others at the internet connection "
        "that you use. Your mobile network was not asked this time."
    ),
)


def too_many(limit: str) -> tuple[Promise, Promise]:
    """Return what was too much, and what that means, for a person."""
    return TOO_MANY.get(limit.partition("_")[0], TOO_MANY_TRIES)


def wait(seconds: int) -> str:
    """Say how long to wait: rounded up, so that it is never too early."""
    length = timedelta(seconds=seconds)
    for unit, least in (("days", 2 * 86400), ("hours", 2 * 3600), ("minutes", 120)):
        if seconds > least:
            one = timedelta(**{unit: 1})
            return duration(-(-length // one) * one)
    return duration(length)


def no_resend(wait: int) -> str:
    """Say why no text message goes out: `wait` in seconds, -1 for not at all now."""
    if wait < 0:
        return gettext(
            "This number has had all its text messages for the hour. "
            "Use the last one, or another way."
        )
    return (
        ngettext(
            "You can ask for a new code in %d second.",
            "You can ask for a new code in %d seconds.",
            wait,
        )
        % wait
    )


WRONG_DIGITS = _(
    "Those are not the digits that your computer shows. You have one try left."
)
