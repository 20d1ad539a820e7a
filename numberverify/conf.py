"""This app's settings, read when they are used."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, cast

from django.conf import settings
from django.utils.module_loading import import_string

from .msisdn import Msisdn, fingerprint


def site_url() -> str:
    return settings.SITE_URL


def default_region() -> str:
    return cast(str, getattr(settings, "NV_DEFAULT_REGION", "GB"))


def operator_tables() -> Mapping[str, Mapping[str, Any]]:
    """The tables of `operators.toml`, by the operator's short name."""
    return cast(Mapping[str, Mapping[str, Any]], settings.NV_OPERATORS)


def trusted_proxy_count() -> int:
    return cast(int, getattr(settings, "TRUSTED_PROXY_COUNT", 0))


def number_of(user: Any) -> Msisdn | None:
    """Return the number on file, found by the site's `NV_NUMBER_OF`."""
    find: Callable[[Any], str | None] = import_string(settings.NV_NUMBER_OF)
    number = find(user)
    return Msisdn(number) if number else None


def add_number_url() -> str | None:
    """The URL name of the page where a person without a number adds one."""
    return getattr(settings, "NV_ADD_NUMBER_URL", None)


def step_up_label(action: str) -> str:
    """Return what the action is called; KeyError when the table does not know it."""
    return cast(str, settings.NV_STEP_UP[action]["label"])


def housekeeping() -> list[Callable[[], int]]:
    """Further chores of the site (`NV_HOUSEKEEPING`): each returns how many rows."""
    return [import_string(path) for path in getattr(settings, "NV_HOUSEKEEPING", [])]


def fingerprint_keys() -> list[str]:
    """Newest first: rows are written with the first and searched with all."""
    return settings.NV_FINGERPRINT_KEYS


def fingerprint_key_id() -> str:
    """Return the id of the key that rows are written with: 8 hexadecimal digits."""
    return hashlib.sha256(fingerprint_keys()[0].encode()).hexdigest()[:8]


def fingerprints(msisdn: Msisdn) -> list[bytes]:
    """Return the number's fingerprint under each key, newest first."""
    return [fingerprint(msisdn, key) for key in fingerprint_keys()]
