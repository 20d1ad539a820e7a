"""Processes that guess at one account, all at once; test_guessing.py starts them.

Reads the order of each as JSON, and prints what came of them.
"""

import json
import multiprocessing
import sys
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402

from accounts.models import User  # noqa: E402
from numberverify import codes, flow  # noqa: E402
from numberverify.browser import Browser, Way  # noqa: E402
from numberverify.choices import Method, Purpose, Status  # noqa: E402
from numberverify.factors import sms  # noqa: E402
from numberverify.models import Verification  # noqa: E402
from numberverify.msisdn import Msisdn  # noqa: E402

settings.DEBUG = False  # or each query is written down, which takes longer than it does
BETWEEN_ROWS = 25  # tries, at least, before another row is opened or looked for


def guess(order: dict[str, Any]) -> dict[str, int]:
    user, method = User.objects.get(pk=order["user"]), Method(order["method"])
    rows = Verification.objects.filter(user=user, method=method)
    counts = {"tried": 0, "let in": 0, "opened": 0}
    for n, code in enumerate(order["codes"]):
        if order["opens"] and n % BETWEEN_ROWS == 0:
            open_row(user, method, order["number"], f"guesser {order['n']}")
            counts["opened"] += 1
        if n % BETWEEN_ROWS == 0:
            row = rows.filter(status=Status.PENDING).first() or rows.first()
        if sms.outbox and code in sms.outbox[-1].text:
            continue
        counts["tried"] += 1
        counts["let in"] += codes.try_code(row, code).right
    if method == Method.SMS and sms.outbox:
        # The code that this process was sent last, now that the tries are used up.
        for row in rows:
            counts["let in"] += codes.try_code(row, sms.outbox[-1].text[:6]).right
    return counts


def open_row(user: User, method: Method, number: str, binding: str) -> None:
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
