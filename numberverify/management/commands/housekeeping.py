import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from numberverify import clocks, conf, flow, handoff, retention, seal
from numberverify.errors import ClocksDiffer

logger = logging.getLogger(__name__)


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
            failed = self._run(seconds)
        except ClocksDiffer as error:
            raise CommandError(f"{error} Nothing is done until they agree.") from None
        except DatabaseError:
            logger.exception("housekeeping: the clocks cannot be compared")
            failed = ["clocks"]
        if failed:
            # No traceback: what an error says may quote a row.
            raise CommandError(f"failed, as the log says: {', '.join(failed)}")

    def _run(self, seconds: float) -> list[str]:
        """Return the names of the chores that failed."""
        failed = []
        for name, chore in _chores(seconds):
            try:
                self.stdout.write(chore())
            except ClocksDiffer:
                raise
            except Exception:  # whatever it is, the others are due all the same
                logger.exception("housekeeping: %s failed", name)
                connection.close_if_unusable_or_obsolete()
                failed.append(name)
        return failed


def _chores(seconds: float) -> Iterator[tuple[str, Callable[[], str]]]:
    yield "sweep", lambda: "expired {}, interrupted {}".format(*flow.sweep())
    yield "handoffs", lambda: f"deleted {handoff.purge()} links to phones"
    for chore in conf.housekeeping():
        yield chore.__name__, partial(_told, chore)
    yield "seal", lambda: f"sealed {seal.seal_due(seconds=seconds)}"
    if conf.retention_days():
        yield "purge", lambda: f"purged {retention.purge_due(seconds=seconds).rows}"


def _told(chore: Callable[[], int]) -> str:
    return f"{chore.__name__} {chore()}"
