"""An authenticator app and codes on paper: put on file, used, replaced."""

import pytest

from numberverify.factors import recovery, totp
from numberverify.models import RecoveryCode
from tests.factories import ANN, PASSWORD, UserFactory

from . import hands
from .hands import APP, PAPER, SMS, choose, type_code
from .manners import for_everybody

pytestmark = pytest.mark.browser
AUTHENTICATOR, CODES = "/verify/authenticator/", "/verify/recovery-codes/"


@pytest.fixture
def ann(phone):
    user = UserFactory(email="ann@example.com", phone=ANN)
    phone.become(user)
    return user


@for_everybody
def test_an_app_is_enrolled_by_its_typed_key_and_used_at_the_next_login(
    phone, new_phone, mails, ann
):
    phone.open("/accounts/profile/")
    phone.follow("Add an authenticator app")
    phone.sees("Confirm it's you to change your authenticator app")
    phone.press("Check my number")
    phone.sees("Add an authenticator app")
    key = hands.enrol(phone)

    assert phone.at == "/accounts/profile/"
    phone.reads("The authenticator app is on file.")
    assert totp.device_of(ann.pk).key == key
    assert [mail.to for mail in mails()] == [[ann.email]]
    desk = new_phone()
    hands.log_in_elsewhere(desk, ann, PASSWORD)
    choose(desk, APP)
    type_code(desk, hands.app_code(ann, later=1))
    assert desk.is_signed_in


def test_a_wrong_first_code_keeps_the_key_and_the_confirmation(phone, ann):
    phone.open(AUTHENTICATOR)
    phone.press("Check my number")
    picture = phone.page.get_by_role("img", name="QR code with the key below")
    assert min(picture.bounding_box()[side] for side in ("width", "height")) >= 150
    key = phone.main.locator(".key code").inner_text()
    phone.fill(code="000000")
    phone.press("Add the app")
    phone.reads("That code is not right. Wait for the next one.")
    assert phone.main.locator(".key code").inner_text() == key
    hands.enrol(phone)

    phone.reads("The authenticator app is on file.")


def test_who_has_no_other_way_yet_adds_an_app_by_password(phone):
    phone.become(UserFactory())
    phone.open(CODES)
    phone.sees("Add a number first")
    phone.follow("Add an authenticator app")
    phone.fill(password="wrong")
    hands.enrol(phone)
    phone.reads("That is not your password")
    phone.fill(password=PASSWORD)
    hands.enrol(phone)

    phone.reads("The authenticator app is on file.")


def test_a_new_app_takes_the_place_of_the_old_one(phone, ann):
    old = hands.give_app(ann)
    phone.open(AUTHENTICATOR)
    phone.follow(hands.ELSEWHERE)
    hands.prove_by_app(phone, ann)
    phone.sees("Change your authenticator app")
    key = hands.enrol(phone, "Use this app instead")

    phone.reads("The authenticator app is on file.")
    assert totp.device_of(ann.pk).key == key != old.key


@for_everybody
def test_an_app_is_removed(phone, ann):
    hands.give_app(ann)
    phone.open(AUTHENTICATOR)
    phone.press("Check my number")
    phone.press("Remove the app")

    phone.reads("The authenticator app is removed.")
    phone.follow("Change the number")
    phone.follow(hands.ELSEWHERE)
    assert hands.ways_on(phone) == [SMS]


@for_everybody
def test_recovery_codes_are_shown_once(phone, ann):
    phone.open("/accounts/profile/")
    phone.follow("Make ten new codes")
    phone.press("Check my number")
    phone.press("Make ten new codes")
    shown = phone.main.locator(".codes code").all_inner_texts()
    assert len(set(shown)) == recovery.HOW_MANY
    made = list(RecoveryCode.objects.values_list("pk", flat=True))
    phone.page.reload()

    assert phone.main.locator(".codes").count() == 0
    phone.open(CODES)
    assert not any(code in phone.page.content() for code in shown)
    assert list(RecoveryCode.objects.values_list("pk", flat=True)) == made


def test_new_recovery_codes_end_the_old_ones(phone, new_phone, ann):
    old = hands.give_paper(ann)
    phone.open(CODES)
    phone.follow(hands.ELSEWHERE)
    choose(phone, PAPER)
    type_code(phone, old[0])
    phone.reads("9 codes that you have are unused.")
    phone.press("Make ten new codes")
    new = phone.main.locator(".codes code").all_inner_texts()
    other = new_phone()
    hands.log_in_elsewhere(other, ann, PASSWORD)
    choose(other, PAPER)
    type_code(other, old[1])
    other.reads("That code is not right")
    type_code(other, new[0].lower())

    assert other.is_signed_in


def test_the_profile_warns_who_has_nothing_for_a_lost_phone(phone, ann):
    phone.open("/accounts/profile/")
    phone.reads("If you lose your phone, you have no way in of your own.")
    hands.give_app(ann)
    phone.page.reload()

    assert "If you lose your phone" not in phone.main.inner_text()
