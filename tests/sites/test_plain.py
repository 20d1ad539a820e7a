import os
import subprocess
import sys

import pytest


def test_a_site_with_other_accounts_than_ours_uses_numberverify():
    command = [sys.executable, "-m", "pytest"]
    command += ["--ds=tests.sites.plain.settings", "--confcutdir=tests/sites"]
    command += ["-o", "python_files=check_*.py", "tests/sites/plain/check_plain.py"]
    environment = {k: v for k, v in os.environ.items() if k != "PYTEST_XDIST_WORKER"}

    run = subprocess.run(command, capture_output=True, text=True, env=environment)

    assert run.returncode == pytest.ExitCode.OK, run.stdout + run.stderr
    assert "22 passed" in run.stdout
