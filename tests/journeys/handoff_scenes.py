"""The phone as key: what a desktop and a phone see of it."""

from urllib.parse import urlsplit

from numberverify.models import Handoff
from tests.factories import ANN, UserFactory
from tests.numberverify import handed

from . import hands
from .scenes import scene


def desktop_of(phone):
    """A desktop beside this phone, at the same site."""
    desktop = handed.new_desktop()
    desktop.defaults["HTTP_HOST"] = urlsplit(phone.site).netloc
    return desktop


def asked(phone):
    """A login at a desktop, whose link is open on the phone."""
    user = UserFactory(email="ann@example.com", phone=ANN)
    login = handed.at_login(user, desktop_of(phone))
    digits = login.digits
    phone.open(login.address)
    return login, digits


def confirmed(phone, **handset):
    if handset:
        phone.hold(**handset)
    login, digits = asked(phone)
    phone.fill(digits=digits)
    phone.press("Yes, it's me")
    return login


def at_the_desk(phone):
    """The other side: a login whose link nobody has opened, on a desktop's page."""
    user = UserFactory(email="ann@example.com", phone=ANN)
    login = handed.at_login(user, desktop_of(phone))
    binding = login.desktop.cookies["nv_binding"].value
    cookie = {"name": "nv_binding", "value": binding, "url": phone.site}
    phone.context.add_cookies([cookie])
    return login


@scene
def handoff_desk(phone, mails):
    phone.open(at_the_desk(phone).page)


@scene
def handoff_desk_opened(phone, mails):
    login = at_the_desk(phone)
    Handoff.objects.update(claimed_at="2026-01-01T00:00Z", device_digest=b"another")
    phone.open(login.page)


@scene
def handoff_refused_at_the_desk(phone, mails):
    login = at_the_desk(phone)
    login.phone.defaults["HTTP_HOST"] = urlsplit(phone.site).netloc
    login.open().say("no")
    phone.open(login.page)


@scene
def handoff_asked(phone, mails):
    asked(phone)


@scene
def handoff_wrong_digits(phone, mails):
    login, _ = asked(phone)
    phone.fill(digits=login.wrong_digits)
    phone.press("Yes, it's me")


@scene
def handoff_wrong_twice(phone, mails):
    login, _ = asked(phone)
    for _ in range(2):
        phone.fill(digits=login.wrong_digits)
        phone.press("Yes, it's me")


@scene
def handoff_done(phone, mails):
    confirmed(phone)


@scene
def handoff_on_wifi(phone, mails):
    confirmed(phone, network="wifi")


@scene
def handoff_no_match(phone, mails):
    confirmed(phone, number=hands.BEN)


@scene
def handoff_said_no(phone, mails):
    asked(phone)
    phone.press("No")


@scene
def handoff_other_phone(phone, mails):
    login = handed.at_signup(desktop=desktop_of(phone))
    address = login.address
    Handoff.objects.update(claimed_at="2026-01-01T00:00Z", device_digest=b"another")
    phone.open(address, status=409)


@scene
def handoff_mistyped(phone, mails):
    phone.open("/verify/phone/AAAAA-AAAAA/", status=404)
