"""Real servers, each in a process of its own, ended by its id."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests

ROOT = Path(__file__).parent.parent
RUNSERVER = [sys.executable, "manage.py", "runserver", "--noreload"]
GUNICORN = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.conf.py", "--bind"]

_migrated: dict[tuple[str | None, ...], bytes] = {}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Server:
    """`command` with an address added, in a bare environment plus `variables`.

    What it prints goes to `folder`/log. SITE_URL is its own address.
    """

    def __init__(self, command: list[str], folder: Path, **variables: str) -> None:
        address = f"127.0.0.1:{free_port()}"
        self.url = f"http://{address}"
        self.log = folder / "log"
        kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG")}
        self.environment = kept | {"SITE_URL": self.url, "PYTHONUNBUFFERED": "1"}
        self.environment |= variables
        self._migrate()
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                [*command, address],
                stdout=out,
                stderr=out,
                env=self.environment,
                cwd=ROOT,
            )
        self._wait()

    def _migrate(self) -> None:
        """What the first of them has migrated, the others with a SQLite take over."""
        address = self.environment.get("DATABASE_URL", "")
        if not address.startswith("sqlite:///"):
            self.manage("migrate", "-v0")
            return
        file = Path(address.removeprefix("sqlite:///"))
        kind = tuple(map(self.environment.get, ("DJANGO_SETTINGS_MODULE", "DEBUG")))
        if kind in _migrated:
            file.write_bytes(_migrated[kind])
        else:
            self.manage("migrate", "-v0")
            _migrated[kind] = file.read_bytes()

    def manage(self, *arguments: str) -> None:
        run = [sys.executable, "manage.py", *arguments]
        subprocess.run(run, check=True, env=self.environment, cwd=ROOT)

    def manage_and_read(self, *arguments: str) -> str:
        """Return what the command prints."""
        run = [sys.executable, "manage.py", *arguments]
        environment, pipe = self.environment, subprocess.PIPE
        ran = subprocess.run(
            run, check=True, env=environment, cwd=ROOT, stdout=pipe, text=True
        )
        return ran.stdout

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)

    def _wait(self) -> None:
        for _ in range(300):
            try:
                requests.get(self.url, timeout=10)
            except requests.ConnectionError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError(self.log.read_text())
