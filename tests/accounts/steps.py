"""What a person does on the way to a page that asks for a fresh proof."""

import re
import time

from django.core import mail as outbox
from django_otp.oath import hotp
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import mail
from accounts.models import User
from numberverify.factors import sms
from numberverify.models import Verification
from tests.conftest import Browser
from tests.factories import PASSWORD, DeviceFactory

LOGIN = "/accounts/login/"


def log_in(browser: Browser, user: User, password: str = PASSWORD, **fields: str):
    return browser.submit(LOGIN, username=user.email, password=password, **fields)


def sign_in(browser: Browser, user: User, token: str = "known browser") -> Browser:
    """Log in where the account knows the browser and asks for nothing just now."""
    DeviceFactory(user=user, token=token)
    browser.cookies["nv_known"] = token
    log_in(browser, user)
    return browser


def is_signed_in(browser: Browser) -> bool:
    return browser.get("/accounts/profile/").status_code == 200


def by_network(browser: Browser, operator, url: str, **fields: str):
    """Confirm by the network what `url` asks to be confirmed; return the page."""
    started = browser.submit(url, **fields)
    return browser.follow(browser.come_back(operator, started))


def by_app(browser: Browser, user: User, url: str):
    """The same by the authenticator app."""
    asked = browser.submit(url, page=f"{url}?nv_other=1", method="totp")
    return browser.follow(browser.submit(asked["Location"], code=app_shows(user)))


def app_shows(user: User) -> str:
    """The code that the app shows now, or next if it was used already (RFC 6238)."""
    device = TOTPDevice.objects.get(user=user)
    step = max(int(time.time()) // 30, device.last_t + 1)
    return f"{hotp(device.bin_key, step):06}"


def chosen(browser: Browser, row: Verification, method: str):
    """Choose another way on the page of a verification that could not tell."""
    return browser.submit(
        row.next, page=f"/verify/{row.pk}/", previous=str(row.pk), method=method
    )


def texted_code() -> str:
    return sms.outbox[-1].text.rpartition("#")[2]


def mailed_link(part: str) -> str:
    """The path of the newest mailed link with `part`, a pattern."""
    mail.wait()
    for message in reversed(outbox.outbox):
        if found := re.search(rf"http://testserver(\S*{part}\S*)", message.body):
            return found[1]
    raise AssertionError(f"no mail with {part}")


def mailed() -> list[tuple[str, str]]:
    """To whom, and about what, in the order in which they were told."""
    mail.wait()
    return [(message.to[0], message.subject) for message in outbox.outbox]
