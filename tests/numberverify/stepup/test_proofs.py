"""A proof for its age, and one that serves once: what opens, what shuts."""

import pytest
from django.contrib.auth import HASH_SESSION_KEY
from django.test import RequestFactory
from django.utils import timezone

from accounts import account
from accounts.models import Device, Profile, User
from numberverify.choices import Purpose
from numberverify.errors import VerificationNotUsable
from numberverify.factors import recovery, totp
from numberverify.models import Verification
from numberverify.stepup import (
    redeem_step_up,
)
from tests.factories import PASSWORD
from tests.numberverify.typed import app_of, later, shown_by

from . import site
from .site import BEN, asks, both, done, is_open, prove

pytestmark = pytest.mark.django_db


# A proof for its age


@both
def test_it_opens_the_page_for_its_age(signed_in, operator, place):
    assert is_open(prove(signed_in, operator, f"{place}vault/"))

    row = Verification.objects.get()
    assert (row.purpose, row.action) == (Purpose.STEP_UP, "vault")
    assert row.redeemed_at
    with later(seconds=590):
        assert is_open(signed_in.get(f"{place}vault/"))
    with later(seconds=610):
        assert asks(signed_in.get(f"{place}vault/"))


@both
def test_a_view_may_want_it_fresher_than_the_table(signed_in, operator, place):
    prove(signed_in, operator, f"{place}vault/")

    assert is_open(signed_in.get(f"{place}safe/"))
    with later(seconds=61):
        assert asks(signed_in.get(f"{place}safe/"))
        assert is_open(signed_in.get(f"{place}vault/"))


@both
def test_it_pays_for_more_than_one_form(signed_in, operator, place):
    prove(signed_in, operator, f"{place}vault/")

    for what in ("gold", "silver"):
        assert signed_in.submit(f"{place}vault/", take=what).text == "done"
    assert done == ["gold", "silver"]


def password_change(user, browser):
    user.set_password("batt3ry staple")
    user.save()
    keep_session(user, browser)


def keep_session(user, browser):
    """The session lives on, so that it is not what shuts the page."""
    session = browser.session
    session[HASH_SESSION_KEY] = User.objects.get().get_session_auth_hash()
    session.save()


def new_app(user, browser):
    key = totp.new_key()
    app = totp.TOTPDevice(user=user, key=key)
    assert totp.enrol(user, key, shown_by(app))


def new_codes(user, browser):
    recovery.make(user)


def new_email(user, browser):
    assert account.change_email(user, "new@example.com")


def ended_sessions(user, browser):
    user.end_sessions(but=Device.objects.get())
    keep_session(user, browser)


def another_browser(user, browser):
    browser.cookies["nv_binding"] = "another browser"


def logged_out(user, browser):
    browser.submit("/accounts/logout/", page="/")
    browser.submit("/accounts/login/", username=user.email, password=PASSWORD)


@pytest.mark.parametrize(
    "change",
    [
        password_change,
        new_app,
        new_codes,
        new_email,
        ended_sessions,
        another_browser,
        logged_out,
    ],
)
@both
def test_it_dies_with(signed_in, operator, ann, place, change):
    prove(signed_in, operator, f"{place}vault/")

    change(ann, signed_in)

    page = signed_in.get(f"{place}vault/")
    assert page.status_code == 200
    assert asks(page)


def test_it_dies_with_an_app_that_goes(signed_in, operator, ann):
    app_of(ann)
    prove(signed_in, operator, "/vault/")

    totp.remove(ann)

    assert asks(signed_in.get("/vault/"))


def test_it_dies_with_a_number_that_changes(signed_in, operator, ann):
    prove(signed_in, operator, "/accounts/phone/change/")
    prove(signed_in, operator, "/vault/")
    started = signed_in.submit("/accounts/phone/change/", phone=BEN)
    operator.sim = BEN
    page = signed_in.follow(signed_in.come_back(operator, started))
    assert "Your number is confirmed" in page.text

    assert asks(signed_in.get("/vault/"))


@both
def test_a_freeze_shuts_every_action_at_once(signed_in, operator, ann, place):
    prove(signed_in, operator, f"{place}vault/")
    User.objects.update(frozen_at=timezone.now())

    for name in ("vault", "pay", "wire"):
        text = signed_in.get(f"{place}{name}/").text
        assert "Sensitive actions are frozen" in text
        assert signed_in.post(f"{place}{name}/").status_code == 403  # no token
    User.objects.update(frozen_at=None)
    assert is_open(signed_in.get(f"{place}vault/"))


def test_a_freeze_by_staff_leaves_nothing_open(signed_in, operator, ann):
    prove(signed_in, operator, "/vault/")

    ann.freeze()

    assert signed_in.get("/vault/").status_code == 302


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda ann: recovery.make(ann), id="new codes"),
        pytest.param(app_of, id="an app"),
        pytest.param(lambda ann: Profile.objects.update(phone=BEN), id="a number"),
    ],
)
def test_without_a_stamp_of_the_site_it_dies_all_the_same(
    signed_in, operator, ann, settings, change
):
    settings.NV_PROOF_STAMP = ""
    assert is_open(prove(signed_in, operator, "/vault/"))

    change(ann)

    assert asks(signed_in.get("/vault/"))


# A proof that serves once


@both
def test_once_opens_the_form_and_pays_for_one(signed_in, operator, place):
    page = f"{place}pay/"
    assert is_open(prove(signed_in, operator, page))
    assert is_open(signed_in.get(page))
    assert Verification.objects.get().redeemed_at is None

    assert signed_in.submit(page, amount="10").text == "done"

    assert Verification.objects.get().redeemed_at
    assert asks(signed_in.get(page))
    assert asks(signed_in.submit(page, amount="20"))
    assert done == ["10"]


def test_an_effect_that_fails_leaves_the_proof(signed_in, operator, monkeypatch):
    prove(signed_in, operator, "/pay/")
    monkeypatch.setattr(site, "done", None)
    with pytest.raises(AttributeError):
        signed_in.submit("/pay/", amount="10")
    monkeypatch.undo()

    assert signed_in.submit("/pay/", amount="10").text == "done"


def test_a_session_that_remembers_a_spent_proof_pays_for_nothing(signed_in, operator):
    prove(signed_in, operator, "/pay/")
    held = signed_in.session["nv_proofs"]
    signed_in.submit("/pay/", amount="10")
    session = signed_in.session
    session["nv_proofs"] = held
    session.save()

    assert asks(signed_in.submit("/pay/", amount="20"))
    assert done == ["10"]


def test_once_runs_out_after_five_minutes(signed_in, operator):
    prove(signed_in, operator, "/pay/")

    with later(seconds=301):
        assert asks(signed_in.get("/pay/"))
        assert asks(signed_in.submit("/pay/", amount="10"))
    assert done == []


def test_outside_a_guarded_view_there_is_nothing_to_redeem(ann):
    request = RequestFactory().post("/")
    request.user = ann

    with pytest.raises(VerificationNotUsable):
        redeem_step_up(request)
