"""What an account says of its person: the number on file."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Profile(models.Model):
    """What the site knows of a person beside the sign-in."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    phone = models.CharField(_("mobile number"), max_length=16, blank=True)
    operator = models.CharField(
        _("network"),
        max_length=32,
        blank=True,
        help_text="The operator that the person chose, by its short name.",
    )
    phone_verified_at = models.DateTimeField(_("verified"), null=True, blank=True)
    claimed_until = models.DateTimeField(
        _("claimed"),
        null=True,
        blank=True,
        help_text="When a claim to the number moves it; said at the next login.",
    )
    phone_verification = models.UUIDField(
        _("verified by"), null=True, blank=True, help_text="Id of the verification."
    )

    class Meta:
        verbose_name = _("profile")
        verbose_name_plural = _("profiles")
        constraints = [
            # This, not a look before the leap, keeps one account per number.
            models.UniqueConstraint(
                fields=["phone"],
                name="profile_one_account_per_verified_phone",
                condition=Q(phone_verified_at__isnull=False),
            ),
            models.CheckConstraint(
                name="profile_verified_phone_is_not_empty",
                condition=Q(phone_verified_at=None) | ~Q(phone=""),
            ),
        ]

    def __str__(self) -> str:
        return str(self.user)
