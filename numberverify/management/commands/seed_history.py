import random
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from numberverify import conf
from numberverify.choices import Because, Purpose, Reason, Status
from numberverify.models import Verification, digest
from numberverify.msisdn import Msisdn
from numberverify.uuid7 import uuid7

# How real histories look: mostly matches, then networks that could not tell.
ENDINGS = (
    [(Status.VERIFIED, "")] * 12
    + [(Status.MISMATCHED, "")] * 3
    + [(Status.UNAVAILABLE, Reason.NOT_ON_MOBILE_NETWORK)] * 3
    + [(Status.UNAVAILABLE, Reason.ACCESS_DENIED)]
    + [(Status.UNAVAILABLE, Reason.OPERATOR_TIMEOUT)]
    + [(Status.UNAVAILABLE, Reason.OTHER_BROWSER)]
    + [(Status.EXPIRED, "")] * 2
)
PURPOSES = (
    [Purpose.LOGIN] * 6 + [Purpose.PASSWORD_CHANGE] * 2 + [Purpose.PASSWORD_RESET]
)
BECAUSE = [Because.NEW_BROWSER, Because.STALE]
AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) Mobile Safari/604.1",
    "Mozilla/5.0 (Linux; Android 16; Pixel 10) Chrome/146.0 Mobile Safari/537.36",
)


class Command(BaseCommand):
    help = "Invent past verifications, for a demo. DEBUG only."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--count", type=int, default=60)

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("An invented history is no evidence: DEBUG must be on.")
        # Always the same history: a demo, not a secret.
        chance = random.Random(7)  # noqa: S311
        people = [
            (user, number)
            for user in get_user_model()._default_manager.order_by("pk")
            if (number := conf.number_of(user))
        ]
        count = options["count"]
        rows = [self._row(chance, *chance.choice(people)) for _ in range(count)]
        Verification.objects.bulk_create(rows)
        self.stdout.write(f"invented {len(rows)} past verifications")

    def _row(self, chance: random.Random, user: Any, msisdn: Msisdn) -> Verification:
        started = timezone.now() - timedelta(minutes=chance.randrange(60, 60 * 24 * 30))
        status, reason = chance.choice(ENDINGS)
        purpose = chance.choice(PURPOSES)
        login = purpose == Purpose.LOGIN
        binding = digest(str(chance.random()))
        row = Verification(
            id=uuid7(started.timestamp()),
            user=user,
            purpose=purpose,
            asked_because=chance.choice(BECAUSE) if login else Because.REQUIRED,
            operator="sandbox",
            test=True,
            status=status,
            reason=reason,
            attention=reason == Reason.OTHER_BROWSER,
            number_mask=str(msisdn),
            number_fingerprint=conf.fingerprints(msisdn)[0],
            fingerprint_key=conf.fingerprint_key_id(),
            country=msisdn.countries[0],
            device_digest=binding,
            holder_digest=binding,
            ip=f"192.0.2.{chance.randrange(1, 255)}",
            user_agent=chance.choice(AGENTS),
            created_at=started,
            expires_at=started + timedelta(minutes=5),
        )
        return self._ended(chance, row, started)

    @staticmethod
    def _ended(
        chance: random.Random, row: Verification, started: datetime
    ) -> Verification:
        if row.status == Status.EXPIRED:
            row.settled_at = row.expires_at
            return row
        if row.reason != Reason.OTHER_BROWSER:
            there_and_back = timedelta(milliseconds=chance.randrange(700, 3000))
            row.claimed_at = started + there_and_back
            row.operator_ms = chance.randrange(180, 900)
            if row.reason == Reason.OPERATOR_TIMEOUT:
                row.operator_ms = 12_000
        took = timedelta(milliseconds=row.operator_ms or 0)
        row.settled_at = (row.claimed_at or started + timedelta(seconds=4)) + took
        if row.status == Status.VERIFIED:
            row.redeemed_at = row.settled_at + timedelta(milliseconds=120)
        return row
