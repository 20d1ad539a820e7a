"""What is installed: the versions of the locks, each known by its hash."""

import re
import runpy

import pytest

from tests.servers import ROOT

LOCKS = {
    "requirements.lock": "requirements.txt",
    "requirements-dev.lock": "requirements-dev.txt",
    "requirements-bench.lock": "requirements-bench.txt",
    "requirements-tools.lock": "requirements-tools.txt",
}
PIN = re.compile(r"^([\w.-]+)(?:\[[\w,]+\])?==([\w.]+)", re.MULTILINE)


def pins(name: str) -> set[tuple[str, str]]:
    found = PIN.findall((ROOT / name).read_text())
    return {(package.lower().replace("_", "-"), version) for package, version in found}


@pytest.mark.parametrize(("lock", "wanted"), LOCKS.items())
def test_a_lock_has_what_its_requirements_name(lock, wanted):
    assert pins(wanted)
    assert pins(wanted) <= pins(lock)


@pytest.mark.parametrize("lock", LOCKS)
def test_each_version_has_hashes_and_nothing_names_where_it_lies(lock):
    text = (ROOT / lock).read_text()
    blocks = re.split(r"\n(?=\S)", text.strip())

    assert all("--hash=sha256:" in block for block in blocks), lock
    assert "://" not in text
    assert "--index" not in text


def test_the_tests_run_on_the_versions_that_are_served():
    assert pins("requirements.lock") <= pins("requirements-dev.lock")
    assert pins("requirements.lock") <= pins("requirements-bench.lock")


# make audit

ADVISORY = {"id": "PYSEC-1", "fix_versions": ["2.0"]}
SOUND = {"name": "one", "version": "1.0", "vulns": []}
BAD = {"name": "two", "version": "1.0", "vulns": [ADVISORY]}
SKIPPED = {"name": "three", "skip_reason": "Dependency not found"}


@pytest.mark.parametrize(
    ("packages", "status", "said"),
    [
        ([SOUND], 0, "1 packages, no known advisory."),
        ([SOUND, BAD], 1, "two 1.0: PYSEC-1, mended in: 2.0"),
        ([BAD, SKIPPED], 1, "Not looked up: three."),
        ([SOUND, SKIPPED], 2, "no clean bill"),
        ([], 2, "no clean bill"),
    ],
    ids=["sound", "bad", "bad and unknown", "unknown", "nothing"],
)
def test_an_audit_that_could_not_tell_is_no_clean_bill(capsys, packages, status, said):
    audit = runpy.run_path(str(ROOT / "deploy" / "audit.py"))

    assert audit["report"](packages) == status
    assert said in capsys.readouterr().out


@pytest.mark.parametrize("printed", ["", "Traceback", "[]", '{"fixes": []}'])
def test_an_audit_that_reaches_nobody_says_so(capsys, monkeypatch, printed):
    audit = runpy.run_path(str(ROOT / "deploy" / "audit.py"))
    ran = type("Ran", (), {"stdout": printed})
    monkeypatch.setattr("subprocess.run", lambda *args, **kwargs: ran)

    assert audit["main"]() == 2
    assert "nothing was audited" in capsys.readouterr().out
