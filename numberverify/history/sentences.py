"""What happened at a row and why, in sentences for staff.

Each sentence is whole, so that it can be translated; a row's are set side by side. They
say what the row says and no more: a reason that no sentence tells of is named as it is.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .. import routing
from ..choices import Because, Method, Purpose, Reason, SimSwap, Status
from ..models import Verification

ICONS = {
    Status.PENDING: "…",
    Status.EXCHANGING: "…",
    Status.VERIFIED: "✓",
    Status.MISMATCHED: "✗",
    Status.UNAVAILABLE: "?",
    Status.REFUSED: "⊘",
    Status.EXPIRED: "○",
}
BECAUSE = {
    Because.ALWAYS: _("Asked because the site asks at every login."),
    Because.NEW_BROWSER: _("Asked because this browser was new."),
    Because.STALE: _("Asked because the last proof in this browser was too old."),
}
REQUIRED_BY = {
    Purpose.SIGNUP: _("Asked because every signup is."),
    Purpose.LOGIN: _("Asked because this login was waiting for a proof."),
    Purpose.PASSWORD_CHANGE: _("Asked because every change of password is."),
    Purpose.PASSWORD_RESET: _("Asked because every reset of a password is."),
    Purpose.PHONE_CHANGE: _("Asked because every new number is."),
    Purpose.STEP_UP: _("Asked because the action “%(action)s” takes a proof."),
}
VERIFIED = {
    Method.NETWORK: _("%(Operator)s said that the SIM has this number."),
    Method.SMS: _("The code of the text message was right."),
    Method.TOTP: _("The code of the authenticator app was right."),
    Method.RECOVERY_CODE: _("The recovery code was right."),
    Method.MANUAL: _("Two members of staff said that it is this person."),
}
PENDING = {
    Method.NETWORK: _(
        "The browser was sent to %(operator)s and has not come back so far."
    ),
    Method.SMS: _("The code of a text message is still to be typed."),
    Method.TOTP: _("The code of an authenticator app is still to be typed."),
    Method.RECOVERY_CODE: _("A recovery code is still to be typed."),
    Method.MANUAL: _("Two members of staff have still to say that it is this person."),
}
EXPIRED = {
    Method.NETWORK: _("The browser did not come back from %(operator)s in time."),
    Method.SMS: _("Nobody typed the code of the text message in time."),
    Method.TOTP: _("Nobody typed a code of the authenticator app in time."),
    Method.RECOVERY_CODE: _("Nobody typed a recovery code in time."),
    Method.MANUAL: _("Staff did not decide in time."),
}
WAYS = {
    Method.NETWORK: _("The check by the mobile network was not open here:"),
    Method.SMS: _("A text message was not open here:"),
    Method.TOTP: _("An authenticator app was not open here:"),
    Method.RECOVERY_CODE: _("A recovery code was not open here:"),
    Method.MANUAL: _("Asking staff was not open here:"),
}
NO_SIM_NAMED = _("The person has not said so far which network the SIM is on.")
NEVER_NAMED = _("The person did not say in time which network the SIM is on.")
CLOSED = _(
    "not allowed for this purpose, not set up, or closed by an earlier “no match”, by "
    "wrong codes or by too many text messages."
)
REASONS: dict[str, Any] = {
    Reason.NOT_ON_PHONE: _(
        "The person was not on the phone with the number, or has no number, so the "
        "network was not asked."
    ),
    Reason.SIM_SWAPPED: _(
        "The number may have got another SIM lately, so this way proves too little."
    ),
    Reason.SMS_NOT_SENT: _("The text message could not be sent."),
    Reason.WRONG_CODES: _("Too many wrong codes were typed."),
    Reason.WRONG_DIGITS: _(
        "On the phone other digits were typed, twice, than the computer showed."
    ),
    Reason.NOT_ME: _("On the phone somebody said that it was not them."),
    Reason.CODE_OVER: _("The operator took no more tries at the code that it made."),
    Reason.REPLACED: _("The person asked again, and the newer code took its place."),
    Reason.NOT_APPROVED: _("A second member of staff declined."),
    Reason.WITHDRAWN: _("The account was frozen, shut or closed meanwhile."),
    Reason.NO_OPERATOR: _(
        "No operator of the site serves the number's country, so nobody was asked."
    ),
    Reason.NOT_ON_MOBILE_NETWORK: _(
        "%(Operator)s did not see the device on its network. That happens on Wi-Fi, "
        "through a VPN, at a computer, or on another network."
    ),
    Reason.ACCESS_DENIED: _(
        "%(Operator)s did not allow the check, or the person said no there."
    ),
    Reason.CONSENT_REQUIRED: _("%(Operator)s wants the person's consent first."),
    Reason.AUTHORIZATION_FAILED: _("%(Operator)s sent the browser back with an error."),
    Reason.MALFORMED_CALLBACK: _(
        "The browser came back with what is no answer of %(operator)s, so nothing was "
        "exchanged."
    ),
    Reason.OTHER_BROWSER: _(
        "The answer came back in another browser than the one that began, so nothing "
        "was exchanged."
    ),
    Reason.OTHER_OPERATOR: _(
        "The answer of one operator came to the address of another, so nothing was "
        "exchanged."
    ),
    Reason.NOT_THEIR_NUMBER: _("%(Operator)s said that the number is none of its own."),
    Reason.INSUFFICIENT_SCOPE: _(
        "%(Operator)s gave a token that is not good for the question."
    ),
    Reason.OPERATOR_TOKEN_REFUSED: _(
        "The app brought no token of the SIM that %(operator)s takes."
    ),
    Reason.BAD_DISCOVERY: _("What %(operator)s publishes of itself did not hold."),
    Reason.BREAKER_OPEN: _(
        "%(Operator)s had failed repeatedly just before, so it was not asked."
    ),
    Reason.OPERATOR_BUSY: _(
        "Too many waited for %(operator)s already, and it answered nobody, so it was "
        "not asked."
    ),
    Reason.OPERATOR_UNREACHABLE: _(
        "%(Operator)s could not be reached, or said that it is down."
    ),
    Reason.OPERATOR_TIMEOUT: _("%(Operator)s did not answer in time."),
    Reason.OPERATOR_REFUSED: _("%(Operator)s refused the call of our server."),
    Reason.MALFORMED_ANSWER: _("The answer of %(operator)s made no sense."),
    Reason.BAD_ID_TOKEN: _("The ID token of %(operator)s did not hold."),
    Reason.SUBJECT_MISMATCH: _("%(Operator)s answered about two subscribers."),
    Reason.INTERRUPTED: _("Our own server stopped or failed meanwhile."),
}
BY_PHONE = _(
    "It began at another device, a computer for one, and was to be carried out on the "
    "phone."
)
SIM_SWAP = {
    SimSwap.YES: _("The operator said that the SIM was changed lately."),
    SimSwap.NO: _("The operator said that the SIM was not changed lately."),
    SimSwap.UNKNOWN: _("Nobody could say whether the SIM was changed lately."),
}


@dataclass(frozen=True, slots=True)
class Names:
    """What an operator is called: at the start of a sentence, and within one."""

    first: str
    inside: str


def operator_names(name: str) -> Names:
    """The history outlives an operator's table: its short name stays."""
    asked = routing.operators().get(name)
    label = str(asked.label) if asked and asked.label else name
    # What people read of an operator that was given no name of its own.
    if not label or label == gettext("your mobile network"):
        return Names(gettext("The mobile network"), gettext("the mobile network"))
    return Names(capfirst(label), label)


def story(row: Verification, *, now: datetime) -> list[str]:
    """Return the sentences about a row: why it was asked, how it ended, what that
    means, what came of it."""
    names = operator_names(row.operator)
    told = {
        "Operator": names.first,
        "operator": names.inside,
        "action": row.action or "–",
    }
    lazily = [_why(row), *_by_phone(row), *_end(row, now), *_meaning(row)]
    return [str(sentence) % told for sentence in lazily]


def _why(row: Verification) -> Any:
    because = Because(row.asked_because)
    return BECAUSE.get(because) or REQUIRED_BY[Purpose(row.purpose)]


def _by_phone(row: Verification) -> list[Any]:
    return [BY_PHONE] if row.is_handed_over else []


def _end(row: Verification, now: datetime) -> list[Any]:
    """How it stands or ended; with it the reason, if there is one."""
    method, nobody_asked = Method(row.method), row.method == Method.NETWORK
    nobody_asked = nobody_asked and not row.operator
    reason = _reason(row)
    if row.status == Status.VERIFIED:
        return [VERIFIED[method], *reason]
    if row.status == Status.MISMATCHED:
        return [_("%(Operator)s said that the SIM has another number."), *reason]
    if row.status == Status.PENDING:
        late = [_("The time for it is over.")] if row.expires_at <= now else []
        open_still = NO_SIM_NAMED if nobody_asked else PENDING[method]
        return [open_still, *late, *reason]
    if row.status == Status.EXCHANGING:
        return [_("The browser came back, and %(operator)s is being asked."), *reason]
    if row.status == Status.EXPIRED:
        late = [NEVER_NAMED if nobody_asked else EXPIRED[method]]
        return reason or late
    if row.status == Status.REFUSED:
        return reason or [_("It was refused; the row does not say why.")]
    return reason or [_("Nobody could say; the row does not tell why.")]


def _reason(row: Verification) -> list[Any]:
    if not row.reason:
        return []
    if row.reason == Reason.METHOD_CLOSED:
        return [WAYS[Method(row.method)], CLOSED]
    return [REASONS[row.reason]]


def _spent(row: Verification) -> Any:
    if row.reason == Reason.WITHDRAWN:
        return _("The proof was taken back, and paid for nothing.")
    if row.redeemed_at:
        return _("The proof was used.")
    return _("The proof has not been used.")


def _meaning(row: Verification) -> list[Any]:
    """What follows from how it ended."""
    says = [SIM_SWAP[SimSwap(row.sim_swap)]] if row.sim_swap else []
    if row.status == Status.UNAVAILABLE:
        says += [_("So nobody could tell, which says nothing against the person.")]
    if row.status == Status.VERIFIED:
        says += [_spent(row)]
    if row.attention:
        says += [_("It looks like an attack.")]
    if row.test:
        says += [_("This was a test, which says nothing about a real SIM.")]
    return says
