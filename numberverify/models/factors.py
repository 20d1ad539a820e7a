"""What stands behind other proofs: codes on paper, the word of two members of staff."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from .verification import Verification


class RecoveryCode(models.Model):
    """One of ten that a person keeps on paper: 80 random bits, stored as an HMAC."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    digest = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["user", "digest"], name="nv_recovery_code_once"
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)


class ManualRequest(models.Model):
    """One member of staff asks, with a reason and evidence; another decides."""

    verification = models.ForeignKey(
        Verification, on_delete=models.CASCADE, related_name="manual_requests"
    )
    reason = models.TextField(_("reason"), max_length=1000)
    evidence = models.TextField(
        _("evidence"),
        max_length=1000,
        help_text=_("How the person showed who they are. No numbers, no codes."),
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("asked by"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("decided by"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    approved = models.BooleanField(_("approved"), null=True, blank=True)

    class Meta:
        verbose_name = _("manual verification")
        verbose_name_plural = _("manual verifications")
        ordering = ["-pk"]
        default_permissions = ("view",)
        permissions = [
            ("ask_manual", "Can ask for a manual verification"),
            ("decide_manual", "Can decide on a manual verification"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["verification"], name="nv_one_manual_request"
            ),
            models.CheckConstraint(
                name="nv_manual_takes_two",
                condition=Q(decided_by=None) | ~Q(decided_by=F("asked_by")),
            ),
            models.CheckConstraint(
                name="nv_manual_decided_whole",
                condition=Q(decided_by=None, decided_at=None, approved=None)
                | Q(
                    decided_by__isnull=False,
                    decided_at__isnull=False,
                    approved__isnull=False,
                ),
            ),
        ]

    def __str__(self) -> str:
        return str(self.verification_id)
