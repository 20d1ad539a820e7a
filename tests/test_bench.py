"""That the benchmarks run; what they measure is nothing for a busy machine."""

import os
import re
import subprocess
import sys

import pytest
from django.db import connection

from bench import report


@pytest.fixture
def base(tmp_path):
    """What the databases of the benchmarks are made beside."""
    if connection.vendor != "postgresql":
        return f"sqlite:///{tmp_path}/bench.sqlite3"
    pytest.skip("its databases would stay")


def test_the_benchmarks_run_and_say_what_is_wanted(base):
    ran = subprocess.run(
        [sys.executable, "-m", "bench.history", "--rows=400", "--small=400"],
        env=os.environ | {"DATABASE_URL": base},
        capture_output=True,
        text=True,
    )

    assert ran.returncode == 0, ran.stderr
    assert len(re.findall(r"^\| filter: ", ran.stdout, re.MULTILINE)) == 17
    assert re.search(r"^\| first page \| [56] \| ", ran.stdout, re.MULTILINE)
    for wanted in ["at least 25,000", "at most 100", "less than 10 %"]:
        assert wanted in ran.stdout


def test_the_figures_of_a_run_take_the_place_of_the_last(tmp_path, monkeypatch):
    file = tmp_path / "history.md"
    file.write_text("# Figures\n")
    monkeypatch.setattr(report, "FILE", file)

    report._write("SQLite 10", "old")
    report._write("SQLite 100", "other")
    report._write("SQLite 10", "new")

    found = file.read_text()
    assert found.startswith("# Figures\n\n<!-- SQLite 10 -->\nnew\n")
    assert "other" in found
    assert "old" not in found
