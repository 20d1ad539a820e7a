import json
import logging
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Pending
from config.logs import JsonLines
from numberverify.choices import Reason, Status
from numberverify.models import Verification
from tests.factories import (
    PendingFactory,
    UserFactory,
    VerificationFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def log_lines():
    """What the command logs, as it is written with DEBUG off."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("numberverify.management")
    logger.addHandler(handler)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    logger.removeHandler(handler)


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


def breaks():
    raise ValueError("Key (phone)=(+447700900123) already exists")


@pytest.mark.django_db(transaction=True)
def test_a_chore_that_fails_stops_no_other_and_quotes_no_row(settings, log_lines):
    settings.NV_HOUSEKEEPING = [f"{__name__}.breaks", "accounts.models.purge_pending"]
    PendingFactory(expires_at=timezone.now() - timedelta(minutes=1))
    said = StringIO()

    with pytest.raises(CommandError, match="breaks") as failed:
        call_command("housekeeping", stdout=said)

    assert "purge_pending 1\nsealed 0\npurged 0\n" in said.getvalue()
    (line,) = log_lines()
    assert (line["message"], line["errors"]) == (
        "housekeeping: breaks failed",
        ["ValueError"],
    )
    assert "900123" not in json.dumps(line) + str(failed.value)


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
