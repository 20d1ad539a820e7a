"""Falling back, stepping up, and what a person does with an account of their own."""

import pytest

from accounts.models import User
from numberverify import manual
from numberverify.choices import Method, Reason, Status
from numberverify.models import ManualRequest, Verification
from tests.factories import ANN, PASSWORD, UserFactory, VerificationFactory

from . import hands
from .more_scenes import demo_admin, row_of
from .phone import Phone
from .scenes import ann_on, scene

MONEY = "/sandbox/send-money/"


def ann_with_all() -> User:
    user = UserFactory(email="ann@example.com", phone=ANN)
    hands.give_app(user)
    hands.give_paper(user)
    return user


def chooser(phone: Phone) -> User:
    """At the chooser of a login, away from the phone."""
    user = ann_with_all()
    hands.log_in_elsewhere(phone, user, PASSWORD)
    return user


def signed_in(phone: Phone) -> User:
    user = ann_with_all()
    phone.become(user)
    return user


def confirmed(phone: Phone, path: str) -> User:
    """On a guarded page, opened by the network."""
    user = signed_in(phone)
    phone.open(path)
    phone.press("Check my number")
    return user


@scene
def ways_not_on_phone(phone, mails):
    chooser(phone)


@scene
def ways_after_wifi(phone, mails):
    phone.hold(network="wifi")
    phone.log_in(ann_with_all())


@scene
def ways_after_no_match(phone, mails):
    phone.hold(number=hands.BEN)
    phone.log_in(ann_with_all())


@scene
def ways_at_signup(phone, mails):
    phone.hold(network="wifi")
    phone.sign_up()


@scene
def ways_without_number(phone, mails):
    user = UserFactory(email="ann@example.com")
    hands.give_app(user)
    phone.log_in(user)


@scene
def code_sms(phone, mails):
    chooser(phone)
    hands.choose(phone, hands.SMS)


@scene
def code_sms_empty(phone, mails):
    code_sms(phone, mails)
    hands.type_code(phone, "")


@scene
def code_sms_wrong(phone, mails):
    code_sms(phone, mails)
    hands.type_code(phone, hands.a_wrong_code())


@scene
def code_sms_too_soon(phone, mails):
    code_sms(phone, mails)
    phone.press("Send a new code")


@scene
def code_sms_again(phone, mails):
    code_sms(phone, mails)
    hands.let_wait_pass()
    phone.press("Send a new code")


@scene
def code_sms_late(phone, mails):
    code_sms(phone, mails)
    hands.let_run_out()
    hands.type_code(phone, hands.the_code())


@scene
def code_sms_replaced(phone, mails):
    code_sms(phone, mails)
    first = phone.at
    phone.press("Use another way")
    hands.choose(phone, hands.SMS)
    phone.open(first)


@scene
def code_sms_too_many(phone, mails):
    code_sms(phone, mails)
    for _ in range(5):
        hands.type_code(phone, hands.a_wrong_code())


@scene
def code_sms_too_many_and_nothing_else(phone, mails):
    phone.hold(network="wifi")
    phone.sign_up()
    hands.choose(phone, hands.SMS)
    for _ in range(5):
        hands.type_code(phone, hands.a_wrong_code())


@scene
def code_app(phone, mails):
    chooser(phone)
    hands.choose(phone, hands.APP)


@scene
def code_app_wrong(phone, mails):
    code_app(phone, mails)
    hands.type_code(phone, "000000")


@scene
def code_paper(phone, mails):
    chooser(phone)
    hands.choose(phone, hands.PAPER)


@scene
def code_paper_wrong(phone, mails):
    code_paper(phone, mails)
    hands.type_code(phone, "0000 0000 0000 0000")


@scene
def support_waiting(phone, mails):
    chooser(phone)
    hands.choose(phone, hands.SUPPORT)


@scene
def support_declined(phone, mails):
    support_waiting(phone, mails)
    decided(approve=False)
    phone.page.reload()


@scene
def ending_method_closed(phone, mails):
    row_of(phone, unavailable=True, reason=Reason.METHOD_CLOSED, method=Method.SMS)


@scene
def ending_sms_not_sent(phone, mails):
    row_of(phone, unavailable=True, reason=Reason.SMS_NOT_SENT, method=Method.SMS)


@scene
def ending_match_by_app(phone, mails):
    user = signed_in(phone)
    row = VerificationFactory(
        user=user, verified=True, method=Method.TOTP, purpose="login", operator=""
    )
    phone.open(f"/verify/{row.pk}/")


@scene
def ending_code_of_another_browser(phone, mails):
    user = signed_in(phone)
    row = VerificationFactory(user=user, method=Method.SMS, purpose="login")
    phone.open(f"/verify/{row.pk}/")


@scene
def step_up_away(phone, mails):
    signed_in(phone)
    phone.open("/accounts/email/change/")
    phone.follow(hands.ELSEWHERE)


@scene
def step_up_no_other_way(phone, mails):
    phone.become(UserFactory(phone=ANN))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.SMS_BACKEND", "")
        phone.open("/accounts/sessions/end/")
        phone.follow(hands.ELSEWHERE)


@scene
def step_up_for_its_age(phone, mails):
    signed_in(phone)
    phone.open("/accounts/sessions/end/")


@scene
def step_up_frozen(phone, mails):
    user = signed_in(phone)
    user.freeze()
    phone.become(user)
    phone.open("/accounts/export/")


@scene
def authenticator_by_password(phone, mails):
    phone.become(UserFactory())
    phone.open("/verify/authenticator/")


@scene
def authenticator_errors(phone, mails):
    authenticator_by_password(phone, mails)
    phone.press("Add the app")


@scene
def authenticator_change(phone, mails):
    confirmed(phone, "/verify/authenticator/")


@scene
def authenticator_added(phone, mails):
    ann_on(phone)
    phone.open("/verify/authenticator/")
    phone.press("Check my number")
    hands.enrol(phone)


@scene
def recovery_codes(phone, mails):
    confirmed(phone, "/verify/recovery-codes/")


@scene
def recovery_codes_made(phone, mails):
    recovery_codes(phone, mails)
    phone.press("Make ten new codes")


@scene
def profile_with_all(phone, mails):
    user = signed_in(phone)
    for method in (Method.SMS, Method.TOTP, Method.MANUAL):
        VerificationFactory(
            user=user, verified=True, method=method, purpose="login", operator=""
        )
    phone.open("/accounts/profile/")


@scene
def profile_with_number_alone(phone, mails):
    phone.become(UserFactory(phone=ANN))
    phone.open("/accounts/profile/")


@scene
def phone_change(phone, mails):
    confirmed(phone, "/accounts/phone/change/")


@scene
def phone_change_errors(phone, mails):
    phone_change(phone, mails)
    phone.fill(phone="12")
    phone.press("Check my number")


@scene
def email_change(phone, mails):
    confirmed(phone, "/accounts/email/change/")


@scene
def email_change_errors(phone, mails):
    email_change(phone, mails)
    phone.fill(email="ann@")
    phone.press("Mail me a link")


@scene
def email_change_mailed(phone, mails):
    email_change(phone, mails)
    phone.fill(email="ann.new@example.com")
    phone.press("Mail me a link")


@scene
def email_change_confirm(phone, mails):
    email_change_mailed(phone, mails)
    phone.open(next(m for m in mails() if m.to == ["ann.new@example.com"]).links[0])


@scene
def email_changed(phone, mails):
    email_change_confirm(phone, mails)
    phone.press("Yes, change it")


@scene
def export(phone, mails):
    confirmed(phone, "/accounts/export/")


@scene
def end_sessions(phone, mails):
    confirmed(phone, "/accounts/sessions/end/")


@scene
def close_account(phone, mails):
    confirmed(phone, "/accounts/close/")


@scene
def close_account_errors(phone, mails):
    close_account(phone, mails)
    phone.press("Close my account")


@scene
def close_account_closed(phone, mails):
    close_account(phone, mails)
    phone.field("sure").check()
    phone.press("Close my account")


@scene
def money(phone, mails):
    signed_in(phone)
    phone.open(MONEY)


@scene
def money_errors(phone, mails):
    money(phone, mails)
    phone.fill(payee="", amount="a lot")
    phone.press("Send")


@scene
def money_confirm(phone, mails):
    money(phone, mails)
    phone.fill(payee="Ben Okafor", amount="250")
    phone.press("Send")


@scene
def money_away(phone, mails):
    money_confirm(phone, mails)
    phone.press(hands.ELSEWHERE)


@scene
def money_confirmed(phone, mails):
    money_confirm(phone, mails)
    phone.press("Check my number")


@scene
def money_sent(phone, mails):
    money_confirmed(phone, mails)
    phone.press("Send")


def waiting_for_staff(phone: Phone) -> Verification:
    """The row of a person who has asked our support."""
    ann = UserFactory(email="lost@example.com", phone=hands.BEN)
    return VerificationFactory(
        user=ann, purpose="login", method=Method.MANUAL, operator="", number=""
    )


def decided(*, approve: bool | None) -> ManualRequest:
    row = Verification.objects.get(method=Method.MANUAL, status=Status.PENDING)
    first, second = UserFactory(staff=True), UserFactory(staff=True)
    asked = manual.ask(
        row,
        first,
        reason="She lost her phone on the train.",
        evidence="Came to the branch in Leeds and showed her passport.",
    )
    if approve is not None:
        manual.decide(asked, second, approve=approve)
    return asked


def staff_at(phone: Phone, path: str) -> None:
    phone.become(UserFactory(email="staff@example.com", staff=True, phone=ANN))
    phone.open(path)


@scene
def admin_overview(phone, mails):
    UserFactory(phone=hands.BEN)
    hands.give_app(UserFactory())
    staff_at(phone, "/admin/")


@scene
def admin_row_waits(phone, mails):
    row = waiting_for_staff(phone)
    staff_at(phone, f"/admin/numberverify/verification/{row.pk}/change/")


@scene
def admin_step_up(phone, mails):
    admin_row_waits(phone, mails)
    phone.page.get_by_role("link", name="Ask for a manual verification").click()


@scene
def admin_manual_ask(phone, mails):
    admin_step_up(phone, mails)
    phone.press("Check my number")


@scene
def admin_manual_ask_errors(phone, mails):
    admin_manual_ask(phone, mails)
    phone.press("Ask for the verification")


@scene
def admin_manual_asked(phone, mails):
    admin_manual_ask(phone, mails)
    phone.fill(reason="Lost her phone.", evidence="Showed her passport in Leeds.")
    phone.press("Ask for the verification")


@scene
def admin_manual_decide(phone, mails):
    waiting_for_staff(phone)
    asked = decided(approve=None)
    staff_at(phone, f"/admin/numberverify/manualrequest/{asked.pk}/change/")


@scene
def admin_manual_decided(phone, mails):
    admin_manual_decide(phone, mails)
    phone.press("Approve: it is this person")
    phone.press("Check my number")
    phone.press("Approve: it is this person")


@scene
def admin_manual_list(phone, mails):
    for approve in (True, False, None):
        person = UserFactory()
        VerificationFactory(
            user=person, purpose="login", method=Method.MANUAL, operator="", number=""
        )
        decided(approve=approve)
    staff_at(phone, "/admin/numberverify/manualrequest/")


@scene
def admin_demo_cannot_act(phone, mails):
    demo_admin(phone, "/admin/accounts/user/")
    phone.page.locator(".action-select").first.check()
    phone.page.get_by_label("Action:").select_option(label="End all sessions")
    phone.press("Go")


@scene
def admin_row_by_sms(phone, mails):
    row = VerificationFactory(
        verified=True, method=Method.SMS, operator="", sends=2, tries=1
    )
    staff_at(phone, f"/admin/numberverify/verification/{row.pk}/change/")
