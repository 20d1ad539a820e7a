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


class Status(TextChoices):
    PENDING = "pending", _("Waiting for the phone")
    EXCHANGING = "exchanging", _("Asking the operator")
    VERIFIED = "verified", _("Match")
    MISMATCHED = "mismatched", _("No match")
    UNAVAILABLE = "unavailable", _("Could not tell")
    REFUSED = "refused", _("Refused")
    EXPIRED = "expired", _("Expired")


OPEN = (Status.PENDING, Status.EXCHANGING)


class Because(TextChoices):
    """Why policy asked for a verification."""

    REQUIRED = "required", _("Always asked for this purpose")
    ALWAYS = "always", _("The login policy asks every time")
    NEW_BROWSER = "new_browser", _("This browser was new to the account")
    STALE = "stale", _("The last proof in this browser was too old")


class Reason(TextChoices):
    """Why nobody could say: stable codes, part of the history."""

    NO_OPERATOR = "no_operator", _("No operator is configured for that country")
    NOT_ON_MOBILE_NETWORK = (
        "not_on_mobile_network",
        _("The operator did not see the device on its mobile network"),
    )
    ACCESS_DENIED = "access_denied", _("The operator or the person said no")
    CONSENT_REQUIRED = "consent_required", _("The operator needs the person's consent")
    AUTHORIZATION_FAILED = (
        "authorization_failed",
        _("The operator answered the authorization request with an error"),
    )
    MALFORMED_CALLBACK = (
        "malformed_callback",
        _("The redirect back from the operator was not well formed"),
    )
    OTHER_BROWSER = (
        "other_browser",
        _("The redirect arrived in another browser than the one that started"),
    )
    OTHER_OPERATOR = (
        "other_operator",
        _("The redirect came by another operator than the one that was asked"),
    )
    OPERATOR_UNREACHABLE = "operator_unreachable", _("The operator is down")
    OPERATOR_TIMEOUT = "operator_timeout", _("The operator took too long to answer")
    OPERATOR_REFUSED = "operator_refused", _("The operator refused our request")
    MALFORMED_ANSWER = "malformed_answer", _("The operator's answer made no sense")
    BAD_ID_TOKEN = "bad_id_token", _("The operator's ID token did not hold")
    SUBJECT_MISMATCH = (
        "subject_mismatch",
        _("The operator's two answers were about different subscribers"),
    )
    INTERRUPTED = (
        "interrupted",
        _("Our own server stopped while the operator was being asked"),
    )
