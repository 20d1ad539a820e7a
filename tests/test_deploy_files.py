"""The files of docs/deploy.md: they name what there is, and log no secret."""

import os
import re
import shlex
import shutil
import subprocess

import pytest
from django.core.management import get_commands

from config import settings
from tests.servers import ROOT

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


def test_nginx_says_itself_who_comes_and_how():
    for location in re.findall(r"location [^{]*\{(.*?)\n    \}", NGINX, re.DOTALL):
        assert "X-Forwarded-For $remote_addr;" in location
        assert "X-Forwarded-Proto $scheme;" in location


@pytest.mark.skipif(
    not shutil.which("nginx") and "NO_SKIPS" not in os.environ,
    reason="nginx is missing",
)
def test_nginx_takes_the_file(tmp_path):
    text = re.sub(r"listen (\[::\]:)?(80|443)", r"listen 127.0.0.1:18\2", NGINX)
    text = text.replace("/var/log/nginx", str(tmp_path))
    text = re.sub(r".*ssl_certificate.*\n", "", text).replace(" ssl http2", "")
    text = re.sub(r"(listen [\d.:]+;\n)\s*listen [\d.:]+;", r"\1", text)
    whole = f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{\n{text}\n}}\n"
    (tmp_path / "nginx.conf").write_text(whole)
    command = ["nginx", "-t", "-e", str(tmp_path / "e"), "-c", f"{tmp_path}/nginx.conf"]

    ran = subprocess.run(command, capture_output=True, text=True)

    assert ran.returncode == 0, ran.stderr


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
