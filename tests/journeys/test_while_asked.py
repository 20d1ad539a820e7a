"""An operator that takes its time: a page says so, and goes on by itself."""

from datetime import timedelta

import pytest
from django.conf import settings as site_settings
from playwright.sync_api import expect

from numberverify.choices import Status
from numberverify.models import Verification
from tests.factories import BINDING, VerificationFactory
from tests.fake_operator import TOKEN
from tests.journeys.hands import SMS, ways_on

pytestmark = pytest.mark.browser
CHANGES = """() => {
  window.changes = 0;
  new MutationObserver(() => { window.changes += 1; })
    .observe(document.getElementById("asking"), {childList: true, subtree: true});
}"""


@pytest.mark.usefixtures("requests_leave")
@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no script"])
def test_a_signup_goes_on_by_itself(new_phone, operator, scripts):
    operator.delay = 0.7  # of each of its calls
    phone = new_phone(java_script_enabled=scripts)
    phone.hosts.add(f"127.0.0.1:{operator.port}")
    phone.sign_up()

    phone.sees("Checking your number")
    phone.sees("Your profile")
    assert phone.at == "/accounts/profile/"
    assert phone.is_signed_in
    assert len(operator.calls_to(TOKEN)) == 1


@pytest.fixture
def row(phone):
    """Its page is open, and is not loaded anew without our noticing it."""
    row = VerificationFactory(exchanging=True)
    cookie = {"name": "nv_binding", "value": BINDING, "url": site_settings.SITE_URL}
    phone.context.add_cookies([cookie])
    phone.open(f"/verify/{row.pk}/")
    phone.page.evaluate(CHANGES)
    return row


def after(row, seconds):
    since = row.claimed_at - timedelta(seconds=seconds)
    Verification.objects.update(claimed_at=since)


def test_it_says_what_is_new_once_and_offers_other_ways_quietly(phone, row):
    phone.reads("Checking with your mobile network…")
    link = phone.main.get_by_role("link", name="Look again now")
    link.focus()
    after(row, 6)
    phone.reads("Still checking…")
    assert ways_on(phone) == []
    after(row, 16)
    phone.reads("You can also go on another way.")
    expect(phone.main.get_by_role("radio", name=SMS)).to_be_visible()
    phone.page.wait_for_timeout(3000)  # further looks, at which nothing is new

    assert phone.page.evaluate("window.changes") == 2
    expect(link).to_be_focused()
    Verification.objects.settle(Status.MISMATCHED, now=row.claimed_at)
    phone.sees("The number does not match this SIM")
