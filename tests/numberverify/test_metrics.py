"""/metrics: who may read it, and what it counts."""

import os
import re
import subprocess
import sys

import pytest

from numberverify import breaker, codes, metrics
from numberverify.choices import Method, Reason
from numberverify.models import Verification
from tests.factories import ANN, PASSWORD, UserFactory
from tests.fake_operator import TOKEN, Reply
from tests.numberverify.typed import opened
from tests.servers import ROOT

pytestmark = pytest.mark.django_db
TYPED = {
    "email": "ann@example.com",
    "password1": PASSWORD,
    "password2": PASSWORD,
    "phone": ANN,
}


@pytest.fixture
def read(client):
    """Read one figure; 0 when it is not there yet."""

    def read(name: str, **labels: str) -> float:
        text = client.get("/metrics").text
        for line in text.splitlines():
            found = re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\S+)", line)
            if found and dict(re.findall(r'(\w+)="([^"]*)"', found[1] or "")) == labels:
                return float(found[2])
        return 0.0

    return read


@pytest.fixture
def counted(read):
    """What is added to a figure from the first call of this to the second."""
    before = {}

    def counted(name: str, **labels: str) -> float:
        key = (name, *sorted(labels.items()))
        now = read(name, **labels)
        return now - before.setdefault(key, now)

    return counted


SIGNUP = {"purpose": "signup", "method": "network", "operator": "fake"}
MATCH = SIGNUP | {"outcome": "verified", "reason": ""}


def test_a_signup_is_a_start_an_ending_and_a_leg(browser, operator, counted):
    leg = {"operator": "fake", "api": "verify", "outcome": "answered"}
    figures = {
        "numberverify_started_total": SIGNUP,
        "numberverify_ended_total": MATCH,
        "numberverify_operator_seconds_count": leg,
    }
    for name, labels in figures.items():
        counted(name, **labels)

    browser.come_back(operator, browser.submit("/accounts/signup/", **TYPED))

    assert [counted(name, **labels) for name, labels in figures.items()] == [1, 1, 1]


def test_what_is_over_at_once_is_both(browser, operator, counted):
    labels = SIGNUP | {"operator": ""}
    ended = labels | {"outcome": "unavailable", "reason": Reason.NO_OPERATOR}
    counted("numberverify_started_total", **labels)
    counted("numberverify_ended_total", **ended)

    browser.submit("/accounts/signup/", **TYPED | {"phone": "+33639981234"})

    assert counted("numberverify_started_total", **labels) == 1
    assert counted("numberverify_ended_total", **ended) == 1


def test_a_second_equal_callback_is_no_second_ending(browser, operator, counted):
    begun = browser.submit("/accounts/signup/", **TYPED)
    counted("numberverify_ended_total", **MATCH)

    for _ in range(2):
        browser.come_back(operator, begun)

    assert counted("numberverify_ended_total", **MATCH) == 1


def test_wrong_codes_end_a_row_once_however_many_follow(counted):
    row = opened(UserFactory(phone=ANN), Method.SMS)
    ending = {"purpose": "login", "method": "sms", "operator": row.operator}
    ending |= {"outcome": "refused", "reason": Reason.WRONG_CODES}
    counted("numberverify_ended_total", **ending)

    for _ in range(row.tries_allowed + 3):
        codes.try_code(row, "000000x")

    assert counted("numberverify_ended_total", **ending) == 1


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        pytest.param(Reply(503), "failed", id="down"),
        pytest.param(Reply(400, {"error": "invalid_grant"}), "refused", id="refused"),
    ],
)
def test_a_leg_says_how_it_went(browser, operator, counted, reply, outcome):
    operator.replies[TOKEN] = reply
    leg = {"operator": "fake", "api": "verify", "outcome": outcome}
    counted("numberverify_operator_seconds_count", **leg)

    browser.come_back(operator, browser.submit("/accounts/signup/", **TYPED))

    assert counted("numberverify_operator_seconds_count", **leg) == 1


def test_a_breaker_is_seen_and_counted(browser, operator, settings, read, counted):
    settings.NV_OPERATORS = {"fake": operator.table(breaker_failures=1)}
    which = {"operator": "fake", "api": "verify"}
    assert read("numberverify_breaker_state", **which) == 0
    counted("numberverify_breaker_opened_total", **which)
    operator.replies[TOKEN] = Reply(503)

    browser.come_back(operator, browser.submit("/accounts/signup/", **TYPED))

    assert read("numberverify_breaker_state", **which) == 1
    assert counted("numberverify_breaker_opened_total", **which) == 1


def test_of_breakers_nothing_is_said_where_the_cache_is_away(
    client, operator, settings
):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }

    answer = client.get("/metrics")

    assert answer.status_code == 200
    assert "numberverify_breaker_state{" not in answer.text


def test_a_limit_that_is_hit_is_counted_by_its_name(
    browser, operator, settings, counted
):
    settings.NV_LIMITS = "login_account_address=1/15m"
    UserFactory(email="ann@example.com")
    counted("numberverify_limits_hit_total", limit="login_account_address")

    for _ in range(3):
        browser.submit("/accounts/login/", username="ann@example.com", password="no")

    assert counted("numberverify_limits_hit_total", limit="login_account_address") == 2


def test_nothing_in_it_is_about_a_person(client, browser, operator):
    browser.come_back(operator, browser.submit("/accounts/signup/", **TYPED))
    row = Verification.objects.get()

    text = client.get("/metrics").text

    for secret in ("900123", "ann@", str(row.pk), row.number_fingerprint.hex()):
        assert secret not in text


# Who may read it


def status(client, **about) -> int:
    return client.get("/metrics", **about).status_code


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "127.8.0.1", "::1", "::ffff:127.0.0.1"]
)
def test_this_machine_may(client, address):
    answer = client.get("/metrics", REMOTE_ADDR=address)

    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1", "2001:db8::1", "", "x"])
def test_to_others_there_is_no_such_page(client, address):
    assert status(client, REMOTE_ADDR=address) == 404


@pytest.mark.parametrize(
    "name", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via", "X-Forwarded-Proto"]
)
def test_who_comes_through_a_proxy_that_nobody_counts_is_another(client, name):
    assert status(client, headers={name: "127.0.0.1"}) == 404


@pytest.mark.parametrize(
    ("peer", "written", "answer"),
    [
        pytest.param("127.0.0.1", "192.0.2.1", 404, id="a stranger"),
        pytest.param("127.0.0.1", "127.0.0.1, 192.0.2.1", 404, id="who lies"),
        pytest.param("127.0.0.1", "127.0.0.1", 200, id="this machine"),
        pytest.param("", "127.0.0.1", 200, id="this machine, by a unix socket"),
        pytest.param("", "192.0.2.1", 404, id="a stranger, by a unix socket"),
        pytest.param("192.0.2.1", "127.0.0.1", 404, id="who comes around the proxy"),
        pytest.param("10.0.0.2", "10.1.0.9", 200, id="the scraper"),
        pytest.param("127.0.0.1", "", 404, id="nobody"),
    ],
)
def test_behind_a_proxy_it_is_what_the_proxy_wrote(
    client, settings, peer, written, answer
):
    settings.TRUSTED_PROXY_COUNT = 1
    settings.METRICS_FROM = ["127.0.0.0/8", "10.1.0.0/16"]
    headers = {"X-Forwarded-For": written, "X-Forwarded-Proto": "https"}

    assert status(client, REMOTE_ADDR=peer, headers=headers) == answer


def test_a_scraper_needs_neither_our_name_nor_https(client, settings):
    settings.SITE_URL, settings.ALLOWED_HOSTS = "https://site.example", ["site.example"]
    settings.SECURE_SSL_REDIRECT = True

    assert status(client, headers={"Host": "127.0.0.1:8000"}) == 200


def test_it_is_read_and_not_posted_to(client):
    assert client.post("/metrics").status_code == 404


def test_labels_are_bounded():
    """Each is a word of ours, or the name of an operator."""
    families = {family.name: family for family in metrics.ours.collect()}
    allowed = {
        "purpose",
        "method",
        "operator",
        "outcome",
        "reason",
        "api",
        "limit",
        "le",
    }

    for family in families.values():
        for sample in family.samples:
            assert set(sample.labels) <= allowed
    assert set(breaker.NUMBERS) == set(breaker.State)


COUNTING = """
import django
django.setup()
from numberverify import metrics
metrics.LIMITS_HIT.labels("a_limit").inc()
metrics.leg("fake", "verify", "answered", 0.2)
"""
READING = COUNTING + "print(metrics.exposition([]).decode())"


def test_processes_are_added_up_those_that_are_over_too(tmp_path):
    environment = os.environ | {
        metrics.FOLDER: str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    for script in (COUNTING, COUNTING, READING):
        ran = subprocess.run(
            [sys.executable, "-c", script],
            env=environment,
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )

    assert 'numberverify_limits_hit_total{limit="a_limit"} 3.0' in ran.stdout
    count = "numberverify_operator_seconds_count"
    labels = '{api="verify",operator="fake",outcome="answered"}'
    assert f"{count}{labels} 3.0" in ran.stdout
