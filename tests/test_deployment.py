"""What a deployment is told before anybody is harmed."""

import pytest
import redis
from django.conf import settings
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db.models import Sum

from accounts.models import User
from numberverify import seal
from numberverify.models import DayTotal, Verification
from tests.factories import UserFactory

REAL = {
    "dialect": "mobile-connect",
    "base_url": "https://operator.example",
    "client_id": "id",
    "client_secret": "secret",
}
REDIS = {
    "BACKEND": "django.core.cache.backends.redis.RedisCache",
    "LOCATION": "redis://redis.example:6379/0",
}
LOCAL = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
LOOPBACK = "http://127.0.0.1:9000"


def without(name: str) -> list[str]:
    return [each for each in settings.MIDDLEWARE if each != name]


def complaints() -> set[str]:
    return {
        found.id
        for found in run_checks(include_deployment_checks=True)
        if found.id.startswith(("numberverify", "accounts"))
    }


@pytest.fixture
def policy(monkeypatch):
    """What the Redis does when it is full, which is not there in these tests."""
    info = {"maxmemory_policy": "noeviction"}
    monkeypatch.setattr("redis.Redis.info", lambda self, section: info)
    return info


@pytest.fixture
def deployed(settings, policy):
    settings.NV_OPERATORS = {"real": REAL}
    settings.NV_FINGERPRINT_KEYS = ["k" * 32]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.SMS_BACKEND = ""
    settings.CACHES = {"default": REDIS}
    return settings


def test_a_sound_deployment_hears_nothing(deployed):
    assert complaints() == set()


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        pytest.param("NV_OPERATORS", {}, "numberverify.E001", id="no operator"),
        pytest.param(
            "NV_OPERATORS",
            {"o": REAL | {"base_url": LOOPBACK}},
            "numberverify.E002",
            id="http",
        ),
        pytest.param(
            "NV_OPERATORS",
            {"o": REAL | {"jwks_uri": LOOPBACK}},
            "numberverify.E002",
            id="keys over http",
        ),
        pytest.param(
            "NV_OPERATORS", {"o": REAL | {"test": True}}, "numberverify.E003", id="test"
        ),
        pytest.param("NV_FINGERPRINT_KEYS", ["k" * 31], "numberverify.E004", id="key"),
        pytest.param(
            "SMS_BACKEND",
            "numberverify.factors.sms.ConsoleBackend",
            "numberverify.E007",
            id="text messages on the console",
        ),
        pytest.param(
            "CACHES",
            {"default": LOCAL},
            "numberverify.E008",
            id="limits counted in each process",
        ),
        pytest.param("NV_LIMITS", "off", "numberverify.E009", id="no limits"),
        pytest.param("NV_LIMITS", "login=1/m", "numberverify.E009", id="no such limit"),
        pytest.param(
            "MIDDLEWARE",
            without("numberverify.middleware.LimitsMiddleware"),
            "numberverify.E019",
            id="no page for limits",
        ),
        pytest.param(
            "MIDDLEWARE",
            without("numberverify.middleware.RefusedMiddleware"),
            "numberverify.E021",
            id="no record of refusals",
        ),
        pytest.param(
            "NV_HANDOFF", ["login", "-pay"], "numberverify.E022", id="no such purpose"
        ),
        pytest.param(
            "MIDDLEWARE",
            without("numberverify.middleware.HandoffMiddleware"),
            "numberverify.W023",
            id="desktops are answered late",
        ),
        pytest.param(
            "SITE_URL", "https://site.example", "numberverify.W020", id="no proxy"
        ),
        pytest.param(
            "SMS_BACKEND", "no.such.Backend", "numberverify.E006", id="no backend"
        ),
        pytest.param(
            "NV_CHOOSE_OPERATOR",
            "no.such.function",
            "numberverify.E017",
            id="no choice of the site's own",
        ),
        pytest.param(
            "SMS_BACKEND",
            "numberverify.factors.operator_sms.OperatorBackend",
            "numberverify.E018",
            id="operators that send no text messages",
        ),
        pytest.param(
            "NV_STEP_UP",
            {"a": {"label": "a", "methods": ["email"]}},
            "numberverify.E005",
            id="e-mail as a factor",
        ),
        pytest.param(
            "NV_ACCEPTS",
            {"password_reset": ["network", "manual"]},
            "numberverify.E005",
            id="staff reset a password",
        ),
        pytest.param(
            "EMAIL_BACKEND",
            "django.core.mail.backends.console.EmailBackend",
            "accounts.E001",
            id="mail on the console",
        ),
    ],
)
def test_a_wrong_setting_has_an_id(deployed, name, value, complaint):
    setattr(deployed, name, value)

    assert complaints() == {complaint}


@pytest.mark.parametrize("evicts", ["allkeys-lru", "volatile-ttl"])
def test_a_redis_that_forgets_who_was_guessing_is_refused(deployed, policy, evicts):
    policy["maxmemory_policy"] = evicts

    assert complaints() == {"numberverify.E025"}


def test_a_redis_that_is_away_for_now_stops_no_start(deployed, monkeypatch):
    def away(self, section):
        raise redis.ConnectionError

    monkeypatch.setattr("redis.Redis.info", away)

    assert complaints() == set()


@pytest.mark.parametrize("command", ["seed_demo", "seed_history"])
def test_a_demo_is_refused_in_production(settings, command):
    settings.DEBUG = False

    with pytest.raises(CommandError, match="DEBUG"):
        call_command(command)


@pytest.mark.django_db
def test_the_demo_has_an_admin_two_people_and_sixty_verifications(settings, capsys):
    settings.DEBUG = True
    for _ in range(2):  # a second run adds nothing
        call_command("seed_demo")

    said = capsys.readouterr().out
    assert User.objects.filter(is_superuser=True).count() == 1
    assert User.objects.filter(profile__phone_verified_at__isnull=False).count() == 2
    assert Verification.objects.count() == 60
    assert len(set(Verification.objects.values_list("status", "reason"))) > 5
    # The overview has figures at once, and what they are of is sealed as it is.
    assert DayTotal.objects.aggregate(all=Sum("rows"))["all"] >= 58
    assert DayTotal.objects.filter(fallback=True).exists()
    assert list(seal.check(seal.Checked())) == []
    for words in ("admin@example.com", "ann@example.com", "sandbox-2026"):
        assert words in said


@pytest.mark.django_db
def test_no_history_is_invented_into_one_that_is_sealed(settings):
    settings.DEBUG = True
    call_command("seed_demo", verbosity=0)

    with pytest.raises(CommandError, match="sealed"):
        call_command("seed_history")
    assert Verification.objects.count() == 60


@pytest.mark.django_db
def test_over_https_the_cookies_belong_to_this_host_alone(client, settings):
    settings.SESSION_COOKIE_SECURE = True
    settings.SITE_URL = "https://testserver"
    UserFactory(email="ann@example.com")
    typed = {"username": "ann@example.com", "password": "corr3ct horse"}

    client.post("/accounts/login/", typed, secure=True)

    for name in ("__Host-nv_binding", "__Host-nv_known"):
        morsel = client.cookies[name]
        assert morsel["secure"]
        assert morsel["path"] == "/"
        assert not morsel["domain"]
