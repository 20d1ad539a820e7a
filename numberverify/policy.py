"""What a purpose needs and accepts. Pure: facts and the time in, a decision out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .choices import Because, Method, Purpose
from .errors import ConfigurationError

# From the start to the operator's redirect back.
PENDING_FOR = timedelta(minutes=5)
# From the verdict to the effect that it pays for.
RECEIPT_FOR = timedelta(minutes=5)
# An exchange older than this belongs to a process that died: operators' deadlines
# are at most a minute.
EXCHANGING_FOR = timedelta(minutes=2)
# So long after the code came back, whoever still looks at the page is told that this
# goes on, and then is offered the other ways.
REASSURED_AFTER = timedelta(seconds=5)
OFFERED_OTHERS_AFTER = timedelta(seconds=15)

# A code that a person types (NIST SP 800-63B-4, 3.1.3.2: ten minutes, a new code does
# not reset the count of failures).
CODE_FOR = timedelta(minutes=10)
TRIES = 5
RESEND_AFTER = timedelta(seconds=30)
# Wrong codes in a row, however many hours they take.
MOST_FAILURES = 100
# Text messages within CLOSED_FOR.
MOST_CODES = 5
# After a "no match" or too many wrong codes.
CLOSED_FOR = timedelta(hours=1)
# A link to the phone, from a desktop to its claim and "yes"; wrong digits end it.
HANDOFF_FOR = PENDING_FOR
DIGIT_TRIES = 2
# What is over stays so long, for who asks what happened.
HANDOFF_KEPT = timedelta(days=7)
# A manual verification waits for two members of staff, then for the person.
MANUAL_WAITS = timedelta(hours=24)
MANUAL_RECEIPT_FOR = timedelta(hours=1)

# A journey outlives its verifications: so long may a person choose another way.
GOES_ON_FOR = timedelta(minutes=30)

# Whose numbers are on no file yet.
NEW_NUMBERS = frozenset({Purpose.SIGNUP, Purpose.PHONE_CHANGE})
TYPED = frozenset({Method.SMS, Method.TOTP, Method.RECOVERY_CODE})
PROVES_NUMBER = frozenset({Method.NETWORK, Method.SMS})
BY_THE_PERSON = PROVES_NUMBER | {Method.TOTP, Method.RECOVERY_CODE}
BY_ANYBODY = BY_THE_PERSON | {Method.MANUAL}

# The most that settings may let a purpose accept. A number is proved by what proves a
# number; a password reset or a change of number is never in the hands of staff.
MAY_ACCEPT: Mapping[Purpose, frozenset[Method]] = {
    Purpose.SIGNUP: PROVES_NUMBER,
    Purpose.LOGIN: BY_ANYBODY,
    Purpose.PASSWORD_CHANGE: BY_ANYBODY,
    Purpose.PASSWORD_RESET: BY_THE_PERSON,
    Purpose.PHONE_CHANGE: PROVES_NUMBER,
    Purpose.STEP_UP: BY_ANYBODY,
}
# What they accept where settings say nothing.
ACCEPTS: Mapping[Purpose, frozenset[Method]] = {
    **MAY_ACCEPT,
    Purpose.PASSWORD_CHANGE: BY_THE_PERSON,
    Purpose.STEP_UP: BY_THE_PERSON,
}
# Which may go by way of a phone where settings say nothing. Not what would give a thief
# of the session the account for good: a new password by mail, another number.
HANDS_OVER = ("signup", "login", "password_change", "step_up", "-change_phone")
SERVES = ("once", "age")


@dataclass(frozen=True, slots=True)
class Action:
    """A row of the step-up table.

    A proof serves `once` (a receipt, redeemed in the transaction of the effect) or for
    its `age` (redeemed into the session, good for `max_age`).
    """

    name: str
    label: Any
    max_age: timedelta
    methods: frozenset[Method]
    serves: str
    # A recent SIM swap leaves only what proves the person, not the number.
    sim_swap: bool = False

    @property
    def purpose(self) -> Purpose:
        """An action named like a purpose is that purpose."""
        return Purpose(self.name) if self.name in Purpose.values else Purpose.STEP_UP

    @property
    def in_row(self) -> str:
        """What stands in the row's `action`."""
        return self.name if self.purpose == Purpose.STEP_UP else ""


def read_action(name: str, table: Mapping[str, Any]) -> Action:
    """Read a row of NV_STEP_UP; raise ConfigurationError, which names the row."""
    try:
        action = Action(
            name=name,
            label=table["label"],
            max_age=timedelta(seconds=table.get("max_age", RECEIPT_FOR.seconds)),
            methods=frozenset(map(Method, table.get("methods", BY_THE_PERSON))),
            serves=table.get("serves", "once"),
            sim_swap=table.get("sim_swap", False),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ConfigurationError(f"step-up action {name!r}: {error}") from None
    unknown = set(table) - {"label", "max_age", "methods", "serves", "sim_swap"}
    most = RECEIPT_FOR if action.serves == "once" else timedelta(days=1)
    problems = {
        f"unknown keys {sorted(unknown)}": unknown,
        f"serves must be one of {SERVES}": action.serves not in SERVES,
        "accepts no method": not action.methods,
        "sim_swap must be True or False": not isinstance(action.sim_swap, bool),
        f"max_age must be above 0 and at most {most.total_seconds():.0f} seconds": not (
            timedelta(0) < action.max_age <= most
        ),
        f"{action.purpose} may not accept all of these methods": (
            action.methods - MAY_ACCEPT[action.purpose]
        ),
        "the name is longer than 50 characters": len(name) > 50,
        "a journey of its own proves this": action.purpose
        not in (Purpose.STEP_UP, Purpose.PASSWORD_CHANGE),
    }
    for problem, is_so in problems.items():
        if is_so:
            raise ConfigurationError(f"step-up action {name!r}: {problem}")
    return action


@dataclass(frozen=True, slots=True)
class LoginFacts:
    """What is known about this account in this browser."""

    can_prove: bool
    browser_is_known: bool
    last_proof_at: datetime | None


def login_needs(
    facts: LoginFacts, *, policy: str, max_age: timedelta, now: datetime
) -> Because | None:
    """Say why a login needs a verification, or None when it needs none.

    `policy` is NV_LOGIN_POLICY; `max_age` counts from the last proof in this browser.
    """
    if policy == "never" or not facts.can_prove:
        return None
    if policy == "always":
        return Because.ALWAYS
    if not facts.browser_is_known:
        return Because.NEW_BROWSER
    if facts.last_proof_at is None or now - facts.last_proof_at > max_age:
        return Because.STALE
    return None
