"""What this site does when a person is forgotten.

docs/reference/personal-data.md says of each table what stays, why, and for how long.
"""

from collections.abc import Collection

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q

from .models import Claim, NumberEvent, NumberRelease, Profile, User


def forget(user: User | None, marks: Collection[bytes]) -> None:
    """Erase what leads to the person from the rows of theirs, and from those of nobody
    about the numbers of these fingerprints (NV_FORGET). None: nobody's alone.

    Nothing of another person: they may have the number now. Nothing that is under way,
    since the account stays.
    """
    if user:
        _forget_claims(user)
        # It would lead from the account to a row that is no person's any more.
        Profile.objects.filter(user=user).update(phone_verification=None)
        _forget_name(user)
    whose = Q(person=None) | Q(person=user) if user else Q(person=None)
    mine = whose & Q(number_fingerprint__in=marks)
    NumberRelease.objects.filter(mine).forget()
    NumberEvent.objects.filter(mine).forget()


def _forget_claims(user: User) -> None:
    """As when the account is closed."""
    over = Claim.objects.exclude(ended_at=None)
    over.filter(claimant=user).delete()
    over.filter(holder=user).update(holder=None)


def _forget_name(user: User) -> None:
    """The admin's log has the e-mail address of whom staff changed."""
    kind = ContentType.objects.get_for_model(User)
    changed = LogEntry.objects.filter(content_type=kind, object_id=str(user.pk))
    changed.update(object_repr=f"account {user.pk}")
