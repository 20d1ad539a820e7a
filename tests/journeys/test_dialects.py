"""Both dialects walk every journey of the site, to each of the three endings.

Over real HTTP, with real redirects to the sandbox and back, but without a browser's
screen; in Chromium, too, go some: what it may forbid is the same for them all.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from accounts.models import Profile, User
from numberverify.choices import Method, Purpose, Reason, Status
from numberverify.models import Verification
from tests.factories import ANN, PASSWORD, UserFactory

from . import hands
from .phone import Phone
from .walker import Walker

Visitor = Walker | Phone
NEW = "an entirely n3w one"
NEW_NUMBER = "+447700900777"


@pytest.fixture(params=["sandbox", "sandbox-camara"])
def dialect(request) -> str:
    return request.param


@dataclass(frozen=True)
class Journey:
    """`begin` up to the moment when the network is asked; `effect` says whether what
    was wanted has come about."""

    name: str
    purpose: Purpose
    begin: Callable[[Visitor, User | None, list], None]
    effect: Callable[[Visitor, User], bool]
    number: str = ANN
    has_account: bool = True

    def __str__(self) -> str:
        return self.name


def signed_in(phone: Visitor, person: User, path: str) -> None:
    phone.become(person)
    phone.open(path)


def guarded(path: str) -> Callable[[Visitor, User | None, list], None]:
    def begin(phone, person, mails):
        signed_in(phone, person, path)
        phone.press("Check my number")

    return begin


def is_open(path: str) -> Callable[[Visitor, User], bool]:
    return lambda phone, person: (
        phone.at == path and not phone.shows("Confirm it's you")
    )


def page(name: str, path: str) -> Journey:
    """A guarded page of the site that a proof opens."""
    return Journey(name, Purpose.STEP_UP, guarded(path), is_open(path))


def sign_up(phone, person, mails):
    phone.open("/accounts/signup/")
    phone.fill(email="new@example.com", phone=ANN)
    phone.fill(password1=PASSWORD, password2=PASSWORD)
    phone.press("Check my number and sign up")


def log_in(phone, person, mails):
    phone.open("/accounts/login/")
    phone.fill(username=person.email, password=PASSWORD)
    phone.press("Log in")


def change_password(phone, person):
    if not phone.asks_for("old_password"):
        return False
    phone.fill(old_password=PASSWORD, new_password1=NEW, new_password2=NEW)
    phone.press("Change the password")
    person.refresh_from_db()
    return person.check_password(NEW)


def open_reset(phone, person, mails):
    phone.open("/accounts/password/reset/")
    phone.fill(email=person.email)
    phone.press("Send me a link")
    (link,) = [each for mail in mails() for each in mail.links]
    phone.open(link)
    phone.press("Check my number")


def set_password(phone, person):
    if not phone.asks_for("new_password1"):
        return False
    phone.fill(new_password1=NEW, new_password2=NEW)
    phone.press("Set the password")
    person.refresh_from_db()
    return person.check_password(NEW) and not phone.is_signed_in


def add_number(phone, person, mails):
    Profile.objects.filter(user=person).delete()
    signed_in(phone, person, "/accounts/phone/")
    phone.fill(phone=ANN, password=PASSWORD)
    phone.press("Check my number")


def change_number(phone, person, mails):
    """By an app first, so that the new number alone is asked of the network."""
    hands.give_app(person)
    signed_in(phone, person, "/accounts/phone/change/?nv_other=1")
    phone.choose(hands.APP)
    phone.press("Go on this way")
    hands.type_code(phone, hands.app_code(person))
    phone.fill(phone=NEW_NUMBER)
    phone.press("Check my number")


def has_number(number):
    return lambda phone, person: Profile.objects.filter(
        user=person, phone=number, phone_verified_at__isnull=False
    ).exists()


def send_money(phone, person, mails):
    signed_in(phone, person, "/sandbox/send-money/")
    phone.fill(payee="Ben", amount="10")
    phone.press("Send")
    phone.press("Check my number")


def sends_money(phone, person):
    if not phone.asks_for("amount"):
        return False
    phone.press("Send")
    return phone.shows("Sent £10.00 to Ben")


JOURNEYS = [
    Journey(
        "signup",
        Purpose.SIGNUP,
        sign_up,
        lambda phone, person: phone.is_signed_in,
        has_account=False,
    ),
    Journey(
        "login",
        Purpose.LOGIN,
        log_in,
        lambda phone, person: phone.is_signed_in,
    ),
    Journey(
        "password change",
        Purpose.PASSWORD_CHANGE,
        guarded("/accounts/password/change/"),
        change_password,
    ),
    Journey("password reset", Purpose.PASSWORD_RESET, open_reset, set_password),
    Journey("adding a number", Purpose.PHONE_CHANGE, add_number, has_number(ANN)),
    Journey(
        "changing the number",
        Purpose.PHONE_CHANGE,
        change_number,
        has_number(NEW_NUMBER),
        number=NEW_NUMBER,
    ),
    Journey("sending money", Purpose.STEP_UP, send_money, sends_money),
    page("changing the e-mail", "/accounts/email/change/"),
    page("ending sessions", "/accounts/sessions/end/"),
    page("export", "/accounts/export/"),
    page("closing", "/accounts/close/"),
    page("authenticator", "/verify/authenticator/"),
    page("recovery codes", "/verify/recovery-codes/"),
]
every_journey = pytest.mark.parametrize("journey", JOURNEYS, ids=str)
IN_CHROMIUM = [each for each in JOURNEYS if each.name in ("signup", "sending money")]


@pytest.fixture
def phone(site) -> Iterator[Walker]:
    walker = Walker(site)
    yield walker
    walker.close()


@pytest.fixture
def person(site, journey) -> User | None:
    if not journey.has_account:
        return None
    return UserFactory(email="ann@example.com", phone=ANN)


def asked(journey, dialect) -> Verification:
    """The one row by the network that the journey wrote."""
    row = Verification.objects.filter(method=Method.NETWORK).get()
    assert (row.purpose, row.operator) == (journey.purpose, dialect)
    assert row.test
    return row


@every_journey
def test_a_match_goes_on_by_itself(phone, person, mails, dialect, journey):
    phone.hold(number=journey.number)

    journey.begin(phone, person, mails)

    assert journey.effect(phone, person)
    assert asked(journey, dialect).status == Status.VERIFIED
    assert asked(journey, dialect).operator_subject


@pytest.mark.browser
@pytest.mark.parametrize("journey", IN_CHROMIUM, ids=str)
def test_so_it_does_in_chromium(new_phone, person, mails, dialect, journey):
    test_a_match_goes_on_by_itself(new_phone(), person, mails, dialect, journey)


@every_journey
def test_no_match_changes_nothing(phone, person, mails, dialect, journey):
    phone.hold(number="+447700900999")

    journey.begin(phone, person, mails)

    phone.sees("The number does not match this SIM")
    assert not journey.effect(phone, person)
    assert asked(journey, dialect).status == Status.MISMATCHED


@every_journey
def test_on_wifi_nobody_can_tell(phone, person, mails, dialect, journey):
    phone.hold(number=journey.number, network="wifi")

    journey.begin(phone, person, mails)

    phone.sees("We could not check your number")
    phone.reads("Wi-Fi")
    assert not journey.effect(phone, person)
    row = asked(journey, dialect)
    assert (row.status, row.reason) == (
        Status.UNAVAILABLE,
        Reason.NOT_ON_MOBILE_NETWORK,
    )


FAULTS = {
    "refused": (Reason.ACCESS_DENIED, Reason.ACCESS_DENIED),
    "consent": (Reason.CONSENT_REQUIRED, Reason.CONSENT_REQUIRED),
    "token_error": (Reason.OPERATOR_REFUSED, Reason.OPERATOR_REFUSED),
    "503": (Reason.OPERATOR_UNREACHABLE, Reason.OPERATOR_UNREACHABLE),
    "malformed": (Reason.MALFORMED_ANSWER, Reason.MALFORMED_ANSWER),
    "wrong_nonce": (Reason.BAD_ID_TOKEN, Reason.BAD_ID_TOKEN),
    "wrong_sub": (Reason.SUBJECT_MISMATCH, ""),
    "wrong_iss": ("", Reason.MALFORMED_CALLBACK),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_of_the_handset_has_its_reason(phone, site, dialect, fault):
    reason = FAULTS[fault][dialect == "sandbox-camara"]
    phone.hold(fault=fault)

    sign_up(phone, None, [])

    row = Verification.objects.get()
    status = Status.UNAVAILABLE if reason else Status.VERIFIED
    assert (row.status, row.reason) == (status, reason)
