"""What people are told when nobody could say whether the number is right."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .choices import Reason

OFF_WIFI = _(
    "Turn Wi-Fi and any VPN off for a moment, so that your phone uses mobile data, "
    "and try again."
)
LATER = _("Wait a minute and try again. Nothing was charged and nothing was blocked.")

# What happened, and what to do.
COULD_NOT_TELL: dict[str, tuple[Promise, Promise]] = {
    Reason.NO_OPERATOR: (
        _("We cannot check numbers of that country with a mobile network yet."),
        _("If the number has a mistake in it, it has to be corrected first."),
    ),
    Reason.NOT_ON_MOBILE_NETWORK: (
        _(
            "Your mobile network did not see this device. That happens on Wi-Fi, "
            "through a VPN, on a computer, or on another operator's network."
        ),
        OFF_WIFI,
    ),
    Reason.ACCESS_DENIED: (
        _("Your mobile network did not allow the check, or permission was refused."),
        _("Try again on mobile data, with Wi-Fi off, and allow the check when asked."),
    ),
    Reason.CONSENT_REQUIRED: (
        _("Your mobile network needs your permission before it answers us."),
        _("Allow the check with your network, then try again."),
    ),
}
SERVICE_PROBLEM = (_("The mobile network did not give us an answer."), LATER)


def could_not_tell(reason: str) -> tuple[Promise, Promise]:
    """Return what happened and what to do, for a person."""
    return COULD_NOT_TELL.get(reason, SERVICE_PROBLEM)
