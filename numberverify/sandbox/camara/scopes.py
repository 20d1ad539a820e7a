"""What a client may ask for, and why: one purpose beside the names of the APIs.

An old spelling, which some operators still demand, joins the two by a "#".
"""

from collections.abc import Set
from dataclasses import dataclass

from numberverify.sandbox.endpoint import demand

# The names are those of the W3C's Data Privacy Vocabulary.
PURPOSES = frozenset(
    {
        "dpv:FraudPreventionAndDetection",
        "dpv:IdentityVerification",
        "dpv:RequestedServiceProvision",
        "dpv:ServiceProvision",
    }
)
VERIFY = "number-verification:verify"
SHARE = "number-verification:device-phone-number:read"
SIM_SWAP_CHECK = "sim-swap:check"
SIM_SWAP = "sim-swap"
RECYCLING = "number-recycling:check"
ONE_TIME_PASSWORD = "one-time-password-sms:send-validate"  # noqa: S105  a scope

NUMBER_VERIFICATION = frozenset({VERIFY, SHARE})
SIBLINGS = frozenset({SIM_SWAP_CHECK, SIM_SWAP, RECYCLING, ONE_TIME_PASSWORD})
OLD_SPELLINGS = {"number-verification-verify-read": VERIFY, VERIFY: VERIFY} | {
    scope: scope for scope in SIBLINGS
}


@dataclass(frozen=True, slots=True)
class Scope:
    asked: str
    openid: bool
    purposes: frozenset[str]
    apis: frozenset[str]


def read(asked: str, *, old_scopes: bool = False) -> Scope:
    """Return what the words of a scope mean; raise Refusal (invalid_scope)."""
    words = asked.split(" ")
    demand(len(set(words)) == len(words), "A scope is doubled", "invalid_scope")
    meant: set[str] = set()
    for word in words:
        meant |= _meaning(word, old_scopes=old_scopes)
    known = {"openid"} | PURPOSES | NUMBER_VERIFICATION | SIBLINGS
    demand(meant <= known, "A scope is unknown", "invalid_scope")
    return Scope(
        asked,
        "openid" in meant,
        frozenset(meant & PURPOSES),
        frozenset(meant & (NUMBER_VERIFICATION | SIBLINGS)),
    )


def demand_apis(scope: Scope, allowed: Set[str]) -> None:
    fits = bool(scope.apis) and scope.apis <= allowed
    demand(fits, "Other scopes are needed here", "invalid_scope")


def demand_purpose(scope: Scope) -> None:
    demand(len(scope.purposes) == 1, "One dpv: purpose is needed", "invalid_scope")


def _meaning(word: str, *, old_scopes: bool) -> set[str]:
    purpose, _, api = word.partition("#")
    if old_scopes and purpose in PURPOSES and api in OLD_SPELLINGS:
        return {purpose, OLD_SPELLINGS[api]}
    return {word}
