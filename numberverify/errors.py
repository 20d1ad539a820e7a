"""The errors that this app raises on purpose. No Django here: operators use them.

Messages carry no number, code, token or remote text: messages end up in logs.
"""

from uuid import UUID


class NumberVerifyError(Exception):
    """Base of all; `code` is stable and part of the history."""

    code = "number_verify_error"


class ConfigurationError(NumberVerifyError):
    """A setting that cannot be used; the message names it.

    `problem`, of an operator's table: `unknown_key`, `missing`, `http`, `scope`, `key`
    (not to be read, or none), `short_key`, or `value` for all the rest.
    """

    code = "configuration"

    def __init__(self, message: str, problem: str = "value") -> None:
        super().__init__(message)
        self.problem = problem


class ClocksDiffer(NumberVerifyError):
    """This machine's clock and the database's: one of them is wrong."""

    code = "clocks_differ"


class CallbackRefused(NumberVerifyError):
    """The callback is not exchanged; `reference` is the verification's id, if known."""

    code = "callback_refused"

    def __init__(self, reference: UUID | None = None) -> None:
        super().__init__()
        self.reference = reference


class UnknownState(CallbackRefused):
    """No live verification that was started with this operator has that `state`."""

    code = "unknown_state"


class OtherBrowser(CallbackRefused):
    """The callback came to another browser than the one that started."""

    code = "other_browser"


class VerificationNotUsable(NumberVerifyError):
    """The receipt is unknown, expired, spent, or for something else."""

    code = "verification_not_usable"


class SmsNotSent(NumberVerifyError):
    """The SMS backend could not hand a message over, or have its code checked."""

    code = "sms_not_sent"


class CodeOver(SmsNotSent):
    """Whoever made the code takes no more tries at it.

    `was_tried`: it may have looked at this one, which was not right then.
    """

    code = "code_over"

    def __init__(self, *, was_tried: bool) -> None:
        super().__init__()
        self.was_tried = was_tried


class Limited(NumberVerifyError):
    """A limit is reached. Nothing was looked at, asked or sent.

    `retry_after` in whole seconds, rounded up; `name` is the limit's.
    """

    code = "limited"

    def __init__(self, name: str, retry_after: int) -> None:
        super().__init__(name)
        self.name = name
        self.retry_after = retry_after


class StoreAway(NumberVerifyError):
    """Nobody can count the tries, so none is taken."""

    code = "store_away"


class OperatorError(NumberVerifyError):
    """The operator gave no answer. It never means that the number is wrong.

    `code` is one of `choices.Reason`. `is_outage`: the operator itself failed, in a way
    that nobody brings about with a junk code; what a breaker counts. `was_asked`: not
    where the operator was spared the question, or we the wait.
    """

    code = "operator_refused"
    is_outage = False
    was_asked = True


class BreakerOpen(OperatorError):
    """It failed repeatedly just now, and is not asked."""

    code = "breaker_open"
    was_asked = False


class OperatorBusy(OperatorError):
    """As many wait for it as may, it answers nobody, and is not asked."""

    code = "operator_busy"
    was_asked = False


class OperatorUnreachable(OperatorError):
    code = "operator_unreachable"
    is_outage = True


class SaidUnavailable(OperatorUnreachable):
    """The redirect back says so, and whoever brought it may have written it."""

    is_outage = False


class OperatorTimeout(OperatorError):
    code = "operator_timeout"
    is_outage = True


class OperatorRefused(OperatorError):
    """A status that is no answer. `said` is the error's code in the body, or ""."""

    code = "operator_refused"

    def __init__(self, status: int = 0, said: str = "") -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.said = said


class InsufficientScope(OperatorError):
    """The token is not good for the question: the contract, or the table's scope."""

    code = "insufficient_scope"


class NotTheirNumber(OperatorError):
    """The operator answers for its own numbers alone, and this is none of them."""

    code = "not_their_number"


class OperatorTokenRefused(OperatorError):
    """An app's operator token is not one, or this operator takes none."""

    code = "operator_token_refused"


class MalformedAnswer(OperatorError):
    code = "malformed_answer"
    is_outage = True


class BadDiscovery(OperatorError):
    """What the operator publishes of itself does not hold."""

    code = "bad_discovery"
    is_outage = True


class BadIdToken(OperatorError):
    code = "bad_id_token"


class SubjectMismatch(OperatorError):
    code = "subject_mismatch"


class AuthorizationFailed(OperatorError):
    """The redirect back carries an error, or is not well formed."""

    code = "authorization_failed"


class NotOnMobileNetwork(AuthorizationFailed):
    code = "not_on_mobile_network"


class AccessDenied(AuthorizationFailed):
    code = "access_denied"


class ConsentRequired(AuthorizationFailed):
    code = "consent_required"


class MalformedCallback(AuthorizationFailed):
    code = "malformed_callback"
