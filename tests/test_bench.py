"""That the benchmarks run; what they measure is nothing for a busy machine."""

import fcntl
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import gettempdir

import pytest
from django.db import connection
from django.utils import timezone

from bench import report, soak
from bench.flows import people
from bench.flows import report as flows
from bench.flows.browsers import Flow
from bench.flows.report import Load, Turn
from numberverify.models import digest
from tests.conftest import REDIS_URL
from tests.factories import UserFactory, VerificationFactory


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


def ran_beside(module, *arguments):
    """Run it with few people, on databases that it drops in the end. One at a time,
    whatever process of the tests it is: the databases have the same names."""
    with Path(gettempdir(), "number-verify-bench.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        run = subprocess.run(
            [sys.executable, "-m", f"bench.{module}", *arguments],
            env=os.environ | {"BENCH_PEOPLE": "300", "CACHE_URL": REDIS_URL},
            capture_output=True,
            text=True,
        )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.mark.postgresql
@pytest.mark.redis
@pytest.mark.parametrize(
    ("over", "heading"),
    [([], "## The last run"), (["--http"], "## The last run over http")],
)
def test_flows_are_measured(over, heading):
    """Of the one that needs the fewest tables; ours has the soak."""
    few = ["--servers", "bare", "--loads", "0:2", "--rounds=1", "--seconds=1"]
    said = ran_beside("flow", *few, *over)

    assert said.startswith(f"{heading}\n")
    assert "### 0 ms, 2 at once" in said
    assert re.search(r"^\| a bare pair of views \|.*\| 2.00 \| .*\| 0 \|$", said, re.M)


@pytest.mark.postgresql
@pytest.mark.redis
def test_verifications_are_measured_beside_desktops_that_wait():
    said = ran_beside(
        "waiting",
        "--desktops=5",
        "--rounds=1",
        "--seconds=1",
        "--soon=0.2",
        "--later=0.2",
    )

    assert re.search(r"^\| of the rate, in pairs \| at least 0.9 \| \d", said, re.M)
    # Five of them, five times a second each, less what a busy machine costs.
    asked = re.search(r"^\| questions of desktops a second \|.*\| (\d+) ", said, re.M)
    assert int(asked[1]) > 5
    assert "| errors | 0 | 0 |" in said


def turn(rate, *, cpu=10.0, start=5.0, calls=2.0, errors=()):
    steps = {"start": start, "callback": 320.0, "resume": 5.0}
    return Turn(rate, cpu, calls, 0.0, steps, Counter(errors))


@pytest.mark.parametrize(
    ("ours", "missed"),
    [
        pytest.param({}, [], id="all is reached"),
        pytest.param({"rate": 119}, ["of those of bare"], id="rate"),
        pytest.param({"cpu": 11.0}, ["CPU a flow"], id="processor"),
        pytest.param({"start": 11.0}, ["median of the start"], id="start"),
        pytest.param({"calls": 3.0}, ["calls to the operator"], id="calls"),
        pytest.param({"errors": ["start: 500"]}, ["errors"], id="errors"),
    ],
)
def test_what_is_not_reached_is_said(ours, missed):
    of_ours = {"rate": 120.0} | ours
    found = {
        Load(0, 16): {"ours": [turn(**of_ours)], "bare": [turn(100.0, cpu=12.0)]},
        Load(150, 1): {"ours": [turn(**of_ours)]},
    }

    lines = [line for line in flows._wanted(found, 0.0) if "**no**" in line]

    assert [words in line for words, line in zip(missed, lines, strict=True)] == [
        True for _ in missed
    ]


@pytest.mark.postgresql
@pytest.mark.redis
def test_a_soak_compares_what_browsers_saw_with_the_history():
    said = ran_beside("soak", "--seconds=4")

    assert re.search(r"errors \| 0 \| 0 \|", said)
    assert re.search(r"as the browser saw it, of [1-9]\d* \| 0 \| 0 \|", said)


@pytest.mark.parametrize(
    ("seen", "written", "wrong"),
    [
        pytest.param("verified", {}, {}, id="as it was"),
        pytest.param("mismatched", {}, {"mismatched is": 1}, id="another ending"),
        pytest.param(
            "verified", {"redeemed_at": None}, {"verified is": 1}, id="unspent"
        ),
        pytest.param(
            "verified", {"operator_subject": "x"}, {"subscriber": 1}, id="sub"
        ),
        pytest.param("verified", {"user": None}, {"person": 1}, id="nobody's"),
        pytest.param("verified", {"state_digest": b"x"}, {"flow": 2}, id="another row"),
    ],
)
@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_soak_finds_what_differs(seen, written, wrong):
    ledger = {"a state": Flow(7, ending=seen)}
    VerificationFactory(
        **{
            "verified": True,
            "user": UserFactory(email=people.email(7)),
            "state_digest": digest("a state"),
            "operator_subject": people.subject(7),
            "redeemed_at": timezone.now(),
        }
        | written
    )
    made = connection.settings_dict
    host = f"{made['USER']}@{made['HOST']}:{made['PORT']}"

    found = soak.compared(ledger, f"postgres://{host}/{made['NAME']}")

    for what, count in wrong.items():
        assert sum(n for each, n in found.items() if what in each) == count
    assert bool(found) == bool(wrong)


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
