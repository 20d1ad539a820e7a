"""A browser as a person uses it, and what it noticed on the way."""

import re
from typing import Any
from urllib.parse import urlsplit

from django.test import Client
from playwright.sync_api import BrowserContext, Locator, Request, Response, expect

from tests.factories import PASSWORD

# Ofcom's drama numbers, however they are written or escaped.
A_NUMBER = re.compile(r"7700\W*(%20|\+)?900\W*(%20|\+)?\d{3}")
WITHOUT_BANNER = """() => {
  const copy = document.documentElement.cloneNode(true);
  for (const banner of copy.querySelectorAll(".banner")) banner.remove();
  return copy.outerHTML;
}"""


class Phone:
    """One browser with cookies of its own. `hosts` are those it may visit."""

    def __init__(self, context: BrowserContext, site: str) -> None:
        self.context = context
        self.site = site
        self.hosts = {urlsplit(site).netloc}
        self.complaints: list[str] = []
        self.statuses: set[int] = set()
        self.addresses: list[str] = []
        context.set_default_timeout(10_000)
        context.on("console", self._heard)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("request", self._asked)
        self.page = context.new_page()

    def open(self, address: str, *, status: int = 200) -> None:
        """Open a path of the site, or a whole address; its answer has `status`."""
        whole = self.site + address if address.startswith("/") else address
        self._arrived(self.page.goto(whole), status)

    def press(self, words: str, *, status: int = 200) -> None:
        """Press a button and wait for the page that all its redirects end at."""
        button = self.page.get_by_role("button", name=words, exact=True)
        self._go_by(button, status)

    def follow(self, words: str) -> None:
        self._go_by(self.main.get_by_role("link", name=words, exact=True), 200)

    def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            self.field(name).fill(value)

    def field(self, name: str) -> Locator:
        return self.page.locator(f'[name="{name}"]')

    @property
    def main(self) -> Locator:
        return self.page.locator("main")

    def sees(self, heading: str) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)

    def reads(self, words: str) -> None:
        expect(self.main).to_contain_text(words)

    def shows(self, words: str) -> bool:
        return self.main.get_by_text(words).count() > 0

    def asks_for(self, name: str) -> bool:
        return self.field(name).count() > 0

    def choose(self, words: str) -> None:
        self.main.get_by_role("radio", name=words, exact=True).check()

    def tick(self, name: str) -> None:
        self.field(name).check()

    @property
    def at(self) -> str:
        """The path, with its query string, of the page that is open."""
        return self.page.url.removeprefix(self.site)

    @property
    def is_signed_in(self) -> bool:
        return self.page.get_by_role("button", name="Log out").is_visible()

    @property
    def shows_a_number(self) -> bool:
        """Whether a plain number is anywhere in the page's source. The banner does
        not count: it is the sandbox's and shows the handset."""
        return A_NUMBER.search(self.page.evaluate(WITHOUT_BANNER)) is not None

    def cookie(self, name: str) -> str | None:
        found = (c["value"] for c in self.context.cookies() if c["name"] == name)
        return next(found, None)

    def sign_up(
        self, email: str = "ann@example.com", phone: str = "07700 900123"
    ) -> None:
        self.open("/accounts/signup/")
        self.fill(email=email, phone=phone, password1=PASSWORD, password2=PASSWORD)
        self.press("Check my number and sign up")

    def log_in(self, user: Any, password: str = PASSWORD, *, next: str = "") -> None:
        self.open(f"/accounts/login/{next and '?next='}{next}")
        self.fill(username=user.email, password=password)
        self.press("Log in")

    def become(self, user: Any) -> None:
        """Be signed in as `user` without the journey, which other tests are about."""
        client = Client()
        client.force_login(user)
        session = client.cookies["sessionid"].value
        cookie = {"name": "sessionid", "value": session, "url": self.site}
        self.context.add_cookies([cookie])

    def hold(self, **handset: str) -> None:
        """Change the simulated handset on its page: `number`, `network`, `fault`."""
        self.open("/sandbox/handset/")
        self.change_handset(**handset)

    def change_handset(self, **handset: str) -> None:
        for name, value in handset.items():
            if name == "number":
                self.fill(number=value)
            elif name == "network":
                self.page.locator(f'[name="{name}"][value="{value}"]').check()
            else:
                self.field(name).select_option(value)
        self.press("Use this handset")

    def complains_about(self, words: str) -> None:
        """See that Chromium complains of something that a test did on purpose."""
        if not any(words in complaint for complaint in self.complaints):
            self.context.wait_for_event("console", lambda said: words in said.text)
        self.complaints = [c for c in self.complaints if words not in c]

    def close(self) -> None:
        """Close the browser and see that nothing was wrong with any page."""
        self.context.close()
        # Chromium says on the console, too, that a page came with an error's status.
        known = tuple(f"status of {status} " for status in self.statuses)
        assert [c for c in self.complaints if not any(k in c for k in known)] == []
        visited = {urlsplit(address).netloc for address in self.addresses}
        assert visited <= self.hosts
        assert [each for each in self.addresses if A_NUMBER.search(each)] == []

    def _go_by(self, thing: Locator, status: int) -> None:
        with self.page.expect_navigation() as navigation:
            thing.click()
        self._arrived(navigation.value, status)

    def _arrived(self, response: Response | None, status: int) -> None:
        assert response is not None
        assert response.status == status, response.url
        self.statuses.add(status)

    def _heard(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.text} ({message.page.url})")

    def _asked(self, request: Request) -> None:
        if urlsplit(request.url).scheme in {"http", "https"}:
            self.addresses.append(request.url)
