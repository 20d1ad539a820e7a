import random
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from numberverify import conf, seal
from numberverify.choices import Because, Method, Purpose, Reason, Status
from numberverify.models import Seal, Verification, digest
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
# What people go on from, and what stays the same then.
FOLLOWED = (Reason.NOT_ON_MOBILE_NETWORK, Reason.OPERATOR_TIMEOUT)
SAME = (
    "user_id",
    "purpose",
    "asked_because",
    "test",
    "number_mask",
    "number_fingerprint",
    "fingerprint_key",
    "country",
    "device_digest",
    "holder_digest",
    "ip",
    "user_agent",
)


class Command(BaseCommand):
    help = "Invent past verifications, for a demo. DEBUG only."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--count", type=int, default=60)

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("An invented history is no evidence: DEBUG must be on.")
        if Seal.objects.exists():
            raise CommandError(
                "The history is sealed: rows invented now would be named as added."
            )
        # Always the same history: a demo, not a secret.
        chance = random.Random(7)  # noqa: S311
        people = [
            (user, number)
            for user in get_user_model()._default_manager.order_by("pk")
            if (number := conf.number_of(user))
        ]
        count = options["count"]
        rows: list[Verification] = []
        while len(rows) < count:
            rows.append(self._row(chance, *chance.choice(people)))
            if rows[-1].reason in FOLLOWED:
                rows.append(self._fallback(chance, rows[-1]))
        Verification.objects.bulk_create(rows[:count])
        # So that there are figures to look at before housekeeping has run.
        seal.seal_due()
        self.stdout.write(f"invented {len(rows)} past verifications")

    @staticmethod
    def _fallback(chance: random.Random, after: Verification) -> Verification:
        """The person went on by a text message, right five times of six."""
        started = (after.settled_at or after.expires_at) + timedelta(seconds=9)
        right = chance.randrange(6) > 0
        row = Verification(
            id=uuid7(started.timestamp()),
            previous=after.pk,
            method=Method.SMS,
            status=Status.VERIFIED if right else Status.REFUSED,
            reason="" if right else Reason.WRONG_CODES,
            sends=1,
            tries=0 if right else 5,
            sent_at=started,
            created_at=started,
            expires_at=started + timedelta(minutes=10),
            settled_at=started + timedelta(seconds=chance.randrange(12, 60)),
        )
        for name in SAME:
            setattr(row, name, getattr(after, name))
        return row

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
