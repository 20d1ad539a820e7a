"""A dead operator costs people milliseconds, and nobody else anything."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.fake_operator import MATCH, TOKEN, Reply
from tests.faults.test_our_own_death import eventually

HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
OPEN = 'numberverify_breaker_state{api="verify",operator="fake"}'


@pytest.fixture(autouse=True)
def _all_is_well_again(operator, person):
    """Whatever a test did to the operator, its breaker is closed afterwards."""
    yield
    operator.replies.pop(TOKEN, None)
    for _ in range(20):
        one = person()
        one.sign_up()
        if one.signed_in:
            return
        time.sleep(0.3)
    raise AssertionError("the breaker does not close")


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        pytest.param(Reply(delay=4), "operator_timeout", id="hangs"),
        pytest.param(Reply(drip=0.1, raw=HEADERS), "operator_timeout", id="drips"),
        pytest.param(Reply(raw=b""), "operator_unreachable", id="hangs up"),
        pytest.param(Reply(503), "operator_unreachable", id="is down"),
    ],
)
def test_it_fails_three_times_and_is_asked_no_more(
    site, operator, person, reply, reason
):
    operator.replies[TOKEN] = reply
    people = [person() for _ in range(4)]
    for one in people:
        one.begin()
    for one in people[:3]:
        page = one.go_on(one.come_back())
        assert "We could not check your number" in page.text
        assert (one.row()["status"], one.row()["reason"]) == ("unavailable", reason)
    assert site.metric(OPEN) == 1

    late = people[3]
    late.come_back()
    assert late.row()["reason"] == "breaker_open"
    assert len(operator.calls_to(TOKEN)) == 3
    newcomer = person()
    answer = newcomer.begin()
    assert answer.headers["Location"].startswith("/verify/")
    assert "does not answer us just now" in newcomer.go_on(answer).text


def test_it_is_restarted_and_one_answer_closes_the_breaker(site, operator, person):
    operator.close()
    operator.replies[TOKEN] = Reply(raw=b"")  # over the connections that were kept
    for _ in range(3):
        person().sign_up()
    assert site.metric(OPEN) == 1
    operator.start(operator.port)
    operator.replies.pop(TOKEN)

    eventually(lambda: site.metric(OPEN) == 2)
    one = person()
    one.sign_up()

    assert one.signed_in
    assert site.metric(OPEN) == 0


def test_while_one_hangs_the_other_answers(site, operator, operators, person):
    """Of more people than the operator may hold, each waits for its deadline at most,
    and those of the other network do not notice."""
    hangs = threading.Event()
    answer = operator.answer

    def hang(call):
        hangs.wait(20)
        return answer(call)

    operator.answer = hang
    try:
        held = [person() for _ in range(12)]
        others = [person("other") for _ in range(4)]
        for one in [*held, *others]:
            one.begin()
        with ThreadPoolExecutor(12) as pool:
            waiting = [
                pool.submit(lambda one=one: one.go_on(one.come_back())) for one in held
            ]
            eventually(lambda: len(operator.calls) >= 4)
            for one in others:
                one.go_on(one.come_back())
            for each in waiting:
                assert "We could not check your number" in each.result().text
    finally:
        hangs.set()
        del operator.answer

    assert all(one.signed_in for one in others)
    reasons = {one.row()["reason"] for one in held}
    assert reasons <= {"operator_timeout", "operator_busy", "breaker_open"}


def test_junk_codes_switch_no_operator_off(site, operator, person):
    for _ in range(5):
        stranger = person()
        stranger.begin()
        stranger.brought["code"] = f"junk-{stranger.email}"
        stranger.come_back()
        assert stranger.row()["reason"] == "operator_refused"

    assert site.metric(OPEN) == 0
    assert len(operator.calls_to(MATCH)) == 0


def test_what_is_logged_of_it_names_the_verification(site, operator, person):
    operator.replies[TOKEN] = Reply(503)
    one = person()
    one.sign_up()

    key = str(one.row()["id"])
    said = [
        line for line in site.lines("numberverify.exchange") if key in line["message"]
    ]
    served = [line for line in site.lines("gunicorn.access") if line["status"] == 303]
    assert [line["verification"] for line in said] == [key]
    paths = {line["path"] for line in served if line.get("verification") == key}
    assert paths == {"/accounts/signup/", "/verify/callback/fake/"}
