"""From tables of settings to operators that can be asked, each with its own threads."""

import os
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from functools import cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from ..errors import ConfigurationError, OperatorTimeout
from .base import Answer, Callback, Deadline, Operator, OperatorSettings, Question
from .mobile_connect import MobileConnect

DIALECTS: dict[str, type[Operator]] = {"mobile-connect": MobileConnect}
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
URL_KEYS = (
    "base_url",
    "authorization_endpoint",
    "token_endpoint",
    "match_url",
    "jwks_uri",
)
CHOICES = {
    "dialect": set(DIALECTS),
    "send": {"hash", "plain"},
    "hash_input": {"plus", "digits"},
}
LONGEST_DEADLINE = 60  # seconds


class Line:
    """One operator and the threads that ask it."""

    def __init__(self, settings: OperatorSettings) -> None:
        self.settings = settings
        self.operator = DIALECTS[settings.dialect](settings)
        self.threads = ThreadPoolExecutor(settings.threads, f"operator-{settings.name}")

    def ask(self, callback: Callback, question: Question) -> Answer:
        """Ask in the operator's own threads; raise OperatorTimeout at the deadline.

        The wait ends on time even when the thread does not: a server that drips
        its headers holds one of its own threads, never one of a request.
        """
        within = Deadline.after(self.settings.deadline)
        asked = self.threads.submit(self.operator.ask, callback, question, within)
        try:
            return asked.result(timeout=self.settings.deadline)
        except TimeoutError:
            asked.cancel()  # still queued: the code must not be spent later
            raise OperatorTimeout from None


@cache
def line_to(settings: OperatorSettings) -> Line:
    """Return this process's one line to the operator, made at its first use."""
    return Line(settings)


def read_tables(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, OperatorSettings]:
    """Check the tables of `operators.toml`; raise ConfigurationError, which names
    the table and the key and never shows a value."""
    return {name: _read_table(name, table) for name, table in tables.items()}


def _read_table(name: str, table: Mapping[str, Any]) -> OperatorSettings:
    where = f"operator {name!r}"
    if not NAME.fullmatch(name):
        raise ConfigurationError(f"{where}: the name is not like 'vodafone-uk'")
    if not isinstance(table, Mapping):
        raise ConfigurationError(f"{where}: not a table")
    known = {field.name for field in fields(OperatorSettings)} - {"name"}
    values = {**table, "countries": tuple(table.get("countries", ()))}
    if variable := values.pop("client_secret_env", None):
        if "client_secret" in values:
            raise ConfigurationError(f"{where}: client_secret and client_secret_env")
        values["client_secret"] = os.environ.get(variable, "")
        if not values["client_secret"]:
            raise ConfigurationError(f"{where}: {variable} is not set")
    for key in values:
        if key not in known:
            raise ConfigurationError(f"{where}: unknown key {key!r}")
    for key in ("dialect", "base_url", "client_id", "client_secret"):
        if not values.get(key):
            raise ConfigurationError(f"{where}: {key} is missing")
    try:
        settings = OperatorSettings(name=name, **values)
        _check_values(settings)
    except (TypeError, ValueError, AttributeError) as error:
        raise ConfigurationError(f"{where}: {error}") from error
    return settings


def _check_values(settings: OperatorSettings) -> None:
    for key, allowed in CHOICES.items():
        if getattr(settings, key) not in allowed:
            raise ValueError(f"{key} must be one of {', '.join(sorted(allowed))}")
    for key in URL_KEYS:
        url = getattr(settings, key)
        if url:
            _check_url(key, url)
    if not 0 < settings.deadline <= LONGEST_DEADLINE:
        raise ValueError(f"deadline must be above 0 and at most {LONGEST_DEADLINE} s")
    if min(settings.connect_timeout, settings.read_timeout, settings.threads) <= 0:
        raise ValueError("time-outs and threads must be above 0")


def _check_url(key: str, url: str) -> None:
    parts = urlsplit(url)
    if not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError(f"{key} must be an address without query and credentials")
    if parts.scheme == "https":
        return
    if parts.scheme != "http" or not _is_loopback(parts.hostname):
        raise ValueError(f"{key} must be https (http only on the loopback)")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
