"""What staff did that leaves no other trace: once written, it stays as it is."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class StaffRecord(models.Model):
    """One export, one number shown, one person forgotten, one page refused.

    An export is written down as it begins, and once more as it ends or breaks off:
    until then, and in no other column, its `rows` may grow. PostgreSQL sees to it.
    """

    class Kind(models.TextChoices):
        EXPORT = "export", _("Exported the history")
        NUMBER_SHOWN = "number_shown", _("Saw a whole number")
        FORGOTTEN = "forgotten", _("Had a person forgotten")
        REFUSED = "refused", _("Was refused a page")

    at = models.DateTimeField(_("time"), default=timezone.now)
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("who"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    kind = models.CharField(_("what"), max_length=12, choices=Kind)
    details = models.JSONField(_("details"), default=dict)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    rows = models.PositiveBigIntegerField(_("rows"), null=True, blank=True)
    address = models.GenericIPAddressField(_("client address"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    complete = models.BooleanField(_("complete"), null=True, blank=True)

    class Meta:
        verbose_name = _("record of staff")
        verbose_name_plural = _("records of staff")
        ordering = ["-pk"]
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                name="nv_record_ends_whole",
                condition=Q(ended_at=None, complete=None)
                | Q(ended_at__isnull=False, complete__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.get_kind_display()}"
