"""Logs without secrets: no query strings, no tokens from the path of a link."""

import logging
import re
from collections.abc import Mapping

# Operators put codes into the callback's query string, mails put tokens into paths.
QUERY = re.compile(r"\?\S*")
UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
TOKEN = re.compile(rf"(?<=/)(?!{UUID}(?:[/\s]|$))[\w:.=%-]{{20,}}")
REMOVED = "…"


def redact(text: str) -> str:
    """Return a request line or a path without its query string and tokens.

    A token is a path segment of 20 characters or more that is not a UUID.
    """
    return TOKEN.sub(REMOVED, QUERY.sub("", text))


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
