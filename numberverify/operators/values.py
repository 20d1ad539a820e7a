"""The values in a table of `operators.toml`, each read strictly and never shown."""

import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

# Names of labels of 63 characters at most (RFC 1035, 2.3.4); or an IPv6 address.
HOST = re.compile(r"([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?|[0-9a-f:.]+")
COUNTRY = re.compile(r"[A-Z]{2}")
LONGEST_DEADLINE = 60  # seconds
MOST_THREADS = 1000
MOST_FAILURES = 1000
LONGEST_PAUSE = 60 * 60  # seconds

Reader = Callable[[Any], Any]


class Unfit(ValueError):
    """Says what a value must be, and nothing of what it is: it may be a secret.

    `problem` is one of the words of `ConfigurationError.problem`.
    """

    def __init__(self, message: str, problem: str = "value") -> None:
        super().__init__(message)
        self.problem = problem


def text(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise Unfit("text on one line")
    return value


def pem(value: Any) -> str:
    """Text of several lines; what key it holds is found out with the algorithm."""
    if not isinstance(value, str):
        raise Unfit("text in PEM", "key")
    return value


def label(value: Any) -> Any:
    """Text, or a translation of it that waits for its language."""
    if isinstance(value, (bool, int, float, list, dict)):
        raise Unfit("text")
    return value


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Unfit("true or false")
    return value


def seconds(value: Any) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 < value <= LONGEST_DEADLINE:
        raise Unfit(f"a number of seconds above 0 and at most {LONGEST_DEADLINE}")
    return float(value)


def pause(value: Any) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 < value <= LONGEST_PAUSE:
        raise Unfit(f"a number of seconds above 0 and at most {LONGEST_PAUSE}")
    return float(value)


def threads(value: Any) -> int:
    return _whole(value, MOST_THREADS)


def failures(value: Any) -> int:
    return _whole(value, MOST_FAILURES)


def _whole(value: Any, most: int) -> int:
    if type(value) is not int or not 0 < value <= most:
        raise Unfit(f"a whole number from 1 to {most}")
    return value


def countries(value: Any) -> tuple[str, ...]:
    listed: list[Any] = list(value) if isinstance(value, (list, tuple)) else [None]
    if not all(isinstance(one, str) and COUNTRY.fullmatch(one) for one in listed):
        raise Unfit('a list of ISO 3166 codes, like ["GB"]')
    return tuple(listed)


def address(value: Any) -> str:
    """An endpoint to which a path may be added: without a query."""
    fit = "an https address without query and credentials (http on loopback)"
    if "?" in endpoint(value, fit):
        raise Unfit(fit)
    return str(value)


def endpoint(
    value: Any, fit: str = "an https address without credentials (http on loopback)"
) -> str:
    """An https address; over http, which shows secrets to the way, on loopback only.

    It may have a query of its own (RFC 6749, 3.1 and 3.2).
    """
    try:
        parts = urlsplit(text(value))
        host, _port = parts.hostname, parts.port
    except ValueError:  # urllib's words quote the address, with a password in it
        raise Unfit(fit) from None
    if (
        not HOST.fullmatch(host or "")
        or parts.scheme not in {"http", "https"}
        or "@" in parts.netloc
        or "#" in value
        or " " in value
    ):
        raise Unfit(fit)
    if parts.scheme == "http" and not is_loopback(host or ""):
        raise Unfit(fit, "http")
    return str(value)


def proxy(value: Any) -> str:
    """An http or https address; credentials may stand in it, and are not shown."""
    try:
        parts = urlsplit(text(value))
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise Unfit("an http or https address") from None
    if parts.scheme not in {"http", "https"} or not HOST.fullmatch(host or ""):
        raise Unfit("an http or https address")
    return str(value)


def base_url(value: Any) -> str:
    return address(value).rstrip("/")


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def one_of(*words: str) -> Reader:
    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in words:
            raise Unfit(f"one of {', '.join(words)}")
        return value

    return read
