"""Reading the environment: strictly, and never showing a value: it may be secret."""

import os
import re
import warnings
from collections.abc import Callable
from datetime import timedelta
from email.utils import parseaddr
from ipaddress import ip_network
from typing import Any, TypeVar
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

PORTS = {"http": 80, "https": 443}
HOST = re.compile(r"[a-z0-9._:-]+")
ALLOWED = re.compile(r"\*|\.?[A-Za-z0-9._-]+|\[[0-9a-f:]+\]")
DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
DURATION = re.compile(r"([0-9]{1,9})([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
MAILBOX = re.compile(r"[^@\s]+@[^@\s]+")
T = TypeVar("T")


def text(name: str, default: str = "") -> str:
    """Not `env.str`: that takes a leading "$" for the name of another variable."""
    return os.environ.get(name, default).strip()


def read(name: str, parse: Callable[[str], T], default: str = "") -> T:
    try:
        return parse(text(name, default))
    except (ValueError, KeyError, environ.ImproperlyConfigured):
        # Neither the value nor a parser's words for it: it may hold a password.
        raise ImproperlyConfigured(f"{name} has a value that cannot be used") from None


def flag(word: str) -> bool:
    words = {"1": True, "true": True, "on": True, "yes": True}
    words |= {"": False, "0": False, "false": False, "off": False, "no": False}
    return words[word.lower()]


def names(listed: str) -> list[str]:
    return [name.strip() for name in listed.split(",") if name.strip()]


def one_of(*words: str) -> Callable[[str], str]:
    return dict(zip(words, words, strict=True)).__getitem__


def count(word: str, most: int = 36_500) -> int:
    number = int(word)
    if not 0 <= number <= most:
        raise ValueError
    return number


def positive(word: str) -> int:
    number = count(word)
    if number == 0:
        raise ValueError
    return number


def seconds(word: str) -> int:
    """Two years at most, and not none."""
    number = count(word, most=2 * 365 * 24 * 60 * 60)
    if number == 0:
        raise ValueError
    return number


def duration(word: str) -> timedelta:
    """Read a whole number with its unit, from a minute to a year: 90s, 30m, 1h, 14d."""
    found = DURATION.fullmatch(word)
    if not found:
        raise ValueError
    length = timedelta(**{UNITS[found[2]]: int(found[1])})
    if not timedelta(minutes=1) <= length <= timedelta(days=365):
        raise ValueError
    return length


def duration_or_never(word: str) -> timedelta | None:
    return None if word == "never" else duration(word)


def origin(address: str) -> str:
    """Return scheme, host and port as browsers send them (RFC 6454, 6.2)."""
    parts = urlsplit(address)
    host, port = parts.hostname, parts.port
    if parts.scheme not in PORTS or not host or not HOST.fullmatch(host):
        raise ValueError
    if parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError
    host = f"[{host}]" if ":" in host else host
    is_usual = port in (None, PORTS[parts.scheme])
    return f"{parts.scheme}://{host}" + ("" if is_usual else f":{port}")


def hosts(listed: str) -> list[str]:
    """Names as in ALLOWED_HOSTS: no scheme, no port; a leading dot or "*" may be."""
    found = names(listed)
    if not all(ALLOWED.fullmatch(name) for name in found):
        raise ValueError
    return found


def origins(listed: str) -> list[str]:
    found = names(listed)
    for one in found:
        origin(one.replace("://*.", "://"))
    return found


def networks(listed: str) -> list[str]:
    """Addresses, and networks like 10.0.0.0/8."""
    return [str(ip_network(name)) for name in names(listed)]


def mailbox(address: str) -> str:
    """An address, with or without a name before it."""
    if not MAILBOX.fullmatch(parseaddr(address)[1]):
        raise ValueError
    return address


def sms_backend(word: str) -> str:
    """Return the dotted path of a backend, or "" for none: SMS is not offered then."""
    ours = "numberverify.factors.sms"
    known = {
        "": "",
        "none": "",
        "console": f"{ours}.ConsoleBackend",
        "file": f"{ours}.FileBackend",
        "memory": f"{ours}.MemoryBackend",
        "operator": "numberverify.factors.operator_sms.OperatorBackend",
    }
    path = known.get(word.lower(), word)
    if path and not DOTTED.fullmatch(path):
        raise ValueError
    return path


def demanded(name: str, otherwise: str) -> str:
    value = text(name, otherwise)
    if not value:
        raise ImproperlyConfigured(f"{name} must be set, and not empty")
    return value


def backend(parse: Callable[..., dict[str, Any]], key: str) -> Callable[[str], Any]:
    """Read an address with one of django-environ's parsers, which lets much pass."""

    def parsed(address: str) -> dict[str, Any]:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what it does not know, it only warns of
            try:
                config = parse(address)
            except (Warning, TypeError, AttributeError):
                raise ValueError from None
        if "." not in str(config.get(key, "")):  # a dotted path of a backend
            raise ValueError
        return config

    return parsed
