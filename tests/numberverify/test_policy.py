"""When a login needs a verification: a table of facts."""

from datetime import UTC, datetime, timedelta

import pytest

from numberverify.choices import Because
from numberverify.operators.tables import LONGEST_DEADLINE
from numberverify.policy import (
    EXCHANGING_FOR,
    PENDING_FOR,
    RECEIPT_FOR,
    LoginFacts,
    login_needs,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MONTH = timedelta(days=30)
TICK = timedelta(microseconds=1)
NOTHING = None
NEW, STALE, ALWAYS = Because.NEW_BROWSER, Because.STALE, Because.ALWAYS


def facts(*, number=True, known=True, ago=timedelta()):
    return LoginFacts(number, known, None if ago is None else NOW - ago)


@pytest.mark.parametrize(
    ("found", "never", "sensible", "always"),
    [
        pytest.param(facts(), NOTHING, NOTHING, ALWAYS, id="proved just now"),
        pytest.param(facts(ago=MONTH), NOTHING, NOTHING, ALWAYS, id="30 days ago"),
        pytest.param(
            facts(ago=MONTH + TICK), NOTHING, STALE, ALWAYS, id="a moment longer"
        ),
        pytest.param(facts(ago=MONTH * 99), NOTHING, STALE, ALWAYS, id="years ago"),
        pytest.param(facts(ago=None), NOTHING, STALE, ALWAYS, id="never proved"),
        pytest.param(facts(ago=-MONTH), NOTHING, NOTHING, ALWAYS, id="clock set back"),
        pytest.param(facts(known=False), NOTHING, NEW, ALWAYS, id="new browser"),
        pytest.param(
            facts(known=False, ago=MONTH * 2), NOTHING, NEW, ALWAYS, id="new and stale"
        ),
        pytest.param(
            facts(known=False, ago=None), NOTHING, NEW, ALWAYS, id="new, never proved"
        ),
        pytest.param(facts(number=False), NOTHING, NOTHING, NOTHING, id="no number"),
        pytest.param(
            facts(number=False, known=False, ago=None),
            NOTHING,
            NOTHING,
            NOTHING,
            id="no number, new browser",
        ),
    ],
)
def test_what_a_login_needs(found, never, sensible, always):
    def needs(policy):
        return login_needs(found, policy=policy, max_age=MONTH, now=NOW)

    assert needs("never") is never
    assert needs("new_device_or_stale") is sensible
    assert needs("always") is always


@pytest.mark.parametrize(
    ("ago", "max_age", "because"),
    [
        (timedelta(days=1), timedelta(days=1), NOTHING),
        (timedelta(days=1) + TICK, timedelta(days=1), STALE),
        (timedelta(), timedelta(0), NOTHING),
        (TICK, timedelta(0), STALE),
    ],
)
def test_the_age_is_the_site_s_own(ago, max_age, because):
    policy = "new_device_or_stale"

    assert (
        login_needs(facts(ago=ago), policy=policy, max_age=max_age, now=NOW) is because
    )


def test_the_lifetimes_are_those_of_the_contract():
    assert PENDING_FOR == RECEIPT_FOR == timedelta(minutes=5)


def test_no_exchange_that_still_runs_is_taken_for_dead():
    assert EXCHANGING_FOR.total_seconds() > LONGEST_DEADLINE
