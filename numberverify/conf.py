"""This app's settings, read when they are used."""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.shortcuts import resolve_url
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from .choices import Event, Method, Purpose
from .errors import ConfigurationError
from .msisdn import Msisdn, fingerprint
from .policy import ACCEPTS, HANDS_OVER, MAY_ACCEPT, Action, read_action
from .rates import Rate
from .rates import read as read_rates

CHECK = "check_operator"
# What numberverify's own pages need; a site's table may say otherwise.
OWN_ACTIONS: Mapping[str, Mapping[str, Any]] = {
    # Time enough to find and install an app.
    "authenticator": {
        "label": _("change your authenticator app"),
        "serves": "age",
        "max_age": 1800,
    },
    "recovery_codes": {"label": _("make new recovery codes")},
    "administer": {"label": _("act as staff"), "serves": "age", "max_age": 600},
    "export_history": {"label": _("export the history")},
    # What `manage.py check_operator` asks; no view takes its receipt.
    CHECK: {"label": _("try an operator"), "methods": [Method.NETWORK]},
}


def site_url() -> str:
    return settings.SITE_URL


def default_region() -> str:
    return cast(str, getattr(settings, "NV_DEFAULT_REGION", "GB"))


def operator_tables() -> Mapping[str, Mapping[str, Any]]:
    """The tables of `operators.toml`, by the operator's short name."""
    return cast(Mapping[str, Mapping[str, Any]], settings.NV_OPERATORS)


def trusted_proxy_count() -> int:
    return cast(int, getattr(settings, "TRUSTED_PROXY_COUNT", 0))


def metrics_from() -> list[IPv4Network | IPv6Network]:
    """Who may read /metrics (METRICS_FROM): networks, by default this machine alone."""
    listed = getattr(settings, "METRICS_FROM", ["127.0.0.0/8", "::1"])
    return [ip_network(each) for each in listed]


def limits() -> Mapping[str, Rate] | None:
    """Return the limits by name, or None for none; raise ConfigurationError."""
    return read_rates(getattr(settings, "NV_LIMITS", ""))


def limits_store() -> tuple[str, str]:
    """Return the address of the Redis in which limits are counted, "" for none, and
    what its keys begin with: the site's cache."""
    cache = settings.CACHES["default"]
    if "redis" not in cache["BACKEND"].lower():
        return "", ""
    location = cache["LOCATION"]
    address = location if isinstance(location, str) else location[0]
    return address.split(",")[0], cache.get("KEY_PREFIX", "")


def number_of(user: Any) -> Msisdn | None:
    """Return the number on file, found by the site's `NV_NUMBER_OF`."""
    find: Callable[[Any], str | None] = import_string(settings.NV_NUMBER_OF)
    number = find(user)
    return Msisdn(number) if number else None


def operator_of(user: Any) -> str:
    """Return the short name of the operator that the site remembers of the person, by
    its `NV_OPERATOR_OF`, or ""."""
    path = getattr(settings, "NV_OPERATOR_OF", "")
    return (import_string(path)(user) or "") if path else ""


def remember_operator(user: Any, name: str) -> None:
    """Have the site remember it (`NV_REMEMBER_OPERATOR`), where it was proved."""
    if path := getattr(settings, "NV_REMEMBER_OPERATOR", ""):
        import_string(path)(user, name)


def sim_swap_within() -> timedelta:
    """What is a recent SIM swap (NV_SIM_SWAP_HOURS); nought: nobody is asked."""
    return timedelta(hours=getattr(settings, "NV_SIM_SWAP_HOURS", 72))


def is_marked(action: str) -> bool:
    """Whether the step-up table marks the action: a swap raises what it demands."""
    table = _action_tables().get(action, {})
    return bool(table.get("sim_swap", False))


def choose_operator() -> Callable[..., str | None] | None:
    """The site's own choice of an operator (`NV_CHOOSE_OPERATOR`), if it has one."""
    path = getattr(settings, "NV_CHOOSE_OPERATOR", "")
    return import_string(path) if path else None


def add_number_url() -> str | None:
    """The URL name of the page where a person without a number adds one."""
    return getattr(settings, "NV_ADD_NUMBER_URL", None)


def number_history_url() -> str | None:
    """The URL name of the site's page for staff of what happened to a number, which
    takes its fingerprints in hexadecimal, joined by "-" (NV_NUMBER_HISTORY_URL)."""
    return getattr(settings, "NV_NUMBER_HISTORY_URL", None)


def _action_tables() -> Mapping[str, Mapping[str, Any]]:
    return {**OWN_ACTIONS, **getattr(settings, "NV_STEP_UP", {})}


def actions_named() -> list[str]:
    return list(_action_tables())


def account_url() -> str:
    """Where a person goes after changing what is on file."""
    return resolve_url(settings.LOGIN_REDIRECT_URL)


def unfreeze_url() -> str | None:
    """The URL name of the page where a person resets a password (NV_UNFREEZE_URL)."""
    return getattr(settings, "NV_UNFREEZE_URL", None)


def actions() -> dict[str, Action]:
    """Return the step-up table by name; raise ConfigurationError."""
    tables = _action_tables()
    return {name: read_action(name, table) for name, table in tables.items()}


def accepts(purpose: Purpose, action: str = "") -> frozenset[Method]:
    """Return the methods by which this may be proved; raise ConfigurationError."""
    name = action or str(purpose)
    tables = _action_tables()
    if name in tables:
        return read_action(name, tables[name]).methods
    own = getattr(settings, "NV_ACCEPTS", {}).get(str(purpose))
    methods = ACCEPTS[purpose] if own is None else frozenset(map(Method, own))
    if not methods or methods - MAY_ACCEPT[purpose]:
        raise ConfigurationError(f"NV_ACCEPTS: {purpose} may not accept just these")
    return methods


def accepts_of(row: Any) -> frozenset[Method]:
    """Return the methods by which what a verification asks may be proved."""
    return accepts(Purpose(row.purpose), row.action)


def hands_over(purpose: str, action: str = "") -> bool:
    """Whether this may go by way of the person's phone (NV_HANDOFF): purposes, and
    actions of the step-up table; with a "-", what may not although its purpose may."""
    listed = handoff_words()
    name = action or purpose
    return f"-{name}" not in listed and bool({name, purpose} & set(listed))


def handoff_words() -> list[str]:
    return list(getattr(settings, "NV_HANDOFF", HANDS_OVER))


def who_asks(**facts: Any) -> dict[str, str]:
    """Return what the site tells a phone of who began at another device
    (`NV_WHO_ASKS`): "email", masked; "browser" and "place", in words."""
    path = getattr(settings, "NV_WHO_ASKS", "")
    return import_string(path)(**facts) if path else {}


def ignored_purposes() -> set[str]:
    """Return what NV_ACCEPTS names in vain: the step-up table rules there."""
    of_table = {Purpose.STEP_UP.value} | set(_action_tables())
    return set(getattr(settings, "NV_ACCEPTS", {})) - (set(Purpose.values) - of_table)


def sms_backend() -> Any | None:
    """Return the backend that SMS_BACKEND names, or None when the site sends none."""
    path = sms_backend_path()
    return import_string(path)() if path else None


def sms_backend_path() -> str:
    return getattr(settings, "SMS_BACKEND", "") or ""


def site_name() -> str:
    """What people call the site: in text messages and authenticator apps."""
    return str(getattr(settings, "NV_SITE_NAME", "") or site_host())


def site_host() -> str:
    """The host name of the site, without a port."""
    return re.sub(r":\d+$", "", urlsplit(site_url()).netloc)


def knows_browser(request: Any, user: Any) -> bool:
    """Say whether the account knows this browser, by the site's `NV_KNOWS_BROWSER`."""
    path = getattr(settings, "NV_KNOWS_BROWSER", "")
    return bool(path) and bool(import_string(path)(request, user))


def language_of(user: Any) -> str:
    """Return the language that the site writes to the person in, by its
    `NV_LANGUAGE_OF`, or ""."""
    path = getattr(settings, "NV_LANGUAGE_OF", "")
    return (import_string(path)(user) or "") if path else ""


def proof_stamp() -> Callable[[Any], str | None] | None:
    """The site's `NV_PROOF_STAMP`: what a proof kept in the session dies with."""
    path = getattr(settings, "NV_PROOF_STAMP", "")
    return import_string(path) if path else None


def tell(user: Any, event: Event) -> None:
    """Have the site tell the person (`NV_TELL`), in the transaction of the event."""
    if path := getattr(settings, "NV_TELL", ""):
        import_string(path)(user, event)


def housekeeping() -> list[Callable[[], int]]:
    """Further chores of the site (`NV_HOUSEKEEPING`): each returns how many rows."""
    return [import_string(path) for path in getattr(settings, "NV_HOUSEKEEPING", [])]


def retention_days() -> int:
    """How long verifications are kept (NV_RETENTION_DAYS); nought: for ever."""
    return cast(int, getattr(settings, "NV_RETENTION_DAYS", 730))


def fingerprints_of(user: Any) -> set[bytes]:
    """Return the fingerprints of the number on file, and of those that the site knows
    the person to have had (`NV_FINGERPRINTS_OF`)."""
    number = number_of(user)
    found = set(fingerprints(number)) if number else set()
    if path := getattr(settings, "NV_FINGERPRINTS_OF", ""):
        found |= {bytes(each) for each in import_string(path)(user)}
    return found - {b""}


def forget(user: Any, marks: set[bytes]) -> None:
    """Have the site erase from its own rows what leads to the person, None for nobody,
    and the numbers of these fingerprints (`NV_FORGET`), in the transaction of it."""
    if path := getattr(settings, "NV_FORGET", ""):
        import_string(path)(user, marks)


def export_seconds() -> int:
    """How long one export of the history may take (NV_EXPORT_SECONDS): it holds a
    thread of the server."""
    return cast(int, getattr(settings, "NV_EXPORT_SECONDS", 300))


def data_of(user: Any) -> dict[str, Any]:
    """What else the site knows of a person, for an export (`NV_DATA_OF`)."""
    path = getattr(settings, "NV_DATA_OF", "")
    return import_string(path)(user) if path else {}


def fingerprint_keys() -> list[str]:
    """Newest first: rows are written with the first and searched with all."""
    return settings.NV_FINGERPRINT_KEYS


def fingerprint_key_id() -> str:
    """Return the id of the key that rows are written with: 8 hexadecimal digits."""
    return hashlib.sha256(fingerprint_keys()[0].encode()).hexdigest()[:8]


def fingerprints(msisdn: Msisdn) -> list[bytes]:
    """Return the number's fingerprint under each key, newest first."""
    return [fingerprint(msisdn, key) for key in fingerprint_keys()]


def code_digests(secret: str) -> list[bytes]:
    """Return the HMAC-SHA-256 of a code of ours under each key, newest first.

    The keys of the fingerprints: unlike SECRET_KEY they outlive a rotation, and so
    must a recovery code in a drawer.
    """
    return [
        hmac.digest(f"code:{key}".encode(), secret.encode(), "sha256")
        for key in fingerprint_keys()
    ]
