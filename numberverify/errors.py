"""The errors that this app raises on purpose. No Django here: operators use them.

Messages carry no number, code, token or remote text: messages end up in logs.
"""

from uuid import UUID


class NumberVerifyError(Exception):
    """Base of all; `code` is stable and part of the history."""

    code = "number_verify_error"


class ConfigurationError(NumberVerifyError):
    """A setting that cannot be used; the message names it."""

    code = "configuration"


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


class OperatorError(NumberVerifyError):
    """The operator gave no answer. It never means that the number is wrong.

    `code` is one of `choices.Reason`.
    """

    code = "operator_refused"


class OperatorUnreachable(OperatorError):
    code = "operator_unreachable"


class OperatorTimeout(OperatorError):
    code = "operator_timeout"


class OperatorRefused(OperatorError):
    code = "operator_refused"


class MalformedAnswer(OperatorError):
    code = "malformed_answer"


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
