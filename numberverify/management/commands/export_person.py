import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from numberverify import conf, history, records
from numberverify.management import people


class Command(BaseCommand):
    help = (
        "Print what is known of a person, as JSON: for somebody who asks for it. It "
        "leaves a record."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "person", help="The key or the e-mail address of the account."
        )
        parser.add_argument(
            "--reason", default="", help="Stays in the record: it may not name them."
        )

    def handle(self, *args: Any, person: str, reason: str, **options: Any) -> None:
        people.check_reason(reason, needed=False)
        user = people.find(person)
        known = {
            **conf.data_of(user),
            "verifications": history.all_of_person(user),
            **history.by_staff(user),
        }
        records.note_command(
            people.by_command(),
            records.Kind.PERSON_DATA,
            {"person": user.pk},
            reason=reason,
            rows=len(known["verifications"]),
        )
        self.stdout.write(json.dumps(known, cls=DjangoJSONEncoder, indent=2))
