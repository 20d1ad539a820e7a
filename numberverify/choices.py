"""The words of a verification: purposes, methods, outcomes and their reasons."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Purpose(TextChoices):
    SIGNUP = "signup", _("Signup")
    LOGIN = "login", _("Login")
    PASSWORD_CHANGE = "password_change", _("Password change")
    PASSWORD_RESET = "password_reset", _("Password reset")
    PHONE_CHANGE = "phone_change", _("Phone change")
    STEP_UP = "step_up", _("Step-up")


class Method(TextChoices):
    NETWORK = "network", _("Mobile network")
    SMS = "sms", _("SMS code")
    TOTP = "totp", _("Authenticator app")
    RECOVERY_CODE = "recovery_code", _("Recovery code")
    MANUAL = "manual", _("Two members of staff")


class Event(TextChoices):
    """What the person is told at once (`NV_TELL`)."""

    TOTP_ADDED = "totp_added", _("An authenticator app was added to your account.")
    TOTP_REMOVED = "totp_removed", _("The authenticator app was removed.")
    RECOVERY_CODES_MADE = "recovery_codes_made", _("New recovery codes were made.")
    RECOVERY_CODE_USED = "recovery_code_used", _("A recovery code was used.")
    RECOVERY_CODES_GONE = (
        "recovery_codes_gone",
        _("The last of your recovery codes was used."),
    )
    MANUAL_APPROVED = (
        "manual_approved",
        _(
            "Two members of our staff confirmed that it is you. Go on in the browser "
            "where you asked, within an hour."
        ),
    )
    NOT_ME = "not_me", _("On your phone somebody said no to what was asked.")
    # What the site may count: one alone is no news.
    NO_MATCH = "no_match", _("The mobile network named another number than yours.")


class Status(TextChoices):
    PENDING = "pending", _("Waiting for the person")
    EXCHANGING = "exchanging", _("Asking the operator")
    VERIFIED = "verified", _("Match")
    MISMATCHED = "mismatched", _("No match")
    UNAVAILABLE = "unavailable", _("Could not tell")
    REFUSED = "refused", _("Refused")
    EXPIRED = "expired", _("Expired")


OPEN = (Status.PENDING, Status.EXCHANGING)


class SimSwap(TextChoices):
    """What the operator said of a recent SIM swap; "" where nobody was asked."""

    YES = "yes", _("recently swapped")
    NO = "no", _("not swapped recently")
    UNKNOWN = "unknown", _("nobody could say")


class Because(TextChoices):
    """Why policy asked for a verification."""

    REQUIRED = "required", _("Always asked for this purpose")
    ALWAYS = "always", _("The login policy asks every time")
    NEW_BROWSER = "new_browser", _("This browser was new to the account")
    STALE = "stale", _("The last proof in this browser was too old")


class Reason(TextChoices):
    """Why it ended without a verdict, or was refused: stable, part of the history."""

    NOT_ON_PHONE = "not_on_phone", _("not on the phone, the person said")
    METHOD_CLOSED = "method_closed", _("that way was not open")
    SIM_SWAPPED = "sim_swapped", _("the number got another SIM recently")
    SMS_NOT_SENT = "sms_not_sent", _("the text message was not sent")
    WRONG_CODES = "wrong_codes", _("too many wrong codes")
    WRONG_DIGITS = "wrong_digits", _("wrong digits on the phone")
    NOT_ME = "not_me", _("the person on the phone said no")
    CODE_OVER = "code_over", _("operator took no more tries at its code")
    REPLACED = "replaced", _("a newer code took its place")
    NOT_APPROVED = "not_approved", _("a second member of staff said no")
    WITHDRAWN = "withdrawn", _("the account was frozen or shut meanwhile")
    NO_OPERATOR = "no_operator", _("no operator for the country")
    NOT_ON_MOBILE_NETWORK = "not_on_mobile_network", _("not on the mobile network")
    ACCESS_DENIED = "access_denied", _("operator or person said no")
    CONSENT_REQUIRED = "consent_required", _("consent is missing")
    AUTHORIZATION_FAILED = "authorization_failed", _("operator refused the device")
    MALFORMED_CALLBACK = "malformed_callback", _("redirect back not well formed")
    OTHER_BROWSER = "other_browser", _("came back in another browser")
    OTHER_OPERATOR = "other_operator", _("came back by another operator")
    NOT_THEIR_NUMBER = "not_their_number", _("not a number of that operator")
    INSUFFICIENT_SCOPE = "insufficient_scope", _("token not good for the question")
    OPERATOR_TOKEN_REFUSED = (
        "operator_token_refused",
        _("operator token of the app was refused"),
    )
    BAD_DISCOVERY = "bad_discovery", _("operator's description did not hold")
    BREAKER_OPEN = "breaker_open", _("not asked: operator failed repeatedly before")
    OPERATOR_BUSY = "operator_busy", _("not asked: too many waited for the operator")
    OPERATOR_UNREACHABLE = "operator_unreachable", _("operator is down")
    OPERATOR_TIMEOUT = "operator_timeout", _("operator took too long")
    OPERATOR_REFUSED = "operator_refused", _("operator refused our server")
    MALFORMED_ANSWER = "malformed_answer", _("operator's answer made no sense")
    BAD_ID_TOKEN = "bad_id_token", _("ID token did not hold")
    SUBJECT_MISMATCH = "subject_mismatch", _("answers about two subscribers")
    INTERRUPTED = "interrupted", _("our server stopped meanwhile")
