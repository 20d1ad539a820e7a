from collections.abc import Callable, Iterator

import pytest

from numberverify.msisdn import Msisdn
from numberverify.operators.base import Answer, Callback, OperatorSettings, Question
from numberverify.operators.registry import line_to, lines, read_tables
from tests.fake_operator import FakeOperator

BACK = "https://shop.example/verify/callback/fake/"
STATE = "a-state"
NONCE = "a-nonce-of-ours"


@pytest.fixture
def fake() -> Iterator[FakeOperator]:
    fake = FakeOperator()
    yield fake
    fake.close()


@pytest.fixture
def read(fake: FakeOperator) -> Callable[..., OperatorSettings]:
    """Read the operator's table, with changes (None takes a key away)."""
    return lambda **changes: read_tables({"fake": fake.table(**changes)})["fake"]


@pytest.fixture
def ask(fake: FakeOperator, read) -> Iterator[Callable[..., Answer]]:
    """Send a device to the operator, then ask with what it brings back.

    `brought` is laid over what the device brings; the rest changes the table.
    """
    used = {}

    def ask(number="+447700900123", brought=None, **changes) -> Answer:
        settings = read(**changes)
        line = used[settings] = line_to(settings)
        question = Question(Msisdn(number), BACK, nonce=NONCE)
        url = line.operator.authorization_url(question, state=STATE)
        code = fake.authorize(url)["code"]
        return line.ask(Callback(**{"code": code, **(brought or {})}), question)

    yield ask
    for line in used.values():
        line.threads.shutdown(wait=False, cancel_futures=True)
        line.operator.http.session.close()
    lines.clear()  # the next operator may get the same port
