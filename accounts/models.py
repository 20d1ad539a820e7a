"""People, what is known of them, and what they have half finished."""

import hashlib
import secrets
import uuid
from datetime import timedelta
from functools import cache
from typing import Any

from django.contrib.auth.models import (
    AbstractBaseUser,
    BaseUserManager,
    PermissionsMixin,
)
from django.db import models
from django.db.models import F, FilteredRelation, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from numberverify.prepared import Delete, Select, Update, insert

from .claim_model import Claim as Claim
from .notice import Notice as Notice
from .number_models import NumberEvent as NumberEvent
from .number_models import NumberRelease as NumberRelease
from .profile_model import Profile as Profile
from .sessions import delete_stored

# Longer than a verification and its receipt: what was typed outlives a failed check.
PENDING_FOR = timedelta(minutes=30)
# A manual verification and its receipt.
STAFF_TAKE = timedelta(hours=25)
# A browser keeps its cookie no longer than that, whatever it is told.
KNOWN_FOR = timedelta(days=400)


def digest(secret: str) -> bytes:
    """Return the SHA-256 of a random value of ours; it has no less than 128 bits."""
    return hashlib.sha256(secret.encode()).digest()


def new_session_salt() -> str:
    return secrets.token_hex(8)


class UserManager(BaseUserManager["User"]):
    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """Lower-case whole: nobody means two people by two spellings."""
        return (email or "").strip().lower()

    def get_by_natural_key(self, username: str | None) -> "User":
        """For a login, which goes on with the number on file."""
        found = _with_profile.first(email=self.normalize_email(username))
        if found is None:
            raise self.model.DoesNotExist
        return found

    def create_user(
        self, email: str, password: str | None = None, **columns: Any
    ) -> "User":
        user = self.model(email=self.normalize_email(email), **columns)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(
        self, email: str, password: str | None = None, **columns: Any
    ) -> "User":
        columns |= {"is_staff": True, "is_superuser": True}
        columns.setdefault("email_confirmed_at", timezone.now())
        return self.create_user(email, password, **columns)


class User(AbstractBaseUser, PermissionsMixin):
    email = models.EmailField(_("e-mail address"), unique=True)
    email_confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    date_joined = models.DateTimeField(_("joined"), default=timezone.now)
    session_salt = models.CharField(
        max_length=16,
        default=new_session_salt,
        editable=False,
        help_text="Part of the sessions' hash: a new one ends them all.",
    )

    proof_version = models.PositiveIntegerField(
        default=0,
        editable=False,
        help_text="Goes up with each change of number or factor.",
    )
    frozen_at = models.DateTimeField(
        _("frozen"),
        null=True,
        blank=True,
        help_text=_("Nothing but a password reset until it is done."),
    )
    language = models.CharField(
        _("language"),
        max_length=10,
        blank=True,
        help_text=_("Of mails and text messages; empty is the site's."),
    )
    warned_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When the person was last told of several no matches.",
    )

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        permissions = [
            ("show_number", "Can see the whole number of a person"),
            ("forget_person", "Can have a person forgotten"),
        ]
        constraints = [
            models.CheckConstraint(
                name="user_email_is_lower_case", condition=Q(email=Lower("email"))
            )
        ]

    def __str__(self) -> str:
        return self.email

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        # What Django's own does, with the salt beside the password.
        value = f"{self.password}{self.session_salt}"
        key_salt = "accounts.models.User.session"
        return salted_hmac(
            key_salt, value, secret=secret, algorithm="sha256"
        ).hexdigest()

    def state_hash(self) -> str:
        """Return what changes when the sessions end or a number or factor changes.

        Of the person's own row alone, so that a protected page costs no query more.
        """
        made = f"{self.get_session_auth_hash()}:{self.proof_version}"
        return salted_hmac("accounts.state", made, algorithm="sha256").hexdigest()

    def end_sessions(self, *, but: "Device | None" = None) -> None:
        """End every session of this person at once, and all that could open one
        again more easily: mailed links, half-finished logins, known browsers.

        `but` stays known; its session has to be given the new hash by the caller.
        """
        self.session_salt = new_session_salt()
        # No save: of somebody who has closed the account meanwhile nothing is left.
        User.objects.filter(pk=self.pk).update(session_salt=self.session_salt)
        self.forget_browsers(but=but)

    def freeze(self) -> None:
        """Shut all but the password reset, and end all sessions. `account.freeze`
        ends what is under way, too."""
        self.frozen_at = timezone.now()
        User.objects.filter(pk=self.pk).update(frozen_at=self.frozen_at)
        self.end_sessions()

    def end_proofs(self) -> None:
        """End the proofs that sessions hold: a number or a factor has changed."""
        User.objects.filter(pk=self.pk).update(proof_version=F("proof_version") + 1)

    def forget_browsers(self, *, but: "Device | None" = None) -> None:
        """Know no browser any more, and end what is signed in there."""
        browsers = Device.objects.filter(user=self)
        if but:
            browsers = browsers.exclude(pk=but.pk)
        delete_stored(browsers.signed_in_keys())
        browsers.delete()


def proof_stamp(user: User) -> str | None:
    """Return what a proof in a session dies with; None when frozen (NV_PROOF_STAMP)."""
    return None if user.frozen_at else user.state_hash()


class Pending(models.Model):
    """A half-finished journey. In a row and not in the session, so that tabs do not
    lose each other's and nobody gets a session before being signed in."""

    class Kind(models.TextChoices):
        SIGNUP = "signup", _("Signup")
        LOGIN = "login", _("Login")
        PASSWORD_RESET = "password_reset", _("Password reset")
        PHONE_CHANGE = "phone_change", _("Phone change")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20, choices=Kind)
    holder_digest = models.BinaryField(max_length=32)
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE)
    email = models.EmailField(blank=True)
    password = models.CharField(max_length=128, blank=True, help_text="Hashed.")
    phone = models.CharField(max_length=16, blank=True)
    phone_typed = models.CharField(
        max_length=40, blank=True, help_text="As typed, to be corrected."
    )
    replaces = models.CharField(
        max_length=16, blank=True, help_text="The number on file that is to go."
    )
    next = models.CharField(max_length=500, blank=True)
    auth_hash = models.CharField(
        max_length=64, blank=True, help_text="The person's state at the start."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @classmethod
    def begin(
        cls, kind: Kind, holder: str, *, user: User | None = None, **columns: str
    ) -> "Pending":
        """Write the journey down; a person's holds while nothing of theirs changes."""
        pending = cls(
            kind=kind,
            holder_digest=digest(holder),
            user=user,
            auth_hash=user.state_hash() if user else "",
            expires_at=timezone.now() + PENDING_FOR,
            **columns,
        )
        insert(pending)
        return pending

    @classmethod
    def live(
        cls, kind: str, journey: uuid.UUID, holder: str, token: str
    ) -> "Pending | None":
        """The half-finished journey, in the browser that began it, while it lives;
        with its person, and the `device` that their account knows by `token`, the value
        of that cookie, "" where there is none."""
        return _live.first(
            id=journey,
            kind=kind,
            holder_digest=digest(holder),
            token_digest=digest(token) if token else b"",
            now=timezone.now(),
        )

    @property
    def device(self) -> "Device | None":
        """The browser, as its person's account knows it, where `live` has found it."""
        return getattr(self, "known", None)

    def live_on(self, length: timedelta = PENDING_FOR) -> None:
        """Live for `length` from now, if that is longer."""
        until = timezone.now() + length
        mine = Pending.objects.filter(pk=self.pk, expires_at__lt=until)
        mine.update(expires_at=until)

    def still_holds(self) -> bool:
        """Say whether its person is active, with the same password and factors, and
        nothing has ended their sessions."""
        return (
            self.user is not None
            and self.user.is_active
            and secrets.compare_digest(self.user.state_hash(), self.auth_hash)
        )

    def take(self) -> bool:
        """End the journey; of two that race, one is told True."""
        return _taken.ask(id=self.pk) == 1


class DeviceQuerySet(models.QuerySet["Device"]):
    def of(self, user: User, token: str) -> "Device | None":
        return _of.first(user=user.pk, token_digest=digest(token)) if token else None

    def signed_in_keys(self) -> list[str]:
        return list(self.exclude(session_key="").values_list("session_key", flat=True))


class Device(models.Model):
    """A browser that an account knows, by a cookie that survives logout, and the
    session that is open there.

    Of where it is only the country is kept, not the address.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE)
    token_digest = models.BinaryField(max_length=32)
    user_agent = models.CharField(max_length=256, blank=True)
    country = models.CharField(max_length=2, blank=True)
    session_key = models.CharField(
        max_length=40,
        blank=True,
        default="",
        db_index=True,
        editable=False,
        help_text="Empty when nobody is signed in there.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    signed_in_at = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField()
    last_proof_at = models.DateTimeField(null=True, blank=True)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "token_digest"], name="device_once_per_person"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.created_at:%Y-%m-%d}"

    def take(self, session_key: str, **columns: Any) -> bool:
        """Have this session from now on, and end the one that was open here; say
        whether. Another request that has changed it meanwhile, and none of whose
        sessions must be lost sight of, wins."""
        as_read = {"id": self.pk, "was": self.session_key}
        columns["session_key"] = session_key
        taken = _take(*sorted(columns)).ask(**as_read, **columns)
        if taken and self.session_key not in ("", session_key):
            delete_stored([self.session_key])
        return taken == 1


# What a login asks, written once.
_with_profile = Select(
    User, lambda gap: User.objects.select_related("profile").filter(email=gap("email"))
)
_live = Select(
    Pending,
    lambda gap: (
        Pending.objects.alias(
            known=FilteredRelation(
                "user__device",
                condition=Q(
                    user__device__token_digest=gap("token_digest", "holder_digest")
                ),
            )
        )
        .select_related("user__profile", "known")  # type: ignore[misc]
        .filter(
            **{name: gap(name) for name in ("id", "kind", "holder_digest")},
            expires_at__gt=gap("now", "expires_at"),
        )
    ),
)
_taken = Delete(Pending, lambda gap: Pending.objects.filter(pk=gap("id")))
_of = Select(
    Device,
    lambda gap: Device.objects.filter(
        **{name: gap(name) for name in ("user", "token_digest")}
    ),
)


@cache
def _take(*columns: str) -> Update[Device]:
    return Update(
        Device,
        lambda gap: Device.objects.filter(
            pk=gap("id"), session_key=gap("was", "session_key")
        ),
        lambda gap: {name: gap(name) for name in columns},
    )


def purge_pending() -> int:
    """Delete the journeys that nobody finished in time."""
    return Pending.objects.filter(expires_at__lte=timezone.now()).delete()[0]


def purge_browsers() -> int:
    """Forget the browsers that have no cookie any more by which to be known."""
    long_ago = timezone.now() - KNOWN_FOR
    return Device.objects.filter(last_seen_at__lt=long_ago).delete()[0]
