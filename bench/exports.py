"""An export of all rows, in a process of its own: its rate, memory and first byte."""

import json
import re
import subprocess
import time
from pathlib import Path

from numberverify.history import export
from numberverify.history.filters import Filters

from . import child, databases

FORMATS = ("csv", "jsonl")


def measure(alias: str) -> dict[str, dict[str, float]]:
    """Return what `main` says, by format."""
    return {form: _in_another_process(alias, form) for form in FORMATS}


def _in_another_process(alias: str, form: str) -> dict[str, float]:
    url = databases.url_of(alias)
    process = child.start(url, "exports", form, into=subprocess.PIPE)
    said, _ = process.communicate()
    if process.returncode:
        raise RuntimeError("the export has failed")
    found: dict[str, float] = json.loads(said)
    return found


def main(form: str) -> None:
    """Export the database of DATABASE_URL; say how it went, as JSON."""
    # Idle is a process that has exported before: its modules and connection are there.
    for _, rows in export.batches(Filters(), form):
        if rows:
            break
    idle = _memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    rows = size = 0
    first = first_rows = 0.0
    began = time.perf_counter()
    for lines, number in export.batches(Filters(), form):
        first = first or (time.perf_counter() - began if lines else 0.0)
        first_rows = first_rows or (time.perf_counter() - began if number else 0.0)
        rows, size = rows + number, size + len(lines)
    seconds = time.perf_counter() - began
    found = {
        "rows": rows,
        "seconds": seconds,
        "mib": size / 2**20,
        "first": first * 1000,
        "first_rows": first_rows * 1000,
        "memory": (_memory("VmHWM") - idle) / 1024,
    }
    print(json.dumps(found))


def _memory(name: str) -> int:
    """In KiB, as Linux says it of this process."""
    said = Path("/proc/self/status").read_text()
    found = re.search(rf"^{name}:\s+(\d+) kB", said, re.MULTILINE)
    return int(found[1]) if found else 0
