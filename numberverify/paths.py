"""Paths without what leads to a person or opens a door: links in mails have tokens in
theirs, links for a phone have one that is typed, and pages about a number its
fingerprints."""

import re

UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
TYPED = r"(?<=/phone/)[^/\s\"]+"
TOKEN = re.compile(rf"(?<=/)(?!{UUID}(?:[/\s]|$))[\w:.=%-]{{20,}}|{TYPED}")
REMOVED = "…"


def without_tokens(path: str) -> str:
    """Return a path without segments of 20 characters or more that are no UUID,
    and without that of a link for a phone."""
    return TOKEN.sub(REMOVED, path)
