"""Logins and resets by the ways beside the network."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import Pending, User
from numberverify import manual
from numberverify.choices import Because, Method, Purpose, Reason, Status
from numberverify.models import ManualRequest, RecoveryCode, Verification
from tests.accounts.steps import (
    app_shows,
    chosen,
    is_signed_in,
    log_in,
    mailed,
    mailed_link,
    sign_in,
    texted_code,
)
from tests.factories import (
    ANN,
    PAPER,
    PASSWORD,
    AuthenticatorFactory,
    RecoveryCodeFactory,
    UserFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("run_on_commit")]
NEW = {"new_password1": "batt3ry staple", "new_password2": "batt3ry staple"}


@pytest.fixture
def ann(operator):
    """With a number, an app and a code on paper."""
    user = UserFactory(email="ann@example.com", phone=ANN)
    AuthenticatorFactory(user=user)
    RecoveryCodeFactory(user=user)
    return user


@pytest.fixture
def ben():
    """Without a number, with an app."""
    user = UserFactory(email="ben@example.com")
    AuthenticatorFactory(user=user)
    return user


def not_on_the_phone(browser, user, **fields):
    """Log in, say that one is not on the phone, and come to the chooser."""
    page = browser.follow(log_in(browser, user, method="other", **fields))
    assert "Choose another way" in page.text
    return page


def choose(browser, page, method):
    """Choose a way there; return the page that comes."""
    return browser.follow(chosen(browser, page.context["verification"], method))


def type_code(browser, page, code):
    return browser.submit(f"/verify/{page.context['verification'].pk}/", code=code)


def offered(page):
    return [way["value"] for way in page.context["ways"]]


def code_for(user, method):
    return {
        Method.SMS: texted_code,
        Method.TOTP: lambda: app_shows(user),
        Method.RECOVERY_CODE: lambda: PAPER,
    }[method]()


def approved_by_staff():
    row = Verification.objects.get(method=Method.MANUAL)
    one, two = UserFactory(is_staff=True), UserFactory(is_staff=True)
    asked = manual.ask(row, one, reason="Lost the phone", evidence="A passport")
    manual.decide(asked, two, approve=True)
    return row


# With a number


@pytest.mark.parametrize("method", [Method.SMS, Method.TOTP, Method.RECOVERY_CODE])
def test_each_way_logs_in(browser, ann, method):
    page = choose(browser, not_on_the_phone(browser, ann), method)
    assert not Session.objects.exists()

    done = browser.follow(type_code(browser, page, code_for(ann, method)))

    row = Verification.objects.get(method=method)
    assert done.context["user"] == ann
    assert done.request["PATH_INFO"] == "/accounts/profile/"
    assert (row.status, row.asked_because) == (Status.VERIFIED, Because.NEW_BROWSER)
    assert row.redeemed_at


def test_the_chooser_offers_what_a_login_accepts(browser, ann):
    page = not_on_the_phone(browser, ann)

    assert offered(page) == ["phone", "totp", "sms", "manual", "recovery_code"]


def test_the_fallback_follows_what_it_falls_back_from(browser, ann, operator):
    started = log_in(browser, ann)
    ended = browser.follow(browser.come_back(operator, started, error="login_required"))

    choose(browser, ended, "totp")

    row = Verification.objects.get(method=Method.TOTP)
    assert row.previous == ended.context["verification"].pk


def test_a_wrong_code_opens_nothing_and_says_what_is_left(browser, ann):
    page = choose(browser, not_on_the_phone(browser, ann), "sms")
    wrong = f"{(int(texted_code()) + 1) % 10**6:06}"

    page = type_code(browser, page, wrong)

    assert "You have 4 tries left" in page.text
    assert not is_signed_in(browser)


def test_the_page_that_was_wanted_comes_after_the_fallback(browser, ann):
    page = not_on_the_phone(browser, ann, next="/accounts/phone/")

    page = choose(browser, page, "totp")
    done = browser.follow(type_code(browser, page, app_shows(ann)))

    assert done.request["PATH_INFO"] == "/accounts/phone/"


def test_the_browser_is_known_afterwards(browser, ann):
    page = choose(browser, not_on_the_phone(browser, ann), "totp")
    browser.follow(type_code(browser, page, app_shows(ann)))
    browser.submit("/accounts/logout/", page="/")

    assert log_in(browser, ann)["Location"] == "/accounts/profile/"


def test_a_spent_code_logs_in_once(browser, new_browser, ann):
    page = choose(browser, not_on_the_phone(browser, ann), "recovery_code")
    type_code(browser, page, PAPER)
    other = new_browser()

    page = not_on_the_phone(other, ann)

    assert RecoveryCode.objects.get().used_at
    assert "recovery_code" not in offered(page)
    ended = choose(other, page, "recovery_code")
    assert ended.context["verification"].reason == Reason.METHOD_CLOSED


def test_of_a_spent_code_the_person_is_told(browser, ann):
    page = choose(browser, not_on_the_phone(browser, ann), "recovery_code")

    type_code(browser, page, PAPER)

    news = "The last of your recovery codes was used"
    assert mailed() == [("ann@example.com", news)]


@pytest.mark.parametrize("method", [Method.SMS, Method.TOTP, Method.RECOVERY_CODE])
def test_a_second_browser_cannot_use_the_first_one_s_receipt(
    browser, new_browser, ann, method
):
    other = new_browser()
    theirs = not_on_the_phone(other, ann).context["verification"]
    page = choose(browser, not_on_the_phone(browser, ann), method)
    right = type_code(browser, page, code_for(ann, method))

    for address in (theirs.next, right["Location"]):
        other.get(address)

    assert not is_signed_in(other)
    assert browser.follow(right).context["user"] == ann


def test_a_second_browser_neither_sees_nor_types_at_the_first_one_s_row(
    browser, new_browser, ann
):
    page = choose(browser, not_on_the_phone(browser, ann), "totp")
    address = f"/verify/{page.context['verification'].pk}/"
    other = new_browser()
    other.handler.enforce_csrf_checks = False

    assert other.get(address).status_code == 404
    assert other.post(address, {"code": app_shows(ann)}).status_code == 404
    assert Verification.objects.get(method=Method.TOTP).status == Status.PENDING


def test_a_second_browser_does_not_go_on_with_the_first_one_s_login(
    browser, new_browser, ann
):
    row = not_on_the_phone(browser, ann).context["verification"]
    other = new_browser()

    sent = other.submit(row.next, page="/accounts/login/", method="totp")

    assert sent.status_code == 410
    assert Verification.objects.count() == 1


def deactivated(user):
    User.objects.filter(pk=user.pk).update(is_active=False)


def password_changed(user):
    user.set_password("another one")
    user.save()


def sessions_ended(user):
    user.end_sessions()


def frozen(user):
    user.freeze()


def number_changed(user):
    user.profile.phone = "+447700900456"
    user.profile.save()


@pytest.mark.parametrize(
    "change", [deactivated, password_changed, sessions_ended, frozen, number_changed]
)
def test_what_happened_meanwhile_ends_the_login_of_each_way(browser, ann, change):
    page = choose(browser, not_on_the_phone(browser, ann), "totp")
    right = type_code(browser, page, app_shows(ann))
    change(ann)

    assert browser.get(right["Location"]).status_code == 410
    assert not is_signed_in(browser)
    assert Verification.objects.get(method=Method.TOTP).redeemed_at is None


def test_a_password_changed_meanwhile_ends_the_choice_too(browser, ann):
    row = not_on_the_phone(browser, ann).context["verification"]
    password_changed(ann)

    assert chosen(browser, row, "totp").status_code == 410
    assert not Verification.objects.filter(method=Method.TOTP).exists()


def test_a_method_that_nobody_knows_is_the_network(browser, ann, operator):
    started = log_in(browser, ann, method="pigeon")

    assert started["Location"].startswith(operator.base_url)


def test_an_app_taken_off_file_meanwhile_proves_nothing(browser, ann):
    page = choose(browser, not_on_the_phone(browser, ann), "totp")
    code = app_shows(ann)
    ann.totpdevice_set.all().delete()

    type_code(browser, page, code)

    assert Verification.objects.get(method=Method.TOTP).status == Status.PENDING


# Without a number


def test_without_a_number_the_app_is_asked_for_in_a_new_browser(browser, ben):
    page = browser.follow(log_in(browser, ben))

    assert not is_signed_in(browser)
    assert "Choose another way" in page.text
    assert offered(page) == ["totp", "manual"]
    assert "I am on the phone now" not in page.text


def test_without_a_number_the_app_logs_in(browser, ben):
    page = choose(browser, browser.follow(log_in(browser, ben)), "totp")

    done = browser.follow(type_code(browser, page, app_shows(ben)))

    assert done.context["user"] == ben
    row = Verification.objects.get(method=Method.TOTP)
    assert (row.number_mask, row.asked_because) == ("", Because.NEW_BROWSER)


def test_without_a_number_a_known_browser_is_not_asked(browser, ben):
    sign_in(browser, ben)

    assert is_signed_in(browser)
    assert not Verification.objects.exists()


def test_without_a_number_a_code_on_paper_is_asked_for_too(browser):
    user = UserFactory()
    RecoveryCodeFactory(user=user)

    page = choose(browser, browser.follow(log_in(browser, user)), "recovery_code")
    browser.follow(type_code(browser, page, PAPER))

    assert is_signed_in(browser)


@pytest.mark.parametrize("method", ["sms", "network"])
def test_without_a_number_nothing_that_proves_one_is_asked(browser, ben, method):
    row = browser.follow(log_in(browser, ben)).context["verification"]

    page = browser.follow(chosen(browser, row, method))

    assert page.context["verification"].status == Status.UNAVAILABLE
    assert not is_signed_in(browser)


def test_with_nothing_the_password_is_enough(browser):
    log_in(browser, UserFactory())

    assert is_signed_in(browser)
    assert not Verification.objects.exists()


def test_the_last_code_on_paper_spent_leaves_the_password(browser):
    user = UserFactory()
    RecoveryCodeFactory(user=user, used_at=timezone.now())

    log_in(browser, user)

    assert is_signed_in(browser)


def test_an_app_that_came_on_file_meanwhile_is_offered(browser):
    user = UserFactory()
    RecoveryCodeFactory(user=user)
    row = browser.follow(log_in(browser, user)).context["verification"]
    AuthenticatorFactory(user=user)

    assert "totp" in offered(browser.get(f"/verify/{row.pk}/"))


# By staff


def ask_staff(browser, user):
    return choose(browser, not_on_the_phone(browser, user), "manual")


def test_two_of_staff_let_a_person_in(browser, ann):
    page = ask_staff(browser, ann)
    assert "Our support has to confirm that it is you" in page.text
    row = approved_by_staff()

    done = browser.follow(browser.get(f"/verify/{row.pk}/"))

    assert done.context["user"] == ann
    row.refresh_from_db()
    assert (row.status, row.method) == (Status.VERIFIED, Method.MANUAL)
    assert row.redeemed_at


def test_the_person_is_told_of_an_approval(browser, ann):
    ask_staff(browser, ann)

    approved_by_staff()

    news = "Two members of our staff confirmed that it is you"
    assert mailed() == [("ann@example.com", news)]


def test_staff_may_take_a_day(browser, ann):
    ask_staff(browser, ann)

    with time_machine.travel(timezone.now() + timedelta(hours=23, minutes=50)):
        row = approved_by_staff()
        browser.follow(browser.get(f"/verify/{row.pk}/"))
        assert is_signed_in(browser)


def test_after_a_day_nobody_waits_any_more(browser, ann):
    ask_staff(browser, ann)
    row = Verification.objects.get(method=Method.MANUAL)

    with time_machine.travel(timezone.now() + timedelta(hours=24, seconds=1)):
        assert not manual.may_be_asked_for(row, UserFactory(is_staff=True))
        browser.get(f"/verify/{row.pk}/")
        row.refresh_from_db()
        assert row.status == Status.EXPIRED


@pytest.mark.parametrize(("minutes", "is_in"), [(59, True), (61, False)])
def test_what_staff_confirmed_is_good_for_an_hour(browser, ann, minutes, is_in):
    ask_staff(browser, ann)
    row = approved_by_staff()

    with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
        browser.follow(browser.get(f"/verify/{row.pk}/"))
        assert is_signed_in(browser) is is_in


def test_what_staff_confirmed_late_is_good_for_an_hour_too(browser, ann):
    ask_staff(browser, ann)
    began = timezone.now()

    with time_machine.travel(began + timedelta(hours=23, minutes=50)):
        row = approved_by_staff()
    with time_machine.travel(began + timedelta(hours=24, minutes=49)):
        browser.follow(browser.get(f"/verify/{row.pk}/"))
        assert is_signed_in(browser)


def test_what_staff_declined_opens_nothing(browser, ann):
    ask_staff(browser, ann)
    row = Verification.objects.get(method=Method.MANUAL)
    one, two = UserFactory(is_staff=True), UserFactory(is_staff=True)
    manual.decide(
        manual.ask(row, one, reason="Lost", evidence="None"), two, approve=False
    )

    page = browser.follow(browser.get(f"/verify/{row.pk}/"))
    browser.get(row.next)

    assert page.context["verification"].reason == Reason.NOT_APPROVED
    assert not is_signed_in(browser)
    assert ManualRequest.objects.get().approved is False


def test_a_day_of_waiting_ends_when_the_password_changes(browser, ann):
    ask_staff(browser, ann)
    password_changed(ann)
    row = approved_by_staff()

    assert browser.get(row.next).status_code == 410
    assert not is_signed_in(browser)


def test_other_journeys_live_no_longer_than_before(browser, ann):
    not_on_the_phone(browser, ann)

    assert Pending.objects.get().expires_at < timezone.now() + timedelta(minutes=31)


# Resets


def begin_reset(browser, user, **fields):
    browser.submit("/accounts/password/reset/", email=user.email)
    link = mailed_link(r"password/reset/\w+/")
    return browser.follow(browser.submit(link, **fields))


def has_new_password(user):
    user.refresh_from_db()
    return user.check_password(NEW["new_password1"])


@pytest.mark.parametrize("method", [Method.SMS, Method.TOTP, Method.RECOVERY_CODE])
def test_each_way_resets_a_password(browser, ann, method):
    page = choose(browser, begin_reset(browser, ann, method="other"), method)
    form = browser.follow(type_code(browser, page, code_for(ann, method)))

    browser.submit(form.request["PATH_INFO"], **NEW)

    row = Verification.objects.get(method=method)
    assert (row.purpose, bool(row.redeemed_at)) == (Purpose.PASSWORD_RESET, True)
    assert has_new_password(ann)


def test_staff_reset_no_password(browser, ann):
    page = begin_reset(browser, ann, method="other")

    assert "manual" not in offered(page)
    ended = choose(browser, page, "manual")
    assert ended.context["verification"].reason == Reason.METHOD_CLOSED


def test_without_a_number_a_reset_needs_the_app(browser, ben):
    page = begin_reset(browser, ben)
    here = page.context["verification"].next

    shut = browser.get(here)
    browser.submit(here, **NEW)

    assert offered(page) == ["totp"]
    assert "new_password1" not in shut.text
    assert ben.check_password(PASSWORD)
    assert not has_new_password(ben)


def test_without_a_number_the_app_opens_the_reset(browser, ben):
    page = choose(browser, begin_reset(browser, ben), "totp")
    form = browser.follow(type_code(browser, page, app_shows(ben)))

    done = browser.submit(form.request["PATH_INFO"], **NEW)

    assert done["Location"] == "/accounts/login/"
    assert has_new_password(ben)


def test_an_app_that_came_on_file_meanwhile_is_asked_for_by_the_reset(browser):
    user = UserFactory()
    form = begin_reset(browser, user)
    assert "new_password1" in form.text
    AuthenticatorFactory(user=user)

    browser.submit(form.request["PATH_INFO"], page="/accounts/login/", **NEW)

    assert not has_new_password(user)


def test_a_reset_unfreezes(browser, ben):
    ben.freeze()
    page = choose(browser, begin_reset(browser, ben), "totp")
    form = browser.follow(type_code(browser, page, app_shows(ben)))

    browser.submit(form.request["PATH_INFO"], **NEW)

    assert has_new_password(ben)
    assert ben.frozen_at is None


def test_a_freeze_ends_a_reset_under_way(browser, ben):
    page = choose(browser, begin_reset(browser, ben), "totp")
    form = browser.follow(type_code(browser, page, app_shows(ben)))
    ben.freeze()

    browser.submit(form.request["PATH_INFO"], page="/accounts/login/", **NEW)

    ben.refresh_from_db()
    assert ben.frozen_at
    assert not ben.check_password(NEW["new_password1"])


def test_a_login_proves_no_reset(browser, ann):
    page = choose(browser, not_on_the_phone(browser, ann), "totp")
    type_code(browser, page, app_shows(ann))

    page = begin_reset(browser, ann, method="other")

    assert "new_password1" not in browser.get(page.context["verification"].next).text
