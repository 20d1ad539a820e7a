"""What must not be in any message: numbers, codes, tokens, assertions, keys."""

import logging
import traceback
from datetime import date

import pytest

from numberverify.errors import NumberVerifyError, OperatorError, OperatorTokenRefused
from numberverify.msisdn import Msisdn, sha256_hex
from numberverify.operators import siblings
from numberverify.operators.base import OperatorToken
from numberverify.operators.camara import Camara
from numberverify.operators.oidc import client_token
from tests.fake_camara import (
    CLIENT_KEY,
    CODE,
    DISCOVERY,
    JWKS,
    RECYCLING,
    SEND_CODE,
    SIM_SWAP,
    TOKEN,
    VALIDATE_CODE,
    VERIFY,
)
from tests.fake_operator import Reply
from tests.numberverify.operators.conftest import NONCE, VERIFIER

NUMBER = Msisdn("+447700900123")
ACCESS_TOKEN = "an-access-token"
OF_SIM = "an-operator-token"
PEM = CLIENT_KEY.as_pem(private=True).decode()
KEY_LINES = [*PEM.splitlines()[1:-1], CLIENT_KEY.as_dict(private=True)["d"]]
ECHO = {
    "error": "invalid_grant",
    "code": f"{NUMBER.e164} {ACCESS_TOKEN}",
    "message": f"{NUMBER.e164} {ACCESS_TOKEN} {OF_SIM} {CODE} s3cret",
    "issuer": f"https://{ACCESS_TOKEN}.example/s3cret",
    "token_endpoint": f"https://{ACCESS_TOKEN}:s3cret@a.example",
    "access_token": f"{ACCESS_TOKEN} ",
}
REPLIES = [
    pytest.param(Reply(400, ECHO), id="400"),
    pytest.param(Reply(403, ECHO), id="403"),
    pytest.param(Reply(500, ECHO), id="500"),
    pytest.param(Reply(302, ECHO, {"Location": "/?s3cret"}), id="302"),
    pytest.param(Reply(body=ECHO), id="another object"),
    pytest.param(Reply(body=[ECHO]), id="list"),
    pytest.param(Reply(body=b"an-access-token s3cret \xff"), id="not UTF-8"),
    pytest.param(Reply(body=b'{"s3cret":1,"s3cret":2}'), id="doubled key"),
    pytest.param(Reply(raw=b"HTTP/1.1 s3cret an-access-token\r\n\r\n"), id="no HTTP"),
    pytest.param(Reply(body=ECHO, cut=True), id="cut"),
]


def assert_nothing_private_in(fake, shown: str) -> None:
    sent = [
        value
        for call in fake.calls_to(TOKEN)
        for name, value in call.form.items()
        if name in ("assertion", "client_assertion", "code")
    ]
    private = ["7700900123", sha256_hex(NUMBER), ACCESS_TOKEN, OF_SIM, "s3cret", NONCE]
    private += [VERIFIER, CODE, *KEY_LINES, *sent, *fake.nonces]
    assert not [word for word in private if word in shown]


def shown_of(error: BaseException) -> str:
    """What a log shows of it: the whole chain, and what a debugger shows first."""
    return "".join(traceback.format_exception(error)) + repr(error) + str(vars(error))


@pytest.mark.parametrize("reply", REPLIES)
@pytest.mark.parametrize(
    ("brought", "path"),
    [
        *[(None, path) for path in (DISCOVERY, TOKEN, JWKS, VERIFY)],
        *[(OperatorToken(OF_SIM), path) for path in (DISCOVERY, TOKEN, VERIFY)],
    ],
)
def test_no_error_quotes_what_was_sent_or_answered(fake, ask, brought, path, reply):
    fake.tokens = {"access_token": ACCESS_TOKEN}
    fake.claims = {"at_hash": None}
    fake.replies[path] = reply

    with pytest.raises(OperatorError) as caught:
        ask(brought=brought)

    assert_nothing_private_in(fake, shown_of(caught.value))


@pytest.mark.parametrize("reply", REPLIES)
@pytest.mark.parametrize("at", ["token", "API"])
@pytest.mark.parametrize(
    ("path", "call"),
    [
        (SEND_CODE, lambda c, w: siblings.send_code(c, NUMBER, "{{code}}", w)),
        (VALIDATE_CODE, lambda c, w: siblings.validate_code(c, "ref-1", CODE, w)),
        (SIM_SWAP, lambda c, w: siblings.sim_swapped(c, NUMBER, hours=9, within=w)),
        (
            RECYCLING,
            lambda c, w: siblings.number_recycled(
                c, NUMBER, since=date(2026, 2, 1), within=w
            ),
        ),
    ],
    ids=["send", "validate", "swap", "recycling"],
)
def test_nor_does_one_of_its_neighbours(fake, camara, within, path, call, at, reply):
    fake.tokens = {"access_token": ACCESS_TOKEN}
    fake.replies[TOKEN if at == "token" else path] = reply

    with pytest.raises(NumberVerifyError) as caught:
        call(camara, within)

    assert_nothing_private_in(fake, shown_of(caught.value))


@pytest.mark.parametrize("name", ["nonce", "sub", "iss", "aud", "azp", "amr"])
def test_no_error_quotes_a_claim(fake, ask, name):
    fake.claims = {name: [ECHO["message"]]}

    with pytest.raises(OperatorError) as caught:
        ask()

    assert_nothing_private_in(fake, shown_of(caught.value))


def test_no_error_quotes_what_an_app_brought():
    with pytest.raises(OperatorTokenRefused) as caught:
        OperatorToken("tel:+447700900123 s3cret")

    # The traceback shows the line of this test, with the token in it.
    shown = repr(caught.value) + str(caught.value) + repr(caught.value.args)
    assert "7700900123" not in shown
    assert "s3cret" not in shown


def test_what_carries_secrets_does_not_show_them(fake, read, within, ask):
    settings = read(proxy="http://user:s3cret@127.0.0.1:3128", client_secret="s3cret")
    camara = Camara(read())
    found = camara.provider.metadata(within)
    ours = client_token(camara.http, camara.settings, found.token_endpoint, "x", within)
    carried = [
        settings,
        read(),
        OperatorToken(OF_SIM),
        ours,
        found,
        camara,
        camara.provider,
        camara.http,
    ]

    shown = f"{carried!r} {carried} {[str(each) for each in carried]}"

    assert ours.access_token
    assert ours.access_token not in shown
    assert_nothing_private_in(fake, shown)


def test_nothing_is_logged(fake, ask, caplog):
    """Not by urllib3 either, above what its debug level says of addresses."""
    with caplog.at_level(logging.DEBUG):
        ask()
        ask(brought=OperatorToken(OF_SIM))

    assert_nothing_private_in(fake, caplog.text)
