"""Reading the tables of `operators.toml`: strictly, and without showing a value."""

import os
import re
from collections.abc import Collection, Mapping
from typing import Any

from ..errors import ConfigurationError
from . import values as read_as
from .base import OperatorSettings
from .values import Reader, Unfit

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
DEMANDED = ("dialect", "base_url", "client_id", "client_secret")


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
    name: str, table: Any, readers: Mapping[str, Reader]
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


def _readers(dialects: Collection[str]) -> dict[str, Reader]:
    return {
        "dialect": read_as.one_of(*dialects),
        "label": read_as.label,
        "base_url": read_as.base_url,
        "client_id": read_as.text,
        "client_secret": read_as.text,
        "countries": read_as.countries,
        "send": read_as.one_of("hash", "plain"),
        "hash_input": read_as.one_of("plus", "digits"),
        "issuer": read_as.text,
        "authorization_endpoint": read_as.address,
        "token_endpoint": read_as.address,
        "match_url": read_as.address,
        "jwks_uri": read_as.address,
        "deadline": read_as.seconds,
        "connect_timeout": read_as.seconds,
        "read_timeout": read_as.seconds,
        "threads": read_as.threads,
        "proxy": read_as.proxy,
        "test": read_as.flag,
    }
