"""Our site at full rate for minutes: its memory, its errors, and whether the history
says what the browsers saw.

    DATABASE_URL=postgres://… CACHE_URL=redis://… python -m bench.soak --seconds 600

Of a hundred flows, some end in "no match" and some in "could not tell", and some are in
a browser that is new. Each verification's row is compared with what its browser saw.
"""

import argparse
import hashlib
import os
import re
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import psycopg

from .flows import driver, people, servers
from .flows.browsers import Flow

FILE = Path(__file__).with_name("flow.md")
BEGIN, END = "<!-- soak -->", "<!-- end of soak -->"
AT_ONCE = 16
WARM_AFTER = 60.0  # seconds
GROWS = 5.0  # MiB, that are no growth: an allocator's
# What each ending is in the history: the outcome, its reason, and whether it was spent.
ENDINGS = {
    "verified": ("verified", "", True),
    "mismatched": ("mismatched", "", False),
    "unavailable": ("unavailable", "operator_unreachable", False),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--write", action="store_true", help="Into bench/flow.md.")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *args: sys.exit(1))
    base, cache = os.environ["DATABASE_URL"], os.environ["CACHE_URL"]
    with servers.running(["ours"], base=base, cache=cache) as (_, started):
        lines, is_right = soak(started["ours"], asked.seconds)
    print("\n".join(lines))
    if asked.write:
        new = "\n".join([BEGIN, "", *lines, "", END])
        old = re.compile(f"{BEGIN}.*{END}", re.DOTALL)
        FILE.write_text(old.sub(lambda match: new, FILE.read_text()))
    sys.exit(0 if is_right else 1)


def soak(ours: servers.Server, seconds: float) -> tuple[list[str], bool]:
    """Return what is to be said, and whether all of it is as it should be."""
    memory: list[tuple[float, float]] = []
    over = threading.Event()
    began = time.monotonic()

    def watch() -> None:
        while not over.wait(1.0):
            memory.append((time.monotonic() - began, ours.memory()))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        ran = driver.run(ours.steps, at_once=AT_ONCE, seconds=seconds, flow_of=flow_of)
    finally:
        over.set()
        watching.join()
    wrong = compared(ran.ledger, ours.database)
    warm = min(WARM_AFTER, seconds / 4)
    first = _mean([mib for at, mib in memory if warm <= at < warm + seconds / 10])
    last = _mean([mib for at, mib in memory if at >= seconds * 0.9])
    said = [
        f"{ran.flows:,} flows in {ran.seconds:.0f} s, {AT_ONCE} at once, "
        f"{ran.flows / ran.seconds:.0f} a second:",
        "",
        "| what | wanted | measured |",
        "|---|---|--:|",
        f"| MiB resident, after {warm:.0f} s and in the end | no growth "
        f"| {first:.1f}, {last:.1f} |",
        f"| errors | 0 | {ran.errors.total()} |",
        f"| rows that are not as the browser saw it, of {len(ran.ledger):,} | 0 "
        f"| {sum(wrong.values())} |",
    ]
    said += [f"- {count} × {what}" for what, count in (ran.errors + wrong).items()]
    grows = last - first > GROWS and seconds >= 2 * WARM_AFTER  # less is warming up
    is_right = not ran.errors and not wrong and not grows
    return said, is_right


def flow_of(person: int) -> Flow:
    """Say how this person's verification goes, always the same way."""
    share = person % 100
    ending = {0: "mismatched", 1: "unavailable"}.get(share, "verified")
    return Flow(person, is_known=share < 95, ending=ending)


def compared(ledger: driver.Ledger, database: str) -> Counter[str]:
    """Count what differs between the ledger and the history, row by row."""
    wrong: Counter[str] = Counter()
    mine = {hashlib.sha256(state.encode()).digest(): f for state, f in ledger.items()}
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            "SELECT state_digest, status, reason, redeemed_at IS NOT NULL,"
            " email, operator_subject, number || nonce || code_verifier"
            " FROM numberverify_verification v LEFT JOIN accounts_user u"
            " ON u.id = v.user_id WHERE v.created_at > now() - interval '1 day'"
        )
        for state, *ending, email, subject, open_values in rows:
            flow = mine.pop(bytes(state), None)
            if flow is None:
                wrong["a row of no flow"] += 1
                continue
            if tuple(ending) != ENDINGS[flow.ending]:
                wrong[f"{flow.ending} is {ending}"] += 1
            if email != people.email(flow.person):
                wrong["another person"] += 1
            if flow.ending != "unavailable" and subject != people.subject(flow.person):
                wrong["another subscriber"] += 1
            if open_values:
                wrong["holds what only an open row may"] += 1
    wrong["a flow without a row"] = len(mine)
    return +wrong


def _mean(found: list[float]) -> float:
    return sum(found) / max(len(found), 1)


if __name__ == "__main__":
    main()
