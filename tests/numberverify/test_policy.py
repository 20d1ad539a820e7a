"""What a purpose needs and accepts: tables of facts, and of settings."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command

from numberverify import checks, conf
from numberverify.choices import Because, Method, Purpose
from numberverify.errors import ConfigurationError
from numberverify.operators.values import LONGEST_DEADLINE
from numberverify.policy import (
    ACCEPTS,
    EXCHANGING_FOR,
    MAY_ACCEPT,
    PENDING_FOR,
    RECEIPT_FOR,
    LoginFacts,
    login_needs,
    read_action,
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


# What settings may say

GOOD = {"label": "send the money"}
NUMBER_ONLY = {Purpose.SIGNUP, Purpose.PHONE_CHANGE}


def test_a_row_of_a_label_alone_is_five_minutes_once_by_what_a_person_has():
    action = read_action("transfer", GOOD)

    assert (action.max_age, action.serves) == (timedelta(minutes=5), "once")
    assert action.methods == set(Method) - {Method.MANUAL}
    assert (action.purpose, action.in_row) == (Purpose.STEP_UP, "transfer")


@pytest.mark.parametrize(
    "row",
    [
        pytest.param({"max_age": 1}, id="a second"),
        pytest.param({"max_age": 300}, id="once for five minutes"),
        pytest.param({"serves": "age", "max_age": 86400}, id="an age of a day"),
        pytest.param({"methods": ["totp"]}, id="one method"),
        pytest.param({"methods": ["manual"]}, id="staff alone"),
    ],
)
def test_what_a_row_may_say(row):
    assert read_action("transfer", GOOD | row).name == "transfer"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        pytest.param({"label": None}, "label", id="no label"),
        pytest.param({"maxage": 60}, "unknown keys.*maxage", id="misspelt key"),
        pytest.param({"serves": "twice"}, "serves", id="serves twice"),
        pytest.param({"serves": None}, "serves", id="serves nothing"),
        pytest.param({"methods": []}, "no method", id="no method"),
        pytest.param({"methods": ["email"]}, "email", id="e-mail is no factor"),
        pytest.param({"methods": "network"}, "", id="a string for a list"),
        pytest.param({"methods": 5}, "", id="a number for a list"),
        pytest.param({"max_age": 0}, "max_age", id="no time"),
        pytest.param({"max_age": -1}, "max_age", id="time that went by"),
        pytest.param({"max_age": 301}, "300 seconds", id="once and too long"),
        pytest.param({"max_age": "60"}, "", id="a string for seconds"),
        pytest.param({"max_age": float("nan")}, "", id="not a number of seconds"),
        pytest.param(
            {"serves": "age", "max_age": 86401}, "86400 seconds", id="above a day"
        ),
        pytest.param(
            {"serves": "age", "max_age": 10**14},
            "",
            id="longer than time",
        ),
        pytest.param(
            {"max_age": float("inf")},
            "",
            id="for ever",
        ),
    ],
)
def test_a_bad_row_is_named_with_its_problem(row, problem):
    table = {key: value for key, value in (GOOD | row).items() if value is not None}
    if row.get("serves", "") is None:
        table["serves"] = None

    with pytest.raises(ConfigurationError, match=f"'transfer'.*{problem}"):
        read_action("transfer", table)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        *((purpose, {}) for purpose in ("signup", "login", "password_reset")),
        ("phone_change", {"methods": ["network"]}),
        ("x" * 51, {}),
    ],
)
def test_a_name_that_no_action_may_have(name, row):
    with pytest.raises(ConfigurationError, match=f"'{name}'"):
        read_action(name, GOOD | row)


@pytest.mark.parametrize("row", [None, [], "send the money", 5])
def test_a_row_that_is_no_table_is_named(row):
    with pytest.raises(ConfigurationError, match="'transfer'"):
        read_action("transfer", row)


def test_a_change_of_password_is_a_purpose_of_its_own():
    action = read_action("password_change", GOOD)

    assert (action.purpose, action.in_row) == (Purpose.PASSWORD_CHANGE, "")


@pytest.mark.parametrize("purpose", sorted({*Purpose} - {Purpose.STEP_UP}))
@pytest.mark.parametrize("method", Method)
def test_settings_go_up_to_what_a_purpose_may_accept_and_no_further(
    settings, purpose, method
):
    settings.NV_STEP_UP = {}
    settings.NV_ACCEPTS = {str(purpose): [str(method)]}

    if method in MAY_ACCEPT[purpose]:
        assert conf.accepts(purpose) == {method}
        assert checks.policy_can_be_read(None) == []
    else:
        with pytest.raises(ConfigurationError, match=str(purpose)):
            conf.accepts(purpose)
        assert str(purpose) in checks.policy_can_be_read(None)[0].msg


@pytest.mark.parametrize("name", ["step_up", "password_change", "sign_up"])
def test_what_nothing_reads_is_an_error(settings, name):
    settings.NV_ACCEPTS = {name: ["network"]}

    assert name in checks.policy_can_be_read(None)[0].msg


def test_the_ceiling_is_the_contracts():
    assert {p for p in Purpose if Method.TOTP not in MAY_ACCEPT[p]} == NUMBER_ONLY
    staff = {p for p in Purpose if Method.MANUAL in MAY_ACCEPT[p]}
    assert staff == {Purpose.LOGIN, Purpose.PASSWORD_CHANGE, Purpose.STEP_UP}
    assert all(Method.NETWORK in methods for methods in ACCEPTS.values())
    assert all(ACCEPTS[purpose] <= MAY_ACCEPT[purpose] for purpose in Purpose)


def test_a_row_of_the_table_wins_over_what_the_purpose_accepts(settings):
    settings.NV_ACCEPTS = {"step_up": ["totp"], "password_change": ["totp"]}
    settings.NV_STEP_UP = {
        "password_change": GOOD | {"methods": ["sms"]},
        "transfer": GOOD | {"methods": ["network"]},
    }

    assert conf.accepts(Purpose.PASSWORD_CHANGE) == {Method.SMS}
    assert conf.accepts(Purpose.STEP_UP, "transfer") == {Method.NETWORK}
    assert conf.accepts(Purpose.STEP_UP, "a row that is gone") == {Method.TOTP}


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"NV_ACCEPTS": {"login": []}}, id="nothing accepted"),
        pytest.param({"NV_ACCEPTS": {"login": ["email"]}}, id="e-mail accepted"),
        pytest.param({"NV_STEP_UP": {"transfer": {}}}, id="a row without a label"),
    ],
)
def test_the_checks_find_a_policy_that_cannot_be_read(settings, wrong):
    for name, value in wrong.items():
        setattr(settings, name, value)

    assert [error.id for error in checks.policy_can_be_read(None)] == [
        "numberverify.E005"
    ]


def test_an_auditor_reads_each_action_and_what_it_takes(settings, capsys):
    settings.NV_STEP_UP = {
        "transfer": GOOD | {"serves": "age", "max_age": 900, "methods": ["totp"]}
    }

    call_command("step_up_policies")

    said = capsys.readouterr().out
    assert [line.split() for line in said.splitlines() if "transfer" in line] == [
        ["transfer", "send", "the", "money", "900", "s", "age", "totp"]
    ]
    assert "phone_change" in said
    assert "administer" in said
