"""CAMARA through a line: its deadline, its threads and its connections."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from numberverify.errors import OperatorError, OperatorRefused, OperatorTimeout
from numberverify.operators import registry
from numberverify.operators.base import OperatorToken
from tests.fake_camara import DISCOVERY, JWKS, TOKEN, VERIFY
from tests.fake_operator import Reply

DEADLINE = 0.4
TOO_LATE = 2.2  # what each of these operators would take is longer
TRUE = {"devicePhoneNumberVerified": True}
HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
TOKEN_OF_SIM = OperatorToken("an-operator-token")

SLOW = [
    pytest.param(Reply(delay=3), id="says nothing"),
    pytest.param(Reply(drip=0.06, body=TRUE), id="drips its body"),
    pytest.param(Reply(drip=0.06, raw=HEADERS), id="drips its headers"),
    pytest.param(Reply(302, b" " * 50, {"Location": "/"}, drip=0.06), id="redirect"),
    pytest.param(Reply(500, b" " * 50, drip=0.06), id="drips an error"),
]


@contextmanager
def in_time():
    began = time.monotonic()
    yield
    assert DEADLINE * 0.9 < time.monotonic() - began < TOO_LATE


@pytest.fixture
def line(read):
    """Open a line to the operator, for a table with changes."""
    opened = []

    def line(**changes) -> registry.Line:
        opened.append(registry.Line(read(**changes)))
        return opened[-1]

    yield line
    for each in opened:
        each.threads.shutdown(wait=False, cancel_futures=True)
        each.operator.http.session.close()


@pytest.mark.parametrize("reply", SLOW)
def test_a_description_that_does_not_come_ends_at_the_deadline(fake, line, reply):
    fake.replies[DISCOVERY] = reply

    with in_time(), pytest.raises(OperatorTimeout):
        line(deadline=DEADLINE).prepare()


@pytest.mark.parametrize("path", [DISCOVERY, TOKEN, JWKS, VERIFY])
@pytest.mark.parametrize("reply", SLOW[1:3])
def test_a_verification_waits_no_longer_than_the_deadline(fake, ask, path, reply):
    fake.replies[path] = reply

    with in_time(), pytest.raises(OperatorTimeout):
        ask(deadline=DEADLINE)


@pytest.mark.parametrize("path", [DISCOVERY, TOKEN, VERIFY])
def test_nor_does_one_by_the_sims_own_token(fake, ask, path):
    fake.replies[path] = Reply(delay=3)

    with in_time(), pytest.raises(OperatorTimeout):
        ask(deadline=DEADLINE, brought=TOKEN_OF_SIM)


def test_the_deadline_is_one_for_the_whole_leg(fake, ask):
    fake.delay = DEADLINE * 0.7  # each call in time, all of them together not

    with in_time(), pytest.raises(OperatorTimeout):
        ask(deadline=DEADLINE, brought=TOKEN_OF_SIM)


def test_those_who_wait_for_one_description_all_end_at_the_deadline(fake, line):
    fake.replies[DISCOVERY] = Reply(drip=0.06, raw=HEADERS)
    to_it = line(deadline=DEADLINE)

    with ThreadPoolExecutor(6) as pool, in_time():
        tries = [pool.submit(to_it.prepare) for _ in range(6)]
        assert {type(each.exception()) for each in tries} == {OperatorTimeout}
    assert len(fake.calls) == 1

    time.sleep(DEADLINE)
    assert to_it.threads._work_queue.empty()


def test_who_waited_too_long_for_the_description_spends_no_code(fake, ask):
    fake.replies[DISCOVERY] = Reply(drip=0.02, raw=HEADERS)  # about a second

    with in_time(), pytest.raises(OperatorTimeout):
        ask(deadline=DEADLINE, brought=TOKEN_OF_SIM)

    time.sleep(1.2)
    assert [call.path for call in fake.calls] == [DISCOVERY]


@pytest.mark.parametrize("brought", [None, TOKEN_OF_SIM], ids=["code", "SIM"])
def test_fifty_at_once_keep_to_the_connections_of_the_table(fake, ask, brought):
    assert ask(threads=4, brought=brought).matched
    fake.delay = 0.005
    cold = len(fake.calls)

    with ThreadPoolExecutor(12) as pool:
        numbers = ["+447700900123", "+447700900907"] * 25
        answers = list(
            pool.map(
                lambda number: ask(number=number, threads=4, brought=brought), numbers
            )
        )

    assert [answer.matched for answer in answers] == [True, False] * 25
    paths = Counter(call.path for call in fake.calls[cold:])
    assert paths == {TOKEN: 50, VERIFY: 50}
    assert len(fake.calls_to(DISCOVERY)) == 1
    assert len(fake.calls_to(JWKS)) == (1 if brought is None else 0)
    assert len({call.connection for call in fake.calls}) <= 4
    used = [call.headers["Authorization"] for call in fake.calls_to(VERIFY)]
    assert len(set(used)) == 51


def test_fifty_at_once_may_be_the_first(fake, ask):
    fake.delay = 0.005

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: ask(threads=4), range(50)))

    assert all(answer.matched for answer in answers)
    paths = Counter(call.path for call in fake.calls)
    assert paths == {DISCOVERY: 1, JWKS: 1, TOKEN: 50, VERIFY: 50}
    assert len({call.connection for call in fake.calls}) <= 4


def test_twenty_verifications_use_one_connection(fake, ask):
    for _ in range(20):
        assert ask().matched

    assert len(fake.calls) == 42
    assert len({call.connection for call in fake.calls}) == 1


@pytest.mark.parametrize("path", [DISCOVERY, TOKEN, JWKS, VERIFY])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(fake, ask, status, path):
    fake.replies[path] = Reply(status, headers={"Location": "/elsewhere"})
    fake.replies["/elsewhere"] = Reply(body=TRUE)

    with pytest.raises(OperatorRefused):
        ask()
    assert not fake.calls_to("/elsewhere")


@pytest.mark.parametrize("path", [DISCOVERY, TOKEN, JWKS, VERIFY])
def test_a_body_over_64_kib_is_no_answer(fake, ask, path):
    fake.replies[path] = Reply(body=b" " * 70_000)

    with pytest.raises(OperatorError):
        ask()
    del fake.replies[path]
    assert ask().matched


def test_neither_number_code_nor_token_is_in_any_address(fake, ask):
    for send in ("plain", "hash"):
        ask(send=send)
        ask(send=send, brought=TOKEN_OF_SIM)

    addresses = " ".join(call.path for call in fake.calls)
    tokens = [call.headers["Authorization"][7:] for call in fake.calls_to(VERIFY)]
    private = ["7700900123", "a8acc3a9", "an-operator-token", *fake.nonces, *tokens]
    assert not [word for word in private if word in addresses]


def test_cookies_are_never_sent_back(fake, ask):
    fake.headers = {"Set-Cookie": "session=1; Path=/"}

    assert ask().matched
    assert ask().matched

    assert not [call for call in fake.calls if "Cookie" in call.headers]
