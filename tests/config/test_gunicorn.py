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


@pytest.mark.parametrize(
    ("bind", "count"),
    [(["unix:/run/site.sock"], 1), ("127.0.0.1:8000", 0), (["127.0.0.1:8000"], 0)],
)
def test_elsewhere_it_starts(monkeypatch, bind, count):
    monkeypatch.setattr("config.settings.TRUSTED_PROXY_COUNT", count)
    site = runpy.run_path(str(ROOT / "config" / "gunicorn.conf.py"))

    site["on_starting"](SimpleNamespace(cfg=SimpleNamespace(bind=bind)))


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
