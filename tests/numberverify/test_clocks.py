"""A wrong clock spoils no history: what is sealed or purged by one is so for good."""

from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from numberverify import clocks, retention, seal
from numberverify.errors import ClocksDiffer
from numberverify.models import Seal, Verification
from tests.factories import VerificationFactory
from tests.numberverify.seal.past import begun, findings, past, sealed

pytestmark = pytest.mark.django_db
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
ITS_OWN = clocks.of_database


@pytest.fixture
def its_clock(monkeypatch):
    """Let the database be so much ahead of this machine."""

    def differ(ahead: timedelta) -> None:
        monkeypatch.setattr(clocks, "of_database", lambda: timezone.now() + ahead)

    return differ


@pytest.mark.parametrize("ahead", [-2 * HOUR, 2 * HOUR, 6 * MINUTE, -6 * MINUTE])
def test_where_two_clocks_differ_nothing_is_sealed_or_purged(
    its_clock, ahead, settings
):
    settings.NV_RETENTION_DAYS = 1
    past(2)
    its_clock(ahead)

    for does in (seal.seal_due, retention.purge_due):
        with pytest.raises(ClocksDiffer):
            does()

    assert (Seal.objects.count(), Verification.objects.count()) == (0, 2)


@pytest.mark.parametrize("ahead", [timedelta(), MINUTE, -MINUTE])
def test_of_two_that_nearly_agree_the_earlier_is_right(its_clock, ahead):
    its_clock(ahead)

    now = clocks.agreed()

    assert abs(now - (timezone.now() + min(ahead, timedelta()))) < MINUTE / 6


def test_housekeeping_says_so_and_ends_nobodys_journey(its_clock):
    row = VerificationFactory(expires_at=timezone.now() - MINUTE)
    its_clock(-2 * HOUR)

    with pytest.raises(CommandError, match="2:00:00 ahead of the database's"):
        call_command("housekeeping", stdout=StringIO())
    with pytest.raises(CommandError, match="Nothing is deleted"):
        call_command("purge_history", stdout=StringIO())

    row.refresh_from_db()
    assert row.is_open


@pytest.mark.postgresql
def test_postgresql_is_asked_for_its_own_time(monkeypatch):
    monkeypatch.setattr(clocks, "of_database", ITS_OWN)
    assert abs(clocks.agreed() - timezone.now()) < MINUTE
    begun(HOUR / 2)

    with time_machine.travel(timezone.now() + 2 * HOUR), pytest.raises(ClocksDiffer):
        seal.seal_due()

    assert findings() == []


def test_sqlite_has_the_clock_of_its_machine(monkeypatch, is_postgresql):
    monkeypatch.setattr(clocks, "of_database", ITS_OWN)

    assert (clocks.of_database() is None) != is_postgresql


@pytest.mark.postgresql
def test_who_meets_a_server_whose_clock_is_behind_is_told_to_come_back(
    browser, operator, caplog
):
    sealed(1)
    browser.raise_request_exception = False
    fields = {"email": "a@example.com", "phone": "07700 900123"}
    passwords = {"password1": "corr3ct horse", "password2": "corr3ct horse"}

    with time_machine.travel(timezone.now() - 62 * MINUTE):
        page = browser.submit("/accounts/signup/", **fields | passwords)

    assert page.status_code == 503
    assert "the clock of this machine is wrong" in caplog.text
