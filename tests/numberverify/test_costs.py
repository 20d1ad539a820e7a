"""What a step may cost: writes, and no session before somebody is signed in."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from numberverify import flow
from numberverify.choices import Purpose
from numberverify.models import Verification
from numberverify.msisdn import Msisdn
from tests.factories import (
    ANN,
    BINDING,
    PASSWORD,
    DeviceFactory,
    UserFactory,
    VerificationFactory,
)

pytestmark = pytest.mark.django_db
TYPED = {
    "email": "ann@example.com",
    "phone": ANN,
    "password1": PASSWORD,
    "password2": PASSWORD,
}


def writes(captured: CaptureQueriesContext) -> list[str]:
    verbs = ("INSERT", "UPDATE", "DELETE", "REPLACE")
    return [q["sql"] for q in captured if q["sql"].lstrip().upper().startswith(verbs)]


def signup(browser):
    return browser.submit("/accounts/signup/", **TYPED)


def login(browser):
    return browser.submit(
        "/accounts/login/", username="ann@example.com", password=PASSWORD
    )


@pytest.mark.parametrize("journey", [signup, login])
def test_a_start_costs_at_most_two_writes_and_a_callback_too(
    browser, operator, journey
):
    if journey is login:
        UserFactory(email="ann@example.com", phone=ANN)

    with CaptureQueriesContext(connection) as start:
        started = journey(browser)
    with CaptureQueriesContext(connection) as callback:
        browser.come_back(operator, started)

    assert len(writes(start)) <= 2, writes(start)
    assert len(writes(callback)) <= 2, writes(callback)
    assert "django_session" not in str([*start, *callback])


def test_a_redeem_costs_one_write():
    user = UserFactory()
    VerificationFactory(verified=True, purpose=Purpose.LOGIN, user=user)
    proof = flow.Proof(Purpose.LOGIN, user, BINDING, Msisdn(ANN))
    receipt = flow.find_receipt(proof)

    with CaptureQueriesContext(connection) as captured:
        flow.redeem(receipt, proof)

    assert len(captured) == len(writes(captured)) == 1


@pytest.mark.django_db(transaction=True)
def test_an_operator_is_never_asked_inside_a_transaction(browser, operator):
    brought = operator.authorize(signup(browser)["Location"])

    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        flow.claim(
            state=brought["state"],
            operator="fake",
            device=browser.cookies["nv_binding"].value,
            viewer=lambda: None,
        )
    assert operator.calls == []


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_operator_is_asked(
    browser, operator, monkeypatch
):
    seen = []
    ask = flow.routing.Line.ask
    monkeypatch.setattr(
        flow.routing.Line,
        "ask",
        lambda *args: seen.append(connection.in_atomic_block) or ask(*args),
    )

    browser.come_back(operator, signup(browser))

    assert seen == [False]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_no_pooled_connection_is_held_while_the_operator_is_asked(
    browser, operator, monkeypatch
):
    held = []
    ask = flow.routing.Line.ask
    monkeypatch.setattr(
        flow.routing.Line,
        "ask",
        lambda *args: held.append(connection.connection) or ask(*args),
    )

    browser.come_back(operator, signup(browser))

    assert held == [None]


def test_the_start_asks_the_operator_nothing(browser, operator):
    signup(browser)

    assert operator.calls == []


def test_a_verification_costs_two_calls_once_the_keys_are_known(browser, operator):
    for _ in range(3):
        browser.come_back(operator, signup(browser))
        operator_calls = len(operator.calls)
        operator.calls.clear()

    assert operator_calls == 2


def test_a_login_without_a_check_asks_nobody(browser, operator):
    user = UserFactory(email="ann@example.com", phone=ANN)
    DeviceFactory(user=user, token="known browser")
    browser.cookies["nv_known"] = "known browser"

    browser.submit("/accounts/login/", username=user.email, password=PASSWORD)

    assert operator.calls == []
    assert not Verification.objects.exists()
