"""A verification that goes by way of another device: the phone as the desktop's key."""

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils.translation import gettext_lazy as _

from numberverify.policy import DIGIT_TRIES

from .verification import digest


class Ended(models.TextChoices):
    """How a handoff ended; one that nobody ended has run out."""

    VERDICT = "verdict", _("the row says how")
    NOT_ME = "not_me", _("the person on the phone said no")
    WRONG_DIGITS = "wrong_digits", _("wrong digits on the phone")
    CANCELLED = "cancelled", _("another way was chosen at the computer")


class HandoffQuerySet(models.QuerySet["Handoff"]):
    """Every move is one conditional UPDATE: of two that race, one wins."""

    def claim(self, *, token: bytes, device: bytes, now: datetime) -> bool:
        """Let the first phone that opens the link have it."""
        waiting = self.filter(
            token_digest=token, claimed_at=None, ended_at=None, expires_at__gt=now
        ).exclude(holder_digest=device)
        return waiting.update(device_digest=device, claimed_at=now) == 1

    def confirm(self, *, digits: str, device: bytes, now: datetime) -> bool:
        """Take the "yes" of the phone that has it, with the right digits, once."""
        asked = self._asked(device, now).filter(digits=digits)
        return asked.update(confirmed_at=now) == 1

    def wrong_digits(self, *, digits: str, device: bytes, now: datetime) -> bool:
        """Count wrong digits; the last that are allowed end it.

        One UPDATE for both, so that a hundred guesses at once are two.
        """
        is_last = Q(tries__gte=DIGIT_TRIES - 1)

        def at_last(then: Any, column: str) -> Case:
            return Case(When(is_last, then=Value(then)), default=F(column))

        wrong = self._asked(device, now).exclude(digits=digits)
        counted = wrong.update(
            tries=F("tries") + 1,
            ended_at=at_last(now, "ended_at"),
            ended=at_last(Ended.WRONG_DIGITS, "ended"),
        )
        return counted == 1

    def end(self, how: Ended, *, now: datetime) -> bool:
        """End it, and blank what only an open one may hold."""
        live = self.filter(ended_at=None)
        return live.update(ended_at=now, ended=how, details={}) == 1

    def _asked(self, device: bytes, now: datetime) -> "HandoffQuerySet":
        return self.filter(
            device_digest=device,
            confirmed_at=None,
            ended_at=None,
            tries__lt=DIGIT_TRIES,
            expires_at__gt=now,
        )


class Handoff(models.Model):
    """One link from a browser to the phone that has the number.

    Its key is that of the first verification; each further try of the same phone is a
    verification that follows. It knows the two browsers by their bindings' digests and
    holds no number; nobody is named in it.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    verification = models.UUIDField(help_text="The one that counts now.")
    token_digest = models.BinaryField(max_length=32)
    digits = models.CharField(
        max_length=2, help_text="Shown at one, typed at the other."
    )
    tries = models.PositiveSmallIntegerField(default=0)
    holder_digest = models.BinaryField(max_length=32)
    device_digest = models.BinaryField(max_length=32, null=True, blank=True)
    details = models.JSONField(
        default=dict,
        blank=True,
        help_text="What exactly is confirmed; only while open.",
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended = models.CharField(max_length=12, choices=Ended, blank=True)

    objects = HandoffQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["token_digest"], name="nv_link_once"),
            models.UniqueConstraint(fields=["verification"], name="nv_one_handoff"),
            models.CheckConstraint(
                name="nv_claimed_by_a_phone",
                condition=Q(claimed_at=None, device_digest=None)
                | Q(claimed_at__isnull=False, device_digest__isnull=False),
            ),
            models.CheckConstraint(
                name="nv_confirmed_after_claim",
                condition=Q(confirmed_at=None) | Q(claimed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="nv_handoff_ended_whole",
                condition=Q(ended_at=None, ended="")
                | Q(ended_at__isnull=False, ended__in=Ended.values),
            ),
            models.CheckConstraint(
                name="nv_few_digit_tries", condition=Q(tries__lte=DIGIT_TRIES)
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def is_held_by(self, binding: str) -> bool:
        return bytes(self.holder_digest) == digest(binding)

    def is_on(self, binding: str) -> bool:
        """Say whether `binding` is that of the phone that has claimed it."""
        return self.device_digest is not None and (
            bytes(self.device_digest) == digest(binding)
        )

    def is_open(self, now: datetime) -> bool:
        """Whether it may still be claimed, confirmed or tried again."""
        return self.ended_at is None and self.expires_at > now
