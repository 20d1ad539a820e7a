"""Rows of each method as a person opens them, and what the person then types."""

import time
from datetime import timedelta

import time_machine
from django.utils import timezone
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from numberverify import codes, flow
from numberverify.browser import Browser, Way
from numberverify.choices import Method, Purpose
from numberverify.factors import recovery, sms
from numberverify.models import Verification
from numberverify.msisdn import Msisdn
from tests.factories import ANN, BINDING


def start(
    user,
    method,
    *,
    purpose=Purpose.LOGIN,
    action="",
    msisdn=ANN,
    binding=BINDING,
    known=False,
    details=b"",
) -> str:
    """Begin by this method; return where that leads."""
    return flow.start(
        purpose=purpose,
        action=action,
        details=details,
        msisdn=Msisdn(msisdn) if msisdn else None,
        user=user,
        browser=Browser(binding, "192.0.2.1", "Tests/1.0", known),
        next="/accounts/profile/",
        way=Way(method),
    )


def opened(user, method, **asked) -> Verification:
    """The row that such a start writes."""
    before = list(Verification.objects.values_list("pk", flat=True))
    start(user, method, **asked)
    return Verification.objects.exclude(pk__in=before).get()


def proof_of(row, binding=BINDING, **changes) -> flow.Proof:
    """What the row was opened to prove."""
    wanted = {
        "purpose": Purpose(row.purpose),
        "user": row.user,
        "holder": binding,
        "msisdn": Msisdn(ANN),
        "action": row.action,
        "details": bytes(row.details_digest),
    }
    return flow.Proof(**(wanted | changes))


def texted() -> str:
    """The code in the last text message."""
    return sms.outbox[-1].text.rpartition("#")[2]


def wrong(code: str) -> str:
    """Another code of the same form."""
    return f"{(int(code) + 1) % 10**6:06}"


def app_of(user) -> TOTPDevice:
    return TOTPDevice.objects.create(user=user, name="app")


def shown_by(app: TOTPDevice) -> str:
    """What the app shows at this moment."""
    shown = TOTP(app.bin_key, app.step, app.t0, app.digits)
    shown.time = time.time()
    return f"{shown.token():06}"


def way_for(user, method):
    """Put on file what the method needs; return what tells the right code by then."""
    if method == Method.TOTP:
        app = app_of(user)
        return lambda: shown_by(app)
    if method == Method.RECOVERY_CODE:
        made = recovery.make(user)
        # As if they had been there before what is under way.
        user.save(update_fields=["proof_version"])
        return made.pop
    return texted


def tries(row, code: str) -> codes.Tried:
    """Type the code at the row as it stands in the database."""
    return codes.try_code(Verification.objects.get(pk=row.pk), code)


def later(**ahead: float):
    return time_machine.travel(timezone.now() + timedelta(**ahead), tick=False)


def type_at(client, row, code):
    """Type the code at the row's own page; return the page that answers."""
    return client.post(f"/verify/{row.pk}/", {"code": code}, follow=True)


def state_of(row):
    row.refresh_from_db()
    return row.status, row.reason
