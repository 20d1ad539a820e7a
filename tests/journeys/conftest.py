"""A real Chromium in front of the live site."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core import mail as django_mail
from playwright.sync_api import Browser, expect, sync_playwright

from accounts import mail
from config.sandbox import sandbox
from tests.fake_operator import FakeOperator

# So that their assertions say what they saw.
pytest.register_assert_rewrite("tests.journeys.phone", "tests.journeys.typist")
from .inspection import AT_200  # noqa: E402
from .manners import Manner  # noqa: E402
from .phone import Phone  # noqa: E402
from .typist import Typist  # noqa: E402

# Playwright's synchronous API runs an event loop in this thread, for which Django
# would refuse the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# Pictures are no check; `SCREENSHOTS=folder pytest tests/journeys/test_screenshots.py`.
collect_ignore = [] if os.environ.get("SCREENSHOTS") else ["test_screenshots.py"]

# The first is the same engine without the windows, menus and profiles around it, and
# takes a third of the processor's time.
CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SMALL = {"width": 360, "height": 740}
# What says that it is a phone, beside the name and the system that it has all the same.
MOBILE = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "HeadlessChrome/131.0.0.0 Mobile Safari/537.36"
)
WIDE = {"width": 1280, "height": 800}
expect.set_options(timeout=10_000)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if found is None:
        missing = "Chromium is not installed"
        pytest.fail(missing) if os.environ.get("NO_SKIPS") else pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def dialect() -> str:
    """Which of the sandbox's operators has the British numbers."""
    return "sandbox"


@pytest.fixture
def site(live_server, settings, dialect) -> str:
    """The address of the live site, which knows itself and its sandbox by it.

    One operator has the British numbers, and both have the German ones.
    """
    address = f"http://127.0.0.1:{live_server.thread.port}"
    # New objects: what was read from the old ones is remembered.
    settings.SITE_URL = address
    settings.SANDBOX_CLIENTS, tables = sandbox(address, settings.SECRET_KEY)
    for name, table in tables.items():
        countries = {"GB"} if name == dialect else set()
        table["countries"] = sorted(set(table["countries"]) - {"GB"} | countries)
    settings.NV_OPERATORS = tables
    return address


@pytest.fixture
def operator(site: str, operator: FakeOperator) -> FakeOperator:
    """The fake, instead of the sandbox that `site` configured."""
    return operator


@pytest.fixture
def manner(request: pytest.FixtureRequest) -> Manner:
    """How people use their browsers: see `for_everybody`."""
    return getattr(request, "param", Manner.BY_HAND)


@pytest.fixture
def new_phone(
    chromium: Browser, site: str, manner: Manner
) -> Iterator[Callable[..., Phone]]:
    phones: list[Phone] = []

    def new(screen: dict[str, int] = SMALL, **options: Any) -> Phone:
        options["user_agent"] = MOBILE if screen == SMALL else None
        options["viewport"], kind = screen, Phone
        if manner == Manner.WITHOUT_SCRIPTS:
            options["java_script_enabled"] = False
        elif manner == Manner.BY_KEYBOARD:
            options |= {"viewport": AT_200, "reduced_motion": "reduce"}
            kind = Typist
        context = chromium.new_context(locale="en-GB", **options)
        phones.append(kind(context, site))
        return phones[-1]

    yield new
    for phone in phones:
        phone.close()


@pytest.fixture
def phone(new_phone: Callable[..., Phone]) -> Phone:
    return new_phone()


@pytest.fixture
def desk(new_phone: Callable[..., Phone]) -> Phone:
    """The same on a wide screen."""
    return new_phone(WIDE)


class Mail:
    def __init__(self, message: django_mail.EmailMessage) -> None:
        self.to = message.to
        self.subject = message.subject
        self.links = re.findall(r"https?://\S+", str(message.body))


@pytest.fixture
def mails() -> Callable[[], list[Mail]]:
    """What has been mailed so far, once all that was handed over has left."""

    def sent() -> list[Mail]:
        mail.wait()
        return [Mail(message) for message in django_mail.outbox]

    return sent
