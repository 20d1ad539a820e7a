"""The phone as the desktop's key: what both see, and how it ends."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.core.cache import cache
from django.utils import timezone

from accounts.models import Profile, User
from numberverify import flow, forget, handoff
from numberverify.choices import Method, Purpose, Reason, Status
from numberverify.history.one import steps
from numberverify.history.sentences import story
from numberverify.models import Ended, Handoff, Verification
from tests.accounts.steps import is_signed_in, mailed
from tests.conftest import Browser
from tests.factories import ANN, PASSWORD, UserFactory, VerificationFactory
from tests.fake_operator import TOKEN
from tests.numberverify import handed

pytestmark = pytest.mark.django_db


def brought(operator, started, **changes: str) -> str:
    """The address that the operator sends the browser back to."""
    assert started["Location"].startswith(operator.base_url), started["Location"]
    found = operator.authorize(started["Location"]) | changes
    return f"/verify/callback/fake/?{urlencode(found)}"


# From the desktop to the phone and back


def test_a_signup_at_a_desktop_goes_on_by_the_phone(operator):
    signup = handed.at_signup()

    back = signup.phone.follow(signup.phone.come_back(operator, signup.yes()))

    assert "Done. Go on at your computer." in back.text
    assert "07700" not in back.text
    arrived = signup.desktop.follow(signup.desktop.get(signup.page))
    assert arrived.request["PATH_INFO"] == "/accounts/profile/"
    assert Profile.objects.get().phone == ANN
    assert is_signed_in(signup.desktop)
    assert not is_signed_in(signup.phone)


def test_a_login_at_a_desktop_goes_on_by_the_phone(operator):
    login = handed.at_login(UserFactory(phone=ANN))

    login.phone.follow(login.phone.come_back(operator, login.yes()))
    login.desktop.follow(login.desktop.get(login.page))

    assert is_signed_in(login.desktop)
    assert not is_signed_in(login.phone)
    row = Verification.objects.get()
    assert (row.method, row.status) == (Method.NETWORK, Status.VERIFIED)
    assert row.redeemed_at
    assert "Your computer has gone on." in login.phone.get(login.phone_page).text


def test_the_phone_cannot_spend_the_receipt_nor_reach_the_journey(operator):
    login = handed.at_login(UserFactory(phone=ANN))
    login.phone.come_back(operator, login.yes())

    for address in (f"/verify/{login.row.pk}/", login.page):
        assert login.phone.get(address)["Location"] == login.phone_page
    assert login.phone.get(login.row.next).status_code == 410
    assert not is_signed_in(login.phone)
    assert Verification.objects.get().redeemed_at is None


def test_the_desktop_shows_link_picture_digits_and_until_when(operator):
    signup = handed.at_signup()

    page = signup.desktop.get(signup.page)

    text = page.text.split("<main")[1]
    assert f"testserver{signup.address}" in text
    assert (
        '<div class="qr" role="img" aria-label="QR code with the address above">'
        in (text)
    )
    assert f"<strong>{signup.link.digits}</strong>" in text
    assert f"{signup.link.expires_at:%H:%M} UTC" in text
    assert "no-store" in page["Cache-Control"]
    assert len({signup.address, signup.address}) == 1, "the same each time"


def test_the_phone_is_told_who_asks_for_what_and_from_where(operator):
    ann = UserFactory(phone=ANN, email="ann@example.com")
    login = handed.at_login(ann).open()

    text = login.phone.get(login.phone_page).text.split("<main")[1]

    for words in ("log in", "a•••@example.com", "Chrome on Linux", "•••123"):
        assert words in text
    assert "ann@" not in text
    assert login.link.digits not in text.split('name="digits"')[0].split("UTC")[0]


def test_at_a_signup_the_phone_sees_whose_e_mail_it_is(operator):
    signup = handed.at_signup(email="new@example.com").open()

    text = signup.phone.get(signup.phone_page).text

    assert "n•••@example.com" in text
    assert "open an account" in text


# The link


def test_the_first_phone_that_opens_the_link_has_it(operator):
    signup = handed.at_signup()
    address = signup.address
    signup.open()

    other = handed.new_phone()
    late = other.get(address)

    assert late.status_code == 409
    assert "Opened on another phone" in late.text
    assert other.get(signup.phone_page).status_code == 404
    assert signup.phone.get(address)["Location"] == signup.phone_page


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_SEC_PURPOSE": "prefetch;prerender"},
        {"HTTP_PURPOSE": "prefetch"},
        {"HTTP_X_PURPOSE": "preview"},
        {"HTTP_SEC_FETCH_MODE": "no-cors"},
        {"HTTP_SEC_FETCH_DEST": "iframe"},
    ],
)
def test_who_looks_ahead_does_not_take_the_link(operator, headers):
    signup = handed.at_signup()

    answer = handed.new_phone().get(signup.address, **headers)

    assert answer.status_code == 204
    assert signup.link.claimed_at is None


def test_a_look_at_the_headers_does_not_take_the_link(operator):
    signup = handed.at_signup()

    handed.new_phone().head(signup.address)

    assert signup.link.claimed_at is None


def test_the_desktop_itself_does_not_take_its_link(operator):
    signup = handed.at_signup()

    page = signup.desktop.get(signup.address)

    assert "Open it on your phone" in page.text
    assert signup.link.claimed_at is None


def test_a_link_as_people_type_it_is_understood(operator):
    signup = handed.at_signup()
    typed = signup.address.removesuffix("/").rpartition("/")[2]
    typed = typed.lower().replace("-", "").replace("0", "o").replace("1", "l")

    assert signup.phone.get(f"/verify/phone/{typed}/").status_code == 303


def test_a_mistyped_link_says_so_and_leads_on(operator):
    page = handed.new_phone().get("/verify/phone/AAAAA-AAAAA/")

    assert page.status_code == 404
    assert "There is no such link" in page.text
    assert 'href="/"' in page.text.split("<main")[1]


def test_links_cannot_be_guessed_without_end(operator, settings):
    settings.NV_LIMITS = "phone_address=3/15m"
    signup = handed.at_signup()
    for _ in range(3):
        handed.new_phone().get("/verify/phone/AAAAA-AAAAA/")

    limited = handed.new_phone().get("/verify/phone/AAAAA-AAAAA/")

    assert limited.status_code == 429
    assert "Too many wrong links" in limited.text
    assert signup.phone.get(signup.address).status_code == 429


def test_a_right_link_uses_up_no_try(operator, settings):
    settings.NV_LIMITS = "phone_address=1/15m"
    address = handed.at_signup().address
    phone = handed.new_phone()

    for _ in range(3):
        assert phone.get(address).status_code == 303


def test_an_old_link_says_so_and_leads_on(operator):
    signup = handed.at_signup()
    address = signup.address

    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
        page = signup.phone.get(address)
        desktop = signup.desktop.get(signup.page)

    assert page.status_code == 410
    assert "This link has run out" in page.text
    assert "This check has run out" in desktop.text
    assert 'value="phone"' in desktop.text, "a new link can be had"


def test_the_link_is_in_no_row(operator):
    signup = handed.at_signup()
    token = signup.address.split("/")[-2]

    stored = repr(list(Handoff.objects.values())) + repr(
        list(Verification.objects.values())
    )

    assert token not in stored
    assert token.replace("-", "") not in stored


# The digits


def test_wrong_digits_twice_end_it(operator):
    signup = handed.at_signup().open()

    again = signup.say("yes", signup.wrong_digits)
    assert "You have one try left" in again.text
    assert "<title>Error:" in again.text.replace("\n", "")
    over = signup.phone.follow(signup.say("yes", signup.wrong_digits))

    assert "The digits were wrong twice" in over.text
    row = Verification.objects.get()
    assert (row.status, row.reason) == (Status.REFUSED, Reason.WRONG_DIGITS)
    assert signup.link.ended == Ended.WRONG_DIGITS
    right = signup.phone.post(signup.phone_page, {"digits": signup.link.digits})
    assert right.status_code == 403, "there is no form any more"
    assert signup.polled() == "over"
    assert "The digits were wrong twice" in signup.desktop.get(signup.page).text


@pytest.mark.parametrize("typed", ["", "4", "475", "ab"])
def test_what_is_no_two_digits_costs_no_try(operator, typed):
    signup = handed.at_signup().open()

    page = signup.say("yes", typed)

    assert "ype t" in page.text
    assert page.text.count("<title>Error:") == 1
    assert signup.link.tries == 0


def test_digits_with_spaces_are_right(operator):
    signup = handed.at_signup()
    digits = signup.digits
    signup.open()

    started = signup.say("yes", f" {digits[0]} {digits[1]} ")

    assert started["Location"].startswith(operator.base_url)


def test_without_digits_the_phone_is_no_device(operator):
    """Whoever opens the link first has no part in the verification by that."""
    signup = handed.at_signup().open()

    page = signup.phone.get(f"/verify/{signup.row.pk}/")

    assert page.status_code == 404
    assert signup.row.state_digest is None


# "No"


def test_no_refuses_flags_and_offers_to_secure_the_account(operator, run_on_commit):
    ann = UserFactory(phone=ANN, email="ann@example.com")
    login = handed.at_login(ann).open()

    said = login.phone.follow(login.say("no"))

    row = Verification.objects.get()
    assert (row.status, row.reason) == (Status.REFUSED, Reason.NOT_ME)
    assert row.attention
    assert "You said no" in said.text
    assert 'href="/accounts/password/reset/"' in said.text.split("<main")[1]
    assert login.polled() == "over"
    assert "Your phone said no" in login.desktop.get(login.page).text
    assert mailed() == [("ann@example.com", "Somebody tries to get into your account")]


def test_a_no_at_a_signup_is_about_no_account(operator):
    signup = handed.at_signup().open()

    said = signup.phone.follow(signup.say("no"))

    assert "You said no" in said.text
    assert "Secure my account" not in said.text
    assert Verification.objects.get().reason == Reason.NOT_ME


def test_a_no_stands_while_the_phone_is_at_its_operator(operator):
    signup = handed.at_signup()
    started = signup.yes()
    signup.say("no")

    signup.phone.get(brought(operator, started))

    assert Verification.objects.get().reason == Reason.NOT_ME
    assert operator.calls_to(TOKEN) == []


def test_a_no_after_the_verdict_changes_nothing(operator):
    signup = handed.at_signup()
    signup.phone.come_back(operator, signup.yes())
    page = signup.phone.get("/accounts/login/").text
    token = page.split('csrfmiddlewaretoken" value="')[1].split('"')[0]

    signup.phone.post(signup.phone_page, {"answer": "no", "csrfmiddlewaretoken": token})

    assert signup.row.status == Status.VERIFIED


# How it ends otherwise


def test_on_wifi_the_phone_tries_again_on_the_same_link(operator):
    signup = handed.at_signup()
    error = {"code": "", "error": "login_required"}
    first = signup.phone.get(brought(operator, signup.yes(), **error))

    page = signup.phone.follow(first)
    assert "Turn Wi-Fi and any VPN off" in page.text
    assert signup.polled() == "again"
    assert "Your phone says what to do" in signup.desktop.get(signup.page).text
    started = signup.phone.submit(signup.phone_page)
    assert signup.polled() == "confirmed"
    signup.phone.follow(signup.phone.come_back(operator, started))

    first, second = Verification.objects.order_by("pk")
    assert (first.status, second.status) == (Status.UNAVAILABLE, Status.VERIFIED)
    assert second.previous == first.pk
    assert first.number == second.number == ""
    signup.desktop.follow(signup.desktop.get(signup.page))
    assert is_signed_in(signup.desktop)


def test_after_five_minutes_there_is_no_other_try(operator):
    signup = handed.at_signup()
    error = {"code": "", "error": "login_required"}
    address = brought(operator, signup.yes(), **error)
    later = timezone.now() + timedelta(minutes=5)
    Handoff.objects.update(expires_at=timezone.now())

    with time_machine.travel(later - timedelta(seconds=10)):
        page = signup.phone.follow(signup.phone.get(address))
        desktop = signup.desktop.get(signup.page)

    assert "Start again at your computer" in page.text
    assert Verification.objects.count() == 1
    assert "We could not check your number" in desktop.text


def test_no_match_ends_it_as_everywhere(operator):
    operator.sim = "+447700900456"
    login = handed.at_login(UserFactory(phone=ANN))

    page = login.phone.follow(login.phone.come_back(operator, login.yes()))

    assert "does not match this SIM" in page.text
    assert login.polled() == "over"
    desktop = login.desktop.get(login.page)
    assert "does not match this SIM" in desktop.text
    assert 'value="phone"' not in desktop.text, "no other phone after a no match"
    assert 'value="sms"' not in desktop.text


def test_after_a_no_match_no_link_is_made(operator):
    operator.sim = "+447700900456"
    browser = handed.new_desktop()
    typed = {"email": "a@example.com", "phone": "07700 900123"}
    typed |= {"password1": PASSWORD, "password2": PASSWORD}
    ending = browser.come_back(operator, browser.submit(handed.SIGNUP, **typed))
    row = Verification.objects.get()

    again = browser.submit(
        row.next, page=ending["Location"], method="phone", previous=str(row.pk)
    )

    assert "We could not check your number" in browser.follow(again).text
    assert not Handoff.objects.exists()


def test_another_way_at_the_desktop_ends_the_link(operator):
    signup = handed.at_signup()
    address = signup.address

    chooser = signup.desktop.follow(signup.desktop.submit(signup.page, cancel="1"))

    assert "Choose another way" in chooser.text
    assert signup.row.reason == Reason.NOT_ON_PHONE
    assert signup.phone.get(address).status_code == 410


def test_the_phone_is_told_that_another_way_was_chosen(operator):
    signup = handed.at_signup().open()
    signup.desktop.submit(signup.page, cancel="1")

    assert "Another way was chosen" in signup.phone.get(signup.phone_page).text


def test_a_desktop_that_was_closed_is_said_on_the_phone(operator):
    login = handed.at_login(UserFactory(phone=ANN))
    back = login.phone.follow(login.phone.come_back(operator, login.yes()))
    assert "Is its page closed?" in back.text

    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        late = login.phone.get(login.phone_page)

    assert "Nobody went on at the computer" in late.text


def test_a_frozen_account_ends_it(operator):
    ann = UserFactory(phone=ANN)
    login = handed.at_login(ann)
    digits = login.digits
    login.open()
    flow.withdraw(ann)

    page = login.phone.submit(
        login.phone_page, page="/accounts/login/", answer="yes", digits=digits
    )

    assert "This check was refused" in page.text
    assert login.row.reason == Reason.WITHDRAWN


# Attacks


def test_a_callback_link_that_is_sent_to_the_desktop_is_an_attack(operator):
    login = handed.at_login(UserFactory(phone=ANN))
    address = brought(operator, login.yes())

    refused = login.desktop.get(address)

    assert refused.status_code == 400
    row = Verification.objects.get()
    assert (row.status, row.reason) == (Status.UNAVAILABLE, Reason.OTHER_BROWSER)
    assert row.attention
    assert operator.calls_to(TOKEN) == []
    assert login.polled() == "over"
    assert not is_signed_in(login.desktop)


def test_the_desktop_cannot_carry_it_out_itself(operator):
    """Its binding is the holder's, and the row waits for a device's."""
    signup = handed.at_signup()

    signup.desktop.submit(signup.page, operator="fake")

    assert signup.row.state_digest is None
    assert signup.desktop.get(signup.phone_page)["Location"] == signup.page


def test_a_copied_session_without_the_binding_sees_and_gets_nothing(operator):
    ann = UserFactory(phone=ANN)
    thief, desktop = handed.new_desktop(), handed.new_desktop()
    login = handed.at_login(ann, desktop)
    desktop.get(login.page)
    thief.force_login(ann)

    seen = thief.get(login.page)

    assert "digits" not in seen.text
    assert "/verify/phone/" not in seen.text
    assert thief.get(f"/verify/{login.link.pk}/handoff/").status_code == 404
    login.phone.come_back(operator, login.yes())
    thief.get(login.page)
    assert Verification.objects.get().redeemed_at is None


# Where it is offered


def test_it_is_offered_at_a_desktop_and_not_on_a_phone(operator):
    for browser, offered in ((handed.new_desktop(), True), (handed.new_phone(), False)):
        typed = {"email": "a@example.com", "phone": "07700 900123", "method": "other"}
        typed |= {"password1": PASSWORD, "password2": PASSWORD}
        page = browser.follow(browser.submit(handed.SIGNUP, **typed))

        assert ('value="phone"' in page.text) == offered


def test_it_is_offered_after_could_not_tell(operator):
    browser = handed.new_desktop()
    typed = {"email": "a@example.com", "phone": "07700 900123"}
    typed |= {"password1": PASSWORD, "password2": PASSWORD}
    started = browser.submit(handed.SIGNUP, **typed)
    browser.get(brought(operator, started, code="", error="login_required"))
    row = Verification.objects.get()

    chosen = browser.submit(
        row.next, page=f"/verify/{row.pk}/", method="phone", previous=str(row.pk)
    )

    link = Handoff.objects.get()
    assert chosen["Location"] == f"/verify/{link.pk}/"
    assert Verification.objects.get(pk=link.pk).previous == row.pk


@pytest.mark.parametrize(
    ("purpose", "action", "words", "allowed"),
    [
        (Purpose.SIGNUP, "", None, True),
        (Purpose.LOGIN, "", None, True),
        (Purpose.PASSWORD_CHANGE, "", None, True),
        (Purpose.STEP_UP, "close_account", None, True),
        (Purpose.STEP_UP, "change_phone", None, False),
        (Purpose.PASSWORD_RESET, "", None, False),
        (Purpose.PHONE_CHANGE, "", None, False),
        (Purpose.LOGIN, "", ["signup"], False),
        (Purpose.STEP_UP, "close_account", ["close_account"], True),
        (Purpose.STEP_UP, "close_account", ["step_up", "-close_account"], False),
        (Purpose.PASSWORD_RESET, "", ["password_reset"], True),
        (Purpose.SIGNUP, "", [], False),
    ],
)
def test_settings_say_what_may_go_by_a_phone(
    settings, operator, purpose, action, words, allowed
):
    if words is not None:
        settings.NV_HANDOFF = words
    desktop = handed.new_desktop()
    desktop.cookies["nv_binding"] = "this browser"
    VerificationFactory(
        purpose=purpose, action=action, unavailable=True, user=UserFactory(phone=ANN)
    )
    row = Verification.objects.get()

    page = desktop.get(f"/verify/{row.pk}/")

    assert ('value="phone"' in page.text) == allowed


def test_what_settings_do_not_allow_is_not_begun(operator, settings):
    settings.NV_HANDOFF = []

    signup = handed.at_signup()

    assert not Handoff.objects.exists()
    assert Verification.objects.get().reason == Reason.METHOD_CLOSED
    assert "could not check" in signup.desktop.get(signup.page).text


# The desktop waits


def test_the_desktop_hears_of_each_step(operator):
    signup = handed.at_signup()
    heard = [signup.desktop.get(signup.page) and signup.polled()]
    digits = signup.digits
    signup.open()
    heard.append(signup.polled())
    started = signup.say("yes", digits)
    heard.append(signup.polled())
    signup.phone.come_back(operator, started)
    heard.append(signup.polled())

    assert heard == ["waiting", "opened", "confirmed", "over"]


def test_to_wait_costs_neither_a_query_nor_a_session(
    operator, django_assert_num_queries
):
    login = handed.at_login(UserFactory(phone=ANN))
    login.desktop.get(login.page)
    login.desktop.cookies["sessionid"] = "a session that is looked up for others"
    address = f"/verify/{login.link.pk}/handoff/"

    with django_assert_num_queries(0):
        answer = login.desktop.get(address)

    assert answer.json() == {"state": "waiting"}
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Length"] == str(len(answer.content))
    assert "Set-Cookie" not in answer
    assert "Vary" not in answer


def test_without_its_middleware_the_view_answers_all_the_same(operator, settings):
    name = "numberverify.middleware.HandoffMiddleware"
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if each != name]
    signup = handed.at_signup()
    signup.desktop.get(signup.page)

    assert signup.polled() == "waiting"


def test_nobody_else_hears_how_it_stands(operator):
    signup = handed.at_signup()
    signup.desktop.get(signup.page)
    signup.open()

    assert signup.polled(by=signup.phone) is None
    assert signup.polled(by=Browser()) is None


def test_a_cache_that_has_lost_it_strands_nobody(operator):
    signup = handed.at_signup()
    signup.desktop.get(signup.page)
    digits = signup.digits
    signup.open()
    cache.clear()

    assert signup.polled() == "unknown"
    assert "Opened on your phone" in signup.desktop.get(signup.page).text
    assert signup.polled() == "opened"
    signup.phone.come_back(operator, signup.say("yes", digits))
    cache.clear()
    signup.desktop.follow(signup.desktop.get(signup.page))
    assert is_signed_in(signup.desktop)


def test_a_cache_that_is_away_stops_nothing(operator, monkeypatch):
    def away(*args, **kwargs):
        raise ConnectionError

    for name in ("get", "set", "add"):
        monkeypatch.setattr(f"numberverify.waiting.cache.{name}", away)
    signup = handed.at_signup()
    signup.phone.come_back(operator, signup.yes())

    assert signup.polled() == "unknown"
    signup.desktop.follow(signup.desktop.get(signup.page))
    assert is_signed_in(signup.desktop)


# What is kept


def test_no_field_of_a_link_holds_a_number_or_an_address(operator):
    handed.at_signup().open()

    stored = repr(list(Handoff.objects.values()))

    assert "7700" not in stored
    assert "example.com" not in stored


def test_housekeeping_deletes_links_of_last_week(operator):
    handed.at_signup()
    assert handoff.purge() == 0

    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=6)):
        assert handoff.purge() == 1


def test_a_person_who_is_forgotten_leaves_no_link(operator):
    ann = UserFactory(phone=ANN)
    login = handed.at_login(ann)
    login.phone.come_back(operator, login.yes())

    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        forget.person(ann, by="test", reason="asked")

    assert not Handoff.objects.exists()


def test_the_history_tells_that_it_went_by_a_phone(operator):
    login = handed.at_login(UserFactory(phone=ANN))
    login.phone.come_back(operator, login.yes())
    row = Verification.objects.get()

    assert any(
        "began at another device" in each for each in story(row, now=row.created_at)
    )
    told = [step.words for step in steps(row)]
    assert told[1:3] == [
        "The link was opened on a phone.",
        "The digits were right, and the phone said yes.",
    ]
    Handoff.objects.all().delete()
    assert len(steps(row)) == len(told) - 2


def test_a_check_without_a_phone_tells_of_none(operator):
    row = VerificationFactory(verified=True)

    assert not any("another device" in each for each in story(row, now=row.created_at))
    assert User.objects.count() == 0
