from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from numberverify import clocks, conf, flow, retention, seal
from numberverify.errors import ClocksDiffer


class Command(BaseCommand):
    help = (
        "Settle what nobody came back to, do the site's further chores, seal what is "
        "settled and delete what is old. For cron, every few minutes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--seconds",
            type=float,
            default=60,
            help="Seal, and then delete, for so long at most: the next run goes on.",
        )

    def handle(self, *args: Any, seconds: float, **options: Any) -> None:
        try:
            clocks.agreed()  # before all: what is under way would be over, too
            self._run(seconds)
        except ClocksDiffer as error:
            raise CommandError(f"{error} Nothing is done until they agree.") from None

    def _run(self, seconds: float) -> None:
        expired, interrupted = flow.sweep()
        self.stdout.write(f"expired {expired}, interrupted {interrupted}")
        for chore in conf.housekeeping():
            self.stdout.write(f"{chore.__name__} {chore()}")
        self.stdout.write(f"sealed {seal.seal_due(seconds=seconds)}")
        if conf.retention_days():
            purged = retention.purge_due(seconds=seconds)
            self.stdout.write(f"purged {purged.rows}")
