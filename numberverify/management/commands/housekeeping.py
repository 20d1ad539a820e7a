from typing import Any

from django.core.management.base import BaseCommand

from numberverify import conf, flow


class Command(BaseCommand):
    help = "Settle what nobody came back to, and do the site's further chores."

    def handle(self, *args: Any, **options: Any) -> None:
        expired, interrupted = flow.sweep()
        self.stdout.write(f"expired {expired}, interrupted {interrupted}")
        for chore in conf.housekeeping():
            self.stdout.write(f"{chore.__name__} {chore()}")
