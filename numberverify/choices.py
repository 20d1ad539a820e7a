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

    NO_OPERATOR = "no_operator", _("no operator for the country")
    NOT_ON_MOBILE_NETWORK = "not_on_mobile_network", _("not on the mobile network")
    ACCESS_DENIED = "access_denied", _("operator or person said no")
    CONSENT_REQUIRED = "consent_required", _("consent is missing")
    AUTHORIZATION_FAILED = "authorization_failed", _("operator refused the device")
    MALFORMED_CALLBACK = "malformed_callback", _("redirect back not well formed")
    OTHER_BROWSER = "other_browser", _("came back in another browser")
    OTHER_OPERATOR = "other_operator", _("came back by another operator")
    OPERATOR_UNREACHABLE = "operator_unreachable", _("operator is down")
    OPERATOR_TIMEOUT = "operator_timeout", _("operator took too long")
    OPERATOR_REFUSED = "operator_refused", _("operator refused our server")
    MALFORMED_ANSWER = "malformed_answer", _("operator's answer made no sense")
    BAD_ID_TOKEN = "bad_id_token", _("ID token did not hold")
    SUBJECT_MISMATCH = "subject_mismatch", _("answers about two subscribers")
    INTERRUPTED = "interrupted", _("our server stopped meanwhile")
