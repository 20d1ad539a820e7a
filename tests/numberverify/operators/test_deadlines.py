"""However slow an operator is, a request waits for it no longer than promised."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from numberverify.errors import OperatorBusy, OperatorError, OperatorTimeout
from numberverify.msisdn import Msisdn
from numberverify.operators.base import Callback, Deadline, Question
from numberverify.operators.mobile_connect import MobileConnect
from tests.fake_operator import JWKS, MATCH, TOKEN, Reply
from tests.numberverify.operators.conftest import BACK, NONCE

DEADLINE = 0.4
TOO_LATE = 2.2  # what each of these operators would take is longer
TRUE = {"sub": "pcr-1", "device_msisdn_verified": True}
HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
CHUNKS = {"Transfer-Encoding": "chunked"}

SILENT = pytest.param(Reply(delay=3, body=TRUE), id="says nothing")
DRIPS_BODY = pytest.param(Reply(drip=0.06, body=TRUE), id="drips its body")
DRIPS_HEADERS = pytest.param(Reply(drip=0.06, raw=HEADERS), id="drips its headers")
DRIPS_CHUNK = pytest.param(
    Reply(drip=0.06, headers=CHUNKS, body=b"40\r\n" + b" " * 64), id="drips a chunk"
)
DRIPS_REDIRECT = pytest.param(
    Reply(302, b" " * 50, {"Location": "/"}, drip=0.06), id="drips a redirect"
)
DRIPS_ERROR = pytest.param(Reply(500, b" " * 50, drip=0.06), id="drips an error")


@contextmanager
def in_time():
    began = time.monotonic()
    yield
    assert DEADLINE * 0.9 < time.monotonic() - began < TOO_LATE


@pytest.mark.parametrize("path", [TOKEN, MATCH], ids=["token", "match"])
@pytest.mark.parametrize(
    "reply",
    [SILENT, DRIPS_BODY, DRIPS_HEADERS, DRIPS_CHUNK, DRIPS_REDIRECT, DRIPS_ERROR],
)
def test_a_request_waits_no_longer_than_the_deadline(fake, ask, reply, path):
    fake.replies[path] = reply

    with in_time(), pytest.raises(OperatorTimeout):
        ask(deadline=DEADLINE)


def test_the_keys_are_fetched_within_the_same_deadline(fake, ask):
    fake.replies[JWKS] = Reply(drip=0.06, body={"keys": []} | TRUE)

    with in_time(), pytest.raises(OperatorTimeout):
        ask(deadline=DEADLINE)


def test_the_deadline_is_one_for_the_whole_leg(fake, ask):
    fake.delay = DEADLINE * 0.7  # each call in time, all of them together not

    with in_time(), pytest.raises(OperatorTimeout):
        ask(deadline=DEADLINE)


@pytest.mark.parametrize(
    "reply", [SILENT, DRIPS_BODY, DRIPS_CHUNK, DRIPS_REDIRECT, DRIPS_ERROR]
)
def test_the_thread_is_free_again_at_the_deadline(fake, read, reply):
    """Only dripped headers may hold it longer: nothing can be read between them."""
    fake.replies[TOKEN] = reply
    question = Question(Msisdn("+447700900123"), BACK, nonce=NONCE)

    with in_time(), pytest.raises(OperatorError):
        MobileConnect(read()).ask(Callback("code"), question, Deadline.after(DEADLINE))


def test_a_pause_longer_than_the_read_timeout_ends_the_leg_early(fake, ask):
    fake.replies[MATCH] = Reply(delay=3, body=TRUE)

    with in_time(), pytest.raises(OperatorTimeout):
        ask(deadline=60, read_timeout=DEADLINE)


def test_a_token_that_comes_too_late_is_not_used(fake, ask):
    answer = b'{"access_token":"t","token_type":"bearer","id_token":"%b"}'
    answer %= fake.id_token("t", NONCE).encode()
    fake.replies[TOKEN] = Reply(raw=HEADERS + answer, drip=0.001)

    with pytest.raises(OperatorTimeout):
        ask(deadline=DEADLINE)

    time.sleep(1.5)
    assert [call.path for call in fake.calls] == [TOKEN]


def test_who_waited_in_vain_for_a_thread_spends_no_code(fake, ask):
    fake.replies[TOKEN] = Reply(drip=0.02, raw=HEADERS)  # about a second

    with ThreadPoolExecutor(2) as pool, in_time():
        tries = [pool.submit(ask, threads=1, deadline=DEADLINE) for _ in range(2)]
        ended = {type(a_try.exception()) for a_try in tries}
    assert ended == {OperatorTimeout, OperatorBusy}

    time.sleep(1.2)
    assert [call.path for call in fake.calls] == [TOKEN]
