"""What the operator publishes of itself: when it is fetched, and what of it holds."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from numberverify.errors import (
    BadDiscovery,
    MalformedAnswer,
    OperatorError,
    OperatorRefused,
    OperatorTimeout,
    OperatorUnreachable,
)
from numberverify.operators import provider
from numberverify.operators.base import Deadline
from numberverify.operators.camara import Camara
from tests.fake_camara import AUTHORIZE, DISCOVERY, JWKS, TOKEN, VERIFY
from tests.fake_operator import Reply
from tests.numberverify.operators.conftest import over_tls

ENDPOINTS = ["authorization_endpoint", "token_endpoint", "jwks_uri"]


def sound(fake, **how) -> Reply:
    """What the operator would publish, sent in some other way."""
    return Reply(body=fake._describe(None).body, **how)


@pytest.fixture
def all_given(fake) -> dict[str, str]:
    """A table that leaves nothing to discovery."""
    paths = [AUTHORIZE, TOKEN, JWKS]
    return dict(zip(ENDPOINTS, (fake.base_url + path for path in paths), strict=True))


def test_it_is_fetched_once(fake, ask):
    for _ in range(3):
        assert ask().matched

    assert len(fake.calls_to(DISCOVERY)) == 1
    assert len(fake.calls_to(JWKS)) == 1


def test_many_at_once_fetch_it_once(fake, ask, read):
    fake.delay = 0.05
    camara = Camara(read())

    with ThreadPoolExecutor(16) as pool:
        within = Deadline.after(5)
        found = list(pool.map(lambda _: camara.provider.keys(within), range(16)))

    assert len({id(keys) for keys in found}) == 1
    assert len(fake.calls_to(DISCOVERY)) == 1


def test_after_its_time_it_is_fetched_again(fake, ask, monkeypatch):
    assert ask().matched
    fake.described = {"token_endpoint": fake.base_url + "/moved"}
    assert ask().matched

    monkeypatch.setattr(provider, "LIFETIME", -1)

    with pytest.raises(OperatorRefused):
        ask()
    assert len(fake.calls_to("/moved")) == 1


def test_keys_are_fetched_from_where_they_have_moved_to(fake, ask, monkeypatch):
    assert ask().matched
    fake.described = {"jwks_uri": fake.base_url + "/moved"}
    fake.replies["/moved"] = Reply(body={"keys": []})
    monkeypatch.setattr(provider, "LIFETIME", -1)

    with pytest.raises(OperatorError):
        ask()
    assert fake.calls_to("/moved")


def test_none_is_fetched_when_the_table_says_everything(fake, ask, all_given):
    fake.replies[DISCOVERY] = Reply(500)

    assert ask(**all_given).matched
    assert ask(**all_given, brought={"iss": ""}).matched
    assert not fake.calls_to(DISCOVERY)


@pytest.mark.parametrize("name", ENDPOINTS)
def test_what_the_table_gives_wins_over_what_is_published(fake, ask, all_given, name):
    fake.described = {name: "http://evil.example/"}

    assert ask(**{name: all_given[name]}).matched
    assert len(fake.calls_to(DISCOVERY)) == 1


@pytest.mark.parametrize("left_out", ENDPOINTS)
def test_what_the_table_leaves_out_is_found(fake, ask, all_given, left_out):
    given = {name: all_given[name] for name in ENDPOINTS if name != left_out}

    assert ask(**given).matched
    assert len(fake.calls_to(DISCOVERY)) == 1


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lambda own: "https://evil.example", id="another"),
        pytest.param(lambda own: own + "/", id="a slash more"),
        pytest.param(lambda own: own + "/realm", id="a path more"),
        pytest.param(lambda own: own.rpartition(":")[0], id="no port"),
        pytest.param(lambda own: own.upper(), id="capitals"),
        pytest.param(lambda own: "", id="empty"),
        pytest.param(lambda own: None, id="none"),
        pytest.param(lambda own: True, id="true"),
        pytest.param(lambda own: [own], id="list"),
    ],
)
def test_another_issuer_is_refused(fake, ask, other):
    fake.described = {"issuer": other(fake.base_url)}

    with pytest.raises(BadDiscovery):
        ask()
    assert [call.path for call in fake.calls] == [DISCOVERY]


@pytest.mark.parametrize("end", ["/realm/gb", "/realm/gb/", "/"])
def test_the_address_drops_the_last_slash_and_the_comparison_does_not(fake, ask, end):
    issuer = fake.base_url + end
    fake.described = {"issuer": issuer}
    fake.replies[end.rstrip("/") + DISCOVERY] = sound(fake)
    fake.claims = {"iss": issuer}

    assert ask(issuer=issuer, brought={"iss": issuer}).matched
    other = issuer[:-1] if issuer.endswith("/") else issuer + "/"
    with pytest.raises(BadDiscovery):
        ask(issuer=other, brought={"iss": other})


@pytest.mark.parametrize("name", ENDPOINTS)
@pytest.mark.parametrize(
    "published",
    [
        pytest.param(None, id="none"),
        pytest.param("", id="empty"),
        pytest.param(5, id="number"),
        pytest.param(True, id="true"),
        pytest.param(["https://a.example"], id="list"),
        pytest.param({"url": "https://a.example"}, id="object"),
        pytest.param("/authorize", id="a path"),
        pytest.param("a.example/authorize", id="no scheme"),
        pytest.param("//a.example/authorize", id="no scheme but slashes"),
        pytest.param("http://a.example/authorize", id="http"),
        pytest.param("HTTP://a.example/authorize", id="HTTP"),
        pytest.param("http://10.0.0.1/authorize", id="http inside"),
        pytest.param("http://127.0.0.1.evil.example", id="lookalike"),
        pytest.param("ftp://127.0.0.1/authorize", id="ftp"),
        pytest.param("javascript:alert(1)", id="script"),
        pytest.param("file:///etc/passwd", id="file"),
        pytest.param("https://", id="no host"),
        pytest.param("https://[", id="half an address"),
        pytest.param("https://a.example:port/", id="no port"),
        pytest.param("https://id:s3cret@a.example/", id="credentials"),
        pytest.param("https://a.example\\@evil.example/", id="credentials, odd"),
        pytest.param("https://a.example\\.evil.example/", id="backslash"),
        pytest.param("https://a.example/#fragment", id="fragment"),
        pytest.param("https://a.example/#", id="empty fragment"),
        pytest.param("https://a.example/\r\nX: y", id="line end"),
        pytest.param("https://a.example/a b", id="space"),
        pytest.param(" https://a.example/", id="space first"),
        pytest.param("https://a.example/\0", id="NUL"),
    ],
)
def test_an_endpoint_that_is_no_address_is_refused(fake, ask, name, published):
    fake.described = {name: published}

    with pytest.raises(BadDiscovery):
        ask()
    assert [call.path for call in fake.calls] == [DISCOVERY]


@pytest.mark.parametrize(
    ("reply", "raised"),
    [
        pytest.param(Reply(body=b""), MalformedAnswer, id="empty"),
        pytest.param(Reply(body=b"<html></html>"), MalformedAnswer, id="HTML"),
        pytest.param(Reply(body=[{"issuer": "i"}]), MalformedAnswer, id="list"),
        pytest.param(Reply(body="issuer"), MalformedAnswer, id="text"),
        pytest.param(Reply(body=None), MalformedAnswer, id="null"),
        pytest.param(Reply(body={}), BadDiscovery, id="empty object"),
        pytest.param(Reply(body={"a": 1}, cut=True), OperatorUnreachable, id="cut"),
        pytest.param(Reply(404), OperatorRefused, id="404"),
        pytest.param(Reply(401), OperatorRefused, id="401"),
        pytest.param(Reply(204), OperatorRefused, id="204"),
        pytest.param(Reply(503), OperatorUnreachable, id="503"),
    ],
)
def test_no_description_is_no_answer(fake, ask, reply, raised):
    fake.replies[DISCOVERY] = reply

    with pytest.raises(raised):
        ask()
    assert [call.path for call in fake.calls] == [DISCOVERY]


@pytest.mark.parametrize("status", [201, 203, 301, 302, 307, 308, 404, 500])
def test_a_sound_description_counts_with_status_200_alone(fake, ask, status):
    fake.replies[DISCOVERY] = sound(fake, status=status)

    with pytest.raises(OperatorError):
        ask()
    assert not fake.calls_to(TOKEN)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_a_sound_description_is_not_followed(fake, ask, status):
    fake.replies[DISCOVERY] = Reply(status, headers={"Location": "/elsewhere"})
    fake.replies["/elsewhere"] = sound(fake)

    with pytest.raises(OperatorRefused):
        ask()
    assert not fake.calls_to("/elsewhere")


@pytest.mark.parametrize(("more", "fits"), [(0, True), (1, False)])
def test_64_kib_are_read_and_no_more(fake, ask, more, fits):
    fake.described = {"padding": ""}
    bare = len(sound(fake).bytes())
    fake.described = {"padding": "x" * (64 * 1024 - bare + more)}

    if fits:
        assert ask().matched
    else:
        with pytest.raises(MalformedAnswer):
            ask()


def test_a_doubled_member_is_refused(fake, ask):
    double = b'{"token_endpoint":"https://evil.example",' + sound(fake).bytes()[1:]
    fake.replies[DISCOVERY] = Reply(body=double)

    with pytest.raises(MalformedAnswer):
        ask()


def test_a_failed_fetch_is_made_up_for_by_the_next(fake, ask):
    fake.replies[DISCOVERY] = Reply(503)
    with pytest.raises(OperatorUnreachable):
        ask()
    fake.described = {"issuer": "https://evil.example"}
    del fake.replies[DISCOVERY]
    with pytest.raises(BadDiscovery):
        ask()

    fake.described = {}

    assert ask().matched
    assert len(fake.calls_to(DISCOVERY)) == 3


@pytest.mark.parametrize("name", ENDPOINTS)
def test_who_is_reached_by_https_leads_nowhere_else(fake, read, certificate, name):
    """Loopback over http is for development: there the issuer is so itself."""
    plain = fake.base_url + VERIFY
    over_tls(fake, certificate)
    camara = Camara(read())
    camara.http.session.verify = certificate
    fake.described = {name: plain}

    with pytest.raises(BadDiscovery):
        camara.prepare(Deadline.after(5))

    fake.described = {}
    camara.prepare(Deadline.after(5))
    assert camara.provider.known().token_endpoint == fake.base_url + TOKEN


def test_who_waits_for_anothers_fetch_does_so_no_longer_than_its_deadline(fake, read):
    fake.replies[DISCOVERY] = Reply(raw=b"HTTP/1.1 200 OK\r\n", drip=0.05)
    camara = Camara(read())

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(camara.prepare, Deadline.after(5))
        while not fake.calls:
            time.sleep(0.01)
        with pytest.raises(OperatorTimeout):
            camara.prepare(Deadline.after(0.2))
        assert not slow.done()
    assert len(fake.calls) == 1
