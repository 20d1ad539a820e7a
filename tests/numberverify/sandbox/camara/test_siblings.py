import pytest
import time_machine
from django.core.cache import cache
from django.test import Client

from tests.numberverify.sandbox.camara_wire import (
    NUMBER,
    OPERATOR_TOKEN,
    PURPOSE,
    RECYCLING,
    SIBLINGS,
    SIM_SWAP,
    ask,
    authorized,
    code_in,
    exchange,
    operator_token_of,
    own_token,
    token_of,
)
from tests.numberverify.sandbox.wire import set_handset

# 15 January 2027, 08:00 UTC.
NOW = 1_800_000_000


def swapped(server, **body):
    return ask(server, own_token(server), {"phoneNumber": NUMBER, **body}, SIM_SWAP)


def recycled(server, day):
    body = {"phoneNumber": NUMBER, "specifiedDate": day}
    return ask(server, own_token(server), body, RECYCLING)


def token_by_sim(client):
    sub = f"operatortoken:{operator_token_of(client)}"
    return exchange(client, sub, f"{PURPOSE} {SIBLINGS}").json()["access_token"]


def test_a_number_that_nobody_touched_was_never_swapped_or_recycled(client):
    assert swapped(client, maxAge=2400).json() == {"swapped": False}
    assert recycled(client, "2000-01-01").json() == {"phoneNumberRecycled": False}


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({}, True),
        ({"maxAge": 1}, False),
        ({"maxAge": 3}, True),
        ({"maxAge": 2400}, True),
    ],
    ids=str,
)
def test_a_fresh_sim_was_put_in_two_hours_ago(client, body, answer):
    set_handset(client, number=NUMBER, sim="fresh")

    assert swapped(client, **body).json() == {"swapped": answer}


def test_a_fresh_sim_grows_old(client):
    with time_machine.travel(NOW, tick=False) as clock:
        set_handset(client, number=NUMBER, sim="fresh")
        clock.shift(9 * 24 * 3600)
        assert swapped(client).json() == {"swapped": True}
        clock.shift(24 * 3600)

        assert swapped(client).json() == {"swapped": False}


def test_another_sim_is_another_line(client):
    set_handset(client, number="+46701740606", sim="fresh", subscriber="new")

    assert swapped(client).json() == {"swapped": False}


def test_a_sim_that_is_old_again_was_not_swapped(client):
    set_handset(client, number=NUMBER, sim="fresh", subscriber="new")

    set_handset(client, sim="old", subscriber="same")

    assert swapped(client).json() == {"swapped": False}
    assert recycled(client, "2000-01-01").json() == {"phoneNumberRecycled": False}


@pytest.mark.parametrize(
    ("day", "answer"),
    [
        ("2027-01-13", True),
        ("2027-01-14", False),  # the change itself: not after that day
        ("2027-01-15", False),
        ("2000-01-01", True),
    ],
)
def test_a_new_customer_has_had_the_number_since_yesterday(client, day, answer):
    with time_machine.travel(NOW, tick=False):
        set_handset(client, number=NUMBER, subscriber="new")

        assert recycled(client, day).json() == {"phoneNumberRecycled": answer}


@pytest.mark.parametrize(
    "meeting", [authorized, lambda client: client.post(OPERATOR_TOKEN)]
)
def test_what_was_forgotten_is_known_again_once_the_sim_is_seen(client, meeting):
    set_handset(client, number=NUMBER, sim="fresh")
    cache.clear()
    assert swapped(client).json() == {"swapped": False}

    meeting(client)

    assert swapped(client).json() == {"swapped": True}


def test_the_sim_of_another_phone_does_not_change_what_is_known(client):
    other = Client()
    set_handset(other, number=NUMBER)
    set_handset(client, number=NUMBER, sim="fresh")

    authorized(other)

    assert swapped(client).json() == {"swapped": True}


@pytest.mark.parametrize(
    ("path", "body"),
    [(SIM_SWAP, {}), (RECYCLING, {"specifiedDate": "2020-01-01"})],
    ids=["swap", "recycling"],
)
def test_the_number_is_named_once_by_the_token_or_by_the_body(client, path, body):
    named = {**body, "phoneNumber": NUMBER}

    missing = ask(client, own_token(client), body, path)
    twice = ask(client, token_by_sim(client), named, path)

    assert (missing.status_code, code_in(missing)) == (422, "MISSING_IDENTIFIER")
    assert (twice.status_code, code_in(twice)) == (422, "UNNECESSARY_IDENTIFIER")
    assert ask(client, own_token(client), named, path).status_code == 200
    assert ask(client, token_by_sim(client), body, path).status_code == 200


def test_the_sim_of_the_token_is_the_one_that_is_asked_about(client):
    set_handset(client, number=NUMBER, sim="fresh")

    assert ask(client, token_by_sim(client), {}, SIM_SWAP).json() == {"swapped": True}


@pytest.mark.parametrize(
    ("hours", "code"),
    [
        (0, "OUT_OF_RANGE"),
        (-1, "OUT_OF_RANGE"),
        (2401, "OUT_OF_RANGE"),
        (10**30, "OUT_OF_RANGE"),
        ("240", "INVALID_ARGUMENT"),
        (240.5, "INVALID_ARGUMENT"),
        (True, "INVALID_ARGUMENT"),
        (None, "INVALID_ARGUMENT"),
        ([240], "INVALID_ARGUMENT"),
    ],
)
def test_an_age_is_from_1_to_2400_whole_hours(client, hours, code):
    answer = swapped(client, maxAge=hours)

    assert answer.status_code == 400
    assert code_in(answer) == code


@pytest.mark.parametrize(
    ("day", "code"),
    [
        ("2027-01-16", "OUT_OF_RANGE"),
        ("9999-12-31", "OUT_OF_RANGE"),
        ("2026-02-30", "INVALID_ARGUMENT"),
        ("0000-01-01", "INVALID_ARGUMENT"),
        ("20260101", "INVALID_ARGUMENT"),
        ("2026-W01-1", "INVALID_ARGUMENT"),
        ("2026-01-01T00:00:00Z", "INVALID_ARGUMENT"),
        ("2026-01-01\n", "INVALID_ARGUMENT"),
        ("202٦-01-01", "INVALID_ARGUMENT"),
        ("", "INVALID_ARGUMENT"),
        (20260101, "INVALID_ARGUMENT"),
        (None, "INVALID_ARGUMENT"),
    ],
)
def test_a_day_is_a_day_and_not_to_come(client, day, code):
    with time_machine.travel(NOW, tick=False):
        answer = recycled(client, day)

    assert answer.status_code == 400
    assert code_in(answer) == code


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (SIM_SWAP, {"phoneNumber": "46701740605"}),
        (SIM_SWAP, {"phoneNumber": None}),
        (SIM_SWAP, {"phoneNumber": NUMBER, "specifiedDate": "2020-01-01"}),
        (SIM_SWAP, []),
        (RECYCLING, {"phoneNumber": NUMBER}),
        (RECYCLING, {"specifiedDate": "2020-01-01", "phoneNumber": NUMBER + "\n"}),
        (RECYCLING, {"specifiedDate": "2020-01-01", "maxAge": 1}),
    ],
    ids=str,
)
def test_a_body_that_does_not_fit_is_400(client, path, body):
    answer = ask(client, own_token(client), body, path)

    assert answer.status_code == 400
    assert code_in(answer) == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    ("scope", "path", "status"),
    [
        ("sim-swap", SIM_SWAP, 200),
        ("sim-swap:check", SIM_SWAP, 200),
        ("number-recycling:check", SIM_SWAP, 403),
        ("sim-swap", RECYCLING, 403),
        ("number-recycling:check", RECYCLING, 400),
    ],
)
def test_a_scope_opens_its_own_api_alone(client, scope, path, status):
    answer = ask(client, own_token(client, scope), {"phoneNumber": NUMBER}, path)

    assert answer.status_code == status


def test_a_token_for_the_number_does_not_open_the_siblings(client):
    assert ask(client, token_of(client), {}, SIM_SWAP).status_code == 403


@pytest.mark.parametrize("path", [SIM_SWAP, RECYCLING])
def test_each_question_needs_a_token_of_its_own(client, path):
    token = own_token(client)
    body = {"phoneNumber": NUMBER, "specifiedDate": "2020-01-01"}
    if path == SIM_SWAP:
        del body["specifiedDate"]

    assert ask(client, token, body, path).status_code == 200
    assert ask(client, token, body, path).status_code == 401
