"""The person, or the number, that a command is about."""

import getpass
import sys
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from numberverify import conf, msisdn
from numberverify.msisdn import LONG_NUMBER, Msisdn


def find(word: str) -> Any:
    """Return the person by key or by e-mail address; raise CommandError."""
    model = get_user_model()
    column = f"{model.get_email_field_name()}__iexact" if "@" in word else "pk"
    try:
        found = list(model._default_manager.filter(**{column: word})[:2])
    except (ValueError, ValidationError):
        found = []
    if len(found) != 1:
        many = "Several people have" if found else "Nobody has"
        raise CommandError(f"{many} that {'address' if '@' in word else 'key'}.")
    return found[0]


def read_number() -> Msisdn:
    """Read a number from the standard input: an argument stays in the shell's
    history and is seen in the list of processes."""
    typed = getpass.getpass("Number: ") if sys.stdin.isatty() else sys.stdin.readline()
    try:
        return msisdn.parse(typed.strip(), region=conf.default_region())
    except ValueError:
        raise CommandError("That is no mobile number.") from None


def check_reason(reason: str, *, needed: bool = True) -> None:
    """Raise CommandError about a reason that says nothing, or names somebody: it is
    kept for good."""
    if len(reason) > 200 or (needed and not reason.strip()):
        raise CommandError("--reason takes 1 to 200 characters.")
    if "@" in reason or LONG_NUMBER.search(reason):
        raise CommandError("--reason is kept: no e-mail address, no long number.")


def by_command() -> str:
    """What stands in a record and in the chain in the place of a member of staff."""
    return f"{operator_name()}, by command"[:100]


def operator_name() -> str:
    """Who runs the command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "unknown"
