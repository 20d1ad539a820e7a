import time
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone

from numberverify import conf, flow, msisdn, routing, subscriber, trial
from numberverify.choices import Reason, Status
from numberverify.models import Verification
from numberverify.msisdn import Msisdn
from numberverify.operators.probe import walk

LOOK_EVERY = 1.0  # seconds
ENDINGS = {
    Status.MISMATCHED: "That was no match: the SIM has another number.",
    Status.EXPIRED: "Nobody came in time.",
}
COULD_NOT_TELL = "The network could not tell. That is no match and no mismatch."
TEN_DAYS, MONTH = timedelta(days=10), timedelta(days=30)


class Command(BaseCommand):
    help = (
        "Walk through what an operator must do and say of each step whether it works. "
        "With --number, wait for a phone with that SIM as well."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="The operator's table in operators.toml.")
        parser.add_argument(
            "--number", help="A number of that operator whose SIM is at hand."
        )

    def handle(self, *args: Any, name: str, number: str | None, **options: Any) -> None:
        if name not in routing.operators():
            known = ", ".join(routing.operators()) or "none"
            raise CommandError(f"No operator is named {name!r}. There are: {known}.")
        sim = self._read(number) if number else None
        failed = self._walk(name)
        if failed:
            raise CommandError(f"{failed} of the steps failed.")
        if sim:
            self._ask_a_phone(name, sim)

    def _read(self, number: str) -> Msisdn:
        try:
            return msisdn.parse(number, region=conf.default_region())
        except ValueError:
            raise CommandError("--number is no mobile number.") from None

    def _walk(self, name: str) -> int:
        back = conf.site_url() + reverse("numberverify:callback", args=[name])
        self.stdout.write(f"Redirect URI to register: {back}")
        failed = 0
        for step in walk(routing.line(name), back):
            word = "ok  " if step.works else "FAIL"
            self.stdout.write(f"{word}  {step.name}: {step.said}")
            failed += not step.works
        return failed

    def _ask_a_phone(self, name: str, sim: Msisdn) -> None:
        row, secret = trial.begin(name, sim)
        path = reverse("numberverify:trial", args=[row.pk, secret])
        self.stdout.write(
            f"\nOpen this on the phone with {sim}, on mobile data, within five "
            f"minutes:\n\n  {conf.site_url()}{path}\n\nWaiting for the verdict ..."
        )
        while row.is_open:
            time.sleep(LOOK_EVERY)
            row = flow.look(row.pk) or row
        self._tell(name, row, sim)
        if row.status != Status.VERIFIED:
            raise CommandError(ENDINGS.get(Status(row.status), COULD_NOT_TELL))

    def _tell(self, name: str, row: Verification, sim: Msisdn) -> None:
        verdict = str(Status(row.status).label)
        if row.reason:
            verdict += f": {Reason(row.reason).label} ({row.reason})"
        self.stdout.write(f"{verdict}; {row.operator_ms or 0} ms at the operator")
        swapped = subscriber.sim_swapped(sim, within=TEN_DAYS, operator=name)
        since = (timezone.now() - MONTH).date()
        recycled = subscriber.recycled(sim, since=since, operator=name)
        self.stdout.write(f"SIM swapped within ten days: {swapped}")
        self.stdout.write(f"Another subscriber since {since}: {recycled}")
