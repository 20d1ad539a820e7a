"""Ours and the peers, each in a gunicorn of its own, with a database of its own; and
the operator that all of them ask."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from cryptography.hazmat.primitives import serialization
from psycopg import sql

from . import tls
from .browsers import Steps
from .operator import new_key

THREADS = 64  # of each gunicorn
POOL = 20  # of database connections, of each
ROOT = Path(__file__).resolve().parents[2]
TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
CORES = sorted(os.sched_getaffinity(0))


@dataclass(frozen=True, slots=True)
class Kind:
    """One of those measured, and how one verifies there."""

    label: str
    start: str
    posts: bool = True
    cookies: str = ""  # what the names of its cookies begin with


# What the peers reach PostgreSQL by: Django's own, or what we ship.
ENGINES = {"django": "django.db.backends.postgresql", "ours": "config.postgresql"}
KINDS = {
    "ours": Kind("ours", "/bench/start/", cookies="__Host-"),
    "bare": Kind("a bare pair of views", "/start/"),
    "mozilla": Kind("mozilla-django-oidc", "/oidc/authenticate/", posts=False),
    "allauth": Kind("django-allauth", "/accounts/oidc/bench/login/"),
}


@dataclass(slots=True)
class Server:
    kind: Kind
    steps: Steps
    pid: int  # of the worker
    database: str  # its DATABASE_URL

    def cpu(self) -> float:
        """Seconds of the processor that the worker has had."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory(self) -> float:
        """MiB that are resident."""
        said = Path(f"/proc/{self.pid}/statm").read_text().split()
        return int(said[1]) * PAGE / 2**20


@dataclass(slots=True)
class Operator:
    address: str
    authorities: str = ""  # the file of those that vouch for it

    def order(self, **asked: Any) -> dict[str, int]:
        """Tell it how to answer from now on; return what it has counted."""
        request = urllib.request.Request(  # noqa: S310
            f"{self.address}/control", json.dumps(asked).encode()
        )
        trust = ssl.create_default_context(cafile=self.authorities or None)
        with urllib.request.urlopen(  # noqa: S310
            request, timeout=10, context=trust
        ) as answer:
            counted: dict[str, int] = json.load(answer)
            return counted


@contextmanager
def running(
    names: list[str],
    *,
    base: str,
    cache: str,
    keep: bool = False,
    threads: int = THREADS,
    engine: str = "django",
    over_tls: bool = True,
) -> Iterator[tuple[Operator, dict[str, Server]]]:
    """Start the operator and the servers; the databases are made beside `base`.

    The servers have one core, and all else that is ours, this process too, another.
    """
    os.sched_setaffinity(0, {CORES[-1]})
    with ExitStack() as stack:
        files = Path(stack.enter_context(TemporaryDirectory()))
        public = _write_key(files)
        operator = stack.enter_context(_operator(files, over_tls=over_tls))
        common = {
            "BENCH_OPERATOR": operator.address,
            "BENCH_PUBLIC_KEY": public,
            "REQUESTS_CA_BUNDLE": operator.authorities,
            "DATABASE_POOL_SIZE": str(POOL),
            "BENCH_ENGINE": ENGINES[engine],
            "CACHE_URL": cache,
            # gunicorn's own settings read the site's, before those of the benchmark.
            "SECRET_KEY": "bench-only-" * 6,
            "NV_FINGERPRINT_KEYS": "bench-only-" * 4,
        }
        servers = {}
        for name in names:
            database = stack.enter_context(_database(base, name, keep=keep))
            environment = os.environ | common | _own(name, database)
            _prepare(environment)
            server = _server(name, environment, files, threads)
            servers[name] = stack.enter_context(server)
        yield operator, servers


def _own(name: str, database: str) -> dict[str, str]:
    settings = "ours" if name == "ours" else "peers"
    return {
        "DJANGO_SETTINGS_MODULE": f"bench.flows.{settings}",
        "BENCH_PEER": name,
        "DATABASE_URL": database,
    }


@contextmanager
def _database(base: str, name: str, *, keep: bool) -> Iterator[str]:
    """Make one beside `base`; it is dropped in the end, unless it is to be kept for
    the next run."""
    own = f"{base.rpartition('/')[2]}_flow_{name}"
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(
        sql.Identifier(own)
    )
    with psycopg.connect(base, autocommit=True) as connection:
        found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [own])
        if not (keep and found.rowcount):
            connection.execute(drop)
            connection.execute(
                sql.SQL("CREATE DATABASE {}").format(sql.Identifier(own))
            )
    try:
        yield f"{base.rpartition('/')[0]}/{own}"
    finally:
        if not keep:
            with psycopg.connect(base, autocommit=True) as connection:
                connection.execute(drop)


def _prepare(environment: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, "-m", "bench.flows.prepare"],
        env=environment,
        cwd=ROOT,
        check=True,
    )


def _write_key(files: Path) -> str:
    """Write the key by which the operator signs; return its public half."""
    key = new_key()
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (files / "key.pem").write_bytes(pem)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return public.decode()


@contextmanager
def _operator(files: Path, *, over_tls: bool) -> Iterator[Operator]:
    port = _free_port()
    command = [sys.executable, "-m", "bench.flows.operator", str(port)]
    command.append(str(files / "key.pem"))
    scheme, authorities = "http", ""
    if over_tls:
        chain, vouching = tls.write(files)
        command.append(str(chain))
        scheme, authorities = "https", str(vouching)
    with _process(command, dict(os.environ), core=-1):
        _wait_for(port)
        yield Operator(f"{scheme}://127.0.0.1:{port}", authorities)


@contextmanager
def _server(
    name: str, environment: dict[str, str], files: Path, threads: int
) -> Iterator[Server]:
    """Start gunicorn as in production; ours and the peers by the same file."""
    port = _free_port()
    command = [sys.executable, "-m", "gunicorn", "--config", "config/gunicorn.conf.py"]
    command += ["--bind", f"127.0.0.1:{port}", "--threads", str(threads)]
    command += ["--workers", "1", "--keep-alive", "75"]
    command += ["config.wsgi" if name == "ours" else "bench.flows.wsgi"]
    with (
        (files / f"{name}.log").open("w") as log,
        _process(command, environment, core=0, into=log) as master,
    ):
        _wait_for(port)
        kind = KINDS[name]
        steps = Steps(
            port,
            kind.start,
            kind.posts,
            f"{kind.cookies}csrftoken",
            f"{kind.cookies}sessionid",
        )
        yield Server(kind, steps, _child(master), environment["DATABASE_URL"])


@contextmanager
def _process(
    command: list[str], environment: dict[str, str], *, core: int, into: Any = None
) -> Iterator[int]:
    """Run it on a core of its own, where there are several; stop it in the end."""
    process = subprocess.Popen(  # noqa: S603
        command, env=environment, cwd=ROOT, stdout=into, stderr=into
    )
    os.sched_setaffinity(process.pid, {CORES[core % len(CORES)]})
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _child(master: int) -> int:
    """Return gunicorn's one worker."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        listed = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        if listed:
            return int(listed[0])
        time.sleep(0.1)
    raise RuntimeError("gunicorn has no worker")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(port: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"nothing answers on port {port}")
