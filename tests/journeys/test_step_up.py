"""A fresh proof before a sensitive action: asked for by name, good for a while."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from numberverify.models import Verification
from tests.factories import ANN, PASSWORD, UserFactory

from . import hands
from .hands import APP, SMS, choose
from .manners import for_everybody

pytestmark = pytest.mark.browser
NEW = "an entirely n3w one"
ACTIONS = {
    "/accounts/password/change/": "change your password",
    "/accounts/email/change/": "change your e-mail address",
    "/accounts/phone/change/": "change your mobile number",
    "/verify/authenticator/": "change your authenticator app",
    "/verify/recovery-codes/": "make new recovery codes",
    "/accounts/sessions/end/": "end your other sessions",
    "/accounts/export/": "export your data",
    "/accounts/close/": "close your account",
}


LASTS = {
    "/accounts/sessions/end/": "You won't be asked again for 10 minutes.",
    "/verify/authenticator/": "You won't be asked again for 30 minutes.",
}


@pytest.fixture
def ann(phone):
    user = UserFactory(email="ann@example.com", phone=ANN)
    hands.give_app(user)
    phone.become(user)
    return user


def test_the_page_names_the_action_and_how_long_it_lasts(phone, ann):
    for path, words in ACTIONS.items():
        phone.open(path)
        phone.sees(f"Confirm it's you to {words}")
        phone.reads(LASTS.get(path, "The confirmation is good for 5 minutes, once."))
        assert not phone.shows_a_number

    assert not Verification.objects.exists()


def test_at_a_desk_a_password_is_changed_by_text_message(desk, ann):
    desk.become(ann)
    desk.open("/accounts/password/change/")
    desk.follow(hands.ELSEWHERE)
    desk.sees("Confirm it's you to change your password")
    hands.prove_by_sms(desk)
    desk.fill(old_password=PASSWORD, new_password1=NEW, new_password2=NEW)
    desk.press("Change the password")

    desk.reads("Your password is changed.")
    ann.refresh_from_db()
    assert ann.check_password(NEW)


@for_everybody
def test_a_number_is_changed_at_a_desk_by_two_text_messages(desk, mails, site):
    ann = UserFactory(email="ann@example.com", phone=ANN)
    desk.become(ann)
    desk.open("/accounts/profile/")
    desk.follow("Change the number")
    desk.follow(hands.ELSEWHERE)
    hands.prove_by_sms(desk)
    desk.sees("Change your number")
    desk.fill(phone="07700 900456")
    desk.press("That phone is not this device")
    assert hands.ways_on(desk) == [SMS]
    hands.prove_by_sms(desk)

    desk.reads("Your number is confirmed.")
    ann.profile.refresh_from_db()
    assert ann.profile.phone == hands.BEN
    assert [mail.to for mail in mails()] == [[ann.email]]


def test_a_typed_number_is_not_lost_when_the_new_one_cannot_be_proved(desk, site):
    ann = UserFactory(email="ann@example.com", phone=ANN)
    desk.become(ann)
    desk.open("/accounts/phone/change/")
    desk.press("Check my number")
    desk.fill(phone="07700 900457")
    desk.press("Check my number")
    desk.sees("The number does not match this SIM")
    desk.follow("Correct the number")

    expect(desk.field("phone")).to_have_value("07700 900457")


def test_a_proof_for_its_age_opens_the_page_again_and_dies_with_the_sessions(
    phone, ann
):
    phone.open("/accounts/sessions/end/")
    phone.press("Check my number")
    phone.open("/accounts/sessions/end/")
    phone.press("End all other sessions")
    phone.reads("All your other sessions have ended.")
    phone.open("/accounts/sessions/end/")
    phone.sees("Confirm it's you to end your other sessions")


def test_a_proof_for_one_action_opens_no_other(phone, ann):
    phone.open("/accounts/export/")
    phone.press("Check my number")
    phone.sees("Your data")
    for path in set(ACTIONS) - {"/accounts/export/"}:
        phone.open(path)
        phone.sees(f"Confirm it's you to {ACTIONS[path]}")


def test_what_was_typed_is_there_again_after_the_proof_has_run_out(phone, ann):
    phone.open("/accounts/email/change/")
    phone.press("Check my number")
    long_ago = timezone.now() - timedelta(minutes=6)
    Verification.objects.update(settled_at=long_ago)
    phone.fill(email="new@example.com")
    phone.press("Mail me a link")
    phone.sees("Confirm it's you to change your e-mail address")
    phone.reads("Nothing has been sent yet")
    phone.press("Check my number")

    phone.sees("Change your e-mail address")
    expect(phone.field("email")).to_have_value("new@example.com")


def test_a_step_up_begun_in_one_tab_and_finished_in_another(phone, ann):
    phone.open("/accounts/export/")
    phone.follow(hands.ELSEWHERE)
    choose(phone, APP)
    code_page, first_tab = phone.at, phone.page
    phone.page = phone.context.new_page()
    phone.open(code_page)
    hands.type_code(phone, hands.app_code(ann))
    phone.sees("Your data")
    phone.page = first_tab
    phone.page.reload()

    phone.sees("Your data")


def test_a_wrong_sim_at_a_desk_leaves_the_app(phone, ann):
    phone.hold(number=hands.BEN)
    phone.open("/accounts/export/")
    phone.press("Check my number")
    phone.sees("The number does not match this SIM")
    assert hands.ways_on(phone) == [APP]
    hands.prove_by_app(phone, ann)

    phone.sees("Your data")


@for_everybody
def test_from_the_other_ways_a_link_leads_back_to_the_network(phone, ann):
    phone.open("/accounts/export/")
    phone.follow(hands.ELSEWHERE)
    phone.follow("I am on the phone now")
    phone.press("Check my number")

    phone.sees("Your data")


def test_a_freeze_by_staff_ends_what_is_open_until_the_password_is_reset(
    phone, new_phone, ann, mails
):
    phone.open("/accounts/sessions/end/")
    phone.press("Check my number")
    phone.sees("End your other sessions")
    desk = new_phone({"width": 1280, "height": 800})
    staff = UserFactory(staff=True)
    hands.give_app(staff)
    desk.become(staff)
    people = f"/admin/accounts/user/?q={ann.email}"
    _freeze(desk, people)
    hands.prove_by_app(desk, staff)
    _freeze(desk, people)
    desk.reads("Froze 1 person.")

    phone.open("/accounts/profile/")
    assert not phone.is_signed_in
    phone.open("/accounts/login/")
    phone.fill(username=ann.email, password=PASSWORD)
    phone.press("Log in", status=403)
    phone.sees("Your account is frozen")
    phone.follow("Reset the password")
    phone.fill(email=ann.email)
    phone.press("Send me a link")
    phone.open(mails()[-1].links[0])
    phone.press("Check my number")
    phone.fill(new_password1=NEW, new_password2=NEW)
    phone.press("Set the password")
    phone.log_in(ann, NEW)
    phone.open("/accounts/sessions/end/")
    phone.sees("Confirm it's you to end your other sessions")


def _freeze(desk, people):
    desk.open(people)
    desk.page.locator(".action-select").first.check()
    freeze = "Freeze until the password is reset"
    desk.page.get_by_label("Action:").select_option(label=freeze)
    desk.press("Go")
