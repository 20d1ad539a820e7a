"""A desktop and a phone, up to where a test begins."""

import re
from dataclasses import dataclass, field

from numberverify.models import Handoff, Verification
from tests.conftest import Browser
from tests.factories import PASSWORD

SIGNUP = "/accounts/signup/"
PHONE = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Mobile Safari/537.36"
)
DESKTOP = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36"
)


def new_phone() -> Browser:
    phone = Browser()
    phone.defaults["HTTP_USER_AGENT"] = PHONE
    return phone


def new_desktop() -> Browser:
    desktop = Browser()
    desktop.defaults["HTTP_USER_AGENT"] = DESKTOP
    return desktop


@dataclass
class Handed:
    """A desktop whose page shows a link, and a phone that has not opened it yet."""

    desktop: Browser
    page: str  # the desktop's, a path
    phone: Browser = field(default_factory=new_phone)

    @property
    def link(self) -> Handoff:
        return Handoff.objects.get()

    @property
    def row(self) -> Verification:
        """The one that counts now."""
        return Verification.objects.get(pk=self.link.verification)

    @property
    def address(self) -> str:
        """What the desktop's page shows, and its picture leads to."""
        shown = self.desktop.get(self.page).text
        return re.search(r"/verify/phone/[0-9A-Z]{5}-[0-9A-Z]{5}/", shown)[0]

    @property
    def digits(self) -> str:
        shown = self.desktop.get(self.page).text
        return re.search(r'class="digits"><strong>(\d\d)<', shown)[1]

    @property
    def wrong_digits(self) -> str:
        return f"{(int(self.link.digits) + 1) % 100:02}"

    @property
    def phone_page(self) -> str:
        return f"/verify/{self.link.pk}/phone/"

    def open(self) -> "Handed":
        answer = self.phone.get(self.address)
        assert answer["Location"] == self.phone_page
        return self

    def say(self, answer: str, digits: str = "", *, phone: Browser | None = None):
        fields = {"answer": answer, "digits": digits}
        return (phone or self.phone).submit(self.phone_page, **fields)

    def yes(self):
        """Open the link and say yes; return the way to the operator."""
        digits = self.digits
        self.open()
        return self.say("yes", digits)

    def polled(self, by: Browser | None = None) -> str | None:
        answer = (by or self.desktop).get(f"/verify/{self.link.pk}/handoff/")
        return answer.json().get("state")


def at_signup(
    email: str = "ann@example.com",
    phone: str = "07700 900123",
    desktop: Browser | None = None,
) -> Handed:
    desktop = desktop or new_desktop()
    typed = {"email": email, "phone": phone}
    typed |= {"password1": PASSWORD, "password2": PASSWORD, "method": "phone"}
    return Handed(desktop, desktop.submit(SIGNUP, **typed)["Location"])


def at_login(user, desktop: Browser | None = None) -> Handed:
    desktop = desktop or new_desktop()
    typed = {"username": user.email, "password": PASSWORD, "method": "phone"}
    return Handed(desktop, desktop.submit("/accounts/login/", **typed)["Location"])
