"""An operator that is down costs people milliseconds; a stranger switches none off."""

import secrets
import threading
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import caches
from django.utils import timezone

from numberverify import breaker, routing, subscriber
from numberverify.breaker import State
from numberverify.choices import Reason, Status
from numberverify.errors import BreakerOpen, OperatorTimeout
from numberverify.models import Verification
from numberverify.msisdn import Msisdn
from numberverify.operators.base import Told
from tests.conftest import REDIS_URL
from tests.factories import ANN, PASSWORD
from tests.fake_camara import FakeCamara
from tests.fake_operator import JWKS, MATCH, TOKEN, Reply

pytestmark = pytest.mark.django_db
DOWN = Reply(503)
TYPED = {"password1": PASSWORD, "password2": PASSWORD, "phone": ANN}


@pytest.fixture(autouse=True)
def _cache_by_our_clock(settings) -> None:
    """A Redis would end its keys by a clock of its own."""
    backend = "django.core.cache.backends.locmem.LocMemCache"
    place = secrets.token_hex(8)
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": place}}


@pytest.fixture
def operator(operator, settings):
    """Its breaker opens after two failures, for thirty seconds."""
    settings.NV_OPERATORS = {"fake": operator.table(breaker_failures=2)}
    return operator


@pytest.fixture
def signup(new_browser):
    """Begin a signup in a browser of its own; return both."""
    numbers = iter(range(1000))

    def signup():
        browser = new_browser()
        typed = TYPED | {"email": f"person{next(numbers)}@example.com"}
        return browser, browser.submit("/accounts/signup/", **typed)

    return signup


@pytest.fixture
def come_back(operator, signup):
    """A whole check; return its row. `changes` is what the device brings instead."""

    def come_back(**changes):
        browser, begun = signup()
        if begun["Location"].startswith("http"):
            browser.come_back(operator, begun, **changes)
        return Verification.objects.latest("pk")

    return come_back


def state(api: str = breaker.VERIFY, name: str = "fake") -> State:
    breaker._clean_until.clear()  # as another process, which believes nothing yet
    return breaker.states(routing.operators())[name, api]


def goes_to_the_operator(response) -> bool:
    return response["Location"].startswith("http://127.0.0.1")


def after(seconds: float):
    return time_machine.travel(timezone.now() + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(500), id="500"),
        pytest.param(Reply(503), id="503"),
        pytest.param(Reply(body=b"<html>"), id="no JSON"),
        pytest.param(Reply(body={}), id="no token"),
        pytest.param(Reply(raw=b""), id="hangs up"),
    ],
)
def test_what_fails_at_the_operator_opens_it(operator, come_back, reply):
    operator.replies[TOKEN] = reply
    come_back()
    assert state() == State.CLOSED
    come_back()

    assert state() == State.OPEN


@pytest.mark.parametrize("path", [MATCH, JWKS])
def test_so_does_what_fails_later_in_the_leg(operator, come_back, path, settings):
    settings.NV_OPERATORS["fake"] |= {"label": f"No keys yet at {path}"}
    operator.replies[path] = DOWN
    for _ in range(2):
        come_back()

    assert state() == State.OPEN


def test_so_does_silence(operator, come_back, settings):
    table = operator.table(breaker_failures=2, deadline=0.2)
    settings.NV_OPERATORS = {"fake": table}
    operator.replies[TOKEN] = Reply(delay=1)
    for _ in range(2):
        come_back()

    assert state() == State.OPEN


def test_so_does_an_operator_that_is_gone(operator, come_back):
    operator.close()
    for _ in range(2):
        come_back()

    assert state() == State.OPEN


@pytest.mark.parametrize(
    ("changes", "reply"),
    [
        pytest.param({"code": "junk"}, None, id="junk codes"),
        pytest.param(
            {"error": "server_error"}, None, id="an error that anybody writes"
        ),
        pytest.param({"error": "access_denied"}, None, id="a person who says no"),
        pytest.param({"iss": "https://evil.example"}, None, id="another issuer"),
        pytest.param({}, Reply(400, {"error": "invalid_grant"}), id="400"),
        pytest.param({}, Reply(401, {"error": "invalid_client"}), id="401"),
        pytest.param({}, Reply(429, b"slow down"), id="429"),
        pytest.param({}, Reply(403, b"x" * 70_000), id="a firewall's long page"),
        pytest.param({}, Reply(403, b"half a page", cut=True), id="half of one"),
    ],
)
def test_what_a_stranger_can_bring_about_does_not(operator, come_back, changes, reply):
    if reply:
        operator.replies[TOKEN] = reply
    for _ in range(4):
        assert come_back(**changes).status == Status.UNAVAILABLE

    assert state() == State.CLOSED


def test_a_bad_id_token_and_a_no_match_do_not(operator, come_back):
    operator.claims = {"nonce": "another"}
    for _ in range(3):
        assert come_back().reason == Reason.BAD_ID_TOKEN
    operator.claims, operator.sim = {}, "+447700900999"
    assert come_back().status == Status.MISMATCHED

    assert state() == State.CLOSED


def test_an_answer_between_them_begins_the_row_anew(operator, come_back):
    for _ in range(3):
        operator.replies[MATCH] = DOWN
        come_back()
        breaker._clean_until.clear()
        operator.replies.clear()
        assert come_back().status == Status.VERIFIED

    assert state() == State.CLOSED


# Open


@pytest.fixture
def down(operator, come_back):
    """An operator whose breaker has opened just now, and that is down still."""
    operator.replies[TOKEN] = DOWN
    for _ in range(2):
        come_back()
    operator.calls.clear()
    return operator


def test_nobody_is_sent_to_it_and_the_ways_on_are_offered_at_once(down, signup):
    browser, begun = signup()

    page = browser.follow(begun)
    row = Verification.objects.latest("pk")
    assert (row.status, row.reason) == (Status.UNAVAILABLE, Reason.BREAKER_OPEN)
    assert (row.operator, row.number, row.operator_ms) == ("fake", "", None)
    assert "does not answer us just now" in page.text
    assert 'value="sms"' in page.text
    assert down.calls == []


def test_who_comes_back_meanwhile_is_answered_without_asking(operator, signup):
    browser, begun = signup()
    for name in ("open", "failures"):
        caches["default"].set(f"nv-breaker/fake/{name}", 2, 30)
    breaker._clean_until.clear()

    browser.come_back(operator, begun)

    row = Verification.objects.latest("pk")
    assert (row.status, row.reason) == (Status.UNAVAILABLE, Reason.BREAKER_OPEN)
    assert operator.calls == []


def test_it_counts_against_no_limit(down, signup, settings):
    settings.NV_LIMITS = "start_number=1/5m"

    for _ in range(3):
        assert signup()[1].status_code == 303


def test_with_the_limits_off_it_is_never_open(down, signup, settings):
    settings.NV_LIMITS = "off"

    assert goes_to_the_operator(signup()[1])


# Half-open


def test_after_its_pause_one_browser_is_sent_and_an_answer_closes_it(down, signup):
    with after(31):
        assert state() == State.HALF_OPEN
        browser, probe = signup()
        assert goes_to_the_operator(probe)
        assert not goes_to_the_operator(signup()[1])
        down.replies.clear()

        back = browser.come_back(down, probe)
        assert back["Location"] == "/accounts/profile/"  # signed in

        assert state() == State.CLOSED
        assert goes_to_the_operator(signup()[1])


def test_a_probe_that_fails_opens_it_for_another_pause(down, signup, come_back):
    with after(31):
        assert come_back().reason == Reason.OPERATOR_UNREACHABLE
        assert state() == State.OPEN
        assert not goes_to_the_operator(signup()[1])
    with after(62):
        assert goes_to_the_operator(signup()[1])


def test_a_probe_that_never_comes_back_is_followed_by_the_next(down, signup):
    with after(31):
        signup()
    with after(62):
        assert goes_to_the_operator(signup()[1])


def test_a_junk_code_takes_nobody_s_turn_and_closes_nothing(down, signup):
    with after(31):
        browser, begun = signup()
        down.replies.clear()
        browser.come_back(down, begun, code="junk")

        assert state() == State.HALF_OPEN
        fake = routing.operators()["fake"]
        breaker.before_start(fake)  # the next one is sent
        assert breaker.guard(fake, lambda: "asked") == "asked"


def test_an_answer_comes_between_failures_though_it_was_asked_for_before(operator):
    fake = routing.operators()["fake"]

    def fail():
        raise OperatorTimeout

    def ask_while_another_fails():
        with pytest.raises(OperatorTimeout):
            breaker.guard(fake, fail)

    breaker.guard(fake, ask_while_another_fails)
    with pytest.raises(OperatorTimeout):
        breaker.guard(fake, fail)

    assert state() == State.CLOSED


def test_a_probe_that_fails_at_its_deadline_meets_no_other(down):
    fake, asked = routing.operators()["fake"], []

    def ask():
        with after(fake.deadline), pytest.raises(BreakerOpen):
            breaker.guard(fake, lambda: asked.append(1))
        raise OperatorTimeout

    with after(31), pytest.raises(OperatorTimeout):
        breaker.guard(fake, ask)
    assert asked == []


def test_a_description_that_can_be_fetched_closes_nothing(down):
    fake = routing.operators()["fake"]
    with after(31):
        breaker.guard(fake, lambda: None, breaker.DESCRIPTION)

        assert state() == State.HALF_OPEN


def test_of_many_at_once_one_asks(down):
    fake, asked, refused = routing.operators()["fake"], [], []
    entered, leave = threading.Event(), threading.Event()

    def ask():
        asked.append(1)
        entered.set()
        leave.wait(10)

    def come():
        try:
            breaker.guard(fake, ask)
        except BreakerOpen:
            refused.append(1)

    with after(31):
        first = threading.Thread(target=come)
        first.start()
        entered.wait(10)
        others = [threading.Thread(target=come) for _ in range(8)]
        for other in others:
            other.start()
        for other in others:
            other.join(10)
        leave.set()
        first.join(10)

    assert (len(asked), len(refused)) == (1, 8)


def test_many_that_fail_at_once_open_it_once_and_no_longer(operator):
    fake = routing.operators()["fake"]
    together = threading.Barrier(8)

    def fail():
        together.wait(10)
        raise OperatorTimeout

    def come():
        with pytest.raises(OperatorTimeout):
            breaker.guard(fake, fail)

    threads = [threading.Thread(target=come) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert state() == State.OPEN
    with after(31):
        assert state() == State.HALF_OPEN


# Shared


def test_another_process_sees_it_within_a_second(operator, come_back):
    fake = routing.operators()["fake"]
    assert come_back().status == Status.VERIFIED  # and is believed to be sound
    for name in ("open", "failures"):  # by another process
        caches["default"].set(f"nv-breaker/fake/{name}", 2, 30)
    assert breaker._clean_until["nv-breaker/fake"] > 0

    breaker._clean_until["nv-breaker/fake"] -= breaker.BELIEVED
    with pytest.raises(BreakerOpen):
        breaker.guard(fake, lambda: None)


@pytest.mark.redis
def test_processes_agree_through_redis(operator, settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "test-breaker",
        }
    }
    name = f"fake-{timezone.now().timestamp():.0f}"
    settings.NV_OPERATORS = {
        name: operator.table(breaker_failures=2, breaker_seconds=1)
    }
    fake = routing.operators()[name]

    def fail():
        raise OperatorTimeout

    for _ in range(2):
        with pytest.raises(OperatorTimeout):
            breaker.guard(fake, fail)

    assert state(name=name) == State.OPEN
    assert breaker._add(f"nv-breaker/{name}/probe", 5)
    with pytest.raises(BreakerOpen):
        breaker.guard(fake, lambda: None)
    breaker._forget(*(f"nv-breaker/{name}/{part}" for part in ("open", "probe")))
    assert state(name=name) == State.HALF_OPEN
    assert breaker.guard(fake, lambda: "asked") == "asked"
    assert state(name=name) == State.CLOSED


def test_without_a_cache_it_is_closed_and_nothing_fails(operator, come_back, settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    fake = routing.operators()["fake"]

    def fail():
        raise OperatorTimeout

    for _ in range(3):
        with pytest.raises(OperatorTimeout):
            breaker.guard(fake, fail)
    assert breaker.guard(fake, lambda: "asked") == "asked"


# Costs


def test_a_sound_operator_costs_one_look_a_second(operator, come_back, monkeypatch):
    looks = []
    cache = caches["default"]
    look = type(cache).get_many

    def counted(self, keys, version=None):
        looks.append(list(keys))
        return look(self, keys, version)

    monkeypatch.setattr(type(cache), "get_many", counted)
    for _ in range(3):
        come_back()

    assert len(looks) <= 3
    assert all("nv-breaker/fake/open" in keys for keys in looks)


# Neighbours of the verification


def test_an_api_that_is_down_switches_off_itself_alone(settings):
    camara = FakeCamara()
    try:
        table = camara.with_siblings() | {"breaker_failures": 2}
        settings.NV_OPERATORS = {"fake": table}
        camara.replies["/sim-swap/v2/check"] = DOWN
        for _ in range(3):
            within = timedelta(hours=72)
            told = subscriber.sim_swapped(Msisdn(ANN), within=within)
            assert told == Told.UNKNOWN

        assert state("sim_swap") == State.OPEN
        assert state() == State.CLOSED
        assert len(camara.calls_to("/sim-swap/v2/check")) == 2
    finally:
        camara.close()


def test_a_description_that_cannot_be_fetched_counts(settings, signup):
    camara = FakeCamara()
    try:
        settings.NV_OPERATORS = {"fake": camara.table(breaker_failures=2)}
        camara.replies["/.well-known/openid-configuration"] = DOWN
        for _ in range(4):
            signup()

        assert state() == State.OPEN
        asked = camara.calls_to("/.well-known/openid-configuration")
        assert len(asked) == 2
        newest = Verification.objects.latest("pk")
        assert newest.reason == Reason.BREAKER_OPEN
    finally:
        camara.close()
