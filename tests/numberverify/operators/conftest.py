from collections.abc import Callable, Iterator

import pytest

from numberverify.msisdn import Msisdn
from numberverify.operators.base import (
    Answer,
    Callback,
    OperatorSettings,
    OperatorToken,
    Question,
)
from numberverify.operators.registry import line_to, lines
from numberverify.operators.tables import read_tables
from tests.fake_operator import FakeOperator

BACK = "https://shop.example/verify/callback/fake/"
STATE = "a-state"
NONCE = "a-nonce-of-ours"
VERIFIER = "a-code-verifier-of-ours-that-is-long-enough-to-be-one"


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

    `brought` is laid over what the device brings, or is an operator token; the rest
    changes the table.
    """
    used = {}

    def ask(number="+447700900123", brought=None, **changes) -> Answer:
        settings = read(**changes)
        line = used[settings] = line_to(settings)
        question = Question(Msisdn(number), BACK, NONCE, VERIFIER, correlator="c-1")
        if isinstance(brought, OperatorToken):
            return line.ask(brought, question)
        line.prepare()
        url = line.operator.authorization_url(question, state=STATE)
        back = {k: v for k, v in fake.authorize(url).items() if k != "state"}
        return line.ask(Callback(**back | (brought or {})), question)

    yield ask
    for line in used.values():
        line.threads.shutdown(wait=False, cancel_futures=True)
        line.operator.http.session.close()
    lines.clear()  # the next operator may get the same port
