"""Reading what operators send: strictly, and in one place."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from ..errors import MalformedAnswer


def json_object(body: bytes) -> dict[str, Any]:
    """Parse a JSON object; raise MalformedAnswer for anything else.

    Refused: other encodings than UTF-8, doubled keys (two readers would pick
    different ones), NaN and Infinity, and nesting beyond the parser's depth.
    """
    try:
        parsed = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_without_doubles,
            parse_constant=_refuse_constant,
        )
        # Half a character, written as an escape, is no UTF-8 either.
        json.dumps(parsed, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise MalformedAnswer("not strict JSON") from error
    if not isinstance(parsed, dict):
        raise MalformedAnswer("not a JSON object")
    return parsed


def boolean(answer: Mapping[str, Any], key: str) -> bool:
    """Return `answer[key]` when it is a JSON true or false, else raise."""
    value = answer.get(key)
    # Not bool(value): some gateways send the text "false", which is truthy.
    if not isinstance(value, bool):
        raise MalformedAnswer(f"no boolean {key!r}")
    return value


def text(answer: Mapping[str, Any], key: str) -> str:
    """Return `answer[key]` when it is text, not empty and without NUL, else raise."""
    value = answer.get(key)
    if not isinstance(value, str) or not value or "\0" in value:
        raise MalformedAnswer(f"no text {key!r}")
    return value


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    parsed = dict(pairs)
    if len(parsed) < len(pairs):
        raise ValueError("doubled key")
    return parsed


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")
