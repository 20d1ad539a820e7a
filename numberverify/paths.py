"""Paths without what leads to a person or opens a door: links in mails have tokens in
theirs, and pages about a number its fingerprints."""

import re

UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
TOKEN = re.compile(rf"(?<=/)(?!{UUID}(?:[/\s]|$))[\w:.=%-]{{20,}}")
REMOVED = "…"


def without_tokens(path: str) -> str:
    """Return a path without segments of 20 characters or more that are no UUID."""
    return TOKEN.sub(REMOVED, path)
