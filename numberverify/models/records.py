"""What staff did that leaves no other trace: once written, it stays as it is."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class StaffRecord(models.Model):
    """One export, one number shown, one person forgotten, one page refused.

    An export is written down as it begins, and once more as it ends or breaks off:
    until then, and in no other column, its `rows` may grow. PostgreSQL sees to it. It
    lets one thing pass: that a filter which leads to a forgotten person is blanked.
    """

    class Kind(models.TextChoices):
        EXPORT = "export", _("Exported the history")
        NUMBER_SHOWN = "number_shown", _("Saw a whole number")
        FORGOTTEN = "forgotten", _("Had a person forgotten")
        REFUSED = "refused", _("Was refused a page")
        PERSON_DATA = "person_data", _("Exported a person's data")
        CHECKED = "checked", _("Checked the seal")

    class Ending(models.TextChoices):
        """Why an export is not complete."""

        TIME = "time", _("cut: the time limit was reached")
        DATABASE = "database", _("cut: the database took too long")
        GONE = "gone", _("broken off: the connection was closed")
        FAILED = "failed", _("broken off: an error")

    at = models.DateTimeField(_("time"), default=timezone.now)
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("who"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    by_command = models.CharField(
        _("by command"),
        max_length=100,
        blank=True,
        help_text="Instead of `staff`: the account of the operating system.",
    )
    kind = models.CharField(_("what"), max_length=12, choices=Kind)
    details = models.JSONField(_("details"), default=dict)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    rows = models.PositiveBigIntegerField(_("rows"), null=True, blank=True)
    address = models.GenericIPAddressField(_("client address"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    complete = models.BooleanField(_("complete"), null=True, blank=True)
    ending = models.CharField(max_length=10, choices=Ending, blank=True)

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
            ),
            models.CheckConstraint(
                name="nv_record_is_of_one",
                condition=Q(staff=None) & ~Q(by_command="")
                | Q(staff__isnull=False, by_command=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.get_kind_display()}"
