"""Whatever is exchanged for a token: which answers of the endpoint are believed."""

from datetime import date

import pytest

from numberverify.errors import (
    MalformedAnswer,
    OperatorError,
    OperatorRefused,
    OperatorUnreachable,
)
from numberverify.msisdn import Msisdn
from numberverify.operators import siblings
from numberverify.operators.base import OperatorToken
from tests.fake_camara import DISCOVERY, TOKEN
from tests.fake_operator import Reply

NUMBER = Msisdn("+447700900123")
FULL = {"access_token": "t", "token_type": "Bearer", "id_token": "a.b.c"}


@pytest.fixture(params=["code", "SIM", "ours"])
def buy(request, ask, camara, within):
    """Buy a token by each of the grants, and use it."""

    def with_ours() -> None:
        since = date(2026, 2, 1)
        siblings.number_recycled(camara, NUMBER, since=since, within=within)

    grants = {
        "code": ask,
        "SIM": lambda: ask(brought=OperatorToken("an-operator-token")),
        "ours": with_ours,
    }
    return grants[request.param]


def asked_after_the_token(fake) -> list[str]:
    return [call.path for call in fake.calls if call.path not in (DISCOVERY, TOKEN)]


@pytest.mark.parametrize(
    "tokens",
    [
        pytest.param({"access_token": None}, id="no access token"),
        pytest.param({"access_token": ""}, id="empty"),
        pytest.param({"access_token": 5}, id="number"),
        pytest.param({"access_token": ["t"]}, id="list"),
        pytest.param({"access_token": "a b"}, id="space"),
        pytest.param({"access_token": "a\r\nHost: evil"}, id="CR LF"),
        pytest.param({"access_token": "ab\n"}, id="LF last"),
        pytest.param({"access_token": "é"}, id="not ASCII"),
        pytest.param({"token_type": None}, id="no type"),
        pytest.param({"token_type": "DPoP"}, id="DPoP"),
        pytest.param({"token_type": "mac"}, id="mac"),
        pytest.param({"token_type": ["Bearer"]}, id="type a list"),
    ],
)
def test_what_is_no_bearer_token_is_not_used(fake, buy, tokens):
    fake.claims = {"at_hash": None}
    fake.tokens = tokens

    with pytest.raises(MalformedAnswer):
        buy()
    assert not asked_after_the_token(fake)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        pytest.param(Reply(body=b""), MalformedAnswer, id="empty"),
        pytest.param(Reply(body=[FULL]), MalformedAnswer, id="list"),
        pytest.param(Reply(body=b"access_token=t"), MalformedAnswer, id="form"),
        pytest.param(Reply(body=FULL, cut=True), OperatorUnreachable, id="cut"),
        pytest.param(Reply(201, FULL), OperatorRefused, id="201"),
        pytest.param(Reply(400, FULL), OperatorRefused, id="400 with a token"),
        pytest.param(
            Reply(401, {"error": "invalid_client"}), OperatorRefused, id="401"
        ),
        pytest.param(Reply(302, FULL, {"Location": "/"}), OperatorRefused, id="302"),
        pytest.param(Reply(503, FULL), OperatorUnreachable, id="503"),
    ],
)
def test_any_other_answer_ends_it(fake, buy, reply, error):
    fake.replies[TOKEN] = reply

    with pytest.raises(OperatorError) as caught:
        buy()
    assert type(caught.value) is error
    assert not asked_after_the_token(fake)


@pytest.mark.parametrize("kind", ["bearer", "Bearer", "BEARER"])
def test_the_type_is_written_in_any_case(fake, buy, kind):
    fake.tokens = {"token_type": kind, "refresh_token": "r", "expires_in": "soon"}

    buy()

    assert asked_after_the_token(fake)
    assert not [call for call in fake.calls if "refresh" in call.body.decode()]
