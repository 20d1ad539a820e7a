"""`make serve`: the site as in production, on this machine alone.

DEBUG is off, gunicorn serves, PostgreSQL and Redis are those that are found. What it
needs to know stands in .serve.env, as it would in the file of a deployment. Where no
operator is configured, a sandbox runs beside it, as a site of its own that this one
reaches over http like any operator.
"""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from urllib.request import urlopen

import environ
import psycopg
import redis
from django.conf import settings

from config.sandbox import Tables, sandbox

HERE = Path(__file__).resolve().parent.parent
KEPT = HERE / ".serve.env"
OPERATORS = HERE / ".serve.operators.toml"
SANDBOX_DATABASE = HERE / ".serve.sandbox.sqlite3"
# Another host name than the site's: cookies of one name do not meet.
SANDBOX_HOST = "localhost"
NAME = "number_verify_serve"
OF_AN_OPERATOR = ("NV_OPERATORS_FILE", "NV_CLIENT_ID")
MANAGE = [sys.executable, "manage.py"]
Environment = dict[str, str]


def main() -> None:
    settings.configure(USE_I18N=False)  # the labels of the sandbox are plain words
    if (HERE / ".env").exists():
        environ.Env.read_env(str(HERE / ".env"))
    given = _kept() | dict(os.environ)
    site = _with_stores(given | {"DEBUG": "off"})
    site.setdefault("SITE_URL", "http://127.0.0.1:8000")
    site.setdefault("SMS_BACKEND", "console")
    for name in ("SECRET_KEY", "NV_FINGERPRINT_KEYS", "SANDBOX_SECRET_KEY"):
        site.setdefault(name, secrets.token_urlsafe(48))
    its_own = site.get("NV_OPERATORS_FILE") == str(OPERATORS)
    has_operator = any(site.get(name) for name in OF_AN_OPERATOR) and not its_own
    beside = None if has_operator else _sandbox_beside(site)
    _keep(site)
    processes = []
    signal.signal(signal.SIGTERM, lambda *args: sys.exit(0))
    try:
        if beside:
            processes.append(_start_sandbox(beside))
        _manage(site, "migrate", "--verbosity", "0")
        _manage(site, "collectstatic", "--no-input", "--verbosity", "0")
        _say(site, beside)
        processes.append(_start_site(site))
        sys.exit(processes[-1].wait())
    except KeyboardInterrupt:
        pass  # the processes have heard it too
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait()


def _with_stores(given: Environment) -> Environment:
    """Add the addresses of the stores, if they answer; else refuse with a sentence."""
    found = {
        "DATABASE_URL": given.get("DATABASE_URL") or _database(given),
        "CACHE_URL": given.get("CACHE_URL") or "redis://127.0.0.1:6379/0",
    }
    try:
        psycopg.connect(found["DATABASE_URL"], connect_timeout=3).close()
    except psycopg.Error:
        _refuse("PostgreSQL", "DATABASE_URL")
    try:
        redis.Redis.from_url(found["CACHE_URL"], socket_timeout=3).ping()
    except (redis.RedisError, ValueError):
        _refuse("Redis", "CACHE_URL")
    return given | found


def _database(given: Environment) -> str:
    """Return a database of ours in the PostgreSQL of this machine; make it."""
    server = given.get("POSTGRESQL_URL", "postgres://postgres@127.0.0.1:5432/postgres")
    try:
        with psycopg.connect(server, connect_timeout=3, autocommit=True) as connection:
            known = connection.execute("SELECT datname FROM pg_database").fetchall()
            if (NAME,) not in known:
                connection.execute(f"CREATE DATABASE {NAME}")
                print(f"Made the database {NAME}.")
    except psycopg.Error:
        _refuse("PostgreSQL", "POSTGRESQL_URL (a user who may make databases)")
    return urlunsplit(urlsplit(server)._replace(path=f"/{NAME}"))


def _refuse(store: str, variable: str) -> None:
    sys.exit(
        f"make serve needs {store}, and none answers. Start one, or say where it is in "
        f"{variable}. Without either, `make run` serves with DEBUG on."
    )


def _sandbox_beside(site: Environment) -> Environment:
    """Say how a sandbox is run for `site`, and register it there as an operator."""
    port = (urlsplit(site["SITE_URL"]).port or 80) + 1
    at, key = f"http://{SANDBOX_HOST}:{port}", site["SANDBOX_SECRET_KEY"]
    _, tables = sandbox(at, key, of=site["SITE_URL"])
    _write(OPERATORS, _toml(tables))
    site["NV_OPERATORS_FILE"] = str(OPERATORS)
    foreign = dict.fromkeys((*OF_AN_OPERATOR, "NV_CLIENT_SECRET", "NV_API_HOST"), "")
    return (
        dict(os.environ)
        | foreign
        | {
            "DEBUG": "on",
            "SECRET_KEY": key,
            "SITE_URL": at,
            "NV_SANDBOX": "on",
            "NV_SANDBOX_FOR": site["SITE_URL"],
            "DATABASE_URL": f"sqlite:///{SANDBOX_DATABASE}",
            "CACHE_URL": "locmemcache://",
        }
    )


def _toml(tables: Tables) -> str:
    lines = []
    for name, table in tables.items():
        lines.append(f"[{name}]")
        # What JSON says of texts, lists and flags is TOML as well.
        lines += [
            f"{key} = {json.dumps(value, default=str)}" for key, value in table.items()
        ]
    return "\n".join(lines) + "\n"


def _start_sandbox(beside: Environment) -> "subprocess.Popen[bytes]":
    _manage(beside, "migrate", "--verbosity", "0")
    address = urlsplit(beside["SITE_URL"]).netloc
    command = [*MANAGE, "runserver", "--noreload", address]
    process = subprocess.Popen(command, env=beside, cwd=HERE, stdout=subprocess.DEVNULL)
    for _ in range(100):
        try:
            urlopen(f"{beside['SITE_URL']}/livez", timeout=3).close()  # noqa: S310
        except OSError:
            if process.poll() is not None:
                sys.exit(f"The sandbox does not start at {address}.")
            time.sleep(0.2)
        else:
            break
    return process


def _start_site(site: Environment) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.conf.py"]
    command += ["--bind", urlsplit(site["SITE_URL"]).netloc]
    return subprocess.Popen(command, env=site, cwd=HERE)


def _manage(environment: Environment, *arguments: str) -> None:
    subprocess.run([*MANAGE, *arguments], env=environment, cwd=HERE, check=True)


def _say(site: Environment, beside: Environment | None) -> None:
    print(f"{site['SITE_URL']}/  the site: DEBUG off, gunicorn, PostgreSQL, Redis")
    if beside:
        print(f"{beside['SITE_URL']}/sandbox/handset/  the handset of its operator")
    print(f"Its settings and keys are in {KEPT.name}; mails are printed here. Staff:")
    print("  set -a; . ./.serve.env; .venv/bin/python manage.py createsuperuser")
    sys.stdout.flush()


def _kept() -> Environment:
    if not KEPT.exists():
        return {}
    lines = KEPT.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _keep(site: Mapping[str, Any]) -> None:
    names = ["DEBUG", "SITE_URL", "DATABASE_URL", "CACHE_URL", "SMS_BACKEND"]
    names += ["SECRET_KEY", "NV_FINGERPRINT_KEYS", "SANDBOX_SECRET_KEY"]
    names += [name for name in OF_AN_OPERATOR if site.get(name) == str(OPERATORS)]
    _write(KEPT, "".join(f"{name}={site[name]}\n" for name in names))


def _write(path: Path, text: str) -> None:
    """For its owner alone: it holds secrets."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text)


if __name__ == "__main__":
    main()
