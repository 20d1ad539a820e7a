"""News that a person was told, and the link in it: the row of `notices.py`."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

# So long does "This wasn't me" work.
GOOD_FOR = timedelta(days=7)
# After it, a support that is asked can still say what was told.
KEPT_FOR = timedelta(days=30)


class Kind(models.TextChoices):
    """What has happened: the subject of the mail."""

    NEW_BROWSER = "new_browser", _("Your account was opened in a new browser")
    NO_MATCH = "no_match", _("Somebody tries to get into your account")
    # The same news, told by the phone itself.
    NOT_ME = "not_me", _("Somebody tries to get into your account")
    PASSWORD_CHANGED = "password_changed", _("Your password was changed")
    EMAIL_ASKED = "email_asked", _("Somebody asked to change your e-mail address")
    EMAIL_CHANGED = "email_changed", _("Your e-mail address was changed")
    NUMBER_ADDED = "number_added", _("A mobile number was put on your account")
    NUMBER_CHANGED = "number_changed", _("Your mobile number was changed")
    NUMBER_REMOVED = "number_removed", _("Your mobile number was removed")
    NUMBER_CLAIMED = (
        "number_claimed",
        _("Somebody else has proved your mobile number"),
    )
    NUMBER_ASKED = (
        "number_asked",
        _("Somebody asked for another mobile number on your account"),
    )
    NUMBER_KEPT = "number_kept", _("You kept your mobile number")
    NUMBER_GOT = "number_got", _("The mobile number that you proved is yours now")
    RELEASE_ASKED = (
        "release_asked",
        _("Our support was asked to take your mobile number off your account"),
    )
    RELEASE_OVER = (
        "release_over",
        _("Nobody is asked any more to take your mobile number off your account"),
    )
    RELEASE_DECLINED = (
        "release_declined",
        _("Our support leaves your mobile number on your account"),
    )
    NUMBER_RELEASED = (
        "number_released",
        _("Our support took your mobile number off your account"),
    )
    NUMBER_LOST = "number_lost", _("Your mobile number is on another account now")
    APP_ADDED = "app_added", _("An authenticator app was added to your account")
    APP_REMOVED = "app_removed", _("The authenticator app was removed")
    CODES_MADE = "codes_made", _("New recovery codes were made")
    CODE_USED = "code_used", _("A recovery code was used")
    CODES_GONE = "codes_gone", _("The last of your recovery codes was used")
    STAFF_APPROVED = (
        "staff_approved",
        _("Two members of our staff confirmed that it is you"),
    )
    RIGHTS_CHANGED = (
        "rights_changed",
        _("What your account may do for our staff was changed"),
    )
    SESSIONS_ENDED = (
        "sessions_ended",
        _("All other sessions of your account were ended"),
    )
    BROWSER_ENDED = (
        "browser_ended",
        _("You were signed out of your account in a browser"),
    )
    BROWSER_FORGOTTEN = (
        "browser_forgotten",
        _("Your account knows a browser no more"),
    )


class NoticeQuerySet(models.QuerySet["Notice"]):
    def good(self) -> "NoticeQuerySet":
        return self.filter(created_at__gt=timezone.now() - GOOD_FOR)


class Notice(models.Model):
    """One piece of news to one person, with a link that says "this wasn't me"."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    kind = models.CharField(max_length=20, choices=Kind)
    token_digest = models.BinaryField(max_length=32, unique=True)
    user_agent = models.CharField(max_length=256, blank=True)
    country = models.CharField(max_length=2, blank=True)
    email_before = models.EmailField(
        blank=True, help_text="Of a change of e-mail: what the link gives back."
    )
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    acted_at = models.DateTimeField(null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    def take(self) -> bool:
        """Use the link, once; of two that race, one is told True.

        The links of later news are used with it: after a theft they are the thief's.
        """
        unused = Notice.objects.filter(acted_at=None)
        taken = unused.filter(pk=self.pk).update(acted_at=timezone.now())
        if taken:
            later = unused.filter(user_id=self.user_id, pk__gt=self.pk)
            later.update(acted_at=timezone.now())
        return taken == 1


def purge_notices() -> int:
    """Delete what was told too long ago to be asked about (NV_HOUSEKEEPING)."""
    long_ago = timezone.now() - KEPT_FOR
    return Notice.objects.filter(created_at__lt=long_ago).delete()[0]
