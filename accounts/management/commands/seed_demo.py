from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts import numbers
from accounts.models import NumberEvent, Profile, User

PASSWORD = "sandbox-2026"  # noqa: S105  for the demo, which production refuses
PEOPLE = (
    ("admin@example.com", "an admin, no number", None),
    ("ann@example.com", "a user; the fresh handset is her phone", "+447700900123"),
    ("ben@example.com", "a user with another phone", "+447700900456"),
)


class Command(BaseCommand):
    help = "Make a demo: an admin, two people, sixty past verifications. DEBUG only."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The demo's passwords are public: DEBUG must be on.")
        if not User.objects.exists():
            self._make_people()
            call_command("seed_history", stdout=self.stdout)
        self._say()

    @transaction.atomic
    def _make_people(self) -> None:
        for email, _role, phone in PEOPLE:
            make = User.objects.create_user if phone else User.objects.create_superuser
            user = make(email, PASSWORD, email_confirmed_at=timezone.now())
            if phone:
                Profile.objects.create(
                    user=user, phone=phone, phone_verified_at=timezone.now()
                )
                numbers.note(NumberEvent.What.ADDED, phone, user)

    def _say(self) -> None:
        site = settings.SITE_URL
        lines = [
            "",
            f"  The site      {site}/",
            f"  The handset   {site}/sandbox/handset/" if settings.NV_SANDBOX else "",
            f"  The history   {site}/admin/numberverify/verification/",
            "",
            f"  Sign in with the password {PASSWORD} as",
            *(f"    {email:20} {role}" for email, role, _phone in PEOPLE),
            "",
        ]
        self.stdout.write("\n".join(lines))
