"""Reading the tables of `operators.toml`: strictly, and without showing a value."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError
from . import values as read_as
from .base import OperatorSettings
from .camara import DEFAULT_SCOPE, may_verify, purposes_of
from .credentials import algorithm_of, read_key
from .oidc import ALGORITHMS
from .values import Reader, Unfit

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
PURPOSE = re.compile(r"dpv:[A-Za-z]+")

COMMON: Mapping[str, Reader] = {
    "label": read_as.label,
    "base_url": read_as.base_url,
    "client_id": read_as.text,
    "client_secret": read_as.text,
    "countries": read_as.countries,
    "send": read_as.one_of("hash", "plain"),
    "hash_input": read_as.one_of("plus", "digits"),
    "authorization_endpoint": read_as.address,
    "token_endpoint": read_as.address,
    "match_url": read_as.address,
    "jwks_uri": read_as.address,
    "deadline": read_as.seconds,
    "connect_timeout": read_as.seconds,
    "read_timeout": read_as.seconds,
    "threads": read_as.threads,
    "breaker_failures": read_as.failures,
    "breaker_seconds": read_as.pause,
    "proxy": read_as.proxy,
    "test": read_as.flag,
}
READERS: Mapping[str, Mapping[str, Reader]] = {
    "mobile-connect": {**COMMON, "issuer": read_as.text},
    "camara": {
        **COMMON,
        "authorization_endpoint": read_as.endpoint,
        "token_endpoint": read_as.endpoint,
        "jwks_uri": read_as.endpoint,
        "issuer": read_as.address,
        "client_auth": read_as.one_of("client_secret_basic", "private_key_jwt"),
        "private_key": read_as.pem,
        "kid": read_as.text,
        "token_endpoint_auth_signing_alg": read_as.one_of(*ALGORITHMS),
        "scope": read_as.text,
        "prompt": read_as.one_of("none", "consent", ""),
        "send_login_hint": read_as.flag,
        "one_time_password_sms_url": read_as.base_url,
        "sim_swap_url": read_as.base_url,
        "number_recycling_url": read_as.base_url,
    },
}
# Secrets that are better kept out of the file.
ELSEWHERE = {"client_secret_env": "client_secret", "private_key_file": "private_key"}
DEMANDED: Mapping[str, tuple[str, ...]] = {
    "mobile-connect": ("base_url", "client_id", "client_secret"),
    "camara": ("base_url", "client_id", "issuer"),
}
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "mobile-connect": {},
    "camara": {"scope": DEFAULT_SCOPE, "prompt": "none", "send": "plain"},
}


def read_tables(tables: Mapping[str, Any]) -> dict[str, OperatorSettings]:
    """Return the operators by name, in the file's order; raise ConfigurationError."""
    return {name: read_table(name, table) for name, table in tables.items()}


def read_table(name: str, table: Any) -> OperatorSettings:
    """Raise ConfigurationError, which names the table and the key, never a value."""
    try:
        if not NAME.fullmatch(name):
            raise Unfit("the name must be like 'vodafone-uk'")
        if not isinstance(table, Mapping):
            raise Unfit("a table is expected")
        return _read(name, table)
    except Unfit as unfit:
        message = f"operator {name!r}: {unfit}"
        raise ConfigurationError(message, unfit.problem) from None


def _read(name: str, table: Mapping[str, Any]) -> OperatorSettings:
    values = dict(table)
    dialect = values.pop("dialect", "")
    is_known = isinstance(dialect, str) and dialect in READERS
    # Without one a key that no dialect knows is still the mistake to name.
    readers = READERS[dialect if is_known else "camara"]
    for key in values:
        if ELSEWHERE.get(key, key) not in readers:
            raise Unfit(f"unknown key {key!r}", "unknown_key")
    if not is_known:
        problem = "value" if dialect else "missing"
        raise Unfit(f"dialect must be one of {', '.join(READERS)}", problem)
    _fetch(values, "client_secret_env", _from_environment)
    _fetch(values, "private_key_file", _from_file)
    for key in DEMANDED[dialect]:
        if values.get(key, "") == "":
            raise Unfit(f"{key} is missing", "missing")
    columns = {key: _value(key, readers[key], value) for key, value in values.items()}
    columns = {**DEFAULTS[dialect], **columns}
    settings = OperatorSettings(name=name, dialect=dialect, **columns)
    if dialect == "camara":
        _check_credentials(settings)
        _check_scope(settings)
    return settings


def _value(key: str, reader: Reader, value: Any) -> Any:
    try:
        return reader(value)
    except Unfit as unfit:
        raise Unfit(f"{key} must be {unfit}", unfit.problem) from None


def _fetch(values: dict[str, Any], name: str, find: Reader) -> None:
    """Put in the secret that lies elsewhere: in a variable, in a file."""
    place, key = values.pop(name, ""), ELSEWHERE[name]
    if place == "":
        return
    if key in values:
        raise Unfit(f"{key} and {name}: one of them is enough")
    values[key] = _value(name, find, place)


def _from_environment(variable: Any) -> str:
    if not isinstance(variable, str) or not VARIABLE.fullmatch(variable):
        raise Unfit("the name of a variable, in capitals")
    if not os.environ.get(variable):
        raise Unfit(f"a variable that is set: {variable} is not", "missing")
    return os.environ[variable]


def _from_file(path: Any) -> str:
    fit = "the path of a PEM file that we may read, and that holds something"
    try:
        found = Path(path).read_text("ascii")
    except (OSError, TypeError, ValueError):
        raise Unfit(fit, "key") from None
    if not found:  # or the table would seem to name no key at all
        raise Unfit(fit, "key")
    return found


def _check_credentials(settings: OperatorSettings) -> None:
    """What client_auth needs is there, and a key is good for its algorithm.

    A key may stand beside a secret: it signs the assertions of the JWT bearer grant.
    """
    needs = {
        "client_secret_basic": ("client_secret", settings.client_secret),
        "private_key_jwt": ("private_key_file", settings.private_key),
    }
    key, found = needs[settings.client_auth]
    if not found:
        message = f"{key} is missing, which client_auth {settings.client_auth} needs"
        raise Unfit(message, "missing")
    if settings.private_key:
        own = _value("private_key", read_key, settings.private_key)
        wanted = settings.token_endpoint_auth_signing_alg
        name = "token_endpoint_auth_signing_alg"
        _value(name, lambda alg: algorithm_of(own, alg), wanted)
    if settings.send_login_hint and not settings.test:
        raise Unfit("send_login_hint puts a number into a URL: with test = true only")


def _check_scope(settings: OperatorSettings) -> None:
    """CAMARA's profile: `openid`, exactly one purpose, and what is to be done."""
    found = purposes_of(settings.scope)
    if len(found) != 1:
        message = f"scope must name exactly one dpv: purpose, not {len(found)}"
        raise Unfit(message, "scope")
    if not PURPOSE.fullmatch(found[0].partition("#")[0]):
        raise Unfit("scope must name a purpose after dpv:", "scope")
    if "openid" not in settings.scope.split():
        raise Unfit("scope must hold openid: no ID token comes without it", "scope")
    if not may_verify(settings.scope):
        raise Unfit("scope must hold number-verification:verify", "scope")
