"""What a confirm page shows, signed, so that just that is begun with its button.

Dynamic linking (PSD2 RTS, article 5): the proof is for these details and no others.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core import signing
from django.utils.crypto import salted_hmac

SALT = "numberverify.confirmed"
LIES_OPEN_FOR = 60 * 60  # seconds
MAX_SIZE = 4000  # characters of what was typed

Details = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Confirmed:
    """`details` are what the person confirms; `typed` comes back into the form."""

    details: Details = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)


def write(confirmed: Confirmed, action: str, user: Any) -> str:
    """Return the value of a hidden field; empty when there is nothing to say."""
    too_long = len(str(confirmed.typed)) > MAX_SIZE
    typed = {} if too_long else dict(confirmed.typed)
    if not typed and not confirmed.details:
        return ""
    said = [action, str(user.pk), dict(confirmed.details), typed]
    return signing.dumps(said, salt=SALT, compress=True)


def read(value: str, action: str, user: Any) -> Confirmed | None:
    """Return what a page of ours showed to this person for this action."""
    try:
        said = signing.loads(value, salt=SALT, max_age=LIES_OPEN_FOR)
    except signing.BadSignature:
        return None
    of_action, of_user, details, typed = said
    if (of_action, of_user) != (action, str(user.pk)):
        return None
    return Confirmed(details, typed)


def digest_of(action: str, details: Details) -> bytes:
    """Return the HMAC-SHA-256 of the details as canonical JSON: keys sorted, no white
    space, UTF-8. Empty where there are none."""
    if not details:
        return b""
    text = json.dumps(
        [action, dict(details)],
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return salted_hmac("numberverify.details", text, algorithm="sha256").digest()
