"""When the network cannot tell, or says no: the ways on, and nobody honest is stuck."""

import pytest
from playwright.sync_api import expect

from accounts.models import User
from numberverify.choices import Method, Purpose, Reason, Status
from numberverify.factors import sms
from numberverify.models import Verification
from tests.factories import ANN, PASSWORD, UserFactory

from . import hands
from .hands import APP, PAPER, SMS, SUPPORT, choose, type_code
from .manners import for_everybody

pytestmark = pytest.mark.browser
COULD_NOT_TELL = "We could not check your number"
NO_MATCH = "The number does not match this SIM"
NEW = "an entirely n3w one"


@pytest.fixture
def ann(site):
    """She has a number, an app and codes on paper."""
    user = UserFactory(email="ann@example.com", phone=ANN)
    hands.give_app(user)
    return user


@pytest.fixture
def paper(ann):
    return hands.give_paper(ann)


@pytest.fixture
def waiting(phone, site):
    """A phone where the code of a text message is asked for, at a login."""
    hands.log_in_elsewhere(phone, UserFactory(phone=ANN), PASSWORD)
    choose(phone, SMS)
    return phone


def methods():
    """The methods that were tried, from the first to the last."""
    return [row.method for row in Verification.objects.order_by("pk")]


@for_everybody
@pytest.mark.parametrize("way", [SMS, APP, PAPER])
def test_on_wifi_a_person_logs_in_by_another_way(phone, ann, paper, way):
    phone.hold(network="wifi")
    phone.log_in(ann, next="/accounts/phone/")
    phone.sees(COULD_NOT_TELL)
    assert hands.ways_on(phone) == [APP, SMS, SUPPORT, PAPER]
    choose(phone, way)
    code = {
        SMS: hands.the_code,
        APP: lambda: hands.app_code(ann),
        PAPER: lambda: paper[0].lower().replace("-", " "),
    }
    type_code(phone, code[way]())

    assert phone.at == "/accounts/phone/"
    assert phone.is_signed_in
    first, second = Verification.objects.order_by("pk")
    assert (second.previous, second.status) == (first.pk, Status.VERIFIED)


def test_a_mismatching_sim_closes_sms_and_support_in_a_new_browser(phone, ann, paper):
    phone.hold(number=hands.BEN)
    phone.log_in(ann)
    phone.sees(NO_MATCH)

    assert hands.ways_on(phone) == [APP, PAPER]
    hands.prove_by_app(phone, ann)
    assert phone.is_signed_in


def test_wifi_or_a_second_tab_does_not_open_sms_again(phone, ann):
    phone.hold(number=hands.BEN)
    phone.log_in(ann)
    phone.hold(network="wifi")
    phone.log_in(ann)
    phone.sees(COULD_NOT_TELL)
    assert hands.ways_on(phone) == [APP]
    phone.page = phone.context.new_page()
    hands.log_in_elsewhere(phone, ann, PASSWORD)

    phone.sees("Choose another way")
    assert hands.ways_on(phone) == [APP]
    assert sms.outbox == []


def test_a_known_browser_keeps_sms_after_a_mismatching_sim(phone, ann):
    phone.log_in(ann)
    phone.hold(number=hands.BEN)
    phone.open("/accounts/export/")
    phone.press("Check my number")
    phone.sees(NO_MATCH)
    assert SMS in hands.ways_on(phone)
    hands.prove_by_sms(phone)

    phone.sees("Your data")


def test_a_code_sent_before_the_mismatch_does_not_help_after_it(phone, ann):
    hands.log_in_elsewhere(phone, ann, PASSWORD)
    choose(phone, SMS)
    code_page = phone.at
    phone.hold(number=hands.BEN)
    phone.log_in(ann)
    phone.sees(NO_MATCH)
    phone.open(code_page)
    type_code(phone, hands.the_code())

    assert not phone.is_signed_in
    assert hands.ways_on(phone) == [APP]


def test_at_a_desk_a_person_says_so_at_once_and_the_network_is_left_alone(desk, ann):
    hands.log_in_elsewhere(desk, ann, PASSWORD)
    desk.sees("Choose another way")
    hands.prove_by_app(desk, ann)

    assert desk.is_signed_in
    assert Method.NETWORK not in methods()[1:]
    assert all(not row.operator for row in Verification.objects.all())


@for_everybody
def test_somebody_at_a_desk_signs_up_by_text_message(desk):
    desk.open("/accounts/signup/")
    desk.fill(
        email="ann@example.com",
        phone="07700 900123",
        password1=PASSWORD,
        password2=PASSWORD,
    )
    desk.press(hands.ELSEWHERE)
    assert hands.ways_on(desk) == [hands.PHONE, SMS]
    hands.prove_by_sms(desk)

    assert desk.at == "/accounts/profile/"
    assert desk.is_signed_in
    assert User.objects.get().profile.phone == ANN


def test_at_signup_a_mismatch_closes_sms_for_that_number_and_not_for_the_right_one(
    phone,
):
    phone.sign_up(phone="07700 900124")
    phone.sees(NO_MATCH)
    assert hands.ways_on(phone) == []
    phone.hold(network="wifi")
    phone.sign_up(phone="07700 900123")

    assert hands.ways_on(phone) == [SMS]
    hands.prove_by_sms(phone)
    assert phone.is_signed_in


@pytest.mark.parametrize("way", [SMS, PAPER])
def test_a_password_is_reset_at_a_desk(desk, mails, ann, paper, way):
    desk.open("/accounts/password/reset/")
    desk.fill(email=ann.email)
    desk.press("Send me a link")
    desk.open(mails()[-1].links[0])
    desk.press(hands.ELSEWHERE)
    assert hands.ways_on(desk) == [APP, SMS, PAPER]  # staff never
    choose(desk, way)
    type_code(desk, hands.the_code() if way == SMS else paper[3])
    desk.sees("Choose a new password")
    desk.fill(new_password1=NEW, new_password2=NEW)
    desk.press("Set the password")

    desk.reads("Your password is changed. Log in with it.")
    ann.refresh_from_db()
    assert ann.check_password(NEW)


def test_a_person_without_a_number_logs_in_by_the_app(phone, site):
    user = UserFactory()
    hands.give_app(user)
    phone.log_in(user)
    assert hands.ways_on(phone) == [APP, SUPPORT]
    assert "has the number" not in phone.main.inner_text()
    hands.prove_by_app(phone, user)

    assert phone.is_signed_in


# Codes


def test_a_wrong_code_says_how_many_tries_are_left(waiting):
    type_code(waiting, hands.a_wrong_code())
    waiting.reads("You have 4 tries left.")
    assert waiting.page.title().startswith("Error:")
    expect(waiting.page.locator(".error-summary")).to_be_focused()
    type_code(waiting, hands.a_wrong_code())
    waiting.reads("You have 3 tries left.")
    type_code(waiting, hands.the_code())

    assert waiting.is_signed_in


def test_too_many_wrong_codes_close_the_way_and_not_the_others(waiting):
    for _ in range(5):
        type_code(waiting, hands.a_wrong_code())

    waiting.sees("Too many wrong codes")
    assert hands.ways_on(waiting) == [SUPPORT]
    waiting.press("Ask my mobile network")
    assert waiting.is_signed_in


def test_who_has_no_other_way_is_not_told_of_others(phone):
    phone.hold(network="wifi")
    phone.sign_up()
    choose(phone, SMS)
    for _ in range(5):
        type_code(phone, hands.a_wrong_code())

    phone.sees("Too many wrong codes")
    assert hands.ways_on(phone) == []
    assert "The others are open" not in phone.main.inner_text()
    phone.reads("Your mobile network can still be asked")
    ending = phone.at
    phone.hold(network="mobile")
    phone.open(ending)
    phone.press("Ask my mobile network")
    assert phone.is_signed_in


def test_a_code_with_spaces_passes(waiting):
    code = hands.the_code()
    type_code(waiting, f"\u00a0{code[:2]} {code[2:4]}-{code[4:]} ")

    assert waiting.is_signed_in


def test_something_that_is_no_code_costs_no_try(waiting):
    for typed in ("", "12345", "abcdef"):
        type_code(waiting, typed)
        waiting.reads("There is a problem")

    assert Verification.objects.get(method=Method.SMS).tries == 0


def test_a_late_code_says_so_and_a_new_one_is_one_press_away(waiting):
    late = hands.the_code()
    hands.let_run_out()
    type_code(waiting, late)
    waiting.sees("This check has run out")
    waiting.reads("A code is good for ten minutes")
    waiting.press("Send me a new code")
    type_code(waiting, hands.the_code())

    assert waiting.is_signed_in


def test_a_new_code_too_early_is_refused_and_later_sent(waiting):
    first = hands.the_code()
    waiting.press("Send a new code")
    waiting.reads("You can ask for a new code in")
    assert len(sms.outbox) == 1
    hands.let_wait_pass()
    waiting.press("Send a new code")
    waiting.reads("A new code is on its way.")
    assert len(sms.outbox) == 2
    if first != hands.the_code():
        type_code(waiting, first)
        waiting.reads("You have 4 tries left.")
    type_code(waiting, hands.the_code())

    assert waiting.is_signed_in


def test_the_code_field_is_what_phones_fill_in(waiting):
    field = waiting.page.get_by_label("Code", exact=True)

    expect(field).to_have_attribute("autocomplete", "one-time-code")
    expect(field).to_have_attribute("inputmode", "numeric")
    host = waiting.site.removeprefix("http://").partition(":")[0]
    last = sms.outbox[-1].text.splitlines()[-1]
    assert last == f"@{host} #{hands.the_code()}"
    waiting.reads("+44 •••• •••123")
    assert not waiting.shows_a_number


def test_two_tabs_the_older_one_says_that_a_newer_code_counts(waiting):
    old_tab = waiting.page
    old = waiting.at
    waiting.page = waiting.context.new_page()
    waiting.open(old)
    waiting.press("Use another way")
    choose(waiting, SMS)
    new_tab, waiting.page = waiting.page, old_tab
    type_code(waiting, hands.the_code())
    waiting.sees("A newer code took its place")
    waiting.page = new_tab
    type_code(waiting, hands.the_code())

    assert waiting.is_signed_in


def test_a_code_asked_for_in_one_tab_is_typed_in_another(waiting):
    address = waiting.at
    waiting.page = waiting.context.new_page()
    waiting.open(address)
    type_code(waiting, hands.the_code())

    assert waiting.is_signed_in


def test_a_used_code_of_the_app_is_refused(phone, new_phone, ann):
    code = hands.app_code(ann)
    hands.log_in_elsewhere(phone, ann, PASSWORD)
    choose(phone, APP)
    type_code(phone, code)
    assert phone.is_signed_in
    other = new_phone()
    hands.log_in_elsewhere(other, ann, PASSWORD)
    choose(other, APP)
    type_code(other, code)

    other.reads("That code is not right, or it was used before.")
    assert not other.is_signed_in


def test_a_recovery_code_works_once(phone, new_phone, ann, paper):
    for each in (phone, new_phone()):
        hands.log_in_elsewhere(each, ann, PASSWORD)
        choose(each, PAPER)
        type_code(each, paper[0])

    assert phone.is_signed_in
    each.reads("You have 4 tries left.")
    type_code(each, paper[1])
    assert each.is_signed_in


def test_another_way_is_a_link_on_every_page_that_asks_for_a_code(phone, ann, paper):
    hands.log_in_elsewhere(phone, ann, PASSWORD)
    for way in (SMS, APP, PAPER, SUPPORT):
        choose(phone, way)
        phone.press("Use another way")
        phone.sees("Choose another way")

    phone.press("I am on the phone now")
    assert phone.is_signed_in


def test_a_number_without_an_operator_is_proved_by_text_message(phone):
    phone.sign_up(phone="+33 6 39 98 12 34")
    phone.sees(COULD_NOT_TELL)
    hands.prove_by_sms(phone)

    assert phone.is_signed_in


def test_a_text_message_that_does_not_leave_is_no_dead_end(phone, ann, monkeypatch):
    hands.log_in_elsewhere(phone, ann, PASSWORD)
    with monkeypatch.context() as patch:
        patch.setattr(sms.MemoryBackend, "send", _does_not_leave)
        choose(phone, SMS)
    phone.sees("The text message could not be sent")
    hands.prove_by_sms(phone)

    assert phone.is_signed_in
    reasons = Verification.objects.filter(method=Method.SMS).values_list("reason")
    assert sorted(reasons) == [("",), (Reason.SMS_NOT_SENT,)]


def _does_not_leave(*message):
    raise sms.SmsNotSent


def test_what_was_proved_by_the_app_does_not_speak_of_the_network(phone, ann):
    hands.log_in_elsewhere(phone, ann, PASSWORD)
    hands.prove_by_app(phone, ann)
    row = Verification.objects.get(method=Method.TOTP)
    assert row.purpose == Purpose.LOGIN
    phone.main.get_by_role("row").filter(has_text="Authenticator app").get_by_role(
        "link"
    ).click()

    phone.sees("It was confirmed that it is you")
    phone.reads("Authenticator app")
    assert "network" not in phone.main.inner_text()
