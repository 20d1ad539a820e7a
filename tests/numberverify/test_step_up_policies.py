"""`manage.py step_up_policies`: the table that an auditor reads."""

from io import StringIO

import pytest
from django.conf import settings as site
from django.core.management import call_command

from numberverify.choices import Purpose
from numberverify.errors import ConfigurationError

METHODS = ["network", "sms", "totp", "recovery_code", "manual"]


def printed():
    said = StringIO()
    call_command("step_up_policies", stdout=said)
    return said.getvalue()


def row_of(name):
    """The cells of the first line that begins with this name."""
    lines = (line.strip() for line in printed().splitlines())
    cells = next(line for line in lines if line.split()[:1] == [name])
    return [cell.strip() for cell in cells.split("  ") if cell.strip()]


@pytest.mark.parametrize("purpose", sorted(set(Purpose) - {Purpose.STEP_UP}))
def test_each_purpose_is_listed(purpose):
    assert len(row_of(purpose)) >= 2


@pytest.mark.parametrize(
    ("purpose", "methods"),
    [
        ("signup", METHODS[:2]),
        ("phone_change", METHODS[:2]),
        ("password_reset", METHODS[:4]),
        ("login", METHODS),
    ],
)
def test_a_purpose_is_said_with_what_it_accepts(purpose, methods):
    assert row_of(purpose) == [purpose, ", ".join(methods)]


@pytest.mark.parametrize(
    "name", sorted({*site.NV_STEP_UP, "administer"} - {"password_change"})
)
def test_each_action_is_listed(name):
    assert len(row_of(name)) == 5


def test_an_action_is_said_whole():
    by_person = ", ".join(METHODS[:4])

    assert row_of("end_sessions") == [
        "end_sessions",
        "end your other sessions",
        "600 s",
        "age",
        by_person,
    ]
    assert row_of("close_account") == [
        "close_account",
        "close your account",
        "300 s",
        "once",
        by_person,
    ]


def test_what_settings_say_is_what_is_printed(settings):
    settings.NV_STEP_UP = {
        "transfer": {"label": "send money", "max_age": 60, "methods": ["totp"]}
    }
    settings.NV_ACCEPTS = {"login": ["network"]}

    assert row_of("transfer") == ["transfer", "send money", "60 s", "once", "totp"]
    assert row_of("login") == ["login", "network"]
    assert "close_account" not in printed()


def test_actions_are_in_the_order_of_their_names():
    lines = printed().partition("Step-up actions")[2].splitlines()
    names = [line.split()[0] for line in lines[2:] if line.startswith("  ")]

    assert len(names) > 5
    assert names == sorted(names)


def test_the_columns_stand_under_each_other():
    lines = printed().partition("Step-up actions")[2].splitlines()
    rows = [line for line in lines[1:] if line.startswith("  ")]
    at = rows[0].index("serves")

    assert {row[at : at + 6].split()[0] for row in rows[1:]} == {"age", "once"}


def test_what_once_and_age_mean_is_said():
    assert "once: redeemed in the transaction of the effect" in printed()


def test_a_table_that_cannot_be_read_is_named(settings):
    settings.NV_STEP_UP = {"transfer": {"label": "x", "methods": ["pigeon"]}}

    with pytest.raises(ConfigurationError, match="transfer"):
        printed()
