"""A person's own account: its e-mail, its sessions, its data, its end."""

from typing import Any

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth import update_session_auth_hash
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from numberverify import flow, history, ways
from numberverify.browser import Browser, browser_of
from numberverify.msisdn import Msisdn
from numberverify.stepup import redeem_step_up

from . import claims, mail, notices, numbers, personal, phone, releases
from .models import Device, Notice, NumberEvent, Pending, Profile, User
from .notice import Kind


class StaffAccount(Exception):
    """Staff do not delete themselves: the history names them."""


def ask_for_email(request: HttpRequest, user: User, email: str) -> None:
    """Mail a link to the new address and tell the old one. Says nothing of whether the
    new one has an account. Raise VerificationNotUsable."""
    with transaction.atomic():
        redeem_step_up(request)
        mail.send_email_change(user, email)
        notices.tell(user, Kind.EMAIL_ASKED, browser_of(request))


def change_email(user: User, email: str, browser: Browser | None = None) -> bool:
    """Change it, as its owner has confirmed; say whether it could be."""
    old = user.email
    unchanged = User.objects.filter(pk=user.pk, email=old, frozen_at=None)
    try:
        with transaction.atomic():
            changed = unchanged.update(email=email, email_confirmed_at=timezone.now())
            if changed:
                user.end_proofs()
                # The old address, since a reset would go to the new one.
                notices.tell_of_number(
                    user,
                    Kind.EMAIL_CHANGED,
                    browser,
                    before=phone.msisdn_of(user),
                    email_before=old,
                )
    except IntegrityError:  # somebody has signed up with it meanwhile
        return False
    return changed == 1


def end_other_sessions(
    request: HttpRequest, user: User, *, device: Device | None
) -> None:
    """End every session but this one, which is open in the browser `device`.

    Raise VerificationNotUsable.
    """
    with transaction.atomic():
        redeem_step_up(request)
        claims.withdraw(user)  # a thief may have made it
        user.end_sessions(but=device)
        notices.tell(user, Kind.SESSIONS_ENDED, browser_of(request))
    update_session_auth_hash(request, user)


def export(request: HttpRequest, user: User) -> dict[str, Any]:
    """Return what the site knows of the person. Raise VerificationNotUsable."""
    with transaction.atomic():
        redeem_step_up(request)
    return personal.data_of(user) | {"verifications": history.all_of_person(user)}


def close(request: HttpRequest, user: User) -> None:
    """Delete the account; the history keeps its rows, without the person.

    Raise VerificationNotUsable, or StaffAccount.
    """
    if user.is_staff:
        raise StaffAccount
    with transaction.atomic():
        # Before the proof, in the order in which everybody locks rows.
        Pending.objects.filter(user=user).delete()
        redeem_step_up(request)
        mail.send_closed(user)
        delete(user)


def confirm_email(user: User) -> bool:
    """Note that the address is theirs; say whether it is theirs still."""
    mine = User.objects.filter(pk=user.pk, email=user.email, frozen_at=None)
    user.email_confirmed_at = user.email_confirmed_at or timezone.now()
    return mine.update(email_confirmed_at=user.email_confirmed_at) == 1


def close_unconfirmed(user: User) -> bool:
    """Delete an account that somebody else has opened with this person's address; say
    whether it was not confirmed still, nor frozen meanwhile."""
    theirs = User.objects.filter(pk=user.pk, email=user.email, is_active=True)
    still = theirs.filter(email_confirmed_at=None, frozen_at=None)
    with transaction.atomic():
        number = _let_go(user)
        # Last, in the order in which everybody locks rows; if not, all is as it was.
        is_so = still.select_for_update().exists()
        transaction.set_rollback(not is_so)
        if is_so:
            _delete(user, number)
    return is_so


@transaction.atomic
def freeze(user: User) -> None:
    """Shut all but a password reset, and end every session."""
    withdraw(user)
    user.freeze()


def withdraw(user: User) -> None:
    """End all that is under way and could open or change something, in the order in
    which everybody locks rows. Call it before the person's own row is written."""
    Pending.objects.filter(user=user).delete()
    flow.withdraw(user)
    claims.withdraw(user)
    releases.withdraw(user)


@transaction.atomic
def delete(user: User) -> None:
    """Delete a person; of one who was staff, what they did stays on record."""
    _delete(user, _let_go(user))


def _let_go(user: User) -> str | None:
    """End what is under way and free the number; return it. The requests of a member
    of staff after the number, as a release has them."""
    Pending.objects.filter(user=user).delete()
    flow.withdraw(user, attention=False)
    claims.withdraw(user)
    number = phone.number_of(user)
    freed = number and claims.free(user, number)
    releases.withdraw(user)
    return number if freed else None


def _delete(user: User, number: str | None) -> None:
    if number:
        numbers.left(NumberEvent.What.CLOSED, number, user)
        claims.freed(number)
        words = _("{site}: your account is closed. Was it not you? Ask our support.")
        said = format_lazy(words, site=settings.NV_SITE_NAME)
        mail.text(Msisdn(number), said, user.language)
    user.forget_browsers()
    if _is_named(user):
        _blank(user)
    else:
        user.delete()


def _is_named(user: User) -> bool:
    """Whether a record names the person as staff."""
    did = LogEntry.objects.filter(user=user)
    return history.names(user) or releases.names(user) or did.exists()


def _blank(user: User) -> None:
    """Leave an empty row of somebody who was staff: what they did stays on record."""
    Profile.objects.filter(user=user).delete()
    Pending.objects.filter(user=user).delete()
    Notice.objects.filter(user=user).delete()
    ways.forget(user)
    user.email, user.email_confirmed_at = f"closed-{user.pk}@account.invalid", None
    user.is_active = False
    user.set_unusable_password()
    user.save()
    user.end_sessions()


def ways_overview() -> dict[str, int | bool]:
    """Count the accounts that have few ways to prove who they are."""
    poor = ways.without_any(User.objects.filter(is_active=True))
    with_number = poor.filter(profile__phone_verified_at__isnull=False).count()
    sms = ways.sends_sms()
    return {
        "sms": sms,
        "only_network": 0 if sms else with_number,
        "only_number": with_number,
        "nothing": poor.count() - with_number,
    }
