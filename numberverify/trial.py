"""One operator tried with a SIM that somebody knows: begun on the command line, done on
a phone. The row is a verification like any other, and its receipt opens nothing."""

import secrets
from uuid import UUID

from django.utils import timezone

from . import conf, flow, network
from .browser import Browser
from .choices import Purpose, Status
from .models import Verification, digest
from .msisdn import Msisdn


def begin(operator: str, msisdn: Msisdn) -> tuple[Verification, str]:
    """Write a row that waits for a phone; return it and the secret that takes it."""
    secret = secrets.token_urlsafe(32)
    row = Verification(
        purpose=Purpose.STEP_UP,
        action=conf.CHECK,
        operator=operator,
        number=msisdn.e164,
    )
    flow.describe(row, msisdn, Browser(secret), now=timezone.now())
    row.save(force_insert=True)
    return row, secret


def find(verification_id: UUID, secret: str) -> Verification | None:
    """Return the row while it waits for a phone."""
    return Verification.objects.filter(
        pk=verification_id,
        action=conf.CHECK,
        device_digest=digest(secret),
        state_digest=None,
        status=Status.PENDING,
        expires_at__gt=timezone.now(),
    ).first()


def take(row: Verification, secret: str, browser: Browser) -> str:
    """Bind the row to this phone, once, and return the URL to send its browser to."""
    return network.send(
        row,
        row.operator,
        device=secret,
        device_digest=digest(browser.binding),
        ip=browser.ip,
        user_agent=browser.user_agent,
    )
