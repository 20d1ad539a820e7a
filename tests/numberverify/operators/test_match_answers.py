"""Only a literal JSON true, in a 200, about the same subscriber, is a match."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from numberverify.errors import (
    MalformedAnswer,
    OperatorError,
    OperatorRefused,
    OperatorUnreachable,
    SubjectMismatch,
)
from tests.fake_operator import MATCH, Reply

TRUE = {"sub": "pcr-1", "device_msisdn_verified": True}
SAYS_TRUE = json.dumps(TRUE).encode()


def verified(value):
    return {"sub": "pcr-1", "device_msisdn_verified": value}


def with_sub(value):
    return {"sub": value, "device_msisdn_verified": True}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(verified("true"), id="text true"),
        pytest.param(verified("false"), id="text false"),
        pytest.param(verified(""), id="empty text"),
        pytest.param(verified(1), id="one"),
        pytest.param(verified(0), id="zero"),
        pytest.param(verified(1.0), id="one point nought"),
        pytest.param(verified(None), id="null"),
        pytest.param(verified([True]), id="list of true"),
        pytest.param(verified({"value": True}), id="object"),
        pytest.param({"sub": "pcr-1"}, id="missing"),
        pytest.param({"sub": "pcr-1", "devicePhoneNumberVerified": True}, id="CAMARA"),
        pytest.param({"sub": "pcr-1", "verified": True}, id="another name"),
        pytest.param({"mc_claims": TRUE}, id="one level down"),
        pytest.param(True, id="true alone"),
        pytest.param(None, id="null alone"),
        pytest.param([TRUE], id="list"),
        pytest.param("true", id="text alone"),
        pytest.param({}, id="empty object"),
        pytest.param(b"", id="empty"),
        pytest.param(b"   ", id="blank"),
        pytest.param(b"<html><body>true</body></html>", id="HTML"),
        pytest.param(SAYS_TRUE + b"}", id="trailing junk"),
        pytest.param(SAYS_TRUE + SAYS_TRUE, id="twice"),
        pytest.param(SAYS_TRUE[:-1], id="not closed"),
        pytest.param(SAYS_TRUE.replace(b"true", b"True"), id="Python"),
        pytest.param(SAYS_TRUE.replace(b'"', b"'"), id="single quotes"),
        pytest.param(b"callback(" + SAYS_TRUE + b")", id="JSONP"),
        pytest.param(SAYS_TRUE[:-1] + b",}", id="trailing comma"),
        pytest.param(
            SAYS_TRUE[:-1] + b',"device_msisdn_verified":false}', id="doubled key"
        ),
        pytest.param(SAYS_TRUE[:-1] + b',"sub":"pcr-2"}', id="doubled sub"),
        pytest.param(SAYS_TRUE[:-1] + b',"a":{"b":1,"b":2}}', id="doubled deep down"),
        pytest.param(SAYS_TRUE[:-1] + b',"a":NaN}', id="NaN"),
        pytest.param(SAYS_TRUE[:-1] + b',"a":-Infinity}', id="Infinity"),
        pytest.param(
            SAYS_TRUE[:-1] + b',"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
            id="deep nesting",
        ),
        pytest.param(SAYS_TRUE[:-1] + b',"a":' + b"9" * 9000 + b"}", id="huge number"),
        pytest.param(json.dumps(TRUE).encode("utf-16"), id="UTF-16"),
        pytest.param(json.dumps(TRUE).encode("utf-32"), id="UTF-32"),
        pytest.param(b"\xef\xbb\xbf" + SAYS_TRUE, id="byte order mark"),
        pytest.param(SAYS_TRUE[:-1] + b',"a":"\xff"}', id="not UTF-8"),
        pytest.param(SAYS_TRUE + b" " * 70 * 1024, id="70 KiB"),
        pytest.param(b"x" * 5_000_000, id="5 MB"),
        pytest.param(with_sub(None), id="sub null"),
        pytest.param(with_sub(""), id="sub empty"),
        pytest.param(with_sub(1), id="sub a number"),
        pytest.param(with_sub(["pcr-1"]), id="sub a list"),
        pytest.param(with_sub("pcr\0-1"), id="sub with a NUL"),
        pytest.param(with_sub("\ud800"), id="sub half a character"),
        pytest.param({"device_msisdn_verified": True}, id="sub missing"),
    ],
)
def test_an_answer_that_is_not_exactly_true_or_false_is_none(fake, ask, body):
    fake.replies[MATCH] = Reply(body=body)

    with pytest.raises(MalformedAnswer):
        ask()


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param("pcr-2", id="other"),
        pytest.param("PCR-1", id="other case"),
        pytest.param("pcr-1 ", id="longer"),
        pytest.param("pcr-1\u0301", id="accent"),
    ],
)
@pytest.mark.parametrize("matched", [True, False])
def test_an_answer_about_another_subscriber_is_none(fake, ask, subject, matched):
    body = {"sub": subject, "device_msisdn_verified": matched}
    fake.replies[MATCH] = Reply(body=body)

    with pytest.raises(SubjectMismatch):
        ask()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (201, OperatorRefused),
        (202, OperatorRefused),
        (204, OperatorRefused),
        (206, OperatorRefused),
        (302, OperatorRefused),
        (304, OperatorRefused),
        (400, OperatorRefused),
        (401, OperatorRefused),
        (403, OperatorRefused),
        (404, OperatorRefused),
        (429, OperatorRefused),
        (500, OperatorUnreachable),
        (503, OperatorUnreachable),
        (599, OperatorUnreachable),
        (999, OperatorUnreachable),
    ],
)
@pytest.mark.parametrize("matched", [True, False])
def test_true_and_false_count_with_status_200_alone(fake, ask, status, error, matched):
    fake.replies[MATCH] = Reply(status, verified(matched))

    with pytest.raises(error):
        ask()


@pytest.mark.parametrize("matched", [True, False])
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Content-Type": "text/html"}, id="called HTML"),
        pytest.param({"Content-Encoding": "gzip"}, id="called gzip"),
        pytest.param({"X": "\xff"}, id="header of Latin-1"),
    ],
)
def test_headers_make_no_difference(fake, ask, headers, matched):
    fake.replies[MATCH] = Reply(body=verified(matched), headers=headers)

    assert ask().matched is matched


WORDS = st.sampled_from(["sub", "pcr-1", "device_msisdn_verified", "true", ""])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | WORDS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(), inner)
    ),
    max_leaves=8,
)
ANSWERS = st.fixed_dictionaries(
    {"sub": st.just("pcr-1"), "device_msisdn_verified": JSON}
)


@given(body=JSON | ANSWERS | st.binary())
def test_whatever_else_an_operator_says_is_no_match(fake, ask, body):
    said = body.get("device_msisdn_verified") if isinstance(body, dict) else None
    assume(not isinstance(said, bool))
    fake.replies[MATCH] = Reply(body=body)

    with pytest.raises(OperatorError):
        ask()


def test_more_than_was_asked_does_not_disturb(fake, ask):
    extra = {
        "correlation_id": "x",
        "note": "é\u0000",
        "nested": {"a": [1, 2.5e3, None]},
    }
    fake.replies[MATCH] = Reply(body=TRUE | extra)

    assert ask().matched is True


def test_a_body_of_64_kib_is_still_read(fake, ask):
    fake.replies[MATCH] = Reply(body=SAYS_TRUE.ljust(64 * 1024))

    assert ask().matched is True


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
LENGTH = b"Content-Length: %d\r\n\r\n" % len(SAYS_TRUE)
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
ONE_CHUNK = b"%x\r\n%b\r\n" % (len(SAYS_TRUE), SAYS_TRUE)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(HEAD + LENGTH + SAYS_TRUE, id="length"),
        pytest.param(HEAD + b"\r\n" + SAYS_TRUE, id="up to the end"),
        pytest.param(CHUNKED + ONE_CHUNK + b"0\r\n\r\n", id="chunks"),
        pytest.param(CHUNKED + ONE_CHUNK + b"0\r\nA: b\r\n\r\n", id="trailers"),
        pytest.param(
            b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + LENGTH + SAYS_TRUE, id="continue"
        ),
    ],
)
def test_each_way_to_send_a_body_is_understood(fake, ask, raw):
    fake.replies[MATCH] = Reply(raw=raw)

    assert ask().matched is True


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(SAYS_TRUE, id="no HTTP"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n", id="another protocol"),
        pytest.param(bytes(range(256)) * 9, id="noise"),
        pytest.param(b"HTTP/1.1 OK\r\n\r\n" + SAYS_TRUE, id="no status"),
        pytest.param(b"HTTP/1.1 20 OK\r\n\r\n" + SAYS_TRUE, id="short status"),
        pytest.param(b"HTTP/1.1 2000 OK\r\n\r\n" + SAYS_TRUE, id="long status"),
        pytest.param(b"HTTP/1.1 101 Go\r\n\r\n" + SAYS_TRUE, id="upgrade"),
        pytest.param(HEAD + b"Content-Length: 99\r\n\r\n" + SAYS_TRUE, id="cut"),
        pytest.param(HEAD + b"Content-Length: 7\r\n\r\n" + SAYS_TRUE, id="short"),
        pytest.param(HEAD + b"Content-Length: 7, 45\r\n\r\n" + SAYS_TRUE, id="two"),
        pytest.param(CHUNKED + ONE_CHUNK, id="no last chunk"),
        pytest.param(CHUNKED + ONE_CHUNK[:-9], id="cut in a chunk"),
        pytest.param(CHUNKED + b"zz\r\n" + SAYS_TRUE, id="chunk of no size"),
        pytest.param(HEAD + b"A: b\r\n" * 200 + LENGTH + SAYS_TRUE, id="200 headers"),
        pytest.param(
            HEAD + b"A: " + b"b" * 70_000 + b"\r\n" + LENGTH + SAYS_TRUE,
            id="huge header",
        ),
    ],
)
def test_broken_http_is_no_answer(fake, ask, raw):
    fake.replies[MATCH] = Reply(raw=raw)

    with pytest.raises(OperatorError):
        ask()
