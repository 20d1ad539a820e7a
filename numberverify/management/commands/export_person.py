import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from numberverify import conf, history
from numberverify.management import people
from numberverify.models import ManualRequest

WRITTEN = (
    "verification",
    "reason",
    "evidence",
    "asked_at",
    "decided_at",
    "approved",
)


class Command(BaseCommand):
    help = "Print what is known of a person, as JSON: for somebody who asks for it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "person", help="The key or the e-mail address of the account."
        )

    def handle(self, *args: Any, person: str, **options: Any) -> None:
        user = people.find(person)
        by_staff = ManualRequest.objects.filter(verification__user=user)
        known = conf.data_of(user) | {
            "verifications": history.all_of_person(user),
            "manual_verifications": list(by_staff.values(*WRITTEN)),
        }
        self.stdout.write(json.dumps(known, cls=DjangoJSONEncoder, indent=2))
