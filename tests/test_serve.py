"""`make serve`: as in production, beside a sandbox of its own, or a plain refusal."""

import os
import re
import secrets
import shutil
import stat
import subprocess
import sys
import time
import tomllib
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import requests

from tests.conftest import REDIS_URL
from tests.factories import PASSWORD
from tests.servers import ROOT, free_port

NOWHERE = "127.0.0.1:1"
LINKED = ["accounts", "numberverify", "templates", "static", "locale"]


@pytest.fixture
def checkout(tmp_path):
    """Of its own, so that nobody's keys are written over."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    shutil.copy(ROOT / "manage.py", tmp_path)  # a link would lead back from here
    for name in LINKED:
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def environment(checkout, **given):
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | {"PYTHONPATH": str(checkout), "PYTHONUNBUFFERED": "1"} | given


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"POSTGRESQL_URL": f"postgres://nv:s3cret@{NOWHERE}/postgres"}, "PostgreSQL"),
        ({"DATABASE_URL": f"postgres://nv:s3cret@{NOWHERE}/nv"}, "PostgreSQL"),
        ({"DATABASE_URL": "sqlite:///db.sqlite3"}, "PostgreSQL"),
    ],
)
def test_without_postgresql_it_says_so_in_a_sentence(checkout, given, named):
    ran = subprocess.run(
        [sys.executable, "-m", "config.serve"],
        env=environment(checkout, **given),
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ran.returncode == 1
    assert ran.stderr.startswith(f"make serve needs {named}, and none answers.")
    assert "s3cret" not in ran.stderr
    assert not (checkout / ".serve.env").exists()


@pytest.fixture
def database():
    server = os.environ["DATABASE_URL"]
    name = f"nv_serve_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.postgresql
def test_without_redis_it_says_so_in_a_sentence(checkout, database):
    given = {"DATABASE_URL": database, "CACHE_URL": f"redis://{NOWHERE}/0"}
    ran = subprocess.run(
        [sys.executable, "-m", "config.serve"],
        env=environment(checkout, **given),
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ran.stderr.startswith("make serve needs Redis, and none answers.")


@pytest.fixture
def serve(checkout, database):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    given = {"SITE_URL": url, "DATABASE_URL": database, "CACHE_URL": REDIS_URL}
    log = checkout / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "config.serve"],
            env=environment(checkout, **given),
            cwd=checkout,
            stdout=out,
            stderr=out,
        )
    for _ in range(600):
        if process.poll() is not None:
            break
        try:
            if requests.get(f"{url}/readyz", timeout=10).ok:
                break
        except requests.ConnectionError:
            time.sleep(0.2)
    assert process.poll() is None, log.read_text()
    yield url
    process.terminate()
    process.wait(timeout=60)
    with pytest.raises(requests.ConnectionError):  # the sandbox has ended with it
        requests.get(f"http://localhost:{port + 1}/livez", timeout=5)


@pytest.mark.postgresql
@pytest.mark.redis
def test_a_signup_ends_signed_in(serve, checkout):
    browser = requests.Session()
    page = browser.get(f"{serve}/accounts/signup/")
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
    typed = {"email": "ann@example.com", "phone": "07700 900123"}
    typed |= {"password1": PASSWORD, "password2": PASSWORD}

    ended = browser.post(
        page.url, typed | {"csrfmiddlewaretoken": token}, headers={"Referer": page.url}
    )

    assert ended.url == f"{serve}/accounts/profile/"
    assert "Log out" in ended.text
    # It knows the sandbox by nothing but its table, and has none itself.
    assert requests.get(f"{serve}/sandbox/").status_code == 404
    assert re.search(r"/static/site\.\w{12}\.css", ended.text)
    tables = tomllib.loads((checkout / ".serve.operators.toml").read_text())
    assert urlsplit(tables["sandbox"]["base_url"]).hostname == "localhost"
    for kept in (".serve.env", ".serve.operators.toml"):
        assert stat.S_IMODE((checkout / kept).stat().st_mode) == 0o600
