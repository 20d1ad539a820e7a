"""Logs hold no codes, no tokens and no query strings, whoever writes them."""

import json
import logging
import os
import runpy
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from gunicorn.config import Config

from config.logs import JsonLines, Redact, redact
from numberverify import correlation

ROOT = Path(__file__).resolve().parents[2]
UUID = "0190f3a4-5b6c-7d8e-9f01-23456789abcd"
CODE = "SplxlOBeZQQYbYS6WxSbIA"
MAILED = "d7wk1x-0123456789abcdef0123456789abcdef"
SIGNED = "WzEsImFAZXhhbXBsZS5jb20iXQ:1vQx2A:QBNl7-_wRcoQz0Yc3bUeqzZ8ZT4iJ1pWq2H5c1KX0aM"
CALLBACK = "/verify/callback/vodafone-uk/"
TABLE = [
    pytest.param(
        f"GET {CALLBACK}?code={CODE}&state=a HTTP/1.1",
        f"GET {CALLBACK} HTTP/1.1",
        id="request line",
    ),
    pytest.param(f"{CALLBACK}?code={CODE}", CALLBACK, id="path"),
    pytest.param(f"{CALLBACK}?a=b?code={CODE}", CALLBACK, id="two question marks"),
    pytest.param(f"{CALLBACK}?a=it's&code={CODE}", CALLBACK, id="single quote"),
    pytest.param(f'{CALLBACK}?a="b"&code={CODE}', CALLBACK, id="double quotes"),
    pytest.param(f"{CALLBACK}?a=é&code={CODE}", CALLBACK, id="not ASCII"),
    pytest.param(f"{CALLBACK}?code={CODE[:4]}", CALLBACK, id="short code"),
    pytest.param(
        f"https://site.example{CALLBACK}?code={CODE}",
        f"https://site.example{CALLBACK}",
        id="whole address",
    ),
    pytest.param(
        f"/accounts/password/reset/MQ/{MAILED}/",
        "/accounts/password/reset/MQ/…/",
        id="mailed link",
    ),
    pytest.param(
        f"POST /accounts/password/reset/MQ/{MAILED}/?a={CODE} HTTP/1.1",
        "POST /accounts/password/reset/MQ/…/ HTTP/1.1",
        id="mailed link with a query",
    ),
    pytest.param(
        f"/accounts/email/confirm/{SIGNED}/",
        "/accounts/email/confirm/…/",
        id="signed token",
    ),
    pytest.param(
        f"/accounts/email/confirm/{SIGNED.replace(':', '%3A')}/",
        "/accounts/email/confirm/…/",
        id="signed token, encoded",
    ),
    pytest.param(
        f"/accounts/email/confirm/.{SIGNED}", "/accounts/email/confirm/…", id="packed"
    ),
    pytest.param(f"/x/{UUID}:1vQx2A:{CODE}/", "/x/…/", id="signed UUID"),
]
OPERATOR = ("NV_CLIENT_ID", "NV_CLIENT_SECRET", "NV_API_HOST")
KEPT = [
    pytest.param(f"/verify/{UUID}/", id="page of a verification"),
    pytest.param(f"GET /verify/{UUID}/ HTTP/1.1", id="its request line"),
    pytest.param(
        f"/admin/numberverify/verification/{UUID}/change/", id="its page in the admin"
    ),
    pytest.param("/accounts/password/change/", id="form"),
    pytest.param("GET / HTTP/1.1", id="home"),
    pytest.param("", id="nothing"),
]


@pytest.mark.parametrize(("text", "left"), TABLE)
def test_queries_and_tokens_are_taken_out(text, left):
    assert redact(text) == left


@pytest.mark.parametrize("token", ["7KX2M-9QRTB", "7kx2m9qrtb", "mistyped"])
def test_the_link_for_a_phone_is_no_part_of_a_log(token):
    line = f"GET /verify/phone/{token}/ HTTP/1.1"

    assert redact(line) == "GET /verify/phone/…/ HTTP/1.1"


@pytest.mark.parametrize("text", KEPT)
def test_paths_without_secrets_stay_as_they_are(text):
    assert redact(text) == text


@pytest.fixture
def log() -> tuple[logging.Logger, StringIO]:
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.addFilter(Redact())
    logger = logging.Logger("of this test")
    logger.addHandler(handler)
    return logger, written


@pytest.mark.parametrize(("text", "left"), TABLE)
def test_what_requests_put_into_a_record_is_redacted(log, text, left):
    logger, written = log

    logger.info('"%s" %s %s', text, "200", 512)
    logger.info("%(path)s: %(status)d", {"path": text, "status": 404})

    assert written.getvalue() == f'"{left}" 200 512\n{left}: 404\n'


def test_other_records_stay_as_they_are(log):
    logger, written = log

    logger.info("what? a question")
    logger.info("%s of %d: %r", "one", 2, None)
    logger.info("100%")

    assert written.getvalue() == "what? a question\none of 2: None\n100%\n"


SCRIPT = f"""
import logging, django
django.setup()
line = "GET {CALLBACK}?code={CODE} HTTP/1.1"
for name in ("django.server", "django.request", "django.security.csrf", "accounts", ""):
    logging.getLogger(name).warning('%s says "%s"', name or "root", line)
"""


def test_the_site_s_loggers_write_each_line_once_and_redacted():
    # All that matters is set, so that no `.env` of a developer's comes in.
    unset = dict.fromkeys(["NV_OPERATORS_FILE", *OPERATOR], "")
    environment = {"DEBUG": "1", "SITE_URL": "http://127.0.0.1:8000", **unset}
    environment |= {"DJANGO_SETTINGS_MODULE": "config.settings"}
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=environment | {"PATH": os.environ["PATH"]},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
    )

    lines = [line for line in ran.stderr.splitlines() if "says" in line]
    assert len(lines) == 5, ran.stderr
    assert all(f'"GET {CALLBACK} HTTP/1.1"' in line for line in lines)
    assert CODE not in ran.stderr + ran.stdout


@pytest.fixture
def gunicorn(tmp_path):
    """gunicorn's logger as the site configures it, and the file that it writes."""
    site = runpy.run_path(str(ROOT / "config" / "gunicorn.conf.py"))
    config = Config()
    config.set("access_log_format", site["access_log_format"])
    for name in ("accesslog", "errorlog"):
        config.set(name, str(tmp_path / "log"))
    logger = site["logger_class"](config)
    yield logger, tmp_path / "log"
    for log in (logger.access_log, logger.error_log):
        for handler in list(log.handlers):
            log.removeHandler(handler)
            handler.close()


def served(path, query):
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "RAW_URI": f"{path}?{query}",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.1",
        "HTTP_REFERER": f"https://operator.example/?code={CODE}",
    }
    response = SimpleNamespace(status="303 See Other", sent=12, headers=[])
    request = SimpleNamespace(headers=[("REFERER", environ["HTTP_REFERER"])])
    return response, request, environ, timedelta(milliseconds=5)


@pytest.mark.parametrize(
    ("path", "left"),
    [
        (CALLBACK, CALLBACK),
        (f"/verify/{UUID}/", f"/verify/{UUID}/"),
        (f"/accounts/password/reset/MQ/{MAILED}/", "/accounts/password/reset/MQ/…/"),
        (f"/accounts/email/confirm/{SIGNED}/", "/accounts/email/confirm/…/"),
    ],
)
def test_gunicorn_s_access_log_holds_paths_without_secrets(gunicorn, path, left):
    logger, file = gunicorn

    logger.access(*served(path, f"code={CODE}"))

    written = file.read_text()
    assert f'192.0.2.1 "GET {left}" 303 12 ' in written
    assert CODE not in written


def test_gunicorn_s_error_log_holds_no_code_either(gunicorn):
    logger, file = gunicorn

    # As its workers do when an exception comes out of the application.
    logger.exception("Error handling request %s", f"{CALLBACK}?code={CODE}")

    written = file.read_text()
    assert f"Error handling request {CALLBACK}" in written
    assert CODE not in written


# One JSON object a line


@pytest.fixture
def json_log(log):
    logger, written = log
    for handler in logger.handlers:
        handler.setFormatter(JsonLines())
    yield logger, lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    correlation.is_over()


def test_a_line_is_one_object_whatever_it_says(json_log):
    logger, lines = json_log

    logger.warning('two\nlines, a "quote" and %s', "an ü")

    (line,) = lines()
    assert line["message"] == 'two\nlines, a "quote" and an ü'
    assert (line["level"], line["logger"]) == ("WARNING", "of this test")
    assert line["time"].endswith("+00:00")
    assert "verification" not in line


@pytest.mark.parametrize(("text", "left"), TABLE)
def test_it_is_redacted_as_well(json_log, text, left):
    logger, lines = json_log

    logger.info("%s", text)

    assert lines()[0]["message"] == left


def test_it_says_which_verification_the_request_is_about(json_log):
    logger, lines = json_log

    correlation.is_about(UUID)
    logger.info("one")
    correlation.is_over()
    logger.info("two")
    # As Django does of a response, when all middleware is through.
    request = SimpleNamespace(META={correlation.KEY: UUID})
    logger.warning("three", extra={"request": request})

    assert [line.get("verification") for line in lines()] == [UUID, None, UUID]


def test_an_error_is_told_by_kind_and_place_never_by_its_words(json_log):
    logger, lines = json_log

    try:
        try:
            raise KeyError("+447700900123")
        except KeyError as error:
            raise ValueError("Key (phone)=(+447700900123) exists") from error
    except ValueError:
        logger.exception("a fault")

    (line,) = lines()
    assert line["errors"] == ["ValueError", "KeyError"]
    assert "test_logs.py" in line["at"][0]
    assert "900123" not in json.dumps(line)


def test_gunicorn_s_line_has_its_parts_and_the_verification(
    gunicorn, monkeypatch, settings
):
    monkeypatch.setattr("config.settings.LOG_FORMAT", "json")
    logger, file = gunicorn
    logger.setup(logger.cfg)
    response, request, environ, took = served(CALLBACK, f"code={CODE}")
    environ[correlation.KEY] = UUID

    logger.access(response, request, environ, took)

    line = json.loads(file.read_text())
    assert line["verification"] == UUID
    assert (line["path"], line["status"], line["method"]) == (CALLBACK, 303, "GET")
    assert CODE not in file.read_text()
    assert correlation.current() == ""
