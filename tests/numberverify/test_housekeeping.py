from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Pending
from numberverify.choices import Reason, Status
from numberverify.models import Verification
from tests.factories import (
    PendingFactory,
    UserFactory,
    VerificationFactory,
)

pytestmark = pytest.mark.django_db


def housekeeping():
    said = StringIO()
    call_command("housekeeping", stdout=said)
    return said.getvalue()


def test_what_nobody_came_back_to_is_settled_and_the_rest_left_alone():
    past, dead = (timezone.now() - timedelta(minutes=m) for m in (1, 3))
    late = VerificationFactory(expires_at=past)
    lost = VerificationFactory(exchanging=True, claimed_at=dead)
    young = [VerificationFactory(), VerificationFactory(exchanging=True)]
    done = VerificationFactory(verified=True, expires_at=past)

    assert "expired 1, interrupted 1" in housekeeping()

    now = {row.pk: (row.status, row.reason) for row in Verification.objects.all()}
    assert now[late.pk] == (Status.EXPIRED, "")
    assert now[lost.pk] == (Status.UNAVAILABLE, Reason.INTERRUPTED)
    assert now[done.pk] == (Status.VERIFIED, "")
    assert [now[row.pk][0] for row in young] == [Status.PENDING, Status.EXCHANGING]


def test_swept_rows_hold_no_number():
    VerificationFactory(expires_at=timezone.now() - timedelta(minutes=1))

    housekeeping()

    row = Verification.objects.get()
    assert (row.number, row.nonce) == ("", "")
    assert row.settled_at


def test_journeys_that_nobody_finished_are_deleted():
    PendingFactory(expires_at=timezone.now() - timedelta(minutes=1))
    young = PendingFactory()

    assert "purge_pending 1" in housekeeping()
    assert list(Pending.objects.all()) == [young]


def test_a_persons_own_history_sweeps_itself(client):
    user = UserFactory()
    VerificationFactory(user=user, expires_at=timezone.now() - timedelta(minutes=1))
    client.force_login(user)

    assert "Expired" in client.get("/accounts/profile/").text
    assert Verification.objects.get().status == Status.EXPIRED


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"status": Status.VERIFIED}, id="settled without a time"),
        pytest.param(
            {"status": Status.VERIFIED, "settled_at": timezone.now(), "number": "+441"},
            id="settled with a number",
        ),
        pytest.param({"redeemed_at": timezone.now()}, id="redeemed while pending"),
        pytest.param({"settled_at": timezone.now()}, id="pending with a time"),
    ],
)
def test_the_database_refuses_rows_that_make_no_sense(columns):
    row = VerificationFactory()

    with pytest.raises(IntegrityError), transaction.atomic():
        Verification.objects.filter(pk=row.pk).update(**columns)
