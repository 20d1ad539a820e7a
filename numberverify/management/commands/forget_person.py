import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from numberverify import forget
from numberverify.management import people
from numberverify.msisdn import LONG_NUMBER


class Command(BaseCommand):
    help = (
        "Erase what identifies a person from the history of verifications. What "
        "remains says that somebody was verified; the seal holds, the account stays."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "person", nargs="?", help="The key or the e-mail address of the account."
        )
        parser.add_argument(
            "--number",
            action="store_true",
            help="Instead: a number without an account, read from the standard input.",
        )
        parser.add_argument(
            "--reason",
            default="asked for by the person",
            help="Stays in the chain for good: it may not name the person.",
        )
        parser.add_argument("--yes", action="store_true", help="Do not ask first.")

    def handle(
        self, *args: Any, person: str | None, number: bool, **options: Any
    ) -> None:
        if bool(person) == number:
            raise CommandError("Say one: an account, or --number.")
        who = {"by": f"{people.operator_name()}, by command"[:100]}
        who["reason"] = options["reason"]
        if len(options["reason"]) > 200 or not options["reason"].strip():
            raise CommandError("--reason takes 1 to 200 characters.")
        if "@" in options["reason"] or LONG_NUMBER.search(options["reason"]):
            raise CommandError("--reason is kept: no e-mail address, no long number.")
        if person:
            user = people.find(person)
            self._confirm(f"the account {user.pk}", options["yes"])
            done = forget.person(user, **who)
        else:
            msisdn = people.read_number()
            self._confirm(f"the number {msisdn}", options["yes"])
            done = forget.number(msisdn, **who)
            if accounts := forget.others_with(msisdn):
                keys = ", ".join(map(str, accounts))
                self.stdout.write(f"Accounts have rows about it, too: {keys}")
        self.stdout.write(f"erased {done.rows}")
        if done.left:
            raise CommandError(
                f"{done.left} of the last hour stay, since they may close a way to "
                f"guess. Run this again after {done.at:%Y-%m-%d %H:%M:%S} UTC."
            )

    def _confirm(self, what: str, yes: bool) -> None:
        if yes:
            return
        if not sys.stdin.isatty():
            raise CommandError("This cannot be undone: say --yes.")
        if input(f"Erase {what} from the history? [y/N] ").lower() != "y":
            raise CommandError("Nothing was erased.")
