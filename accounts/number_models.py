"""What happened to a number, and requests to release one: the rows of `numbers.py`
and `releases.py`. Neither holds a plain number."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class OfANumber(models.Model):
    """By what a number is found and shown; it cannot be read back."""

    number_mask = models.CharField(_("number"), max_length=24)
    number_fingerprint = models.BinaryField(max_length=16, help_text="Cut HMAC.")
    fingerprint_key = models.CharField(max_length=8, help_text="Id of the HMAC's key.")

    class Meta:
        abstract = True


# What stands in the place of a forgotten person.
UNKNOWN: dict[str, Any] = {
    "person": None,
    "number_mask": "",
    "number_fingerprint": b"",
    "fingerprint_key": "",
}


class EventQuerySet(models.QuerySet["NumberEvent"]):
    """Rows are added and read. What a person's deletion leaves is Django's own work."""

    def forget(self) -> int:
        """Blank what leads to a person or a number: what happened, when and by whose
        hand stays."""
        return super().update(**UNKNOWN, verification=None)

    def update(self, **columns: Any) -> int:
        raise TypeError("what happened to a number is not changed")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError("what happened to a number is not deleted")


class NumberEvent(OfANumber):
    """One thing that happened to a number, written with the effect itself."""

    class What(models.TextChoices):
        ADDED = "added", _("Put on file")
        CHANGED = "changed", _("Given up for another number")
        REMOVED = "removed", _("Removed by the person")
        CLOSED = "closed", _("Account closed")
        CLAIMED = "claimed", _("Claimed by the SIM")
        KEPT = "kept", _("Kept: proved again by its holder")
        LAPSED = "lapsed", _("Claim came to nothing")
        LOST = "lost", _("Taken off file by a claim")
        MOVED = "moved", _("Put on file by a claim")
        RELEASE_ASKED = "release_asked", _("Release asked for")
        RELEASE_DECLINED = "release_declined", _("Release declined")
        RELEASE_STOPPED = "release_stopped", _("Release stopped by the person")
        RELEASE_EXPIRED = "release_expired", _("Release not decided in time")
        RELEASE_LAPSED = "release_lapsed", _("Release came to nothing")
        RELEASED = "released", _("Released by two members of staff")

    what = models.CharField(_("what"), max_length=20, choices=What)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("by"),
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The member of staff.",
    )
    verification = models.UUIDField(_("verification"), null=True)
    at = models.DateTimeField(_("time (UTC)"), default=timezone.now)

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event of a number")
        verbose_name_plural = _("events of numbers")
        ordering = ["-pk"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["number_fingerprint", "-id"], name="event_by_number")
        ]

    def __str__(self) -> str:
        return f"{self.number_mask} {self.get_what_display()}"

    def save(self, *args: Any, **options: Any) -> None:
        if self.pk:
            raise TypeError("what happened to a number is not changed")
        super().save(*args, **options)

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("what happened to a number is not deleted")


class ReleaseQuerySet(models.QuerySet["NumberRelease"]):
    def end(self, outcome: "NumberRelease.Outcome", *, by: Any = None) -> bool:
        """End what is open; of two that race, one is told True."""
        ended = self.filter(ended_at=None).update(
            outcome=outcome, ended_at=timezone.now(), decided_by=by
        )
        return ended > 0

    def forget(self) -> int:
        """Blank what leads to a person or a number, in what is over: who of the staff
        asked and decided, when, and for which of the reasons stays."""
        return self.exclude(ended_at=None).update(**UNKNOWN, evidence="")


class NumberRelease(OfANumber):
    """One member of staff asks that a number be freed; another decides."""

    class Reason(models.TextChoices):
        LOST = "lost", _("The person has lost the number for good")
        GIVEN_UP = "given_up", _("The person has sold it or given it up")
        ABANDONED = "abandoned", _("It is on an account that nobody uses")
        MISTAKE = "mistake", _("It is on the wrong account")

    class Outcome(models.TextChoices):
        OPEN = "open", _("… waits for a second member of staff")
        RELEASED = "released", _("✓ Released")
        DECLINED = "declined", _("✗ Declined")
        STOPPED = "stopped", _("⊘ Stopped: the person has the number")
        LAPSED = "lapsed", _("○ The number left the account meanwhile")
        EXPIRED = "expired", _("○ Nobody decided in time")
        WITHDRAWN = "withdrawn", _("○ Who asked may not act for staff any more")

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    reason = models.CharField(_("reason"), max_length=20, choices=Reason)
    evidence = models.TextField(
        _("evidence"),
        max_length=1000,
        help_text=_(
            "What you were shown, and how you made sure. No numbers, no codes."
        ),
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("asked by"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    asked_at = models.DateTimeField(_("asked"), default=timezone.now)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("decided by"),
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    outcome = models.CharField(
        _("decision"), max_length=10, choices=Outcome, default=Outcome.OPEN
    )
    ended_at = models.DateTimeField(_("ended"), null=True)

    objects = ReleaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("release of a number")
        verbose_name_plural = _("releases of numbers")
        ordering = ["-pk"]
        default_permissions = ("view",)
        permissions = [
            ("ask_release", "Can ask for the release of a number"),
            ("decide_release", "Can decide on the release of a number"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["person"],
                name="release_one_at_a_time",
                condition=Q(ended_at=None),
            ),
            models.CheckConstraint(
                name="release_takes_two",
                condition=Q(decided_by=None) | ~Q(decided_by=F("asked_by")),
            ),
            models.CheckConstraint(
                name="release_not_of_ones_own",
                condition=Q(person=None)
                | ~Q(asked_by=F("person"))
                & (Q(decided_by=None) | ~Q(decided_by=F("person"))),
            ),
            models.CheckConstraint(
                name="release_ended_whole",
                condition=Q(outcome="open", ended_at=None, decided_by=None)
                | Q(
                    outcome__in=["released", "declined"],
                    ended_at__isnull=False,
                    decided_by__isnull=False,
                )
                | Q(
                    outcome__in=["stopped", "lapsed", "expired", "withdrawn"],
                    ended_at__isnull=False,
                    decided_by=None,
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number_mask} {self.get_outcome_display()}"
