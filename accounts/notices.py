"""What happens to a person's ways of proving, and that they are told (NV_TELL)."""

from numberverify.choices import Event

from . import mail
from .models import User

CHANGES_A_FACTOR = {Event.TOTP_ADDED, Event.TOTP_REMOVED, Event.RECOVERY_CODES_MADE}


def tell(user: User, event: Event) -> None:
    """End the proofs in sessions where a factor has changed, and mail the person."""
    if event in CHANGES_A_FACTOR:
        user.end_proofs()
    mail.send_notice(user, event.label)
