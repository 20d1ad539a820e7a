"""Ask the advisory database about each locked version (`make audit`).

Ends with 0 when all were looked up and none has an advisory, with 1 when one has, with
2 when the database could not say: that is no clean bill.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent.parent
LOCKS = ("requirements-dev.lock", "requirements-tools.lock")
COMMAND = [sys.executable, "-m", "pip_audit", "--format", "json", "--disable-pip"]
COMMAND += ["--require-hashes", "--progress-spinner", "off"]


def ask(lock: str) -> list[dict[str, Any]] | None:
    """Return what is known of each package, or None when nobody could be asked."""
    command = [*COMMAND, "-r", str(HERE / lock)]
    ran = subprocess.run(command, capture_output=True, text=True)
    try:
        found: list[dict[str, Any]] = json.loads(ran.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None
    return found


def report(packages: list[dict[str, Any]]) -> int:
    unknown = [each["name"] for each in packages if "skip_reason" in each]
    bad = [each for each in packages if each.get("vulns")]
    for each in bad:
        for found in each["vulns"]:
            better = ", ".join(found["fix_versions"]) or "none yet"
            name = f"{each['name']} {each['version']}"
            print(f"{name}: {found['id']}, mended in: {better}")
    if unknown:
        print(f"Not looked up: {', '.join(sorted(set(unknown)))}.")
    if bad:
        return 1
    if unknown or not packages:
        print("The advisory database could not say: this is no clean bill.")
        return 2
    print(f"{len(packages)} packages, no known advisory.")
    return 0


def main() -> int:
    packages: list[dict[str, Any]] = []
    for lock in LOCKS:
        found = ask(lock)
        if found is None:
            print("The advisory database cannot be reached: nothing was audited.")
            return 2
        packages += found
    return report(packages)


if __name__ == "__main__":
    sys.exit(main())
