"""Authenticator apps (RFC 6238), kept and checked by django-otp."""

import base64
import binascii
import io
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import segno
from django.db import transaction
from django.utils import timezone
from django_otp import verify_token
from django_otp.plugins.otp_totp.models import TOTPDevice, default_key

from numberverify import conf
from numberverify.choices import Event

# django-otp doubles the wait with each wrong code, for a hundred years. Nobody honest
# is locked out for longer than this; some 17 guesses a day remain.
FAILURES_FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Checked:
    """`wait` is in seconds: nothing is looked at before."""

    right: bool
    wait: int = 0


def device_of(user_id: Any) -> TOTPDevice | None:
    devices = TOTPDevice.objects.filter(user_id=user_id, confirmed=True)
    return devices.select_related("user").order_by("-pk").first() if user_id else None


def check(device: TOTPDevice, code: str) -> Checked:
    """Check a code under django-otp's lock: a used time-step is refused for ever, and
    after a wrong one there is a wait of 1, 2, 4, 8 ... seconds."""
    if wait := _wait(device):
        return Checked(right=False, wait=wait)
    if verify_token(device.user, device.persistent_id, code):
        return Checked(right=True)
    device.refresh_from_db()
    return Checked(right=False, wait=_wait(device))


def _wait(device: TOTPDevice) -> int:
    allowed, why = device.verify_is_allowed()
    if allowed:
        return 0
    left: timedelta = why["locked_until"] - timezone.now()
    return max(1, -int(-left.total_seconds() // 1))


def new_key() -> str:
    """Return a new key: 160 bits as hexadecimal digits."""
    return str(default_key())


def typed_key(key: str) -> str:
    """Return the key as a person types it into an app: base32 in groups of four."""
    text = base64.b32encode(binascii.unhexlify(key)).decode()
    return " ".join(text[n : n + 4] for n in range(0, len(text), 4))


def address_of(key: str, name: str) -> str:
    """Return the `otpauth:` address that the QR code holds."""
    site = conf.site_name().replace(":", " ")
    query = {"secret": typed_key(key).replace(" ", ""), "issuer": site}
    label = quote(f"{site}:{name}", safe="@:")
    return f"otpauth://totp/{label}?{urlencode(query, quote_via=quote)}"


def qr_code(address: str) -> str:
    """Return an SVG element without colours of its own but black on white."""
    out = io.BytesIO()
    made = segno.make(address, error="m", micro=False)
    made.save(out, kind="svg", xmldecl=False, omitsize=True, light="#fff", border=3)
    return out.getvalue().decode()


def enrol(user: Any, key: str, code: str) -> bool:
    """Put the app on file instead of any other, if it shows the right code.

    Call it inside a transaction. The code counts as used.
    """
    with transaction.atomic():
        device = TOTPDevice.objects.create(user=user, name="app", key=key)
        if not device.verify_token(code):
            transaction.set_rollback(True)
            return False
        TOTPDevice.objects.filter(user=user).exclude(pk=device.pk).delete()
    conf.tell(user, Event.TOTP_ADDED)
    return True


def remove(user: Any) -> bool:
    """Take the app off file, inside a transaction; say whether there was one."""
    removed, _ = TOTPDevice.objects.filter(user=user).delete()
    if removed:
        conf.tell(user, Event.TOTP_REMOVED)
    return bool(removed)


def forget_failures() -> int:
    """Forget wrong codes of the day before; return of how many apps."""
    long_ago = timezone.now() - FAILURES_FORGOTTEN_AFTER
    stale = TOTPDevice.objects.filter(throttling_failure_timestamp__lt=long_ago)
    return int(
        stale.update(throttling_failure_timestamp=None, throttling_failure_count=0)
    )
