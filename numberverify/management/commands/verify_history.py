import re
from argparse import ArgumentTypeError
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, transaction

from numberverify import records, seal
from numberverify.management import people

MOST_SAID = 1000
MOST_DAYS = 36500
SHOWN = 20  # purges, and erasings
DAY = re.compile(r"\d{4}-\d\d-\d\d")
MONTH = re.compile(r"\d{4}-\d\d")


def period(word: str) -> tuple[datetime, datetime]:
    """Read a day or a month, in UTC: when it begins, and when the next one does."""
    try:
        if DAY.fullmatch(word):
            day = datetime.fromisoformat(word).replace(tzinfo=UTC)
            return day, day + timedelta(days=1)
        if MONTH.fullmatch(word):
            month = datetime.fromisoformat(f"{word}-01").replace(tzinfo=UTC)
            return month, (month + timedelta(days=31)).replace(day=1)
    except (ValueError, OverflowError):
        pass
    raise ArgumentTypeError("a day is written as 2026-05-31, a month as 2026-05")


def number_of_days(word: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,4}", word) or int(word) > MOST_DAYS:
        raise ArgumentTypeError(f"1 to {MOST_DAYS} days")
    return int(word)


def _tell(out: Any, what: str, told: list[seal.Told], shown: int | None) -> None:
    """Say what the chain tells of: whether it was right, an auditor judges."""
    if not told:
        return
    rows = sum(each.rows for each in told)
    last = f", the last {shown} of them" if shown and len(told) > shown else ""
    out.write(f"The chain tells of {len(told)} {what} of {rows} rows{last}:")
    for each in told[-shown:] if shown else told:
        out.write(str(each))


class Command(BaseCommand):
    help = (
        "Show that no sealed verification was changed, removed or added. Names each "
        "that was, and ends with 1."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since", type=period, help="The first day or month to look at (UTC)."
        )
        parser.add_argument(
            "--until", type=period, help="The last day or month to look at (UTC)."
        )
        parser.add_argument(
            "--chain",
            action="store_true",
            help="Look at the chain alone, at no row: quick.",
        )
        parser.add_argument(
            "--retention-was",
            type=number_of_days,
            metavar="DAYS",
            help="The least NV_RETENTION_DAYS that this site ever had: purges after so "
            "many days are right, too.",
        )
        parser.add_argument(
            "--list",
            action="store_true",
            help=f"List all purges and erasings, not the last {SHOWN} alone.",
        )
        parser.add_argument(
            "--export",
            metavar="FILE",
            help="Write the chain's heads, if it holds: keep them elsewhere. - is "
            "the standard output.",
        )
        parser.add_argument(
            "--against", metavar="FILE", help="Compare with heads exported before."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        limits: dict[str, Any] = {"days": options["retention_was"]}
        if options["since"]:
            limits["since"] = options["since"][0]
        if options["until"]:
            limits["until"] = options["until"][1]
        if options["since"] and options["until"] and limits["since"] >= limits["until"]:
            raise CommandError("--since is later than --until.")
        wrong, done = 0, seal.Checked()
        for finding in self._findings(done, options, limits):
            wrong += 1
            if wrong <= MOST_SAID:
                self.stderr.write(str(finding))
        self._sum_up(done, options)
        self._record(done, wrong, options)
        if wrong:
            more = f" The first {MOST_SAID} are named." if wrong > MOST_SAID else ""
            raise CommandError(f"{wrong} things are not as they were sealed.{more}")
        if options["export"]:
            self._export(options["export"])

    def _record(self, done: seal.Checked, wrong: int, options: dict[str, Any]) -> None:
        """What the admin shows of the last check; the chain alone is no such check."""
        if options["chain"] or done.head is None:
            return
        since, until = options["since"], options["until"]
        first = f"{since[0]:%Y-%m-%d}" if since else ""
        last = f"{until[1] - timedelta(days=1):%Y-%m-%d}" if until else ""
        part = f"{first} to {last}" if first or last else "all"
        details = {"part": part, "findings": wrong}
        if (
            options["retention_was"] is not None
        ):  # what was let pass by it is no finding
            details["retention_was"] = options["retention_was"]
        try:
            with transaction.atomic():
                records.note_command(
                    people.by_command(),
                    records.Kind.CHECKED,
                    details,
                    rows=done.rows,
                    complete=not wrong,
                )
        except DatabaseError:  # an auditor may look by a role that only reads
            self.stderr.write("No record of this check was left: may not write.")

    def _findings(
        self, done: seal.Checked, options: dict[str, Any], limits: dict[str, Any]
    ) -> Iterator[seal.Finding]:
        if options["against"]:
            yield from self._compare(options["against"])
        yield from seal.check(done, rows=not options["chain"], **limits)

    def _compare(self, path: str) -> Iterator[seal.Finding]:
        try:
            with Path(path).open(encoding="utf-8") as exported:
                if not exported.read(1):
                    raise CommandError(f"{path} is empty.")
                exported.seek(0)
                yield from seal.compare(exported)
        except (OSError, ValueError) as error:
            raise CommandError(f"{path}: {error}") from None

    def _sum_up(self, done: seal.Checked, options: dict[str, Any]) -> None:
        # Beside the heads on the standard output it would be no JSON.
        out = self.stderr if options["export"] == "-" else self.stdout
        if done.head is None:
            out.write("Nothing is sealed yet: `manage.py housekeeping` seals.")
            return
        out.write(
            f"{done.links} links; looked at {done.rows} rows in {done.batches} batches"
            f" ({done.forgotten} of a person who was forgotten); {len(done.purges)} "
            f"batches were purged."
        )
        shown = None if options["list"] else SHOWN
        _tell(out, "purges", done.purges, shown)
        _tell(out, "erasings", done.erasings, shown)
        made, digest = done.head.made_at, bytes(done.head.digest).hex()
        out.write(f"The newest link, {done.head.number} of {made:%Y-%m-%d %H:%M} UTC:")
        out.write(f"  {digest}")

    def _export(self, path: str) -> None:
        if path == "-":
            for line in seal.lines():
                self.stdout.write(line)
            return
        try:
            with Path(path).open("w", encoding="utf-8") as out:
                out.writelines(f"{line}\n" for line in seal.lines())
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from None
