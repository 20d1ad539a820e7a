"""Ending all sessions but this one."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Device, User
from numberverify.models import Verification
from tests.accounts.steps import (
    by_app,
    by_network,
    is_signed_in,
    log_in,
    mailed_link,
    sign_in,
)
from tests.factories import (
    ANN,
    BINDING,
    AuthenticatorFactory,
    DeviceFactory,
    PendingFactory,
    UserFactory,
    VerificationFactory,
)

pytestmark = pytest.mark.django_db
END = "/accounts/sessions/end/"


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


@pytest.fixture
def here(browser, ann):
    return sign_in(browser, ann)


@pytest.fixture
def elsewhere(new_browser, ann):
    return sign_in(new_browser(), ann, token="another known browser")


def end(browser, operator):
    by_network(browser, operator, END)
    return browser.submit(END, end="1")


def test_the_page_takes_a_proof_first(here, operator):
    page = here.get(END)

    assert "Confirm it's you to end your other sessions" in page.text
    assert "You won't be asked again for 10 minutes" in page.text
    assert 'name="end"' not in page.text


def test_this_session_stays_and_the_others_end(here, elsewhere, operator):
    end(here, operator)

    assert is_signed_in(here)
    assert not is_signed_in(elsewhere)


def test_without_a_proof_nothing_ends(here, elsewhere, operator):
    page = here.submit(END, end="1")

    assert "Confirm it's you" in page.text
    assert is_signed_in(elsewhere)


def test_looking_at_the_page_ends_nothing(here, elsewhere, operator):
    by_network(here, operator, END)
    here.get(END)

    assert is_signed_in(elsewhere)


def test_the_known_browsers_are_forgotten_but_this_one(here, elsewhere, operator, ann):
    end(here, operator)

    assert Device.objects.of(ann, here.cookies["nv_known"].value)
    assert not Device.objects.of(ann, "another known browser")
    assert Device.objects.count() == 1


def test_another_browser_is_asked_at_the_next_login(here, elsewhere, operator, ann):
    end(here, operator)

    assert log_in(elsewhere, ann)["Location"].startswith(operator.base_url)


def test_this_browser_is_not_asked_at_the_next_login(here, operator, ann):
    end(here, operator)
    here.submit("/accounts/logout/", page="/")

    assert log_in(here, ann)["Location"] == "/accounts/profile/"


def test_the_browsers_of_others_are_left_alone(here, operator):
    DeviceFactory(token="Ben's")

    end(here, operator)

    assert Device.objects.count() == 2


def test_a_half_finished_login_elsewhere_ends(here, operator, ann, new_browser):
    other = new_browser()
    other.cookies["nv_binding"] = BINDING
    journey = PendingFactory(kind="login", user=ann, phone="")
    VerificationFactory(verified=True, purpose="login", user=ann)

    end(here, operator)

    assert other.get(f"/accounts/login/{journey.pk}/").status_code == 410
    assert not is_signed_in(other)


@pytest.mark.usefixtures("run_on_commit")
def test_a_mailed_reset_link_ends(here, operator, ann, new_browser):
    new_browser().submit("/accounts/password/reset/", email=ann.email)
    link = mailed_link(r"password/reset/\w+/")

    end(here, operator)

    assert new_browser().get(link).status_code == 410


def test_a_proof_is_good_for_its_age_without_another(here, operator):
    by_network(here, operator, END)

    with time_machine.travel(timezone.now() + timedelta(minutes=9)):
        assert 'name="end"' in here.get(END).text
    assert Verification.objects.get().redeemed_at


def test_a_proof_older_than_that_is_asked_for_again(here, elsewhere, operator, ann):
    by_network(here, operator, END)

    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        page = here.submit(END, end="1")

    assert "Confirm it's you" in page.text
    assert is_signed_in(elsewhere)


def test_the_proof_ends_with_the_sessions(here, operator):
    end(here, operator)

    assert "Confirm it's you" in here.get(END).text


def test_the_proof_of_one_session_opens_no_other(here, elsewhere, operator):
    by_network(here, operator, END)

    assert "Confirm it's you" in elsewhere.get(END).text


def test_an_app_proves_it_as_well(browser, new_browser):
    ben = UserFactory()
    AuthenticatorFactory(user=ben)
    sign_in(browser, ben)
    other = sign_in(new_browser(), ben, token="another known browser")

    by_app(browser, ben, END)
    browser.submit(END, end="1")

    assert is_signed_in(browser)
    assert not is_signed_in(other)


def test_a_frozen_account_ends_nothing_here(here, operator, ann):
    by_network(here, operator, END)
    User.objects.filter(pk=ann.pk).update(frozen_at=timezone.now())

    assert "Sensitive actions are frozen" in here.get(END).text
