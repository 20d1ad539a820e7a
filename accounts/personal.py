"""What the account itself holds of a person, for the person (GDPR, article 15).

docs/reference/personal-data.md says of each table what is given, what not, and why.
"""

from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet

from numberverify import ways

from . import numbers
from .models import Claim, Device, Notice, NumberRelease, Pending, Profile, User

BROWSER = (
    "user_agent",
    "country",
    "created_at",
    "signed_in_at",
    "last_seen_at",
    "last_proof_at",
)
TOLD = ("kind", "user_agent", "country", "email_before", "created_at", "acted_at")
CLAIM = ("number_mask", "outcome", "created_at", "due_at", "ended_at")
RELEASE = ("number_mask", "reason", "evidence", "outcome", "asked_at", "ended_at")
HALF = ("kind", "email", "phone", "phone_typed", "replaces", "created_at", "expires_at")


def data_of(user: User) -> dict[str, Any]:
    """Return it, without secrets, other people, and who of the staff it was: for the
    person, or `export_person` (NV_DATA_OF)."""
    return {
        **_account(user),
        **_profile(user),
        **ways.on_file(user),
        "browsers": _browsers(user),
        "half_finished": _all(Pending.objects.filter(user=user), *HALF),
        "told": _all(Notice.objects.filter(user=user).order_by("-pk"), *TOLD),
        "number_events": numbers.all_of_person(user),
        "claims_made": _all(
            Claim.objects.filter(claimant=user), "verification", "replaces", *CLAIM
        ),
        "claims_against": _all(Claim.objects.filter(holder=user), *CLAIM),
        "releases": _all(NumberRelease.objects.filter(person=user), *RELEASE),
        "changed_by_staff": _changes(user),
    }


def _account(user: User) -> dict[str, Any]:
    return {
        "email": user.email,
        "email_confirmed_at": user.email_confirmed_at,
        "language": user.language,
        "joined_at": user.date_joined,
        "last_login_at": user.last_login,
        "active": user.is_active,
        "frozen_at": user.frozen_at,
        "warned_at": user.warned_at,
        "staff": user.is_staff,
        "superuser": user.is_superuser,
        "groups": list(user.groups.values_list("name", flat=True)),
        "permissions": list(user.user_permissions.values_list("codename", flat=True)),
    }


def _profile(user: User) -> dict[str, Any]:
    profile = Profile.objects.filter(user=user).first() or Profile()
    return {
        "phone": profile.phone,
        "phone_verified_at": profile.phone_verified_at,
        "phone_verified_by": profile.phone_verification,
        "phone_claimed_until": profile.claimed_until,
        "network": profile.operator,
    }


def _browsers(user: User) -> list[dict[str, Any]]:
    mine = Device.objects.filter(user=user)
    signed_in = set(mine.exclude(session_key="").values_list("pk", flat=True))
    return [
        {**row, "signed_in": row.pop("pk") in signed_in}
        for row in mine.values(*BROWSER, "pk")
    ]


def _changes(user: User) -> list[dict[str, Any]]:
    kind = ContentType.objects.get_for_model(User)
    about = Q(content_type=kind, object_id=str(user.pk))
    return [
        {"at": entry.action_time, "what": entry.get_change_message()}
        for entry in LogEntry.objects.filter(about)
    ]


def _all(rows: QuerySet[Any], *columns: str) -> list[dict[str, Any]]:
    return list(rows.values(*columns))
