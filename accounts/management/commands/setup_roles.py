from typing import Any

from django.core.management.base import BaseCommand

from accounts import roles


class Command(BaseCommand):
    help = (
        "Make the groups Auditor, Support and Security admin, or give them what they "
        "lack. Takes nothing away: it says what a group may besides."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        for change in roles.set_up():
            self.stdout.write(f"{change.group}: {_said(change)}")
            for permission in change.added:
                self.stdout.write(f"  + {permission}")
            for permission in change.besides:
                self.stdout.write(f"  ! {permission} is not of this role")


def _said(change: roles.Change) -> str:
    if change.made:
        return "made"
    return "given what it lacked" if change.added else "as it should be"
