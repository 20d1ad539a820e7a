"""What the token endpoint may answer, and what of it is believed."""

import pytest

from numberverify.errors import (
    BadIdToken,
    MalformedAnswer,
    OperatorRefused,
    OperatorUnreachable,
)
from tests.fake_operator import MATCH, TOKEN, Reply


@pytest.mark.parametrize(
    "tokens",
    [
        pytest.param({"access_token": None}, id="no access token"),
        pytest.param({"access_token": ""}, id="empty"),
        pytest.param({"access_token": 5}, id="number"),
        pytest.param({"access_token": True}, id="true"),
        pytest.param({"access_token": ["t"]}, id="list"),
        pytest.param({"access_token": "a b"}, id="space"),
        pytest.param({"access_token": " ab"}, id="space first"),
        pytest.param({"access_token": "ab\n"}, id="LF last"),
        pytest.param({"access_token": "a\r\nHost: evil"}, id="CR LF"),
        pytest.param({"access_token": "a\0b"}, id="NUL"),
        pytest.param({"access_token": "a\tb"}, id="tab"),
        pytest.param({"access_token": "é"}, id="not ASCII"),
        pytest.param({"access_token": "１２３"}, id="full-width"),
        pytest.param({"access_token": "\ud800"}, id="half a character"),
        pytest.param({"access_token": "a,b"}, id="comma"),
        pytest.param({"access_token": "a=b"}, id="padding inside"),
        pytest.param({"access_token": "=="}, id="padding alone"),
        pytest.param({"token_type": None}, id="no type"),
        pytest.param({"token_type": ""}, id="empty type"),
        pytest.param({"token_type": "mac"}, id="mac"),
        pytest.param({"token_type": "DPoP"}, id="DPoP"),
        pytest.param({"token_type": "bearer "}, id="type with a space"),
        pytest.param({"token_type": ["bearer"]}, id="type a list"),
        pytest.param({"id_token": None}, id="no ID token"),
        pytest.param({"id_token": ""}, id="empty ID token"),
        pytest.param({"id_token": {"sub": "pcr-1"}}, id="ID token an object"),
    ],
)
def test_a_token_that_cannot_be_used_is_no_answer(fake, ask, tokens):
    fake.tokens = tokens
    # Else a changed access token would be refused for its hash.
    fake.claims = {"at_hash": None}

    with pytest.raises(MalformedAnswer):
        ask()
    assert not fake.calls_to(MATCH)


@pytest.mark.parametrize(
    "access_token",
    ["t", "abc-._~+/123", "padded==", "x" * 20_000],
    ids=["short", "each sign", "padded", "long"],
)
def test_any_bearer_token_will_do(fake, ask, access_token):
    fake.tokens = {"access_token": access_token}

    fake.claims = {"at_hash": None}

    assert ask().matched
    (call,) = fake.calls_to(MATCH)
    assert call.headers["Authorization"] == f"Bearer {access_token}"


@pytest.mark.parametrize("token_type", ["bearer", "Bearer", "BEARER"])
def test_the_type_is_written_in_any_case(fake, ask, token_type):
    fake.tokens = {"token_type": token_type}

    assert ask().matched


@pytest.mark.parametrize(
    "tokens",
    [
        pytest.param({"expires_in": None}, id="no life"),
        pytest.param({"expires_in": "soon"}, id="odd life"),
        pytest.param({"refresh_token": "r", "scope": "openid"}, id="more"),
        pytest.param({"scope": ""}, id="empty scope"),
        pytest.param({"scope": ["openid"]}, id="scope a list"),
    ],
)
def test_what_we_do_not_use_does_not_disturb(fake, ask, tokens):
    fake.tokens = tokens

    assert ask().matched


@pytest.mark.parametrize(
    "id_token",
    [
        pytest.param("x", id="word"),
        pytest.param("a.b", id="two parts"),
        pytest.param("a.b.c", id="three letters"),
        pytest.param("..", id="dots"),
        pytest.param("a.b.c.d.e", id="encrypted"),
        pytest.param("é.b.c", id="not ASCII"),
        pytest.param("W10.W10.W10", id="lists"),
        pytest.param("bnVsbA.bnVsbA.bnVsbA", id="nulls"),
        pytest.param("e30.e30.e30", id="empty objects"),
        pytest.param("W1tb" * 9000 + ".e30.e30", id="deep header"),
    ],
)
@pytest.mark.parametrize("jwks", [True, False], ids=["keys", "no keys"])
def test_an_id_token_of_another_shape_is_refused(fake, ask, id_token, jwks):
    fake.tokens = {"id_token": id_token}

    with pytest.raises(BadIdToken):
        ask(**({} if jwks else {"jwks_uri": None}))
    assert not fake.calls_to(MATCH)


FULL = {"access_token": "t", "token_type": "bearer", "id_token": "a.b.c"}


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        pytest.param(Reply(body=b""), MalformedAnswer, id="empty"),
        pytest.param(Reply(body=b"<html>Sign in</html>"), MalformedAnswer, id="HTML"),
        pytest.param(Reply(body=[FULL]), MalformedAnswer, id="list"),
        pytest.param(Reply(body="token"), MalformedAnswer, id="text"),
        pytest.param(
            Reply(body=b"access_token=t&token_type=bearer"), MalformedAnswer, id="form"
        ),
        pytest.param(Reply(body=b" " * 30_000_000), MalformedAnswer, id="30 MB"),
        pytest.param(Reply(body=FULL, cut=True), OperatorUnreachable, id="cut"),
        pytest.param(Reply(201, FULL), OperatorRefused, id="201"),
        pytest.param(Reply(204), OperatorRefused, id="204"),
        pytest.param(Reply(400, {"error": "invalid_grant"}), OperatorRefused, id="400"),
        pytest.param(
            Reply(401, {"error": "invalid_client"}), OperatorRefused, id="401"
        ),
        pytest.param(Reply(400, FULL), OperatorRefused, id="400 with a token"),
        pytest.param(Reply(429), OperatorRefused, id="429"),
        pytest.param(Reply(500, FULL), OperatorUnreachable, id="500"),
        pytest.param(Reply(503), OperatorUnreachable, id="503"),
    ],
)
def test_any_other_answer_ends_the_leg(fake, ask, reply, error):
    fake.replies[TOKEN] = reply

    with pytest.raises(error):
        ask()
    assert [call.path for call in fake.calls] == [TOKEN]


def test_a_code_of_nobody_is_refused(ask):
    with pytest.raises(OperatorRefused):
        ask(brought={"code": "made-up"})
