"""Both dialects walk every journey of the site, to each of the three endings."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from accounts.models import Profile, User
from numberverify.choices import Method, Purpose, Reason, Status
from numberverify.models import Verification
from tests.factories import ANN, PASSWORD, UserFactory

from . import hands
from .phone import Phone

pytestmark = pytest.mark.browser
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
    begin: Callable[[Phone, User, list], None]
    effect: Callable[[Phone, User], bool]
    number: str = ANN
    has_account: bool = True

    def __str__(self) -> str:
        return self.name


def signed_in(phone: Phone, person: User, path: str) -> None:
    phone.become(person)
    phone.open(path)


def guarded(path: str) -> Callable[[Phone, User, list], None]:
    def begin(phone, person, mails):
        signed_in(phone, person, path)
        phone.press("Check my number")

    return begin


def is_open(path: str) -> Callable[[Phone, User], bool]:
    return lambda phone, person: (
        phone.at == path and not phone.main.get_by_text("Confirm it's you").count()
    )


def page(name: str, path: str) -> Journey:
    """A guarded page of the site that a proof opens."""
    return Journey(name, Purpose.STEP_UP, guarded(path), is_open(path))


def sign_up(phone, person, mails):
    phone.sign_up("new@example.com", ANN)


def change_password(phone, person):
    if not phone.field("old_password").count():
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
    if not phone.field("new_password1").count():
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
    hands.prove_by_app(phone, person)
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
    if not phone.field("amount").count():
        return False
    phone.press("Send")
    return phone.main.get_by_text("Sent £10.00 to Ben").count() == 1


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
        lambda phone, person, mails: phone.log_in(person),
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

    phone.sign_up()

    row = Verification.objects.get()
    status = Status.UNAVAILABLE if reason else Status.VERIFIED
    assert (row.status, row.reason) == (status, reason)
