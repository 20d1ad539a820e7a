"""The server starts with good settings and refuses bad ones, which it names.

Each case is a process of its own, with exactly the environment that the case names
and a checkout of its own, so that no `.env` of a developer's comes in.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Forks a process per case; shared is what takes long to import and reads no settings.
LAUNCHER = """
import json, os, sys
import django.core.management, django.core.handlers.wsgi, django.contrib.admin.checks
import django.db.backends.sqlite3.base, django.views.decorators.debug
import environ, joserfc.jwk, joserfc.jws, joserfc.jwt, phonenumbers, redis, requests
import iptocc, limits.storage, limits.strategies, segno, tomllib, ua_parser
import numberverify.operators.registry, numberverify.operators.tables

for line in sys.stdin:
    environment, code = json.loads(line)
    said, out = os.pipe()
    if os.fork() == 0:
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.environ.clear()
        os.environ.update(environment)
        try:
            exec(code)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        sys.stdout.flush()
        os._exit(0)  # at once: to tidy up takes longer than to start
    os.close(out)
    text = open(said).read()
    status = os.waitstatus_to_exitcode(os.wait()[1])
    print(json.dumps([status, text]), flush=True)
"""
SETUP = "import django; django.setup()"
TELL = f"""
import json
{SETUP}
from django.conf import settings
told = {{name: getattr(settings, name) for name in dir(settings) if name.isupper()}}
print(json.dumps(told, default=str))
"""
SECRET = "s3cret-of-ours"
KEY = f"{SECRET}-which-is-long-enough-for-a-key"
OPERATOR = {
    "NV_CLIENT_ID": "id of ours",
    "NV_CLIENT_SECRET": SECRET,
    "NV_API_HOST": "https://operator.example/mobileconnect",
}
PRODUCTION = {
    "SECRET_KEY": KEY,
    "NV_FINGERPRINT_KEYS": f"{KEY}-one,{KEY}-two",
    "SITE_URL": "https://site.example",
    "CACHE_URL": "redis://127.0.0.1:6379/0",
    **OPERATOR,
}
DEVELOPMENT = {"DEBUG": "1"}
SANDBOX = ["sandbox", "sandbox-camara"]


class Ended(NamedTuple):
    status: int
    said: str

    @property
    def refusal(self) -> str:
        """What the exception says that ended the process, without the traceback."""
        assert self.status != 0, "it started"
        return self.said.rpartition("\n  ")[2].partition("\n")[2] or self.said

    @property
    def settings(self) -> dict[str, Any]:
        assert self.status == 0, self.said
        return json.loads(self.said.splitlines()[-1])


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "config", made / "config")
    return made


@pytest.fixture(scope="module")
def launcher(checkout) -> Iterator[subprocess.Popen[str]]:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{checkout}:{ROOT}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    with subprocess.Popen(
        [sys.executable, "-c", LAUNCHER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=checkout,
    ) as process:
        yield process
        process.stdin.close()


@pytest.fixture
def start(launcher) -> Callable[..., Ended]:
    """Start with the environment, with changes (None takes a variable away)."""

    def start(environment, code=TELL, **changes) -> Ended:
        given = {"DJANGO_SETTINGS_MODULE": "config.settings"} | environment | changes
        given = {name: value for name, value in given.items() if value is not None}
        print(json.dumps([given, code]), file=launcher.stdin, flush=True)
        return Ended(*json.loads(launcher.stdout.readline()))

    return start


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        pytest.param(PRODUCTION | {"SECRET_KEY": None}, "SECRET_KEY", id="no key"),
        pytest.param(PRODUCTION | {"SECRET_KEY": " "}, "SECRET_KEY", id="blank key"),
        pytest.param(PRODUCTION | {"NV_LIMITS": "off"}, "NV_LIMITS", id="no limits"),
        pytest.param(
            PRODUCTION | {"NV_LIMITS": "text_number=1/w"}, "text_number", id="a limit"
        ),
        pytest.param(
            PRODUCTION | {"NV_FINGERPRINT_KEYS": None},
            "NV_FINGERPRINT_KEYS",
            id="no fingerprint keys",
        ),
        pytest.param(
            PRODUCTION | {"NV_FINGERPRINT_KEYS": f"{KEY},,"},
            "NV_FINGERPRINT_KEYS",
            id="empty fingerprint key",
        ),
        pytest.param(
            PRODUCTION | {"NV_FINGERPRINT_KEYS": f"{KEY}, {KEY}"},
            "NV_FINGERPRINT_KEYS",
            id="doubled fingerprint key",
        ),
        pytest.param(PRODUCTION | {"NV_CLIENT_ID": None}, "NV_CLIENT_ID", id="no id"),
        pytest.param(
            PRODUCTION | {"NV_CLIENT_SECRET": None}, "NV_CLIENT_SECRET", id="no secret"
        ),
        pytest.param(
            PRODUCTION | {"NV_CLIENT_SECRET": " "},
            "NV_CLIENT_SECRET",
            id="blank secret",
        ),
        pytest.param(PRODUCTION | {"NV_API_HOST": None}, "NV_API_HOST", id="no host"),
        pytest.param(
            DEVELOPMENT | {"NV_CLIENT_SECRET": SECRET},
            "NV_CLIENT_ID",
            id="secret alone",
        ),
        pytest.param(
            PRODUCTION | {"NV_OPERATORS_FILE": "operators.toml"},
            "NV_OPERATORS_FILE",
            id="file and variables",
        ),
        pytest.param(
            DEVELOPMENT | {"NV_OPERATORS_FILE": "nowhere.toml"},
            "NV_OPERATORS_FILE",
            id="no file",
        ),
        pytest.param(
            DEVELOPMENT | {"NV_OPERATORS_FILE": "config"},
            "NV_OPERATORS_FILE",
            id="a folder",
        ),
        pytest.param(
            DEVELOPMENT | {"SITE_URL": "https://site.example"},
            "DEBUG",
            id="DEBUG, https",
        ),
        pytest.param(PRODUCTION | {"NV_SANDBOX": "on"}, "NV_SANDBOX", id="sandbox"),
        pytest.param(PRODUCTION | {"DEBUG": "on"}, "DEBUG", id="DEBUG in production"),
        pytest.param(PRODUCTION | {"LOG_FORMAT": "text"}, "LOG_FORMAT", id="words"),
        pytest.param(PRODUCTION | {"CACHE_URL": None}, "CACHE_URL", id="no cache"),
        pytest.param(
            PRODUCTION | {"CACHE_URL": "locmemcache://"}, "CACHE_URL", id="own cache"
        ),
        pytest.param(
            PRODUCTION | {"CACHE_URL": f"filecache:///var/{SECRET}"},
            "CACHE_URL",
            id="a cache of files",
        ),
        pytest.param(
            PRODUCTION | {"CACHE_URL": "pymemcache://127.0.0.1:11211"},
            "CACHE_URL",
            id="a cache that cannot count so",
        ),
        pytest.param(
            DEVELOPMENT | {"CACHE_URL": "dummycache://"},
            "CACHE_URL",
            id="no cache at all",
        ),
        pytest.param(
            PRODUCTION | {"NV_API_HOST": "http://operator.example"},
            "NV_API_HOST",
            id="an operator over http",
        ),
        pytest.param(
            PRODUCTION | {"SMS_BACKEND": "file"}, "SMS_FILE_PATH", id="no folder"
        ),
        pytest.param(
            DEVELOPMENT | {"SMS_BACKEND": "file", "SMS_FILE_PATH": " "},
            "SMS_FILE_PATH",
            id="blank folder",
        ),
        pytest.param(
            PRODUCTION | {"NV_STAFF_IDLE": "25h"}, "NV_STAFF_IDLE", id="idle for long"
        ),
        pytest.param(
            PRODUCTION | {"NV_PEOPLE_ABSOLUTE": "13d"},
            "NV_PEOPLE_IDLE",
            id="idle for longer than there is",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_by_name(start, environment, named):
    ended = start(environment)

    assert named in ended.refusal
    assert SECRET not in ended.said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "maybe"),
        ("DEBUG", "2"),
        ("NV_SANDBOX", "perhaps"),
        ("NV_LOGIN_POLICY", "sometimes"),
        ("NV_LOGIN_POLICY", ""),
        ("NV_LOGIN_POLICY", "Always"),
        ("NV_LOGIN_MAX_AGE_DAYS", "-1"),
        ("NV_LOGIN_MAX_AGE_DAYS", "1.5"),
        ("NV_LOGIN_MAX_AGE_DAYS", "month"),
        ("NV_LOGIN_MAX_AGE_DAYS", "9999999999"),  # more than a timedelta holds
        ("NV_LIMITS", "login=5/m"),
        ("NV_LIMITS", "login_account=5"),
        ("NV_LIMITS", "login_account=off"),
        ("NV_STAFF_IDLE", ""),
        ("NV_STAFF_IDLE", "3600"),  # of what?
        ("NV_STAFF_IDLE", "1 h"),
        ("NV_STAFF_IDLE", "1H"),
        ("NV_STAFF_IDLE", "0h"),
        ("NV_STAFF_IDLE", "59s"),
        ("NV_STAFF_IDLE", "-1h"),
        ("NV_STAFF_IDLE", "1.5h"),
        ("NV_STAFF_IDLE", "1h30m"),
        ("NV_STAFF_IDLE", "never"),
        ("NV_STAFF_ABSOLUTE", "never"),
        ("NV_STAFF_ABSOLUTE", "366d"),
        ("NV_PEOPLE_IDLE", "never"),
        ("NV_PEOPLE_IDLE", "٣d"),  # digits of another script
        ("NV_PEOPLE_ABSOLUTE", "off"),
        ("NV_PEOPLE_ABSOLUTE", "Never"),
        ("NV_PEOPLE_ABSOLUTE", "999999999d"),
        ("TRUSTED_PROXY_COUNT", "-1"),
        ("TRUSTED_PROXY_COUNT", "one"),
        ("ALLOWED_HOSTS", "https://site.example/"),
        ("CSRF_TRUSTED_ORIGINS", "site.example"),
        ("DEFAULT_FROM_EMAIL", "not an address"),
        ("NV_DEFAULT_REGION", "gb"),
        ("NV_DEFAULT_REGION", "XX"),
        ("SITE_URL", ""),
        ("SITE_URL", "site.example"),
        ("SITE_URL", "ftp://site.example"),
        ("SITE_URL", "https://"),
        ("SITE_URL", "https://["),
        ("SITE_URL", "https://site.example/path"),
        ("SITE_URL", "https://site.example?query"),
        ("SITE_URL", "https://site.example#part"),
        ("SITE_URL", "https://site.example:port"),
        ("SITE_URL", "https://site.example:99999"),
        ("SITE_URL", f"https://somebody:{SECRET}@site.example"),
        ("SITE_URL", "https://site.example other"),
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "postgres"),
        ("DATABASE_URL", "nothing://known"),
        ("DATABASE_URL", f"postgres://u:{SECRET}@host:port/db"),
        # A slash that should be written %2F: what stands before it is no port.
        ("DATABASE_URL", f"postgres://u:{SECRET}/x@host/db"),
        ("CACHE_URL", ""),
        ("CACHE_URL", "nothing://known"),
        # Django's cache alone would obey these.
        ("CACHE_URL", f"redis://127.0.0.1/0?password={SECRET}"),
        ("CACHE_URL", "redis://127.0.0.1?db=3"),
        ("CACHE_URL", "rediss://127.0.0.1/0?ssl_cert_reqs=none"),
        ("CACHE_URL", "redis://127.0.0.1/0?timeout=30"),
        ("CACHE_URL", "redis://127.0.0.1/0?key_prefix=nv"),
        ("EMAIL_URL", "nothing://known"),
        ("EMAIL_URL", f"smtp://u:{SECRET}/x@host:25"),
        ("HSTS_SECONDS", "0"),
        ("HSTS_SECONDS", "1y"),
        ("NV_TAKEOVER", "always"),
        ("NV_SIM_SWAP_HOURS", "-1"),
        ("NV_SIM_SWAP_HOURS", "soon"),
        ("SMS_BACKEND", "pigeon"),
        ("SMS_BACKEND", "smtp://sms.example"),
        ("SMS_BACKEND", "our.sms.Backend()"),
        ("SMS_BACKEND", "our..Backend"),
        ("SMS_BACKEND", "our-sms.Backend"),
        ("SMS_BACKEND", f"our.sms.Backend {SECRET}"),
        ("NV_API_HOST", "operator.example"),
        ("NV_API_HOST", "http://operator.example"),
        ("NV_API_HOST", f"https://id:{SECRET}@operator.example"),
        ("NV_API_HOST", f"https://:{SECRET}@operator.example"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name(start, name, value):
    ended = start(PRODUCTION | {name: value})

    assert name in ended.refusal
    assert SECRET not in ended.said


@pytest.mark.parametrize(
    ("text", "named"),
    [
        pytest.param(f"secret = '{SECRET}", "NV_OPERATORS_FILE", id="not closed"),
        pytest.param(f"client_secret = {SECRET}", "NV_OPERATORS_FILE", id="no quotes"),
        pytest.param("\udcff\udcfe", "NV_OPERATORS_FILE", id="not UTF-8"),
        pytest.param(f"client_secret = '{SECRET}'", "client_secret", id="no table"),
        pytest.param("[o]\ndialect = 'mobile-connect'", "base_url", id="half a table"),
        pytest.param(f"[o]\nsecret = '{SECRET}'", "'secret'", id="unknown key"),
        pytest.param("[Vodafone]", "Vodafone", id="bad name"),
        pytest.param(
            "[o]\ndialect = 'mobile-connect'\nclient_id = 'i'\n"
            f"client_secret = '{SECRET}'\nbase_url = 'http://operator.example'",
            "base_url",
            id="over http",
        ),
    ],
)
def test_a_bad_file_of_operators_is_refused(start, tmp_path, text, named):
    path = tmp_path / "operators.toml"
    path.write_text(text, encoding="utf-8", errors="surrogateescape")

    ended = start(DEVELOPMENT, NV_OPERATORS_FILE=str(path))

    assert named in ended.refusal
    assert SECRET not in ended.said


@pytest.mark.parametrize("environment", [PRODUCTION, DEVELOPMENT], ids=["prod", "dev"])
def test_the_server_starts(start, environment):
    ended = start(
        environment, code="import config.wsgi; print(config.wsgi.application)"
    )

    assert ended.status == 0, ended.said
    assert "WSGIHandler" in ended.said


def test_sessions_live_as_documented_unless_told_otherwise(start):
    names = ("STAFF_IDLE", "STAFF_ABSOLUTE", "PEOPLE_IDLE", "PEOPLE_ABSOLUTE")

    told = start(PRODUCTION).settings
    other = {f"NV_{name}": "90m" for name in names}
    changed = start(PRODUCTION | other).settings

    assert [told[f"NV_{name}"] for name in names] == [
        "1:00:00",
        "1 day, 0:00:00",
        "14 days, 0:00:00",
        None,
    ]
    assert told["SESSION_COOKIE_AGE"] == 14 * 24 * 60 * 60
    assert {changed[f"NV_{name}"] for name in names} == {"1:30:00"}
    assert changed["SESSION_COOKIE_AGE"] == 90 * 60


def test_with_a_redis_sessions_are_read_through_it(start):
    assert start(PRODUCTION).settings["SESSION_ENGINE"] == "accounts.cached_sessions"
    assert start(DEVELOPMENT).settings["SESSION_ENGINE"] == "accounts.session_store"


def test_nobody_waits_long_for_a_store_that_is_away(start):
    told = start(PRODUCTION, DATABASE_URL="postgres://nv@127.0.0.1/nv").settings

    assert told["CACHES"]["default"]["OPTIONS"]["socket_timeout"] <= 2
    options = told["DATABASES"]["default"]["OPTIONS"]
    assert options["connect_timeout"] <= 3
    assert options["pool"]["reconnect_timeout"] <= 3


def test_a_network_that_swallows_all_is_noticed_as_the_address_says_or_by_default(
    start,
):
    address = "postgres://nv@127.0.0.1/nv?keepalives_idle=60&tcp_user_timeout=9000"
    names = ["keepalives", "keepalives_idle", "tcp_user_timeout"]

    found = [
        start(PRODUCTION, DATABASE_URL=url).settings["DATABASES"]["default"]["OPTIONS"]
        for url in ("postgres://nv@127.0.0.1/nv", address)
    ]

    assert [[int(each[name]) for name in names] for each in found] == [
        [1, 5, 5000],
        [1, 60, 9000],
    ]


def test_former_keys_are_kept_while_they_are_listed(start):
    told = start(PRODUCTION, SECRET_KEY_FALLBACKS="one, two").settings

    assert told["SECRET_KEY_FALLBACKS"] == ["one", "two"]
    assert start(PRODUCTION).settings["SECRET_KEY_FALLBACKS"] == []


def test_the_server_itself_refuses_as_well(start):
    ended = start(PRODUCTION | {"SECRET_KEY": None}, code="import config.wsgi")

    assert "SECRET_KEY" in ended.refusal


def test_the_tutorial_s_three_variables_make_one_operator(start):
    host = OPERATOR["NV_API_HOST"] + "/"
    told = start(PRODUCTION, NV_API_HOST=host).settings

    assert told["NV_OPERATORS"] == {
        "default": {
            "dialect": "mobile-connect",
            "label": "your mobile network",
            "base_url": "https://operator.example/mobileconnect",
            "client_id": "id of ours",
            "client_secret": SECRET,
        }
    }
    assert told["NV_SANDBOX"] is False


@pytest.mark.parametrize("secret", ["$ecret", "$", "a$b", "se=cret", "#secret", "s'\""])
def test_a_secret_may_hold_any_sign(start, secret):
    told = start(PRODUCTION, NV_CLIENT_SECRET=secret).settings

    assert told["NV_OPERATORS"]["default"]["client_secret"] == secret


def test_a_file_of_operators_is_read_in_its_order(start, checkout):
    table = f"""
        dialect = "mobile-connect"
        base_url = "https://operator.example"
        client_id = "id of ours"
        client_secret = "{SECRET}"
    """
    (checkout / "good.toml").write_text(f"[b]\n{table}\n[a]\n{table}")

    told = start(DEVELOPMENT, NV_OPERATORS_FILE="good.toml").settings

    assert list(told["NV_OPERATORS"]) == ["b", "a"]
    assert told["NV_SANDBOX"] is False


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        pytest.param({}, SANDBOX, id="no operator"),
        pytest.param(OPERATOR, ["default"], id="an operator"),
        pytest.param({"NV_SANDBOX": "no"}, [], id="off"),
        pytest.param(OPERATOR | {"NV_SANDBOX": "1"}, ["default", *SANDBOX], id="both"),
    ],
)
def test_the_sandbox_is_there_where_nothing_else_is(start, changes, names):
    told = start(DEVELOPMENT | changes).settings

    assert list(told["NV_OPERATORS"]) == names
    assert told["NV_SANDBOX"] is ("sandbox" in names)
    assert ("numberverify.sandbox" in told["INSTALLED_APPS"]) is told["NV_SANDBOX"]


def test_over_https_cookies_belong_to_the_host_and_to_https(start):
    told = start(PRODUCTION).settings

    assert told["SESSION_COOKIE_NAME"] == "__Host-sessionid"
    assert told["CSRF_COOKIE_NAME"] == "__Host-csrftoken"
    for name in ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT"):
        assert told[name] is True
    assert told["SECURE_HSTS_SECONDS"] >= 31_536_000
    gently = start(PRODUCTION, HSTS_SECONDS="300").settings
    assert gently["SECURE_HSTS_SECONDS"] == 300
    assert told["DEBUG"] is False


@pytest.mark.parametrize(
    ("site_url", "kept", "hosts"),
    [
        ("https://site.example/", "https://site.example", ["site.example"]),
        # Browsers send neither capitals nor the default port: another spelling
        # of it would be redirected to for ever.
        ("https://Site.Example:443", "https://site.example", ["site.example"]),
        ("https://site.example:8443", "https://site.example:8443", ["site.example"]),
        ("http://[2001:db8::1]:80", "http://[2001:db8::1]", ["[2001:db8::1]"]),
        (
            "http://localhost:8000",
            "http://localhost:8000",
            ["127.0.0.1", "localhost", "[::1]"],
        ),
        (
            "http://[::1]:8000",
            "http://[::1]:8000",
            ["127.0.0.1", "localhost", "[::1]"],
        ),
    ],
)
def test_the_address_of_the_site_is_kept_as_browsers_send_it(
    start, site_url, kept, hosts
):
    told = start(PRODUCTION, SITE_URL=site_url).settings

    assert told["SITE_URL"] == kept
    assert told["CSRF_TRUSTED_ORIGINS"] == [kept]
    assert told["ALLOWED_HOSTS"] == hosts


def test_the_env_file_fills_in_what_the_environment_leaves_out(start, checkout):
    file = checkout / ".env"
    file.write_text("DEBUG=on\nNV_LOGIN_MAX_AGE_DAYS=7\nNV_LOGIN_POLICY=always\n")

    told = start({"NV_LOGIN_POLICY": "never"}).settings

    file.unlink()
    assert told["DEBUG"] is True
    assert told["NV_LOGIN_MAX_AGE_DAYS"] == 7
    assert told["NV_LOGIN_POLICY"] == "never"


def test_the_defaults_are_those_of_the_contract(start):
    told = start(DEVELOPMENT).settings

    assert told["SITE_URL"] == "http://127.0.0.1:8000"
    assert told["NV_DEFAULT_REGION"] == "GB"
    assert told["NV_LOGIN_POLICY"] == "new_device_or_stale"
    assert told["NV_LOGIN_MAX_AGE_DAYS"] == 30
    assert told["TRUSTED_PROXY_COUNT"] == 0
    assert "sqlite3" in told["DATABASES"]["default"]["ENGINE"]


SMS = "numberverify.factors.sms"


@pytest.mark.parametrize(
    ("named", "path"),
    [
        ("console", f"{SMS}.ConsoleBackend"),
        ("Console", f"{SMS}.ConsoleBackend"),
        ("memory", f"{SMS}.MemoryBackend"),
        ("file", f"{SMS}.FileBackend"),
        ("none", ""),
        ("", ""),
        ("ours.sms.Backend", "ours.sms.Backend"),
        (" ours.sms.Backend ", "ours.sms.Backend"),
    ],
)
def test_a_text_message_goes_by_the_backend_that_is_named(start, named, path):
    told = start(DEVELOPMENT, SMS_BACKEND=named, SMS_FILE_PATH="/var/sms").settings

    assert told["SMS_BACKEND"] == path
    assert told["SMS_FILE_PATH"] == "/var/sms"


@pytest.mark.parametrize(
    ("environment", "path"),
    [(DEVELOPMENT, f"{SMS}.ConsoleBackend"), (PRODUCTION, "")],
    ids=["dev", "prod"],
)
def test_unsaid_text_messages_are_printed_in_development_alone(
    start, environment, path
):
    assert start(environment).settings["SMS_BACKEND"] == path


CHECK = f"""
{SETUP}
from django.core.management import call_command
call_command("check", deploy=True, fail_level="WARNING")
"""
WITH_MAIL = PRODUCTION | {"EMAIL_URL": "smtp://mail.example:25"}


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("console", "numberverify.E007"),
        ("file", "numberverify.E007"),
        ("memory", "numberverify.E007"),
        ("nowhere.Backend", "numberverify.E006"),
        (f"{SMS}.Nothing", "numberverify.E006"),
    ],
)
def test_the_deployment_checks_refuse_a_backend_that_sends_nothing(start, named, said):
    changes = {"SMS_BACKEND": named, "SMS_FILE_PATH": "/var/sms"}

    ended = start(WITH_MAIL, code=CHECK, **changes)

    assert ended.status != 0
    assert said in ended.said


@pytest.mark.parametrize("named", [None, "none", f"{SMS}.SmsBackend"])
def test_the_deployment_checks_let_no_backend_pass(start, named):
    ended = start(WITH_MAIL, code=CHECK, SMS_BACKEND=named)

    assert "E006" not in ended.said
    assert ("E007" in ended.said) is (named == f"{SMS}.SmsBackend")


def test_an_action_that_the_table_does_not_list_stops_the_server(start, checkout):
    urls = checkout / "lists_too_little.py"
    urls.write_text(
        "from numberverify.stepup import step_up_required\n"
        "urlpatterns = []\n"
        "@step_up_required('unknown')\n"
        "def view(request): ...\n"
    )
    code = f"""
{SETUP}
from django.conf import settings
settings.ROOT_URLCONF = "lists_too_little"
import config.wsgi
"""

    ended = start(PRODUCTION, code=code)

    assert "NV_STEP_UP has no action 'unknown'" in ended.refusal
