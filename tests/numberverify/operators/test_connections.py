"""How we reach operators: kept-alive, straight, and without what the machine adds."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from ssl import SSLContext

import certifi
import pytest

from numberverify.errors import OperatorError, OperatorRefused, OperatorUnreachable
from numberverify.msisdn import Msisdn
from numberverify.operators.base import Callback, Question
from numberverify.operators.registry import Line
from tests.fake_operator import JWKS, MATCH, TOKEN, Reply
from tests.numberverify.operators.conftest import (
    BACK,
    NONCE,
    over_tls,
    written_certificate,
)

QUESTION = Question(Msisdn("+447700900123"), BACK, nonce=NONCE)
TRUE = {"sub": "pcr-1", "device_msisdn_verified": True}


@pytest.fixture
def nobody() -> str:
    """The address of a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def test_twenty_verifications_use_one_connection(fake, ask):
    for _ in range(20):
        assert ask().matched

    assert len(fake.calls) == 41
    assert len({call.connection for call in fake.calls}) == 1


def test_a_connection_that_was_half_read_serves_no_more(fake, ask):
    fake.replies[MATCH] = Reply(body=b" " * 200_000)
    with pytest.raises(OperatorError):
        ask()
    del fake.replies[MATCH]

    assert ask().matched
    ports = [call.connection for call in fake.calls]
    assert ports[2] == ports[0]
    assert ports[3] != ports[0]


def test_an_operator_that_hung_up_in_between_is_asked_anew(fake, ask):
    fake.replies[MATCH] = Reply(body=TRUE, headers={"Connection": "close"})

    assert ask().matched
    assert ask().matched


def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next(fake, ask):
    """Two answers to one call: the second must not serve the next verification."""
    body = b'{"sub":"pcr-1","device_msisdn_verified":true}'
    one = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    fake.replies[MATCH] = Reply(raw=one + one)
    assert ask().matched
    del fake.replies[MATCH]

    # The fake hung up as well; whether that is seen in time is a matter of chance.
    with suppress(OperatorUnreachable):
        assert ask(number="+447700900907").matched is False


@pytest.mark.parametrize("path", [TOKEN, MATCH, JWKS], ids=["token", "match", "keys"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(fake, ask, status, path):
    fake.replies[path] = Reply(status, headers={"Location": "/elsewhere"})
    fake.replies["/elsewhere"] = Reply(body=TRUE)

    with pytest.raises(OperatorRefused):
        ask()
    assert not fake.calls_to("/elsewhere")


@pytest.mark.parametrize(
    "location",
    [
        pytest.param(b"http://[", id="no address"),
        pytest.param(b"/\xff\xfe", id="not UTF-8"),
        pytest.param(b"", id="empty"),
        pytest.param(b"mailto:somebody", id="no web address"),
        pytest.param(b"http://a:b:c@:99999/", id="no port"),
    ],
)
def test_where_a_redirect_points_makes_no_difference(fake, ask, location):
    head = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: %b\r\n\r\n"
    fake.replies[TOKEN] = Reply(raw=head % location)

    with pytest.raises(OperatorRefused):
        ask()


def test_cookies_are_never_sent_back(fake, ask):
    fake.headers = {"Set-Cookie": "session=1; Path=/"}

    assert ask().matched
    assert ask().matched

    assert len(fake.calls) == 5
    assert not [call for call in fake.calls if "Cookie" in call.headers]


def test_what_is_sent_says_that_json_is_wanted_and_not_packed(fake, ask):
    ask()

    for call in fake.calls:
        assert call.headers["Accept"] == "application/json"
        assert call.headers["Accept-Encoding"] == "identity"


def test_proxies_and_passwords_of_the_machine_are_ignored(
    fake, ask, nobody, monkeypatch, tmp_path
):
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, nobody)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login machine password of-the-machine")
    monkeypatch.setenv("NETRC", str(netrc))

    assert ask().matched
    (keys,) = fake.calls_to(JWKS)
    assert "Authorization" not in keys.headers


def test_the_proxy_of_the_table_is_used(fake, ask, nobody):
    ask_there = {"base_url": nobody, "jwks_uri": None, "issuer": fake.base_url}

    assert ask(proxy=fake.base_url, **ask_there).matched
    assert fake.calls[0].path == nobody + TOKEN


def test_where_nobody_listens_is_unreachable(read, nobody):
    with pytest.raises(OperatorUnreachable):
        Line(read(base_url=nobody)).ask(Callback("code"), QUESTION)


def test_a_host_that_does_not_exist_is_unreachable(read):
    with pytest.raises(OperatorUnreachable):
        Line(read(base_url="https://operator.invalid")).ask(Callback("code"), QUESTION)


def test_who_does_not_speak_tls_is_unreachable_under_https(fake, read):
    plain = fake.base_url.replace("http:", "https:")

    with pytest.raises(OperatorUnreachable):
        Line(read(base_url=plain)).ask(Callback("code"), QUESTION)
    assert not fake.calls


def test_a_proxy_must_be_vouched_for_too(fake, read, nobody, certificate, monkeypatch):
    over_tls(fake, certificate)
    table = {"base_url": nobody, "jwks_uri": None, "proxy": fake.base_url}

    with pytest.raises(OperatorUnreachable):
        Line(read(**table)).ask(Callback("code"), QUESTION)
    assert not fake.calls

    monkeypatch.setattr(certifi, "where", lambda: certificate)
    with pytest.raises(OperatorRefused):
        Line(read(**table)).ask(Callback("code"), QUESTION)


@pytest.mark.parametrize("step", ["load_verify_locations", "set_alpn_protocols"])
def test_all_connections_have_one_context_that_nothing_changes(
    fake, read, certificate, monkeypatch, step
):
    """To read the authorities takes long; to set the protocols frees what another
    thread may be copying."""
    over_tls(fake, certificate)
    fake.headers["Connection"] = "close"
    monkeypatch.setattr(certifi, "where", lambda: certificate)
    taken = []
    take = getattr(SSLContext, step)
    monkeypatch.setattr(
        SSLContext,
        step,
        lambda *args, **more: taken.append(args) or take(*args, **more),
    )
    lines = [Line(read()) for _ in range(6)]

    def refused(line):
        with pytest.raises(OperatorRefused):
            line.ask(Callback("code"), QUESTION)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(refused, lines * 3))

    assert len(fake.calls) == 18
    assert len(taken) == 1


def test_the_common_name_of_a_certificate_counts_for_nothing(
    fake, read, tmp_path, monkeypatch
):
    certificate = written_certificate(tmp_path, "localhost")
    over_tls(fake, certificate)
    monkeypatch.setattr(certifi, "where", lambda: certificate)
    by_name = fake.base_url.replace("127.0.0.1", "localhost")

    with pytest.raises(OperatorUnreachable):
        Line(read(base_url=by_name)).ask(Callback("code"), QUESTION)
    assert not fake.calls


def test_a_certificate_must_be_vouched_for(fake, read, certificate):
    over_tls(fake, certificate)
    line = Line(read())

    with pytest.raises(OperatorUnreachable):
        line.ask(Callback("code"), QUESTION)
    assert not fake.calls

    # Once somebody vouches for it, the operator is reached and knows no such code.
    line.operator.http.session.verify = certificate
    with pytest.raises(OperatorRefused):
        line.ask(Callback("code"), QUESTION)
