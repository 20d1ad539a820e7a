"""The files of docs/deploy.md: they name what there is, and log no secret."""

import os
import re
import shlex
import shutil
import subprocess
import time
from pathlib import Path

import pytest
import requests
from django.core.management import get_commands

from config import settings
from tests.servers import ROOT, free_port

DEPLOY = ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
NGINX = (DEPLOY / "nginx.conf").read_text()
HOME = "/srv/number-verify/"


def commands(unit):
    found = re.findall(r"^Exec\w+=(.*)$", unit.read_text(), re.MULTILINE)
    return [shlex.split(line) for line in found]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_starts_what_there_is(unit):
    ours = [words for words in commands(unit) if words[0].startswith(HOME)]

    assert ours
    for program, *words in ours:
        assert program == f"{HOME}.venv/bin/python"
        if words[0] == "manage.py":
            assert words[1] in get_commands()
        else:
            assert words[:3] == ["-m", "gunicorn", "-c"]
            assert (ROOT / words[3]).exists()


@pytest.mark.parametrize("when", ["ExecStartPre", "ExecReload"])
def test_a_wrong_setting_keeps_the_service_from_starting_anew(when):
    """At a reload as well: gunicorn ends when it cannot read its settings again."""
    unit = (DEPLOY / "number-verify.service").read_text()

    first = re.search(rf"^{when}=(.*)$", unit, re.MULTILINE)[1]
    assert first.endswith("manage.py check --deploy --fail-level WARNING")


def test_each_unit_is_shut_in_as_the_others_are():
    walls = r"^(?:NoNew|Protect|Private|Restrict|Lock|Capability|SystemCall)\w+=.*$"
    found = [set(re.findall(walls, each.read_text(), re.MULTILINE)) for each in UNITS]

    assert len(found[0]) > 10
    assert all(each == found[0] for each in found)


def test_the_site_s_statements_have_a_limit_and_those_of_commands_have_none():
    limited = [unit.name for unit in UNITS if "statement_timeout" in unit.read_text()]

    assert limited == ["number-verify.service"]


def test_the_socket_is_the_same_on_both_sides():
    socket = "unix:/run/number-verify/web.sock"

    assert f"--bind {socket}" in (DEPLOY / "number-verify.service").read_text()
    assert f"server {socket};" in NGINX


def test_nginx_logs_no_query_string_and_no_referrer():
    formats = re.findall(r"log_format\s+(\w+)([^;]*);", NGINX)
    leaks = r"\$(request|request_uri|args|query_string|arg_\w+|http_\w+|uri)\b"

    assert [name for name, _ in formats] == ["nv"]
    assert not re.search(leaks, formats[0][1])
    logs = re.findall(r"access_log\s+([^;]*);", NGINX)
    assert logs
    assert all(log == "off" or log.endswith(" nv") for log in logs)


def test_nginx_quotes_no_request_in_its_error_log():
    logs = re.findall(r"error_log\s+([^;]*);", NGINX)

    assert NGINX.count("server {") == len(logs)
    assert all(log.endswith(" alert") for log in logs)


def test_nginx_takes_the_tokens_of_mailed_links_out():
    pattern = re.search(r'"~(\^\(\?<nv_before>/accounts/.*?)" "\$', NGINX)[1]
    path = re.compile(pattern.replace("?<", "?P<"))

    for kind in ("email/confirm", "email/close", "email/change", "not-me"):
        assert path.match(f"/accounts/{kind}/{'t' * 40}/")
    assert path.match(f"/accounts/password/reset/Mg/{'t' * 40}/")
    assert not path.match("/accounts/email/change/")


def test_nginx_takes_the_link_of_a_phone_out():
    pattern = re.search(r'"~(\^\(\?<nv_before>/verify/phone/.*?)" "\$', NGINX)[1]
    path = re.compile(pattern.replace("?<", "?P<"))

    assert path.match("/verify/phone/7KX2M-9QRTB/")["nv_before"] == "/verify/phone/"


def test_nginx_says_itself_who_comes_and_how():
    locations = re.findall(r"location [^{]*\{(.*?)\n    \}", NGINX, re.DOTALL)
    proxied = [each for each in locations if "proxy_pass" in each]
    assert len(proxied) == NGINX.count("proxy_pass")
    for location in proxied:
        assert "X-Forwarded-For $remote_addr;" in location
        assert "X-Forwarded-Proto $scheme;" in location


NO_NGINX = pytest.mark.skipif(
    not shutil.which("nginx") and "NO_SKIPS" not in os.environ,
    reason="nginx is missing",
)


@pytest.fixture
def nginx(tmp_path):
    """The file without TLS, at ports of this test's own, as `-c` takes it."""
    text = NGINX.replace("/var/log/nginx", str(tmp_path))
    for port in (80, 443):
        own = f"listen 127.0.0.1:{free_port()}"
        text = re.sub(rf"\n    listen \[::\]:{port}.*", "", text)
        text = re.sub(rf"listen {port}( ssl http2)?\b", own, text)
    text = re.sub(r".*ssl_certificate.*\n", "", text)
    text = text.replace("/run/number-verify/web.sock", f"{tmp_path}/web.sock")
    whole = f"pid {tmp_path}/pid;\ndaemon off;\nevents {{}}\nhttp {{\n{text}\n}}\n"
    (tmp_path / "nginx.conf").write_text(whole)
    return ["nginx", "-e", str(tmp_path / "e"), "-c", f"{tmp_path}/nginx.conf"]


@NO_NGINX
def test_nginx_takes_the_file(nginx):
    ran = subprocess.run([*nginx, "-t"], capture_output=True, text=True)

    assert ran.returncode == 0, ran.stderr


@NO_NGINX
def test_a_balancer_may_ask_over_http_and_everybody_else_is_led_to_https(
    nginx, tmp_path
):
    """What stands behind nginx is away here: 502 is its word for it."""
    port = re.search(r"listen 127.0.0.1:(\d+);", Path(nginx[-1]).read_text())[1]
    at = f"http://127.0.0.1:{port}"
    with subprocess.Popen(nginx) as running:
        try:
            wait_for(at)
            told = {
                path: requests.get(at + path, allow_redirects=False, timeout=5)
                for path in ("/readyz", "/livez", "/metrics", "/accounts/login/?a=b")
            }
        finally:
            running.terminate()

    assert [told[path].status_code for path in ("/readyz", "/livez")] == [502, 502]
    assert told["/metrics"].status_code == 301
    there = told["/accounts/login/?a=b"].headers["Location"]
    assert there == "https://site.example/accounts/login/?a=b"


@NO_NGINX
def test_nginx_logs_no_token_wherever_slashes_are(nginx, tmp_path):
    """A slash may be written as %2F, or twice: it is the same page to the site."""
    token, id = "t" * 39, "01890a5d-ac96-774b-bcce-b302099a8057"
    port = re.search(r"listen 127.0.0.1:(\d+);", Path(nginx[-1]).read_text())[1]
    at = f"http://127.0.0.1:{port}"
    paths = [
        f"/accounts/not-me/{token}/",
        f"/accounts/not-me%2F{token}%2F",
        f"/accounts//email/%2Fconfirm/{token}",
        f"/accounts/password/reset/Mg/{token}/",
        f"/accounts/password/reset/M%2Fg/{token}/?{token}",
        f"/%61ccounts/password/reset/{token}",
        f"/admin/accounts/numberevent/number/{token}/",
        f"/verify/try/sandbox/{token}",
        f"/admin/numberverify/verification/{id}/change/",
        "/accounts/password/change/",
    ]
    with subprocess.Popen(nginx) as running:
        try:
            wait_for(at)
            for path in paths:
                requests.get(at + path, allow_redirects=False, timeout=5)
        finally:
            running.terminate()

    log = (tmp_path / "number-verify.log").read_text()
    logged = re.findall(r'"GET (\S+)"', log)[-len(paths) :]
    assert "ttt" not in log
    assert logged[:2] == ["/accounts/not-me/-"] * 2
    assert logged[3] == "/accounts/password/reset/Mg/-"
    assert logged[-2:] == paths[-2:]


def wait_for(at):
    for _ in range(100):
        try:
            return requests.get(at, allow_redirects=False, timeout=5)
        except requests.ConnectionError:
            time.sleep(0.1)
    raise AssertionError("nginx does not start")


def test_the_example_names_variables_that_the_settings_read():
    example = (DEPLOY / "env.example").read_text()
    known = (ROOT / "docs/reference/settings.md").read_text()

    for name in re.findall(r"^(\w+)=", example, re.MULTILINE):
        assert f"`{name}`" in known, name
    assert settings.TRUSTED_PROXY_COUNT == 0  # the example changes it
    assert "TRUSTED_PROXY_COUNT=1" in example


def test_the_document_names_files_that_there_are():
    page = (ROOT / "docs/deploy.md").read_text()

    for name in re.findall(r"\]\(([^)#:]+)", page):
        assert (ROOT / "docs" / name).exists(), name
    for name in re.findall(r"\bdeploy/([\w.-]+\.\w+)", page):
        assert (DEPLOY / name).exists(), name
