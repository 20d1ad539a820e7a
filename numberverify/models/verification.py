"""The one row that everything stands on, and the moves it can make."""

import hashlib
import secrets
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from numberverify import conf
from numberverify.choices import (
    OPEN,
    Because,
    Method,
    Purpose,
    Reason,
    SimSwap,
    Status,
)
from numberverify.policy import EXCHANGING_FOR, TRIES
from numberverify.uuid7 import uuid7


def digest(secret: str) -> bytes:
    """Return the SHA-256 of a random value of ours; it has no less than 128 bits."""
    return hashlib.sha256(secret.encode()).digest()


def new_salt() -> bytes:
    return secrets.token_bytes(16)


TYPED = [Method.SMS, Method.TOTP, Method.RECOVERY_CODE]


class VerificationQuerySet(models.QuerySet["Verification"]):
    """Every move is one conditional UPDATE: of two that race, one wins."""

    def send_to_operator(
        self, *, operator: str, device: str, now: datetime, **columns: Any
    ) -> bool:
        """Bind the row that waits for it to its operator, once."""
        waiting = self.filter(
            method=Method.NETWORK,
            status=Status.PENDING,
            state_digest=None,
            operator__in=["", operator],
            device_digest=digest(device),
            expires_at__gt=now,
        )
        return waiting.update(operator=operator, **columns) == 1

    def settle(self, status: Status, *, now: datetime, **columns: Any) -> int:
        """End the rows and blank what only an open one may hold."""
        columns = self.settled(status, now=now, **columns)
        return self.filter(status__in=OPEN).update(**columns)

    @staticmethod
    def settled(status: Any, *, now: Any, **columns: Any) -> dict[str, Any]:
        """Return what is written into a row that ends."""
        blank = {"number": "", "nonce": "", "code_verifier": "", "code_digest": b""}
        return {"status": status, "settled_at": now, **blank, **columns}

    def wrong_code(self, *, now: datetime) -> bool:
        """Count a wrong code; the last one that is allowed refuses the row.

        One UPDATE for both, so that ten thousand guesses at once are five.
        """
        is_last = Q(tries__gte=F("tries_allowed") - 1)

        def at_last(then: Any, column: str) -> Case:
            return Case(When(is_last, then=Value(then)), default=F(column))

        counted = self._with_a_try_left(now).update(
            tries=F("tries") + 1,
            status=at_last(Status.REFUSED, "status"),
            reason=at_last(Reason.WRONG_CODES, "reason"),
            settled_at=Case(When(is_last, then=Value(now)), default=None),
            number=at_last("", "number"),
            code_digest=at_last(b"", "code_digest"),
        )
        return counted == 1

    def right_code(self, *, now: datetime) -> bool:
        """Take a right code, once, while there is a try left for it."""
        live = self._with_a_try_left(now)
        return live.settle(Status.VERIFIED, now=now) == 1

    def reserve_try(self, *, now: datetime) -> bool:
        """Take a try before somebody else is asked about the code."""
        return self._with_a_try_left(now).update(tries=F("tries") + 1) == 1

    def _with_a_try_left(self, now: datetime) -> "VerificationQuerySet":
        return self.filter(
            status=Status.PENDING, tries__lt=F("tries_allowed"), expires_at__gt=now
        )

    def expire(self, *, now: datetime) -> int:
        """Settle what nobody came back to."""
        # Both say that they are open: so the index of open rows serves.
        late = self.filter(status=Status.PENDING, settled_at=None, expires_at__lte=now)
        return late.settle(Status.EXPIRED, now=now)

    def interrupt(self, *, now: datetime) -> int:
        """Settle the exchanges of processes that died."""
        dead = self.filter(
            status=Status.EXCHANGING,
            settled_at=None,
            claimed_at__lte=now - EXCHANGING_FOR,
        )
        return dead.settle(Status.UNAVAILABLE, now=now, reason=Reason.INTERRUPTED)


def _of_settled(column: str, name: str, condition: Q | None = None) -> models.Index:
    settled = Q(settled_at__isnull=False)
    return models.Index(
        fields=[column, "-id"] if column else ["-id"],
        name=name,
        condition=settled & condition if condition else settled,
    )


class Verification(models.Model):
    """One attempt, by one method, to prove a number or a person, for one purpose, in
    one browser.

    Also the receipt: verified and not redeemed, it pays for one effect. The row
    holds the plain number only while it is open.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    purpose = models.CharField(_("purpose"), max_length=20, choices=Purpose)
    action = models.CharField(
        _("action"), max_length=50, blank=True, help_text="What a step-up is for."
    )
    details_digest = models.BinaryField(
        max_length=32,
        blank=True,
        default=b"",
        help_text="HMAC of the action's details.",
    )
    method = models.CharField(
        _("method"), max_length=20, choices=Method, default=Method.NETWORK
    )
    operator = models.CharField(_("operator"), max_length=32, blank=True)
    operator_chosen = models.BooleanField(
        _("network chosen"), default=False, help_text="By the person, when asked."
    )
    sim_swap = models.CharField(
        _("SIM swap"),
        max_length=8,
        choices=SimSwap,
        blank=True,
        help_text="What the operator said before a text message was offered.",
    )
    previous = models.UUIDField(
        _("follows"), null=True, blank=True, help_text="The row that this one follows."
    )
    test = models.BooleanField(
        _("test"), default=False, help_text="A sandbox's answer."
    )

    status = models.CharField(
        _("outcome"), max_length=12, choices=Status, default=Status.PENDING
    )
    reason = models.CharField(_("reason"), max_length=30, choices=Reason, blank=True)
    asked_because = models.CharField(
        _("asked because"), max_length=20, choices=Because, default=Because.REQUIRED
    )
    attention = models.BooleanField(
        _("attention"), default=False, help_text="Looks like an attack."
    )

    number = models.CharField(max_length=16, blank=True, help_text="Only while open.")
    number_mask = models.CharField(_("number"), max_length=24, blank=True)
    number_fingerprint = models.BinaryField(
        max_length=16, blank=True, default=b"", help_text="Cut HMAC."
    )
    fingerprint_key = models.CharField(
        max_length=8, blank=True, help_text="Id of the HMAC's key."
    )
    country = models.CharField(_("country"), max_length=3, blank=True)

    state_digest = models.BinaryField(max_length=32, null=True, blank=True)
    device_digest = models.BinaryField(max_length=32, help_text="May come back.")
    holder_digest = models.BinaryField(max_length=32, help_text="May redeem.")
    nonce = models.CharField(max_length=64, blank=True)
    code_verifier = models.CharField(max_length=128, blank=True, help_text="PKCE.")
    # Of a code that a person types
    code_digest = models.BinaryField(
        max_length=32, blank=True, default=b"", help_text="HMAC of the text message's."
    )
    code_reference = models.CharField(
        max_length=100, blank=True, help_text="Where the operator checks the code."
    )
    tries = models.PositiveSmallIntegerField(_("wrong codes"), default=0)
    tries_allowed = models.PositiveSmallIntegerField(default=TRIES)
    sends = models.PositiveSmallIntegerField(_("text messages"), default=0)
    sent_at = models.DateTimeField(null=True, blank=True)

    browser_known = models.BooleanField(
        _("known browser"), default=False, help_text="To the account, at the start."
    )
    next = models.CharField(
        max_length=500, blank=True, help_text="Path of the page that goes on."
    )

    ip = models.GenericIPAddressField(_("address"), null=True, blank=True)
    user_agent = models.CharField(_("browser"), max_length=256, blank=True)
    operator_subject = models.CharField(
        max_length=255, blank=True, help_text="The operator's pairwise `sub`."
    )
    salt = models.BinaryField(max_length=16, default=new_salt)
    commitment = models.BinaryField(
        max_length=32,
        blank=True,
        default=b"",
        help_text="Of a forgotten person's row: stands for what was erased.",
    )
    notice_version = models.CharField(max_length=20, blank=True)

    created_at = models.DateTimeField(_("started"))
    expires_at = models.DateTimeField()
    claimed_at = models.DateTimeField(_("came back"), null=True, blank=True)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    redeemed_at = models.DateTimeField(_("redeemed"), null=True, blank=True)
    operator_ms = models.PositiveIntegerField(
        _("at the operator"), null=True, blank=True, help_text="Milliseconds."
    )

    objects = VerificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("verification")
        verbose_name_plural = _("verifications")
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [("export_verification", "Can export verifications")]
        constraints = [
            models.UniqueConstraint(fields=["state_digest"], name="nv_state_once"),
            models.CheckConstraint(
                name="nv_settled_has_time_and_no_number",
                condition=Q(status__in=OPEN, settled_at=None)
                | Q(~Q(status__in=OPEN), settled_at__isnull=False, number="", nonce="")
                & Q(code_digest=b""),
            ),
            # One at a time, so that two of them do not give twice as many tries.
            models.UniqueConstraint(
                fields=["user", "method", "browser_known"],
                name="nv_one_open_code_of_a_person",
                condition=Q(
                    status=Status.PENDING,
                    method__in=TYPED,
                    user__isnull=False,
                ),
            ),
            models.UniqueConstraint(
                fields=["number_fingerprint", "holder_digest"],
                name="nv_one_open_code_of_a_stranger",
                condition=Q(
                    status=Status.PENDING, method=Method.SMS, user__isnull=True
                ),
            ),
            models.CheckConstraint(
                name="nv_only_verified_is_redeemed",
                condition=Q(redeemed_at=None) | Q(status=Status.VERIFIED),
            ),
        ]
        # Of settled rows alone, so that a row enters them once. Each has first what is
        # filtered by and then the key, so that a page is read in order, be the value
        # rare or not; the newest rows of all are read by the key itself.
        indexes = [
            _of_settled("status", "nv_by_outcome"),
            _of_settled("number_fingerprint", "nv_by_number"),
            _of_settled("user", "nv_by_person"),
            _of_settled("purpose", "nv_by_purpose"),
            # A row enters one of these two: by the network is nearly all of them.
            _of_settled("method", "nv_by_method", ~Q(method=Method.NETWORK)),
            _of_settled("operator", "nv_by_operator", ~Q(operator="")),
            _of_settled("country", "nv_by_country"),
            _of_settled("ip", "nv_by_address", Q(ip__isnull=False)),
            _of_settled("reason", "nv_by_reason", ~Q(reason="")),
            # What few rows are: most are neither test nor attack.
            _of_settled("", "nv_flagged", Q(attention=True)),
            _of_settled("", "nv_test", Q(test=True)),
            models.Index(
                fields=["previous"],
                name="nv_following",
                condition=Q(previous__isnull=False),
            ),
            # Tries and messages are counted over what is open, too.
            models.Index(
                fields=["user", "method", "-id"],
                name="nv_codes_of_a_person",
                condition=Q(method__in=TYPED),
            ),
            models.Index(
                fields=["number_fingerprint", "-id"],
                name="nv_texts_to_a_number",
                condition=Q(method=Method.SMS),
            ),
            # What is open is little. The history reads it beside what is settled.
            models.Index(
                fields=["-id"],
                name="nv_open",
                condition=Q(settled_at=None),
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def get_absolute_url(self) -> str:
        return reverse("numberverify:detail", args=[self.pk])

    def close(self, reason: Reason, status: Status = Status.UNAVAILABLE) -> None:
        """Make a new row one that is over; the caller saves it."""
        self.status, self.reason = status, reason
        self.settled_at = self.created_at
        self.number, self.nonce, self.code_digest, self.sends = "", "", b"", 0

    def save_closed(self, reason: Reason) -> str:
        """Save a new row as one that could not tell, and return its page."""
        self.close(reason)
        self.save(force_insert=True)
        return self.get_absolute_url()

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def waits_for_operator(self) -> bool:
        """Whether the person has yet to say which network the SIM is on."""
        pending = self.status == Status.PENDING and self.method == Method.NETWORK
        return pending and not self.operator

    @property
    def is_handed_over(self) -> bool:
        """Whether it goes, or went, by way of another device than began it. The two are
        equal, too, in a row of somebody forgotten."""
        apart = bytes(self.device_digest) != bytes(self.holder_digest)
        return apart and self.action != conf.CHECK

    def is_held_by(self, binding: str) -> bool:
        """Say whether `binding` is that of the browser that may redeem."""
        return bytes(self.holder_digest) == digest(binding)

    def belongs_to(self, binding: str) -> bool:
        """Say whether `binding` is the device's or the holder's."""
        found = digest(binding)
        return found in (bytes(self.device_digest), bytes(self.holder_digest))
