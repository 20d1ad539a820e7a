"""Verifications written the way the site writes them, one after the other."""

import sys
import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from django.contrib.auth import get_user_model
from django.db import connection, connections, transaction

from numberverify import flow
from numberverify.browser import Browser
from numberverify.choices import Purpose
from numberverify.models import Verification
from numberverify.operators import registry
from numberverify.operators.base import Answer, Brought, Callback, Deadline, Question
from numberverify.operators.mobile_connect import MobileConnect

from . import databases
from .rows import AGENT, number_of
from .timing import Said, Taken, by_turns, listening

A_BLOCK = 20  # verifications between two turns
PATIENCE = 300  # seconds
TABLE = Verification._meta.db_table
EVERY = 0.05  # seconds between two lines of what is written
NUMBERS = 50_000
# What nothing but the history is read by: the site itself asks what was said of the
# number and the person lately, by `nv_by_number` and `nv_by_person`.
HISTORY = [
    "nv_by_outcome",
    "nv_by_purpose",
    "nv_by_method",
    "nv_by_operator",
    "nv_by_country",
    "nv_by_address",
    "nv_by_reason",
    "nv_flagged",
    "nv_test",
    "nv_following",
]


class AtOnce(MobileConnect):
    """An operator that answers at once, in its own thread as they all do."""

    def ask(self, brought: Brought, question: Question, within: Deadline) -> Answer:
        return Answer(matched=True, subject="of the bench")


class Writer:
    """Writes one verification after the other: start, claim, settle, redeem."""

    def __init__(self) -> None:
        registry.DIALECTS["mobile-connect"] = AtOnce
        people = get_user_model()._default_manager
        self.people = list(people.order_by("pk")[:1000])
        self.written = 0

    def write(self) -> None:
        self.written += 1
        n = self.written
        user, msisdn = self.people[n % len(self.people)], number_of(n % NUMBERS)
        browser = Browser(f"bench {n}", f"10.1.{n >> 8 & 255}.{n & 255}", AGENT)
        url = flow.start(
            purpose=Purpose.LOGIN,
            msisdn=msisdn,
            user=user,
            browser=browser,
            next="/accounts/profile/",
        )
        brought = parse_qs(urlsplit(url).query)
        row, taken = flow.claim(
            state=brought["state"][0],
            operator="vodafone-uk",
            device=browser.binding,
            viewer=lambda: None,
        )
        assert taken  # noqa: S101
        flow.exchange_and_settle(row, Callback(code="code"))
        proof = flow.Proof(Purpose.LOGIN, user, browser.binding, msisdn)
        receipt = flow.find_receipt(proof)
        assert receipt  # noqa: S101
        with transaction.atomic():
            flow.redeem(receipt, proof)


def measure(alias: str, *, rounds: int) -> dict[str, Taken]:
    """Write to copies of a database: two as it is, which tell how far two equal copies
    differ, one without the history's indexes, one without the triggers of the seal."""
    changed = {"full": [], "full again": [], "without indexes": _drop_indexes()}
    if connections[alias].vendor == "postgresql":
        changed["without triggers"] = [f"ALTER TABLE {TABLE} DISABLE TRIGGER USER"]
    copies = []
    try:
        runs = {}
        for name, statements in changed.items():
            copies.append(databases.copied(alias, name.replace(" ", "_")))
            databases.wait_for_no_disk(copies[-1])
            _on(copies[-1], *statements)
            runs[name] = _block_on(copies[-1])
        return by_turns(runs, rounds=rounds, patience=PATIENCE)
    finally:
        for copy in copies:
            databases.drop(copy)


def _drop_indexes() -> list[str]:
    return [f"DROP INDEX IF EXISTS {name}" for name in HISTORY]


def _on(alias: str, *statements: str) -> None:
    with databases.on(alias), connection.cursor() as cursor:
        for sql in statements:
            cursor.execute(sql)


def _block_on(alias: str) -> Callable[[], Said]:
    """Return what writes a block of verifications to a database, and tells of it."""
    with databases.on(alias):
        writer = Writer()

    def run() -> Said:
        with databases.on(alias), listening() as said:
            for _ in range(A_BLOCK):
                writer.write()
        return said

    return run


def main() -> None:
    """Write to the database of DATABASE_URL, and say now and then how far."""
    writer, said = Writer(), 0.0
    while True:
        writer.write()
        if (now := time.time()) - said > EVERY:
            said = now
            sys.stdout.write(f"{now:.3f} {writer.written}\n")
            sys.stdout.flush()
