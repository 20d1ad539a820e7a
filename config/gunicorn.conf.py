"""gunicorn: threads, since a worker mostly waits for an operator."""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger

from config import settings
from config.addresses import LIVE, POLLED, READY
from config.logs import JsonLines, Redact, redact
from numberverify import correlation

wsgi_app = "config.wsgi"
bind = "127.0.0.1:8000"
worker_class = "gthread"
# One a core: threads wait cheaply, and share the work of one core. WEB_CONCURRENCY
# says otherwise. Without a Redis each would count the limits for itself.
_cores = os.cpu_count() or 1 if settings.CACHE_IS_SHARED else 1
workers = int(os.environ.get("WEB_CONCURRENCY") or _cores)
# More than an operator may hold (`threads` in its table), so that one that hangs leaves
# some to everybody else.
threads = 64
# Longer than an operator's whole leg, so that an upgrade lets people come through.
graceful_timeout = 40
# nginx keeps its connections, and must not meet one that is just being closed.
keepalive = 75
# Its socket is for its group: nobody else of the machine comes around nginx.
umask = 0o007
# Its heartbeat must not wait for a disk.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108
# Longer than any callback that is to be settled instead of answered 414.
limit_request_line = 8190
# Nobody needs to rule it while it runs; it would want a folder to write to.
control_socket_disable = True
accesslog = "-"
# The path without the query string: the callback's holds the authorization code.
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(B)s %(D)sus'


class RedactingLogger(Logger):  # type: ignore[misc]
    """Take the tokens of mailed links out of the paths as well, and all of it out
    of the error log, where gunicorn writes whole addresses."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.addFilter(Redact())
        if settings.LOG_FORMAT == "json":
            for handler in [*self.error_log.handlers, *self.access_log.handlers]:
                handler.setFormatter(JsonLines())

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        # Balancers ask every few seconds, and so do desktops that wait for a phone;
        # that all is well is not worth a line.
        path = str(environ.get("PATH_INFO"))
        is_routine = path in (LIVE, READY) or path.endswith(POLLED)
        if is_routine and str(resp.status).startswith("200"):
            return
        if about := environ.get(correlation.KEY):
            correlation.is_about(about)
        super().access(resp, req, environ, request_time)
        correlation.is_over()

    def atoms(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().atoms(*args, **kwargs)
        return found | {"U": redact(str(found["U"]))}


logger_class = RedactingLogger


FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # where the processes' counts are added up
_made: list[str] = []


def on_starting(server: Any) -> None:
    _refuse_what_is_unsafe(server)
    _count_together()


def _count_together() -> None:
    """Give all workers one folder for /metrics, without what an earlier run left."""
    if not os.environ.get(FOLDER):
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="numberverify-metrics-")
        _made.append(os.environ[FOLDER])
    Path(os.environ[FOLDER]).mkdir(parents=True, exist_ok=True)
    for left in Path(os.environ[FOLDER]).glob("*.db"):
        left.unlink(missing_ok=True)


def child_exit(server: Any, worker: Any) -> None:
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    for folder in _made:
        shutil.rmtree(folder, ignore_errors=True)


def _refuse_what_is_unsafe(server: Any) -> None:
    bound = server.cfg.bind
    addresses = [bound] if isinstance(bound, str) else list(bound)
    is_socket = any(address.startswith("unix:") for address in addresses)
    # There nobody has an address but by what a proxy writes down.
    if is_socket and not settings.TRUSTED_PROXY_COUNT:
        raise SystemExit("on a unix socket TRUSTED_PROXY_COUNT must be 1 or more")
    if settings.DEBUG and not all(map(_is_loopback, addresses)):
        raise SystemExit("DEBUG must be off where others can reach the site")
    if not settings.CACHE_IS_SHARED and server.cfg.workers > 1:
        raise SystemExit("CACHE_URL must be a Redis where there are several workers")


def when_ready(server: Any) -> None:
    """Forget what has been imported here: workers, also those of a reload, import the
    code that lies there then, and not half of it from this process. With --preload
    they have it from here, and half of it anew would be two of each model."""
    if server.cfg.preload_app:
        return
    for name in list(sys.modules):
        if name.partition(".")[0] in ("config", "accounts", "numberverify"):
            del sys.modules[name]


on_reload = when_ready


def _is_loopback(address: str) -> bool:
    return address.rpartition(":")[0] in settings.LOOPBACK_NAMES
