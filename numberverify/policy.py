"""What a purpose needs. Pure: facts and the time come in, a decision comes out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from .choices import Because

# From the start to the operator's redirect back.
PENDING_FOR = timedelta(minutes=5)
# From the verdict to the effect that it pays for.
RECEIPT_FOR = timedelta(minutes=5)
# An exchange older than this belongs to a process that died: operators' deadlines
# are at most a minute.
EXCHANGING_FOR = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class LoginFacts:
    """What is known about this account in this browser."""

    has_number: bool
    browser_is_known: bool
    last_proof_at: datetime | None


def login_needs(
    facts: LoginFacts, *, policy: str, max_age: timedelta, now: datetime
) -> Because | None:
    """Say why a login needs a verification, or None when it needs none.

    `policy` is NV_LOGIN_POLICY; `max_age` counts from the last proof in this browser.
    """
    if policy == "never" or not facts.has_number:
        return None
    if policy == "always":
        return Because.ALWAYS
    if not facts.browser_is_known:
        return Because.NEW_BROWSER
    if facts.last_proof_at is None or now - facts.last_proof_at > max_age:
        return Because.STALE
    return None
