"""Logs without secrets: no query strings, no tokens from the path of a link."""

import json
import logging
import re
import traceback
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from numberverify import correlation
from numberverify.paths import without_tokens

# Operators put codes into the callback's query string, mails put tokens into paths.
QUERY = re.compile(r"\?\S*")


def redact(text: str) -> str:
    """Return a request line or a path without its query string and tokens.

    A token is a path segment of 20 characters or more that is not a UUID.
    """
    return without_tokens(QUERY.sub("", text))


class Redact(logging.Filter):
    """Redact what requests put into a record: paths and request lines."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                redact(arg) if isinstance(arg, str) and "/" in arg else arg
                for arg in record.args
            )
        elif isinstance(record.args, Mapping):
            record.args = {
                key: redact(arg) if isinstance(arg, str) and "/" in arg else arg
                for key, arg in record.args.items()
            }
        return True


class JsonLines(logging.Formatter):
    """One JSON object a line, with the verification that its request is about.

    Of an error its kinds and places: what it says may quote a number, as PostgreSQL
    does with the values of a row.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if verification := _verification(record):
            line["verification"] = verification
        if record.name == "gunicorn.access" and isinstance(record.args, Mapping):
            line |= _served(record.args)
        if record.exc_info and record.exc_info[1]:
            errors = list(_chain(record.exc_info[1]))
            line["errors"] = [type(error).__name__ for error in errors]
            line["at"] = [place for error in errors for place in _places(error)]
        return json.dumps(line, ensure_ascii=False)


def _verification(record: logging.LogRecord) -> str:
    """What Django says of a response, it says when the request is over."""
    about: Mapping[str, str] = getattr(getattr(record, "request", None), "META", {})
    return correlation.current() or about.get(correlation.KEY, "")


def _served(atoms: Mapping[str, Any]) -> dict[str, Any]:
    """What gunicorn says of a request, by name (its letters: access_log_format)."""
    return {
        "client": atoms["h"],
        "method": atoms["m"],
        "path": atoms["U"],
        "status": int(atoms["s"]),
        "bytes": atoms["B"],
        "microseconds": atoms["D"],
    }


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        hidden = None if error.__suppress_context__ else error.__context__
        error = error.__cause__ or hidden


def _places(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
