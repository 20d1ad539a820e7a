"""The server does not start where it could tell no address from another."""

import os
import runpy
import subprocess
from types import SimpleNamespace

import pytest

from tests.servers import GUNICORN, ROOT


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
