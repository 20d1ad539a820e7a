"""What a step may cost: writes, and no session before somebody is signed in."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from numberverify import flow
from numberverify.choices import Method, Purpose, Status
from numberverify.factors import sms
from numberverify.models import Verification
from numberverify.msisdn import Msisdn
from numberverify.operators.registry import Line
from tests.factories import (
    ANN,
    BINDING,
    PASSWORD,
    DeviceFactory,
    UserFactory,
    VerificationFactory,
)
from tests.numberverify.typed import later, opened, shown_by, tries, way_for, wrong

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


@pytest.mark.usefixtures("one_step_a_request")
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
    ask = Line.begin
    monkeypatch.setattr(
        Line,
        "begin",
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
    ask = Line.begin
    monkeypatch.setattr(
        Line,
        "begin",
        lambda *args: held.append(connection.connection) or ask(*args),
    )

    browser.come_back(operator, signup(browser))

    assert held == [None]


def test_the_start_asks_the_operator_nothing(browser, operator):
    signup(browser)

    assert operator.calls == []


@pytest.mark.usefixtures("one_step_a_request")
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


# A fresh proof, and codes that let nobody in


@pytest.mark.parametrize(
    "page",
    [
        pytest.param("/accounts/sessions/end/", id="for its age"),
        pytest.param("/accounts/password/change/", id="once"),
        pytest.param("/accounts/email/change/", id="once, with fields"),
    ],
)
def test_a_fresh_proof_costs_the_session_and_the_user(browser, operator, page):
    browser.force_login(UserFactory(phone=ANN))
    browser.follow(browser.come_back(operator, browser.submit(page)))

    with CaptureQueriesContext(connection) as captured:
        opened = browser.get(page)

    asked = [query["sql"] for query in captured]
    assert "<form" in opened.text
    assert "Confirm it's you" not in opened.text
    assert len(asked) == 2, asked
    assert "django_session" in asked[0]
    assert "accounts_user" in asked[1]


TYPED_METHODS = [Method.SMS, Method.TOTP, Method.RECOVERY_CODE]


def at_a_code(method):
    """A person at the page for a code; and a code that is right by then."""
    user = UserFactory(phone=ANN)
    right = way_for(user, method)
    row = opened(user, method)
    return row, right()


def wrong_one(method, code):
    return "0" * 16 if method == Method.RECOVERY_CODE else wrong(code)


def settled_before(row, status):
    Verification.objects.filter(pk=row.pk).settle(status, now=row.created_at)


@pytest.mark.parametrize("method", TYPED_METHODS)
def test_a_wrong_code_costs_one_write(method):
    row, code = at_a_code(method)

    with CaptureQueriesContext(connection) as captured:
        assert not tries(row, wrong_one(method, code)).right

    assert len(writes(captured)) == 1, writes(captured)


@pytest.mark.parametrize("method", TYPED_METHODS)
def test_a_late_code_costs_one_write_at_most(method):
    row, code = at_a_code(method)

    with later(minutes=11), CaptureQueriesContext(connection) as captured:
        assert not tries(row, code).right

    assert len(writes(captured)) <= 1, writes(captured)


@pytest.mark.parametrize("method", [Method.TOTP, Method.RECOVERY_CODE])
def test_a_used_code_costs_one_write(method):
    row, code = at_a_code(method)
    assert tries(row, code).right
    again = opened(row.user, method)

    with CaptureQueriesContext(connection) as captured:
        assert not tries(again, code).right

    assert len(writes(captured)) == 1, writes(captured)


@pytest.mark.parametrize("method", TYPED_METHODS)
@pytest.mark.parametrize("status", [Status.REFUSED, Status.EXPIRED, Status.VERIFIED])
def test_a_code_at_a_row_that_is_over_costs_the_page_no_write(client, method, status):
    row, code = at_a_code(method)
    settled_before(row, status)
    client.cookies["nv_binding"] = BINDING

    with CaptureQueriesContext(connection) as captured:
        client.post(f"/verify/{row.pk}/", {"code": code})

    assert writes(captured) == []


@pytest.mark.parametrize("method", TYPED_METHODS)
def test_a_wrong_code_costs_the_page_one_write(client, method):
    row, code = at_a_code(method)
    client.cookies["nv_binding"] = BINDING

    with CaptureQueriesContext(connection) as captured:
        client.post(f"/verify/{row.pk}/", {"code": wrong_one(method, code)})

    assert len(writes(captured)) <= 1, writes(captured)


@pytest.mark.parametrize("method", TYPED_METHODS)
def test_a_late_code_costs_the_page_one_write(client, method):
    row, code = at_a_code(method)
    client.cookies["nv_binding"] = BINDING

    with later(minutes=11), CaptureQueriesContext(connection) as captured:
        client.post(f"/verify/{row.pk}/", {"code": code})

    assert len(writes(captured)) <= 1, writes(captured)


def test_what_is_no_code_is_not_looked_up(client):
    row, _ = at_a_code(Method.RECOVERY_CODE)
    client.cookies["nv_binding"] = BINDING

    with CaptureQueriesContext(connection) as captured:
        client.post(f"/verify/{row.pk}/", {"code": "x"})

    assert "numberverify_recoverycode" not in str(captured.captured_queries)


def test_a_text_message_costs_two_writes():
    user = UserFactory(phone=ANN)

    with CaptureQueriesContext(connection) as captured:
        opened(user, Method.SMS)

    kinds = [sql.split()[0] for sql in writes(captured)]
    assert kinds == ["UPDATE", "INSERT"]
    assert len(sms.outbox) == 1


def test_an_app_is_looked_at_under_its_lock(is_postgresql):
    row, _ = at_a_code(Method.TOTP)

    with CaptureQueriesContext(connection) as captured:
        assert tries(row, shown_by(row.user.totpdevice_set.get())).right

    locked = [q["sql"] for q in captured if "FOR UPDATE" in q["sql"]]
    assert len(locked) == (1 if is_postgresql else 0)
