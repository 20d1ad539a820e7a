"""A claim to a number that another account has: the row of `claims.py`."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ClaimQuerySet(models.QuerySet["Claim"]):
    def open_for(self, phone: str) -> "ClaimQuerySet":
        return self.filter(phone=phone, ended_at=None)

    def end(self, outcome: "Claim.Outcome") -> bool:
        """End an open claim; of two that race, one is told True. It holds no number
        any more."""
        ended = self.filter(ended_at=None).update(
            outcome=outcome, ended_at=timezone.now(), phone="", replaces=""
        )
        return ended == 1


class Claim(models.Model):
    """A number that somebody has proved by the network while another account has it.

    The holder keeps it until `due_at`, and for good by proving it again.
    """

    class Outcome(models.TextChoices):
        OPEN = "open", _("Waits")
        MOVED = "moved", _("The number moved to the claimant")
        KEPT = "kept", _("The holder proved the number again")
        WITHDRAWN = "withdrawn", _("The claimant's account was frozen or changed")
        LAPSED = "lapsed", _("The number went elsewhere meanwhile")

    claimant = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    phone = models.CharField(max_length=16, blank=True, help_text="Only while open.")
    replaces = models.CharField(
        max_length=16, blank=True, help_text="The claimant's number that is to go."
    )
    number_mask = models.CharField(_("number"), max_length=24)
    verification = models.UUIDField(_("proved by"), help_text="Of the claimant.")
    outcome = models.CharField(
        _("outcome"), max_length=10, choices=Outcome, default=Outcome.OPEN
    )
    created_at = models.DateTimeField(_("claimed"), auto_now_add=True)
    due_at = models.DateTimeField(_("moves"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = ClaimQuerySet.as_manager()

    class Meta:
        verbose_name = _("claim to a number")
        verbose_name_plural = _("claims to numbers")
        ordering = ["-pk"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["phone"],
                name="claim_one_at_a_time",
                condition=Q(ended_at=None),
            ),
            models.CheckConstraint(
                name="claim_open_has_number",
                condition=Q(ended_at=None, outcome="open") & ~Q(phone="")
                | Q(ended_at__isnull=False, phone="", replaces="") & ~Q(outcome="open"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number_mask} {self.get_outcome_display()}"
