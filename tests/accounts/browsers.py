"""Two and three browsers of one person, as tests about sessions want them."""

from datetime import timedelta
from importlib import import_module

import time_machine
from django.conf import settings
from django.utils import timezone

from accounts.models import Device, User, digest
from tests.accounts.steps import log_in
from tests.conftest import Browser
from tests.factories import DeviceFactory

BROWSERS = "/accounts/browsers/"
AGENTS = {
    "phone": "Mozilla/5.0 (Android 14; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0",
    "laptop": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.4 Safari/605.1.15",
    "stranger": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
}
WORDS = {
    "phone": "Firefox on Android",
    "laptop": "Safari on macOS",
    "stranger": "Microsoft Edge on Windows",
}


def known(user: User, name: str, **defaults: str) -> Browser:
    """A browser by this name, which the account knows; nobody is signed in."""
    browser = Browser()
    browser.defaults |= {"HTTP_USER_AGENT": AGENTS[name]} | defaults
    DeviceFactory(user=user, token=name, user_agent=AGENTS[name])
    browser.cookies["nv_known"] = name
    return browser


def opened(user: User, name: str, **defaults: str) -> Browser:
    """The same, signed in."""
    browser = known(user, name, **defaults)
    assert log_in(browser, user)["Location"] == "/accounts/profile/"
    return browser


def device_of(name: str) -> Device:
    return Device.objects.get(token_digest=digest(name))


def key_of(browser: Browser) -> str:
    return browser.cookies["sessionid"].value


def is_stored(key: str) -> bool:
    return import_module(settings.SESSION_ENGINE).SessionStore().exists(key)


def later(**length: float):
    return time_machine.travel(timezone.now() + timedelta(**length), tick=True)
