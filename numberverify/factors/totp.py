"""Authenticator apps (RFC 6238), kept and checked by django-otp."""

import base64
import binascii
import io
import time
from typing import Any
from urllib.parse import quote, urlencode

import segno
from django.db import transaction
from django_otp import verify_token
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice, default_key

from numberverify import conf
from numberverify.choices import Event


def device_of(user_id: Any) -> TOTPDevice | None:
    devices = TOTPDevice.objects.filter(user_id=user_id, confirmed=True)
    return devices.select_related("user").order_by("-pk").first() if user_id else None


def looks_right(device: TOTPDevice, code: str) -> bool:
    """Whether the app shows this code about now and it was not used: a look alone.

    Wrong codes end here and are counted on the row, where a stranger's do not lock out
    a known browser. django-otp would double the wait with each, without an end.
    """
    shown = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    shown.time = time.time()
    return bool(shown.verify(int(code), device.tolerance, device.last_t + 1))


def use(device: TOTPDevice, code: str) -> bool:
    """Use a code, under django-otp's lock: its time-step is refused from then on."""
    return verify_token(device.user, device.persistent_id, code) is not None


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
