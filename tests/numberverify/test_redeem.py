"""A receipt pays once, and for exactly what it was opened for."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from numberverify import flow
from numberverify.choices import Purpose, Status
from numberverify.errors import VerificationNotUsable
from numberverify.msisdn import Msisdn
from tests.factories import ANN, BINDING, UserFactory, VerificationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def row():
    return VerificationFactory(
        verified=True, purpose=Purpose.STEP_UP, action="transfer", user=UserFactory()
    )


def proof(row, **changes):
    wanted = {
        "purpose": Purpose.STEP_UP,
        "user": row.user,
        "holder": BINDING,
        "msisdn": Msisdn(ANN),
        "action": "transfer",
    }
    return flow.Proof(**(wanted | changes))


def test_a_receipt_is_found_and_spent_once(row):
    receipt = flow.find_receipt(proof(row))
    flow.redeem(receipt, proof(row))

    with pytest.raises(VerificationNotUsable):
        flow.redeem(receipt, proof(row))
    assert flow.find_receipt(proof(row)) is None


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"purpose": Purpose.LOGIN}, id="another purpose"),
        pytest.param({"action": "close_account"}, id="another action"),
        pytest.param({"action": ""}, id="no action"),
        pytest.param({"user": None}, id="nobody"),
        pytest.param({"holder": "another browser"}, id="another browser"),
        pytest.param({"holder": ""}, id="no browser"),
        pytest.param({"msisdn": Msisdn("+447700900456")}, id="another number"),
        pytest.param({"max_age": timedelta(0)}, id="another age"),
    ],
)
def test_a_receipt_pays_for_nothing_else(row, changes):
    receipt = flow.find_receipt(proof(row))

    assert flow.find_receipt(proof(row, **changes)) is None
    with pytest.raises(VerificationNotUsable):
        flow.redeem(receipt, proof(row, **changes))


def test_a_receipt_pays_for_nobody_else(row):
    receipt = flow.find_receipt(proof(row))

    with pytest.raises(VerificationNotUsable):
        flow.redeem(receipt, proof(row, user=UserFactory()))


@pytest.mark.parametrize(
    "status", [status for status in Status if status != Status.VERIFIED]
)
def test_only_a_match_is_a_receipt(status):
    opened = status in (Status.PENDING, Status.EXCHANGING)
    row = VerificationFactory(status=status, settled=not opened)

    assert (
        flow.find_receipt(proof(row, purpose=Purpose.SIGNUP, user=None, action=""))
        is None
    )


def test_a_receipt_runs_out_after_five_minutes_whatever_age_is_asked(row):
    receipt = flow.find_receipt(proof(row))
    row.settled_at = timezone.now() - timedelta(minutes=5, seconds=1)
    row.save()

    with pytest.raises(VerificationNotUsable):
        flow.redeem(receipt, proof(row, max_age=timedelta(days=1)))


def test_details_that_nobody_asked_for_do_not_count(row):
    row.details_digest = b"x" * 32
    row.save()

    assert flow.find_receipt(proof(row)) is None


def test_an_effect_that_fails_gives_the_receipt_back(row):
    receipt = flow.find_receipt(proof(row))

    with transaction.atomic():
        flow.redeem(receipt, proof(row))
        transaction.set_rollback(True)

    assert flow.find_receipt(proof(row)) == receipt


def test_a_number_written_under_an_older_key_still_counts(row, settings):
    settings.NV_FINGERPRINT_KEYS = ["a newer key", *settings.NV_FINGERPRINT_KEYS]

    assert flow.find_receipt(proof(row))
