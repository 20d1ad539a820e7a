"""A person is forgotten while others write: everything once, and nothing half."""

from datetime import timedelta

import pytest

from accounts import numbers
from accounts.models import NumberEvent
from numberverify import forget, seal
from numberverify.models import Seal, Verification
from tests.factories import ANN, UserFactory, VerificationFactory
from tests.numberverify.seal.past import begun, findings
from tests.numberverify.seal.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
WHO = {"by": "staff 7", "reason": "asked for"}
MANY = 30


def test_of_two_who_forget_a_person_beside_logins_each_row_is_erased_once(monkeypatch):
    monkeypatch.setattr(forget, "STEP", 7)
    ann = UserFactory(phone=ANN)
    numbers.note(NumberEvent.What.ADDED, ANN, ann)
    for n in range(MANY):
        begun(timedelta(days=2, minutes=n), user=ann)
    seal.seal_due()

    def log_in():
        return [VerificationFactory(verified=True, user=ann).pk for _ in range(10)]

    def erase():
        return forget.person(ann, **WHO).rows

    one, other, new = at_once(erase, erase, log_in)

    assert one + other == MANY
    told = Seal.objects.filter(kind="forgotten")
    assert sum(link.rows for link in told) == MANY
    assert set(Verification.objects.filter(user=ann).values_list("pk", flat=True)) == {
        *new
    }
    assert findings() == []
