"""Closing an account: the person goes, the history stays without them."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.core import mail as outbox
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import mail
from accounts.models import Device, Pending, Profile, User
from numberverify.choices import Purpose, Status
from numberverify.models import RecoveryCode, Verification
from tests.accounts.steps import by_app, by_network, is_signed_in, mailed, sign_in
from tests.factories import (
    ANN,
    PASSWORD,
    AuthenticatorFactory,
    ManualRequestFactory,
    PendingFactory,
    RecoveryCodeFactory,
    UserFactory,
    VerificationFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("run_on_commit")]
CLOSE = "/accounts/close/"
SURE = {"close": "1", "sure": "on"}


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


@pytest.fixture
def signed_in(browser, ann):
    return sign_in(browser, ann)


def close(browser, operator, **fields):
    by_network(browser, operator, CLOSE)
    return browser.submit(CLOSE, **(SURE | fields))


def test_the_page_takes_a_proof_first(signed_in):
    page = signed_in.get(CLOSE)

    assert "Confirm it's you to close your account" in page.text
    assert 'name="sure"' not in page.text


def test_without_a_proof_nothing_is_closed(signed_in):
    assert "Confirm it's you" in signed_in.submit(CLOSE, **SURE).text
    assert User.objects.exists()


def test_without_the_tick_nothing_is_closed_and_the_proof_is_kept(signed_in, operator):
    by_network(signed_in, operator, CLOSE)

    page = signed_in.submit(CLOSE, close="1")

    assert page.context["form"].errors["sure"] == ["Tick the box if you are sure"]
    assert User.objects.exists()
    assert signed_in.submit(CLOSE, **SURE)["Location"] == "/accounts/closed/"


def test_the_person_the_number_and_all_factors_go(signed_in, operator, ann):
    AuthenticatorFactory(user=ann)
    RecoveryCodeFactory(user=ann)
    PendingFactory(user=ann, kind=Pending.Kind.LOGIN)

    done = close(signed_in, operator)

    assert "account is closed" in signed_in.follow(done).text
    for model in (User, Profile, TOTPDevice, RecoveryCode, Device, Pending):
        assert not model.objects.exists(), model


def test_every_session_ends(signed_in, operator, new_browser, ann):
    other = sign_in(new_browser(), ann, token="another known browser")
    before = signed_in.cookies["nv_binding"].value
    session = signed_in.cookies["sessionid"].value

    close(signed_in, operator)

    assert not Session.objects.filter(session_key=session).exists()
    assert not is_signed_in(signed_in)
    assert not is_signed_in(other)
    assert signed_in.cookies["nv_binding"].value != before


def test_the_history_stays_without_the_person(signed_in, operator, ann):
    past = VerificationFactory(user=ann, verified=True, purpose=Purpose.LOGIN)

    close(signed_in, operator)

    past.refresh_from_db()
    assert (past.user, past.status) == (None, Status.VERIFIED)
    assert past.number == ""
    paid = Verification.objects.exclude(pk=past.pk).get()
    assert (paid.user, paid.action) == (None, "close_account")
    assert paid.redeemed_at


def test_number_and_address_are_free_again(signed_in, operator, new_browser):
    close(signed_in, operator)

    again = new_browser()
    started = again.submit(
        "/accounts/signup/",
        email="ann@example.com",
        phone=ANN,
        password1=PASSWORD,
        password2=PASSWORD,
    )
    page = again.follow(again.come_back(operator, started))

    assert page.request["PATH_INFO"] == "/accounts/profile/"


def test_a_notice_is_mailed(signed_in, operator):
    close(signed_in, operator)

    assert mailed() == [("ann@example.com", "Your account is closed")]
    assert "Your account was closed" in outbox.outbox[0].body


def test_the_notice_does_not_send_to_the_password_of_an_account_that_is_gone(
    signed_in, operator
):
    close(signed_in, operator)

    mail.wait()
    assert "password/reset" not in outbox.outbox[0].body


def test_staff_do_not_close_themselves(browser, operator):
    boss = UserFactory(staff=True, phone=ANN)
    sign_in(browser, boss)

    page = browser.follow(close(browser, operator))

    assert "closed by other members of staff" in page.text
    assert User.objects.get() == boss
    assert mailed() == []


def test_who_was_staff_and_asked_or_decided_can_close(signed_in, operator, ann):
    ManualRequestFactory(asked_by=ann)

    answer = close(signed_in, operator)

    assert answer.status_code == 303


def test_what_a_former_member_of_staff_did_stays_in_the_log(signed_in, operator, ann):
    LogEntry.objects.create(user=ann, action_flag=2, change_message="Froze.")

    close(signed_in, operator)

    assert LogEntry.objects.exists()


def test_an_app_proves_it_as_well(browser):
    ben = UserFactory()
    AuthenticatorFactory(user=ben)
    sign_in(browser, ben)

    by_app(browser, ben, CLOSE)
    browser.submit(CLOSE, **SURE)

    assert not User.objects.exists()


def test_a_frozen_account_is_not_closed(signed_in, operator, ann):
    by_network(signed_in, operator, CLOSE)
    token = signed_in.get(CLOSE).context["csrf_token"]
    User.objects.filter(pk=ann.pk).update(frozen_at=timezone.now())

    page = signed_in.post(CLOSE, SURE | {"csrfmiddlewaretoken": str(token)})

    assert "Sensitive actions are frozen" in page.text
    assert User.objects.exists()


def test_nobody_else_s_account_is_closed(signed_in, operator):
    ben = UserFactory(phone="+447700900456")
    row = VerificationFactory(user=ben, verified=True)

    close(signed_in, operator)

    row.refresh_from_db()
    assert row.user == ben
    assert User.objects.get() == ben


def test_a_stranger_is_sent_to_login(browser):
    assert browser.get(CLOSE)["Location"] == f"/accounts/login/?next={CLOSE}"
