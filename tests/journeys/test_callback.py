"""The operator's way back: in the browser that began, in time, once."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from accounts.models import User
from numberverify.choices import Reason, Status
from numberverify.models import Verification
from tests.fake_operator import AUTHORIZE, TOKEN, Reply

pytestmark = pytest.mark.browser
PAGE = Reply(
    200,
    b"<title>Operator</title><link rel=icon href='data:,'>",
    headers={"Content-Type": "text/html"},
)


@pytest.fixture
def way_back(phone, operator):
    """Where the operator would send `phone` back to: it rests at the operator."""
    operator.replies[AUTHORIZE] = PAGE
    phone.hosts.add(f"127.0.0.1:{operator.port}")
    phone.sign_up()
    assert phone.page.title() == "Operator"
    brought = urlencode(operator.authorize(phone.page.url))
    return f"{phone.site}/verify/callback/fake/?{brought}"


def test_the_browser_that_began_is_signed_up_and_its_address_shows_no_code(
    phone, way_back
):
    phone.open(way_back)

    assert phone.at == "/accounts/profile/"
    assert phone.is_signed_in


def test_another_browser_is_turned_away_and_the_code_is_not_exchanged(
    new_phone, operator, way_back
):
    other = new_phone()
    other.open(way_back, status=400)

    other.sees("This check cannot go on")
    assert not other.is_signed_in
    assert operator.calls_to(TOKEN) == []
    row = Verification.objects.get()
    assert (row.status, row.reason) == (Status.UNAVAILABLE, Reason.OTHER_BROWSER)
    assert row.attention


def test_after_another_browser_came_the_first_could_not_be_told(
    phone, new_phone, operator, way_back
):
    new_phone().open(way_back, status=400)
    phone.open(way_back)

    phone.sees("We could not check your number")
    assert operator.calls_to(TOKEN) == []
    assert not User.objects.exists()


def test_a_check_that_has_run_out_starts_again(phone, operator, way_back):
    past = timezone.now() - timedelta(seconds=1)
    Verification.objects.update(expires_at=past)
    phone.open(way_back, status=400)

    phone.sees("This check cannot go on")
    assert operator.calls_to(TOKEN) == []
    row = Verification.objects.get()
    assert row.status == Status.EXPIRED
    phone.open(f"/verify/{row.pk}/")
    phone.sees("This check has run out")
    del operator.replies[AUTHORIZE]
    phone.press("Try again")
    assert phone.at == "/accounts/profile/"


def test_a_second_equal_callback_shows_how_it_stands(phone, operator, way_back):
    phone.open(way_back)
    phone.open(way_back)

    phone.sees("Your number was confirmed")
    assert len(operator.calls_to(TOKEN)) == 1


def test_a_receipt_that_came_too_late_buys_nothing(phone, way_back):
    row = Verification.objects.get()
    Verification.objects.settle(
        Status.VERIFIED, now=timezone.now() - timedelta(minutes=6)
    )
    phone.open(f"/verify/{row.pk}/")

    phone.sees("This check has run out")
    assert not User.objects.exists()


def test_an_operators_error_wins_over_its_code(phone, operator, way_back):
    phone.open(f"{way_back}&error=login_required")

    phone.reads("Turn Wi-Fi and any VPN off for a moment")
    assert operator.calls_to(TOKEN) == []
