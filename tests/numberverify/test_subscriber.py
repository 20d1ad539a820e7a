"""What operators know of a subscriber: yes, no, or unknown, and nothing between."""

from datetime import date, timedelta

import pytest

from numberverify import subscriber
from numberverify.msisdn import Msisdn
from numberverify.operators.base import Told
from tests.factories import ANN
from tests.fake_camara import RECYCLING, SIM_SWAP, TOKEN, VERIFY, FakeCamara
from tests.fake_operator import Reply

DAY = timedelta(days=1)
NUMBER = Msisdn(ANN)
SINCE = date(2026, 11, 1)


@pytest.fixture
def operator(settings):
    fake = FakeCamara()
    settings.NV_OPERATORS = {"fake": fake.with_siblings()}
    yield fake
    fake.close()


def swapped(**changes) -> Told:
    return subscriber.sim_swapped(NUMBER, within=changes.get("within", DAY))


def recycled() -> Told:
    return subscriber.recycled(NUMBER, since=SINCE)


BOTH = pytest.mark.parametrize(
    ("ask", "path", "flag", "member"),
    [
        pytest.param(swapped, SIM_SWAP, "swapped", "swapped", id="SIM swap"),
        pytest.param(
            recycled, RECYCLING, "recycled", "phoneNumberRecycled", id="recycled"
        ),
    ],
)


@BOTH
@pytest.mark.parametrize(("said", "told"), [(True, Told.YES), (False, Told.NO)])
def test_yes_is_yes_and_no_is_no(operator, ask, path, flag, member, said, told):
    operator.flags[flag] = said

    assert ask() is told


@BOTH
@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(500), id="500"),
        pytest.param(Reply(404, {"code": "IDENTIFIER_NOT_FOUND"}), id="not theirs"),
        pytest.param(Reply(422, {"code": "SERVICE_NOT_APPLICABLE"}), id="not for it"),
        pytest.param(Reply(403, {"code": "PERMISSION_DENIED"}), id="may not"),
        pytest.param(Reply(400, {"code": "OUT_OF_RANGE"}), id="too far back"),
        pytest.param(Reply(body={}), id="says nothing"),
        pytest.param(Reply(body=b"<html>"), id="HTML"),
        pytest.param(Reply(201, {"swapped": False}), id="201"),
    ],
)
def test_what_is_not_said_is_unknown(operator, ask, path, flag, member, reply):
    operator.replies[path] = reply

    assert ask() is Told.UNKNOWN


@BOTH
@pytest.mark.parametrize("value", ["false", 0, 1, None, [], "yes"])
def test_what_is_no_boolean_is_unknown(operator, ask, path, flag, member, value):
    operator.replies[path] = Reply(body={member: value})

    assert ask() is Told.UNKNOWN


@BOTH
def test_no_token_is_unknown(operator, ask, path, flag, member):
    operator.replies[TOKEN] = Reply(400, {"error": "invalid_scope"})

    assert ask() is Told.UNKNOWN


@BOTH
def test_an_operator_without_the_api_is_not_asked(
    operator, settings, ask, path, flag, member
):
    settings.NV_OPERATORS = {"fake": operator.table()}

    assert ask() is Told.UNKNOWN
    assert operator.calls == []


@BOTH
def test_the_number_is_asked_about_by_our_own_token_alone(
    operator, ask, path, flag, member
):
    ask()

    (token,) = operator.calls_to(TOKEN)
    (asked,) = operator.calls_to(path)
    assert token.form["grant_type"] == "client_credentials"
    assert asked.json["phoneNumber"] == ANN
    assert operator.calls_to(VERIFY) == []


@BOTH
def test_who_does_not_have_the_number_is_passed_over(
    operator, settings, ask, path, flag, member
):
    first = FakeCamara()
    first.replies[path] = Reply(404, {"code": "IDENTIFIER_NOT_FOUND"})
    settings.NV_OPERATORS = {
        "first": first.with_siblings(),
        "fake": operator.with_siblings(),
    }
    operator.flags[flag] = True

    assert ask() is Told.YES
    first.close()


@BOTH
def test_the_plain_number_is_in_no_log(operator, ask, path, flag, member, caplog):
    operator.replies[path] = Reply(500)

    ask()

    assert caplog.text
    assert "7700900123" not in caplog.text


@pytest.mark.parametrize(
    ("within", "hours"),
    [
        (timedelta(minutes=5), 1),
        (timedelta(hours=72), 72),
        (timedelta(days=100), 2400),
        (timedelta(days=400), 2400),
    ],
)
def test_a_swap_is_asked_for_in_hours(operator, within, hours):
    swapped(within=within)

    (asked,) = operator.calls_to(SIM_SWAP)
    assert asked.json["maxAge"] == hours


def test_a_subscriber_is_asked_for_by_the_day(operator):
    recycled()

    (asked,) = operator.calls_to(RECYCLING)
    assert asked.json["specifiedDate"] == "2026-11-01"
