"""PostgreSQL and Redis on ports of their own, to be killed, frozen and started."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
import redis

from tests.servers import free_port

POSTGRESQL = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
INITDB = str(POSTGRESQL[-1]) if POSTGRESQL else shutil.which("initdb")
REDIS_SERVER = shutil.which("redis-server")


def missing() -> list[str]:
    found = {"PostgreSQL's initdb": INITDB, "redis-server": REDIS_SERVER}
    return [name for name, path in found.items() if not path]


def as_nobody_great() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    return {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}


def tree(pid: int) -> list[int]:
    """The process, and those that it has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in tree(int(child)))]


class Cluster:
    """PostgreSQL, without waiting for a disk: it survives its own death, not the
    machine's."""

    def __init__(self) -> None:
        # Not in pytest's own folders, which are closed to everybody else.
        self.folder = Path(tempfile.mkdtemp(prefix="numberverify-faults-"))
        self.port = free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        self._run("initdb", "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8")
        self.start()

    def start(self) -> None:
        options = f"-p {self.port} -h 127.0.0.1 -k {self.folder} -F"
        self._run(
            "pg_ctl", "-w", "-s", "-l", f"{self.folder}/log", "-o", options, "start"
        )

    def kill(self) -> None:
        """As a crash does it: nothing is written down any more."""
        os.kill(self._pid(), signal.SIGQUIT)
        while (self.folder / "postmaster.pid").exists():
            time.sleep(0.02)

    def freeze(self) -> None:
        for pid in tree(self._pid()):
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        for pid in tree(self._pid()):
            os.kill(pid, signal.SIGCONT)

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url, autocommit=True)

    def ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            return connection.execute(sql, values).fetchall()

    def close(self) -> None:
        if (self.folder / "postmaster.pid").exists():
            self.thaw()
            self._run("pg_ctl", "-w", "-s", "-m", "immediate", "stop")
        shutil.rmtree(self.folder)

    def _pid(self) -> int:
        return int((self.folder / "postmaster.pid").read_text().split()[0])

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(Path(INITDB or "").with_name(program)), "-D", str(self.folder)]
        subprocess.run(
            [*command, *arguments],
            check=True,
            cwd="/",
            stdout=subprocess.DEVNULL,
            timeout=60,
            **as_nobody_great(),
        )


class Redis:
    """One that forgets everything when it dies."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self.process = subprocess.Popen(
            [str(REDIS_SERVER), *options], stdout=subprocess.DEVNULL, cwd="/tmp"
        )
        client = redis.Redis(port=self.port)
        for _ in range(200):
            try:
                client.ping()
            except redis.RedisError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("Redis does not start")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        if self.process.poll() is None:
            self.kill()
