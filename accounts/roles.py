"""The groups that staff are put into: what each of them may."""

from dataclasses import dataclass, field

from django.contrib.auth.models import Group, Permission
from django.db import transaction

# Whoever asks does not decide; the deciding is Security admins' alone.
SUPPORT = frozenset(
    {
        "numberverify.view_verification",
        "numberverify.view_manualrequest",
        "numberverify.ask_manual",
        "accounts.view_user",
        "accounts.view_claim",
        "accounts.view_numberevent",
        "accounts.view_numberrelease",
        "accounts.ask_release",
    }
)
AUDITOR = frozenset(
    {
        "numberverify.view_verification",
        "numberverify.export_verification",
        "numberverify.view_manualrequest",
        "numberverify.view_staffrecord",
        "accounts.view_claim",
        "accounts.view_numberevent",
        "accounts.view_numberrelease",
    }
)
SECURITY_ADMIN = (
    SUPPORT
    | AUDITOR
    | {
        "numberverify.decide_manual",
        "accounts.decide_release",
        "accounts.change_user",  # freezes, ends sessions, sends a reset, shuts
        "accounts.show_number",
        "accounts.forget_person",
    }
)
ROLES = {"Auditor": AUDITOR, "Support": SUPPORT, "Security admin": SECURITY_ADMIN}


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to a group, and what it may besides: that is left to the site."""

    group: str
    made: bool
    added: list[str] = field(default_factory=list)
    besides: list[str] = field(default_factory=list)


@transaction.atomic
def set_up() -> list[Change]:
    """Make the groups, and give them what they lack."""
    return [_set_up(name, wanted) for name, wanted in ROLES.items()]


def _set_up(name: str, wanted: frozenset[str]) -> Change:
    group, made = Group.objects.get_or_create(name=name)
    has = {_name(each) for each in _of(group)}
    group.permissions.add(*(_found(each) for each in wanted - has))
    return Change(name, made, sorted(wanted - has), sorted(has - wanted))


def _of(group: Group) -> list[Permission]:
    return list(group.permissions.select_related("content_type"))


def _name(permission: Permission) -> str:
    return f"{permission.content_type.app_label}.{permission.codename}"


def _found(name: str) -> Permission:
    app, _, codename = name.partition(".")
    return Permission.objects.get(content_type__app_label=app, codename=codename)
