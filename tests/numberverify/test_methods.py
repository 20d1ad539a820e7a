"""Every purpose is finished by every method that it accepts, and by none besides."""

import base64

import pytest
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import Profile, User
from accounts.tokens import reset_tokens
from numberverify import conf, manual
from numberverify.choices import Method, Reason, Status
from numberverify.factors import sms
from numberverify.models import Verification
from tests.factories import ANN, PASSWORD, UserFactory, VerificationFactory
from tests.numberverify.typed import shown_by, way_for

pytestmark = pytest.mark.django_db
NEW = "batt3ry staple"
NEW_TWICE = {"new_password1": NEW, "new_password2": NEW}
WORDS = {"reason": "Lost the phone", "evidence": "Came with a passport"}
A_NUMBER = {Method.NETWORK, Method.SMS}
A_PERSON = A_NUMBER | {Method.TOTP, Method.RECOVERY_CODE}
ANYBODY = A_PERSON | {Method.MANUAL}


class Journey:
    """`begin` asks the network; `is_done` finishes what the proof was for."""

    accepts = A_PERSON
    page = ""

    def person(self):
        return UserFactory(email="ann@example.com", phone=ANN)

    def begin(self, browser, user):
        browser.force_login(user)
        return browser.submit(self.page)


class Signup(Journey):
    accepts = A_NUMBER

    def person(self):
        return None

    def begin(self, browser, user):
        twice = {"password1": PASSWORD, "password2": PASSWORD}
        typed = {"email": "ann@example.com", "phone": ANN} | twice
        return browser.submit("/accounts/signup/", **typed)

    def is_done(self, browser, page):
        return Profile.objects.filter(phone=ANN, user__email="ann@example.com").exists()


class Login(Journey):
    accepts = ANYBODY

    def begin(self, browser, user):
        typed = {"username": user.email, "password": PASSWORD}
        return browser.submit("/accounts/login/", **typed)

    def is_done(self, browser, page):
        return browser.get("/accounts/profile/").status_code == 200


class PasswordChange(Journey):
    page = "/accounts/password/change/"

    def is_done(self, browser, page):
        browser.submit(self.page, old_password=PASSWORD, **NEW_TWICE)
        return User.objects.get().check_password(NEW)


class PasswordReset(Journey):
    def begin(self, browser, user):
        key = urlsafe_base64_encode(force_bytes(user.pk))
        link = [key, reset_tokens.make_token(user)]
        return browser.submit(reverse("accounts:password-reset-link", args=link))

    def is_done(self, browser, page):
        browser.submit(page, **NEW_TWICE)
        return User.objects.get(email="ann@example.com").check_password(NEW)


class PhoneChange(Journey):
    accepts = A_NUMBER

    def person(self):
        return UserFactory(email="ann@example.com")

    def begin(self, browser, user):
        browser.force_login(user)
        return browser.submit("/accounts/phone/", phone=ANN, password=PASSWORD)

    def is_done(self, browser, page):
        return Profile.objects.filter(phone=ANN).exists()


class Export(Journey):
    page = "/accounts/export/"

    def is_done(self, browser, page):
        answer = browser.submit(self.page, export="1")
        return answer["Content-Type"] == "application/json"


class Authenticator(Journey):
    page = "/verify/authenticator/"

    def is_done(self, browser, page):
        shown = browser.get(self.page)
        if "typed_key" not in shown.context:
            return False
        key = base64.b32decode(shown.context["typed_key"].replace(" ", "")).hex()
        signed = shown.context["form"]["key"].value()
        code = shown_by(TOTPDevice(key=key))
        browser.submit(self.page, key=signed, code=code)
        return TOTPDevice.objects.filter(key=key).exists()


JOURNEYS = [
    Signup(),
    Login(),
    PasswordChange(),
    PasswordReset(),
    PhoneChange(),
    Export(),
    Authenticator(),
]
each_journey = pytest.mark.parametrize(
    "journey", JOURNEYS, ids=lambda journey: type(journey).__name__
)
EVERY_PAIR = [
    pytest.param(journey, method, id=f"{type(journey).__name__} by {method}")
    for journey in JOURNEYS
    for method in Method
]


def choose(browser, row, method):
    """Go on from the row's page by this way; return the row that it opens."""
    before = list(Verification.objects.values_list("pk", flat=True))
    fields = {"method": str(method), "previous": str(row.pk)}
    browser.submit(row.next, f"/verify/{row.pk}/", **fields)
    return Verification.objects.exclude(pk__in=before).get()


def answer(browser, row, right):
    """Do what the row's method asks for; return the page that it leads to."""
    if row.method == Method.MANUAL:
        asked = manual.ask(row, UserFactory(staff=True), **WORDS)
        manual.decide(asked, UserFactory(staff=True), approve=True)
        answered = browser.get(f"/verify/{row.pk}/")
    else:
        answered = browser.submit(f"/verify/{row.pk}/", code=right())
    return browser.follow(answered).request["PATH_INFO"]


def begun(browser, journey):
    """A journey at the network; and how to tell a right code of a person's ways."""
    user = journey.person()
    started = journey.begin(browser, user)
    return user, started, Verification.objects.get()


@pytest.mark.parametrize(
    ("journey", "method"),
    [each for each in EVERY_PAIR if each.values[1] in each.values[0].accepts],
)
def test_what_is_accepted_finishes_it(browser, operator, journey, method):
    user, started, row = begun(browser, journey)
    if method == Method.NETWORK:
        page = browser.follow(browser.come_back(operator, started))
        address = page.request["PATH_INFO"]
    else:
        right = way_for(user, method)
        address = answer(browser, choose(browser, row, method), right)

    assert journey.is_done(browser, address)
    spent = Verification.objects.get(status=Status.VERIFIED)
    assert spent.method == method
    assert spent.redeemed_at
    assert spent.previous == (None if method == Method.NETWORK else row.pk)


@pytest.mark.parametrize(
    ("journey", "method"),
    [each for each in EVERY_PAIR if each.values[1] not in each.values[0].accepts],
)
def test_what_is_not_accepted_is_closed_however_it_is_posted(
    browser, operator, journey, method
):
    user, _, row = begun(browser, journey)
    if user and method != Method.MANUAL:
        way_for(user, method)

    forged = choose(browser, row, method)

    assert (forged.status, forged.reason) == (Status.UNAVAILABLE, Reason.METHOD_CLOSED)
    page = browser.get(f"/verify/{forged.pk}/")
    assert "That way is not open just now" in page.text
    assert str(method) not in [way["value"] for way in page.context["ways"]]
    assert not journey.is_done(browser, row.next)


@pytest.mark.parametrize(
    ("journey", "method"),
    [each for each in EVERY_PAIR if each.values[1] not in each.values[0].accepts],
)
def test_not_even_a_row_that_says_verified_finishes_it(
    browser, operator, journey, method
):
    user, _, row = begun(browser, journey)
    VerificationFactory(
        verified=True,
        user=user,
        method=method,
        purpose=row.purpose,
        action=row.action,
        next=row.next,
        binding=browser.cookies["nv_binding"].value,
    )

    browser.get(row.next)

    assert not journey.is_done(browser, row.next)


def by_phone(row: Verification) -> set[str]:
    """No method of its own: the network's, at another device."""
    return {"phone"} if conf.hands_over(row.purpose, row.action) else set()


@each_journey
def test_the_chooser_offers_what_is_accepted_and_on_file(browser, operator, journey):
    user, _, row = begun(browser, journey)
    for method in (Method.TOTP, Method.RECOVERY_CODE):
        if user:
            way_for(user, method)

    ended = choose(browser, row, "other")

    assert ended.reason == Reason.NOT_ON_PHONE
    page = browser.get(f"/verify/{ended.pk}/")
    offered = {way["value"] for way in page.context["ways"]}
    assert offered - by_phone(row) == journey.accepts - {Method.NETWORK}
    assert offered >= by_phone(row)
    assert page.context["by_network"]


@each_journey
def test_without_ways_of_ones_own_none_is_offered(browser, operator, journey, settings):
    settings.SMS_BACKEND = ""
    _, _, row = begun(browser, journey)

    page = browser.get(f"/verify/{choose(browser, row, 'other').pk}/")

    offered = {way["value"] for way in page.context["ways"]}
    assert offered == journey.accepts & {Method.MANUAL} | by_phone(row)


@each_journey
@pytest.mark.parametrize("method", ["email", "", "NETWORK", "sms ", "totp,sms", "é"])
def test_a_method_that_does_not_exist_is_the_network(
    browser, operator, journey, method
):
    _, _, row = begun(browser, journey)

    asked = choose(browser, row, method)

    assert (asked.method, asked.status) == (Method.NETWORK, Status.PENDING)
    assert len(sms.outbox) == 0


@each_journey
def test_the_row_of_another_browser_is_not_followed(browser, operator, journey):
    user, _, row = begun(browser, journey)
    another = VerificationFactory(
        user=user, purpose=row.purpose, action=row.action, asked_because="stale"
    )

    fields = {"method": "sms", "previous": str(another.pk)}
    browser.submit(row.next, f"/verify/{row.pk}/", **fields)

    forged = Verification.objects.get(method=Method.SMS)
    assert (forged.previous, forged.asked_because) == (None, "required")


@pytest.mark.parametrize(
    ("journey", "method"),
    [
        pytest.param(journey, method, id=f"{type(journey).__name__} by {method}")
        for journey in (Login(), PasswordReset())
        for method in (Method.TOTP, Method.RECOVERY_CODE)
    ],
)
def test_without_a_number_a_way_of_ones_own_is_enough(
    browser, operator, journey, method
):
    user = UserFactory(email="ann@example.com")
    right = way_for(user, method)
    journey.begin(browser, user)
    row = Verification.objects.get()
    assert row.reason == Reason.NOT_ON_PHONE

    address = answer(browser, choose(browser, row, method), right)

    assert journey.is_done(browser, address)


@pytest.mark.parametrize("method", sorted(A_PERSON - {Method.NETWORK}))
def test_settings_that_take_the_network_away_close_it(
    browser, operator, settings, method
):
    settings.NV_ACCEPTS = {"login": [str(method)]}
    user = Login().person()
    right = way_for(user, method)
    Login().begin(browser, user)
    row = Verification.objects.get()
    assert row.reason == Reason.METHOD_CLOSED

    address = answer(browser, choose(browser, row, method), right)

    assert Login().is_done(browser, address)
    assert operator.calls == []
