"""What a person does to fall back: read a message, look at an app, choose a way."""

import base64
import re

from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import User
from numberverify.factors import recovery, sms
from numberverify.models import Verification
from numberverify.policy import RESEND_AFTER

from .phone import Phone

SMS, APP = "Text message", "Authenticator app"
PHONE = "Your phone"
SUPPORT, PAPER = "Ask our support", "Recovery code"
WITH_SMS = "Enter the code from the text message"
WITH_APP = "Enter the code from your authenticator app"
WITH_PAPER = "Enter a recovery code"
ELSEWHERE = "I am not on my phone"
BEN = "+447700900456"


def the_code() -> str:
    """The code of the newest text message, as a phone reads it from the last line."""
    return re.fullmatch(r"@\S+ #(\d{6})", sms.outbox[-1].text.splitlines()[-1])[1]


def a_wrong_code() -> str:
    return "".join(str((int(digit) + 1) % 10) for digit in the_code())


def give_app(user: User) -> TOTPDevice:
    return TOTPDevice.objects.create(user=user, name="app")


def app_code(user: User, *, later: int = 0) -> str:
    """What the app shows now, or `later` times 30 seconds from now."""
    key = TOTPDevice.objects.get(user=user).bin_key
    return f"{totp(key, drift=later):06}"


def ways_on(phone: Phone) -> list[str]:
    return phone.main.locator(".choice label").all_inner_texts()


def choose(phone: Phone, way: str) -> None:
    phone.choose(way)
    phone.press("Go on this way")


def type_code(phone: Phone, code: str) -> None:
    phone.fill(code=code)
    phone.press("Go on")


def prove_by_app(phone: Phone, user: User) -> None:
    choose(phone, APP)
    type_code(phone, app_code(user))


def prove_by_sms(phone: Phone) -> None:
    choose(phone, SMS)
    type_code(phone, the_code())


def give_paper(user: User) -> list[str]:
    return recovery.make(user)


def let_wait_pass() -> None:
    """Let it be long enough ago that a text message was sent."""
    long_ago = timezone.now() - RESEND_AFTER
    Verification.objects.filter(settled_at=None).update(sent_at=long_ago)


def let_run_out() -> None:
    """Let the time of what is open be over."""
    Verification.objects.filter(settled_at=None).update(expires_at=timezone.now())


def log_in_elsewhere(phone: Phone, user: User, password: str) -> None:
    """Log in and say at once that this is not the phone."""
    phone.open("/accounts/login/")
    phone.fill(username=user.email, password=password)
    phone.press("I am not on my phone")


def enrol(phone: Phone, button: str = "Add the app") -> str:
    """Type the key that the page shows into an app, and its code into the page.

    Return the key, as hexadecimal digits.
    """
    typed = phone.main.locator(".key code").inner_text().replace(" ", "")
    key = base64.b32decode(typed)
    phone.fill(code=f"{totp(key):06}")
    phone.press(button)
    return key.hex()
