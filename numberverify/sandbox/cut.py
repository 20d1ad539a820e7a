"""What may be shown of what went over the wire.

A name that is not known to be harmless has its value cut, so that a new one starts
out cut. Only what is cut is kept: the whole is nowhere but on its way.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext
from joserfc import jws
from joserfc.errors import JoseError

from numberverify.sandbox import strict_json
from numberverify.sandbox.handset import E164

Lines = tuple[tuple[str, str], ...]

BEGINNING = 6  # characters, by which one is recognised in the next exchange
LONG_ENOUGH = 24  # to lose that many to whoever looks over a shoulder
LONGEST = 300  # of what is shown whole
MOST_LINES = 24
# Longer than any name in the operator's addresses, shorter than a ticket.
TICKET = re.compile(r"(?<=[^/]/)[^/]{32,}")
LENGTH = re.compile(r"… \((\d+) characters\)")  # as `cut` leaves it
NAME = re.compile(r"[A-Za-z][A-Za-z_.-]{0,39}")
# What CAMARA calls "code" in an error, and no code that anybody could use.
ERROR_CODE = re.compile(r"[A-Z][A-Z_.]+")
HARMLESS = frozenset(
    """
    client_id redirect_uri response_type scope version acr_values prompt response_mode
    code_challenge_method correlation_id iss error error_description status message
    grant_type client_assertion_type token_type expires_in
    device_msisdn_verified devicePhoneNumberVerified
    alg kid typ aud azp exp iat nbf auth_time acr amr
    """.split()  # noqa: SIM905  as a list it would fill a page
)
JWTS = {"id_token", "client_assertion", "assertion"}


def cut(value: str) -> str:
    """The beginning of something long, nothing of something short."""
    beginning = value[:BEGINNING] if len(value) >= LONG_ENOUGH else ""
    return f"{beginning}… ({len(value)} characters)"


def in_words(text: str) -> str:
    """What was cut, in the language of whoever reads it now."""
    words = gettext("… (%(count)s characters)")
    return LENGTH.sub(lambda found: words % {"count": found[1]}, text)


def lines_in_words(lines: Lines) -> Lines:
    return tuple((name, in_words(line)) for name, line in lines)


def number(value: str) -> str:
    """Both ends of a phone number that has a middle; of anything else as `cut`."""
    has_middle = len(value) > 9 and E164.fullmatch(value)
    return f"{value[:3]}…{value[-3:]}" if has_middle else cut(value)


def path(value: str) -> str:
    return TICKET.sub(lambda found: cut(found[0]), value)


def parameters(query: Mapping[str, Any]) -> Lines:
    """Those of a query or a form."""
    return _bounded(
        line for name, value in query.items() for line in _named(name, value, value)
    )


def members(body: object) -> Lines:
    """Those of a JSON object and of the objects in it, with values as JSON has them."""
    return _bounded(_of_object(body))


def _of_object(body: object, within: str = "") -> Iterable[tuple[str, str]]:
    if not isinstance(body, dict):
        return
    for name, value in body.items():
        if isinstance(value, dict) and not within:
            yield from _of_object(value, f"{_name(name)} / ")
            continue
        text = value if isinstance(value, str) else strict_json.written(value)
        quoted = strict_json.written(value)
        for line_name, line in _named(name, text, quoted):
            yield within + line_name, line


def _named(name: str, text: str, shown: str) -> Iterable[tuple[str, str]]:
    if name in JWTS:
        yield from _of_jwt(name, text)
    elif _is_harmless(name, text) and len(shown) <= LONGEST:
        yield _name(name), shown
    else:
        yield _name(name), number(text)


def _is_harmless(name: str, text: str) -> bool:
    error = name == "code" and ERROR_CODE.fullmatch(text) is not None
    return error or name in HARMLESS


def _of_jwt(name: str, raw: str) -> Iterable[tuple[str, str]]:
    """What it says, without the signature that would make it good."""
    try:
        token = jws.extract_compact(raw.encode("utf-8"))
        claims = strict_json.parse(token.payload or b"")
    except (JoseError, ValueError):
        yield name, cut(raw)
        return
    yield from _of_object(token.headers(), f"{name} / ")
    yield from _of_object(claims, f"{name} / ")


def _name(name: str) -> str:
    # It is the other side's too, and could be anything.
    return name if NAME.fullmatch(name) else "…"


def _bounded(lines: Iterable[tuple[str, str]]) -> Lines:
    return tuple(lines)[:MOST_LINES]
