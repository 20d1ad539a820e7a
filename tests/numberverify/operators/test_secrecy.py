"""What must not be in any message: numbers, codes, tokens, secrets."""

import base64
import traceback

import pytest

from numberverify.errors import OperatorError
from numberverify.msisdn import Msisdn, sha256_hex
from numberverify.operators.base import Answer, Callback, OperatorToken, Question
from numberverify.operators.credentials import basic_credentials
from numberverify.operators.oidc import ClientToken, SubscriberToken
from tests.fake_operator import JWKS, MATCH, TOKEN, Reply
from tests.numberverify.operators.conftest import BACK, NONCE

NUMBER = Msisdn("+447700900123")
ACCESS_TOKEN = "an-access-token"
ECHO = {
    "error": "invalid_grant",
    "error_description": f"code {NUMBER.e164} {ACCESS_TOKEN} s3cret",
    "access_token": ACCESS_TOKEN,
}


@pytest.mark.parametrize("path", [TOKEN, MATCH, JWKS], ids=["token", "match", "keys"])
@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(400, ECHO), id="400"),
        pytest.param(Reply(500, ECHO), id="500"),
        pytest.param(Reply(302, ECHO, {"Location": "/?s3cret"}), id="302"),
        pytest.param(Reply(body=ECHO), id="another object"),
        pytest.param(Reply(body=[ECHO]), id="list"),
        pytest.param(Reply(body=b"an-access-token s3cret"), id="text"),
        pytest.param(Reply(body=b"an-access-token s3cret \xff"), id="not UTF-8"),
        pytest.param(Reply(body=b'{"s3cret":1,"s3cret":2}'), id="doubled key"),
        pytest.param(Reply(body=b'{"s3cret":1} an-access-token'), id="junk"),
        pytest.param(Reply(raw=b"s3cret an-access-token\r\n\r\n"), id="no HTTP"),
        pytest.param(Reply(raw=b"HTTP/1.1 s3cret\r\n\r\n"), id="no status"),
        pytest.param(Reply(body=ECHO, cut=True), id="cut"),
    ],
)
def test_no_error_quotes_what_was_sent_or_answered(fake, ask, reply, path):
    fake.tokens = {"access_token": ACCESS_TOKEN}
    fake.claims = {"at_hash": None}
    fake.replies[path] = reply

    with pytest.raises(OperatorError) as caught:
        ask()

    assert_nothing_private_in(fake, caught.value)


@pytest.mark.parametrize("name", ["nonce", "sub", "iss", "aud", "azp", "acr"])
def test_no_error_quotes_a_claim(fake, ask, name):
    fake.claims = {name: ECHO["error_description"]}

    with pytest.raises(OperatorError) as caught:
        ask()

    assert_nothing_private_in(fake, caught.value)


def test_no_error_quotes_the_redirect(fake, ask):
    with pytest.raises(OperatorError) as caught:
        ask(brought={"error": ECHO["error_description"]})

    assert_nothing_private_in(fake, caught.value)


def assert_nothing_private_in(fake, error: OperatorError) -> None:
    # What a log shows of it: the whole chain, and what a debugger shows first.
    shown = "".join(traceback.format_exception(error)) + repr(error)
    (code,) = fake.nonces
    private = ["7700900123", sha256_hex(NUMBER), code, ACCESS_TOKEN, "s3cret", NONCE]
    assert not [word for word in private if word in shown]


def test_what_carries_secrets_does_not_show_them(read):
    settings = read(proxy="http://user:proxy-s3cret@127.0.0.1:3128")
    carried = [
        settings,
        Callback(code="the-code"),
        Question(NUMBER, BACK, nonce=NONCE, code_verifier="the-verifier"),
        SubscriberToken("the-token", "the-id-token"),
        ClientToken("the-token"),
        OperatorToken("the-operator-token"),
        Answer(True, "pcr-1"),
    ]

    shown = f"{carried!r} {carried} {[str(each) for each in carried]}"

    private = ["s3cret", "7700900123", NONCE, "the-", basic_credentials(settings)]
    assert not [word for word in private if word in shown]
    assert base64.b64decode(basic_credentials(settings))
