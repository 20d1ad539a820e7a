"""Reading the tables of `operators.toml`: strictly, and without showing a value."""

import os
import re
from collections.abc import Callable, Collection, Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from ..errors import ConfigurationError
from .base import OperatorSettings

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
HOST = re.compile(r"[a-z0-9._:-]+")
COUNTRY = re.compile(r"[A-Z]{2}")
DEMANDED = ("dialect", "base_url", "client_id", "client_secret")
LONGEST_DEADLINE = 60  # seconds
MOST_THREADS = 1000


class Unfit(ValueError):
    """Says what a value must be, and nothing of what it is: it may be a secret."""


def read(
    tables: Mapping[str, Any], *, dialects: Collection[str]
) -> dict[str, OperatorSettings]:
    """Return the operators by name, in the file's order.

    Raise ConfigurationError, which names the table and the key and never shows a
    value.
    """
    readers = _readers(dialects)
    operators = {}
    for name, table in tables.items():
        try:
            operators[name] = _read_table(name, table, readers)
        except Unfit as unfit:
            raise ConfigurationError(f"operator {name!r}: {unfit}") from None
    return operators


def _read_table(
    name: str, table: Any, readers: Mapping[str, Callable[[Any], Any]]
) -> OperatorSettings:
    if not NAME.fullmatch(name):
        raise Unfit("the name must be like 'vodafone-uk'")
    if not isinstance(table, Mapping):
        raise Unfit("a table is expected")
    values = _with_secret(table)
    for key in values:
        if key not in readers:
            raise Unfit(f"unknown key {key!r}")
    for key in DEMANDED:
        if key not in values or values[key] == "":
            raise Unfit(f"{key} is missing")
    columns = {}
    for key, value in values.items():
        try:
            columns[key] = readers[key](value)
        except Unfit as unfit:
            raise Unfit(f"{key} must be {unfit}") from None
    return OperatorSettings(name=name, **columns)


def _with_secret(table: Mapping[str, Any]) -> dict[str, Any]:
    """Put in the secret that `client_secret_env` names."""
    values = dict(table)
    variable = values.pop("client_secret_env", "")
    if variable == "":
        return values
    if not isinstance(variable, str) or not VARIABLE.fullmatch(variable):
        raise Unfit("client_secret_env must be the name of a variable, in capitals")
    if "client_secret" in values:
        raise Unfit("client_secret and client_secret_env: one of them is enough")
    if not os.environ.get(variable):
        raise Unfit(f"client_secret_env: {variable} is not set")
    return values | {"client_secret": os.environ[variable]}


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise Unfit("text on one line")
    return value


def _label(value: Any) -> Any:
    """Text, or a translation of it that waits for its language."""
    if isinstance(value, (bool, int, float, list, dict)):
        raise Unfit("text")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Unfit("true or false")
    return value


def _seconds(value: Any) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 < value <= LONGEST_DEADLINE:
        raise Unfit(f"a number of seconds above 0 and at most {LONGEST_DEADLINE}")
    return float(value)


def _threads(value: Any) -> int:
    if type(value) is not int or not 0 < value <= MOST_THREADS:
        raise Unfit(f"a whole number from 1 to {MOST_THREADS}")
    return value


def _countries(value: Any) -> tuple[str, ...]:
    listed: list[Any] = list(value) if isinstance(value, (list, tuple)) else [None]
    if not all(isinstance(one, str) and COUNTRY.fullmatch(one) for one in listed):
        raise Unfit('a list of ISO 3166 codes, like ["GB"]')
    return tuple(listed)


def _address(value: Any) -> str:
    """An https address; over http, which shows secrets to the way, on loopback only."""
    unfit = Unfit("an https address without query and credentials (http on loopback)")
    try:
        parts = urlsplit(_text(value))
        host, _port = parts.hostname, parts.port
    except ValueError:  # urllib's words quote the address, with a password in it
        raise unfit from None
    plain = parts.scheme == "http" and _is_loopback(host or "")
    if (
        not HOST.fullmatch(host or "")
        or "@" in parts.netloc
        or parts.query
        or parts.fragment
    ):
        raise unfit
    if parts.scheme != "https" and not plain:
        raise unfit
    return str(value)


def _proxy(value: Any) -> str:
    """An http or https address; credentials may stand in it, and are not shown."""
    try:
        parts = urlsplit(_text(value))
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise Unfit("an http or https address") from None
    if parts.scheme not in {"http", "https"} or not HOST.fullmatch(host or ""):
        raise Unfit("an http or https address")
    return str(value)


def _base_url(value: Any) -> str:
    return _address(value).rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _one_of(*words: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in words:
            raise Unfit(f"one of {', '.join(words)}")
        return value

    return read


def _readers(dialects: Collection[str]) -> dict[str, Callable[[Any], Any]]:
    return {
        "dialect": _one_of(*dialects),
        "label": _label,
        "base_url": _base_url,
        "client_id": _text,
        "client_secret": _text,
        "countries": _countries,
        "send": _one_of("hash", "plain"),
        "hash_input": _one_of("plus", "digits"),
        "issuer": _text,
        "authorization_endpoint": _address,
        "token_endpoint": _address,
        "match_url": _address,
        "jwks_uri": _address,
        "deadline": _seconds,
        "connect_timeout": _seconds,
        "read_timeout": _seconds,
        "threads": _threads,
        "proxy": _proxy,
        "test": _flag,
    }
