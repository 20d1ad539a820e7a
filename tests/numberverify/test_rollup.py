"""Totals by the hour: each sealed row once, none of it about a person."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db.models import Sum
from hypothesis import given
from hypothesis import strategies as st

from numberverify import rollup, seal
from numberverify.choices import Purpose, Reason, Status
from numberverify.models import (
    DayDuration,
    DayTotal,
    HourDuration,
    HourTotal,
    Verification,
)
from tests.numberverify.seal.past import begun, past

AGO = timedelta(days=2)


def total(model=HourTotal, **which) -> int:
    return model.objects.filter(**which).aggregate(all=Sum("rows"))["all"] or 0


@pytest.mark.django_db
def test_each_sealed_row_is_counted_once():
    past(150)

    seal.seal_due(batch=40)
    seal.seal_due()

    assert total() == 150
    assert HourTotal.objects.count() < 6


@pytest.mark.django_db
def test_it_counts_by_what_the_overview_shows():
    begun(AGO, purpose=Purpose.LOGIN, operator="one")
    begun(AGO, unavailable=True, operator="one")
    begun(AGO, operator="two", country="FR", previous=uuid4())
    begun(AGO, test=True)
    hour = Verification.objects.first().created_at.replace(
        minute=0, second=0, microsecond=0
    )

    seal.seal_due()

    assert total(hour=hour) == 4
    assert total(purpose=Purpose.LOGIN) == 1
    why = {"status": Status.UNAVAILABLE, "reason": Reason.NOT_ON_MOBILE_NETWORK}
    assert total(**why) == 1
    assert total(fallback=True) == total(operator="two") == total(country="FR") == 1
    assert total(test=True) == 1


@pytest.mark.django_db
def test_days_are_the_sums_of_their_hours():
    for hours in range(40, 100, 7):
        begun(timedelta(hours=hours), operator="one", operator_ms=hours * 10)
        begun(timedelta(hours=hours), unavailable=True, operator="two")

    seal.seal_due(batch=6)
    seal.seal_due()

    for by_hour, by_day in ((HourTotal, DayTotal), (HourDuration, DayDuration)):
        assert total(by_hour) == total(by_day) > 0
        for day, rows in by_day.objects.values_list("day").annotate(Sum("rows")):
            assert total(by_hour, hour__date=day) == rows
    assert DayTotal.objects.count() < HourTotal.objects.count()


@pytest.mark.django_db
def test_a_late_row_is_counted_in_the_hour_in_which_it_began():
    row = begun(AGO, status=Status.PENDING)
    past(1)
    seal.seal_due()
    Verification.objects.filter(pk=row.pk).settle(Status.EXPIRED, now=row.expires_at)

    seal.seal_due()

    assert total() == 2
    assert HourTotal.objects.get(status=Status.EXPIRED).hour <= row.created_at


@pytest.mark.django_db
def test_how_long_an_operator_took_is_counted_in_buckets():
    for took in (200, 210, 900, None):
        begun(AGO, operator="one", operator_ms=took)

    seal.seal_due()

    rows_of = dict(HourDuration.objects.values_list("bucket", "rows"))
    assert rows_of == {rollup.bucket_of(210): 2, rollup.bucket_of(900): 1}


@pytest.mark.parametrize(
    ("took", "bucket"), [(0, 0), (1, 0), (2, 4), (3, 7), (4, 8), (1024, 40), (1025, 41)]
)
def test_there_are_four_buckets_to_the_octave(took, bucket):
    assert rollup.bucket_of(took) == bucket


@given(st.integers(min_value=2, max_value=60_000))
def test_a_bucket_holds_what_is_up_to_its_bound(took):
    bucket = rollup.bucket_of(took)

    assert rollup.bound_of(bucket - 1) < took <= rollup.bound_of(bucket) * (1 + 1e-12)


@given(st.lists(st.integers(min_value=1, max_value=60_000), min_size=1, max_size=200))
def test_a_percentile_is_less_than_a_fifth_above_the_true_one(took):
    rows_of: dict[int, int] = {}
    for each in took:
        bucket = rollup.bucket_of(each)
        rows_of[bucket] = rows_of.get(bucket, 0) + 1
    true = sorted(took)[-(-95 * len(took) // 100) - 1]

    assert true <= rollup.percentile(rows_of, 0.95) * (1 + 1e-12) <= true * 1.19


def test_of_nothing_there_is_no_percentile():
    assert rollup.percentile({}, 0.5) is None
