"""The server does not start where it could tell no address from another."""

import os
import runpy
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.servers import GUNICORN, ROOT


@pytest.fixture(autouse=True)
def _counts_apart(monkeypatch, tmp_path) -> None:
    """What gunicorn puts into the environment is taken out again."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "of-this-test"))


def test_on_a_unix_socket_a_proxy_must_be_trusted(tmp_path):
    ran = subprocess.run(
        [*GUNICORN, f"unix:{tmp_path}/site.sock"],
        cwd=ROOT,
        env=os.environ | {"DEBUG": "1", "TRUSTED_PROXY_COUNT": "0"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert ran.returncode != 0
    assert "TRUSTED_PROXY_COUNT must be 1 or more" in ran.stderr


def start(bind, workers=1):
    site = runpy.run_path(str(ROOT / "config" / "gunicorn.conf.py"))
    site["on_starting"](
        SimpleNamespace(cfg=SimpleNamespace(bind=bind, workers=workers))
    )


@pytest.fixture
def site(monkeypatch):
    def given(**changes):
        for name, value in changes.items():
            monkeypatch.setattr(f"config.settings.{name}", value)

    given(DEBUG=False, CACHE_IS_SHARED=True, TRUSTED_PROXY_COUNT=0)
    return given


@pytest.mark.parametrize(
    ("bind", "count"),
    [(["unix:/run/site.sock"], 1), ("127.0.0.1:8000", 0), (["0.0.0.0:8000"], 0)],
)
def test_elsewhere_it_starts(site, bind, count):
    site(TRUSTED_PROXY_COUNT=count)

    start(bind, workers=2)


@pytest.mark.parametrize(
    ("bind", "starts"),
    [
        (["127.0.0.1:8000", "[::1]:8000"], True),
        ("localhost:8000", True),
        ("0.0.0.0:8000", False),
        (["127.0.0.1:8000", ":8000"], False),
        ("unix:/run/site.sock", False),
    ],
)
def test_debug_is_for_this_machine_alone(site, bind, starts):
    site(DEBUG=True, TRUSTED_PROXY_COUNT=1)
    if starts:
        return start(bind)

    with pytest.raises(SystemExit, match="DEBUG"):
        start(bind)
    return None


def test_several_workers_need_a_cache_that_they_share(site):
    site(CACHE_IS_SHARED=False)
    start("127.0.0.1:8000", workers=1)

    with pytest.raises(SystemExit, match="CACHE_URL"):
        start("127.0.0.1:8000", workers=2)


@pytest.mark.parametrize(
    ("is_shared", "said", "workers"), [(False, "", 1), (True, "3", 3)]
)
def test_it_has_a_worker_a_core_where_they_share_a_cache(
    site, monkeypatch, is_shared, said, workers
):
    site(CACHE_IS_SHARED=is_shared)
    monkeypatch.setenv("WEB_CONCURRENCY", said)

    conf = runpy.run_path(str(ROOT / "config" / "gunicorn.conf.py"))

    assert (conf["workers"], conf["threads"]) == (workers, 64)


@pytest.mark.parametrize(
    ("path", "status", "lines"),
    [("/readyz", 200, 0), ("/livez", 200, 0), ("/readyz", 503, 1), ("/", 200, 1)],
)
def test_a_balancer_that_finds_all_well_leaves_no_line(
    site, monkeypatch, path, status, lines
):
    conf = runpy.run_path(str(ROOT / "config" / "gunicorn.conf.py"))
    written = []
    base = conf["RedactingLogger"].__bases__[0]
    monkeypatch.setattr(base, "access", lambda *args: written.append(args))
    logger = object.__new__(conf["RedactingLogger"])

    logger.access(
        SimpleNamespace(status=f"{status} x"), None, {"PATH_INFO": path}, None
    )

    assert len(written) == lines


@pytest.fixture
def counting(monkeypatch):
    """gunicorn's settings, in an environment that is put back afterwards."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    return runpy.run_path(str(ROOT / "config" / "gunicorn.conf.py"))


def test_its_processes_count_into_one_folder_that_goes_with_it(counting):
    counting["_count_together"]()
    folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])

    assert folder.is_dir()
    counting["on_exit"](None)
    assert not folder.exists()


def test_a_folder_that_is_named_begins_empty_and_stays(counting, monkeypatch, tmp_path):
    folder = tmp_path / "counts"
    folder.mkdir()
    (folder / "counter_1.db").touch()
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(folder))

    counting["_count_together"]()
    counting["on_exit"](None)

    assert list(folder.iterdir()) == []
