"""What time the overview is about, and its columns."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberverify.history.span import MOST, STEPS, between, last

NOW = datetime(2026, 5, 13, 14, 25, tzinfo=UTC)  # a Wednesday


def names(span):
    return [column.name for column in span.columns().values()]


@pytest.mark.parametrize(
    ("period", "step", "count", "first", "final"),
    [
        ("day", "", 24, "12 May 2026, 15:00", "13 May 2026, 14:00"),
        ("day", "day", 2, "12 May 2026", "13 May 2026"),
        ("week", "", 7, "7 May 2026", "13 May 2026"),
        ("week", "hour", 168, "7 May 2026, 00:00", "13 May 2026, 23:00"),
        ("month", "", 30, "14 Apr 2026", "13 May 2026"),
        ("month", "week", 5, "week of 14 Apr 2026", "week of 11 May 2026"),
        ("year", "", 53, "week of 14 May 2025", "week of 11 May 2026"),
        ("year", "day", 365, "14 May 2025", "13 May 2026"),
        ("year", "month", 13, "May 2025", "May 2026"),
    ],
)
def test_a_period_ends_today_in_columns_that_fit(period, step, count, first, final):
    said = names(last(period, step, NOW))

    assert len(said) == count
    assert (said[0], said[-1]) == (first, final)


def test_days_of_one_s_own_have_columns_that_fit():
    day = date(2026, 5, 1)
    steps = {
        length: between(day, day + timedelta(days=length - 1), "").step
        for length in (1, 2, 3, 92, 93, 800, 801)
    }

    assert steps == {
        1: "hour",
        2: "hour",
        3: "day",
        92: "day",
        93: "week",
        800: "week",
        801: "month",
    }


@given(
    st.dates(date(1970, 1, 1), date(2200, 1, 1)),
    st.integers(0, 100),
    st.sampled_from(list(STEPS)),
)
def test_columns_follow_each_other_from_the_first_day_to_the_last(first, more, step):
    final = first + timedelta(days=more)
    span = between(first, final, step)
    columns = list(span.columns().values())

    assert columns[0].since == span.since
    assert columns[-1].until == span.until
    assert all(a.until == b.since for a, b in pairwise(columns))
    assert span.days == (first, final)
    assert columns[0].days[0] == first
    assert columns[-1].days[1] == final


def test_more_columns_than_fit_are_told_by_their_number():
    first = date(2025, 1, 1)

    assert not between(first, first + timedelta(days=MOST - 1), "day").is_too_fine
    assert between(first, first + timedelta(days=MOST), "day").is_too_fine
