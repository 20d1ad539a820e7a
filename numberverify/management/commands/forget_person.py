import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from numberverify import forget, records
from numberverify.management import people


class Command(BaseCommand):
    help = (
        "Erase what identifies a person from the history of verifications, and from "
        "what happened to their numbers. What remains says that somebody was "
        "verified; the seal holds, the account stays."
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
            required=True,
            help="Stays in the record and the chain for good: it may not name them.",
        )
        parser.add_argument("--yes", action="store_true", help="Do not ask first.")

    def handle(
        self,
        *args: Any,
        person: str | None,
        number: bool,
        reason: str,
        **options: Any,
    ) -> None:
        if bool(person) == number:
            raise CommandError("Say one: an account, or --number.")
        people.check_reason(reason)
        if person:
            user = people.find(person)
            self._confirm(f"the account {user.pk}", options["yes"])
            done = self._forget({"person": user.pk}, reason, forget.person, user)
        else:
            msisdn = people.read_number()
            self._confirm(f"the number {msisdn}", options["yes"])
            said = {"number": "without an account"}
            done = self._forget(said, reason, forget.number, msisdn)
            if accounts := forget.others_with(msisdn):
                keys = ", ".join(map(str, accounts))
                self.stdout.write(f"Accounts have rows about it, too: {keys}")
        self.stdout.write(f"erased {done.rows}")
        if done.left:
            raise CommandError(
                f"{done.left} of the last hour stay, since they may close a way to "
                f"guess. Run this again after {done.at:%Y-%m-%d %H:%M:%S} UTC."
            )

    def _forget(
        self, said: dict[str, Any], reason: str, erase: Any, whom: Any
    ) -> forget.Forgotten:
        """With its record, or not at all."""
        by = people.by_command()
        with transaction.atomic():
            done: forget.Forgotten = erase(whom, by=by, reason=reason)
            kind = records.Kind.FORGOTTEN
            records.note_command(by, kind, said, reason=reason, rows=done.rows)
        return done

    def _confirm(self, what: str, yes: bool) -> None:
        if yes:
            return
        if not sys.stdin.isatty():
            raise CommandError("This cannot be undone: say --yes.")
        if input(f"Erase {what} from the history? [y/N] ").lower() != "y":
            raise CommandError("Nothing was erased.")
