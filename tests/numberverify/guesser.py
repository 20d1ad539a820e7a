"""Processes that guess at one account, all at once; test_guessing.py starts them.

Reads the order of each as JSON, and prints what came of them.
"""

import json
import logging
import multiprocessing
import sys
from contextlib import suppress
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import IntegrityError  # noqa: E402

from accounts.models import User  # noqa: E402
from numberverify import codes, flow  # noqa: E402
from numberverify.browser import Browser, Way  # noqa: E402
from numberverify.choices import Method, Purpose, Status  # noqa: E402
from numberverify.factors import sms  # noqa: E402
from numberverify.models import Verification  # noqa: E402
from numberverify.msisdn import Msisdn  # noqa: E402

logging.disable()
settings.DEBUG = False  # or each query is written down, which takes longer than it does
AT_FIRST = 20  # tries before each of which an opener opens a row
BETWEEN_ROWS = 25  # tries, later on, before a row is opened or looked for again


def guess(order: dict[str, Any]) -> dict[str, int]:
    """Count the tries, those that left more tries, and those that let in."""
    user, method = User.objects.get(pk=order["user"]), Method(order["method"])
    rows = Verification.objects.filter(user=user, method=method)
    counts = {"tried": 0, "left more": 0, "let in": 0}
    for n, code in enumerate(order["codes"]):
        often = order["opens"] and n < AT_FIRST
        if often or n % BETWEEN_ROWS == 0:
            if order["opens"]:
                open_row(user, method, order["number"], f"guesser {order['n']}")
            row = rows.filter(status=Status.PENDING).first() or rows.first()
        if sms.outbox and code in sms.outbox[-1].text:
            continue
        tried = codes.try_code(row, code)
        counts["tried"] += 1
        counts["left more"] += bool(tried.left)
        counts["let in"] += tried.right
    # The tries are used up: now the codes that were right.
    texted = [message.text[:6] for message in sms.outbox]
    for code in [*order["right"], *texted]:
        counts["let in"] += sum(codes.try_code(row, code).right for row in rows[:50])
    return counts


def open_row(user: User, method: Method, number: str, binding: str) -> None:
    # Who loses the race for the one open row three times gets an error page.
    with suppress(IntegrityError):
        flow.start(
            purpose=Purpose.LOGIN,
            msisdn=Msisdn(number),
            user=user,
            browser=Browser(binding),
            next="/",
            way=Way(method),
        )


def run(order: dict[str, Any], together: Any, said: Any) -> None:
    together.wait()
    said.put(guess(order))


if __name__ == "__main__":
    # Forked after the imports, which take longer than the guessing, and before
    # anything talks to the database.
    fork = multiprocessing.get_context("fork")
    orders = json.load(sys.stdin)
    together, said = fork.Barrier(len(orders)), fork.Queue()
    guessers = [fork.Process(target=run, args=(o, together, said)) for o in orders]
    for guesser in guessers:
        guesser.daemon = True  # ends with this process
        guesser.start()
    print(json.dumps([said.get() for _ in guessers]))
