"""Closing, freezing and changing at once: everybody locks rows in one order, so that
the database breaks none of them (journey, verification, claim, profile, release,
person, news)."""

import time

import pytest
from django.db import transaction

from accounts import account, claims, mail, not_me, notices, phone
from accounts.models import Notice, Pending, Profile, User
from accounts.notice import Kind
from numberverify import flow
from numberverify.browser import Browser as AsSeen
from numberverify.choices import Purpose
from numberverify.errors import VerificationNotUsable
from tests.accounts.steps import mailed_link
from tests.conftest import Browser
from tests.factories import (
    ANN,
    BINDING,
    PendingFactory,
    UserFactory,
    VerificationFactory,
)
from tests.numberverify.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
BEN = "+447700900456"


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


@pytest.fixture
def changing(ann):
    """She has proved another number, and the effect is still to come."""
    VerificationFactory(
        verified=True, purpose=Purpose.PHONE_CHANGE, user=ann, msisdn=BEN
    )
    return PendingFactory(
        kind="phone_change", user=ann, email="", phone=BEN, replaces=ANN
    )


def slowly(monkeypatch, owner, name, seconds):
    """Let the other one come in between."""
    real = getattr(owner, name)

    def slow(*args, **options):
        time.sleep(seconds)
        return real(*args, **options)

    monkeypatch.setattr(owner, name, slow)


def change(pending):
    found = Pending.objects.select_related("user").filter(pk=pending.pk).first()
    try:
        phone.resume(found, AsSeen(BINDING))
    except VerificationNotUsable:
        return False
    return True


def test_v5_0_0_2_3_4_a_mailed_closing_and_a_change_of_number_are_no_deadlock(
    monkeypatch, ann, changing
):
    with transaction.atomic():
        mail.send_confirmation(ann)
    url = mailed_link("email/close")
    slowly(monkeypatch, User, "end_proofs", 0.3)
    slowly(monkeypatch, claims, "withdraw", 0.5)

    closed, _ = at_once(
        [lambda: Browser().submit(url).status_code, lambda: change(changing)]
    )

    assert closed == 200
    assert not User.objects.exists()
    assert not Profile.objects.exists()


@pytest.mark.parametrize("wait", [0, 0.2])
def test_v5_0_0_2_3_4_a_closing_and_a_freeze_are_no_deadlock(
    monkeypatch, ann, changing, wait
):
    slowly(monkeypatch, flow, "withdraw", 0.3)

    def close():
        with transaction.atomic():
            time.sleep(wait)
            account.delete(User.objects.get(pk=ann.pk))
        return True

    def freeze():
        account.freeze(ann)
        return True

    assert at_once([close, freeze]) == [True, True]
    assert not User.objects.exists()


def test_a_freeze_of_who_is_gone_by_then_is_no_error(ann):
    stale = User.objects.get(pk=ann.pk)
    account.delete(ann)

    account.freeze(stale)

    assert not User.objects.exists()


def test_the_button_in_a_mail_to_who_is_gone_by_then_is_a_plain_page(
    monkeypatch, browser, ann
):
    with transaction.atomic():
        notices.tell(ann, Kind.NO_MATCH)
    url = mailed_link("not-me")
    browser.get(url)
    real = not_me.say

    def closed_first(notice: Notice):
        account.delete(User.objects.get(pk=ann.pk))
        return real(notice)

    monkeypatch.setattr(not_me, "say", closed_first)

    page = browser.submit(url)

    assert page.status_code == 410
    assert "does not work" in page.text or "over" in page.text


def test_a_freeze_that_is_quicker_than_a_mailed_closing_wins(monkeypatch, browser, ann):
    with transaction.atomic():
        mail.send_confirmation(ann)
    url = mailed_link("email/close")
    real = account.close_unconfirmed

    def frozen_first(user):
        account.freeze(User.objects.get(pk=ann.pk))
        return real(user)

    monkeypatch.setattr(account, "close_unconfirmed", frozen_first)

    assert browser.submit(url).status_code == 410
    assert phone.number_of(ann) == ANN
