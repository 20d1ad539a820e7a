from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from numberverify import conf, retention
from numberverify.errors import ClocksDiffer


class Command(BaseCommand):
    help = (
        "Delete verifications older than NV_RETENTION_DAYS, in whole sealed batches "
        "and small steps. housekeeping does the same."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="Say what is due; delete nothing."
        )
        parser.add_argument(
            "--seconds", type=float, default=3600, help="Stop after so long."
        )

    def handle(self, *args: Any, dry_run: bool, seconds: float, **options: Any) -> None:
        days = conf.retention_days()
        if not days:
            self.stdout.write("NV_RETENTION_DAYS is 0: everything is kept.")
            return
        if dry_run:
            due = retention.due(timezone.now())
            rows = sum(batch.rows for batch in due)
            self.stdout.write(
                f"due after {days} days: {rows} rows in {len(due)} batches"
            )
            return
        try:
            purged = retention.purge_due(seconds=seconds)
        except ClocksDiffer as error:
            raise CommandError(
                f"{error} Nothing is deleted until they agree."
            ) from None
        left = len(retention.due(timezone.now()))
        self.stdout.write(
            f"deleted {purged.rows} rows in {purged.batches} batches; {left} left"
        )
