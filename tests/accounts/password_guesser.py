"""Processes that guess at passwords, all at once, for test_password_guessing.py.

Reads the order of each as JSON, and prints what came of them.
"""

import json
import logging
import multiprocessing
import sys
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.hashers import MD5PasswordHasher  # noqa: E402
from django.test import RequestFactory  # noqa: E402

from accounts.forms import LoginForm  # noqa: E402
from numberverify.errors import Limited  # noqa: E402

logging.disable()
settings.DEBUG = False  # or each query is written down


def guess(order: dict[str, Any]) -> dict[str, int]:
    """Type the passwords into the login form, each from the address beside it."""
    counts = {"tried": 0, "hashed": 0, "let in": 0}
    encode = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        counts["hashed"] += 1
        return encode(self, password, salt)

    MD5PasswordHasher.encode = counted  # type: ignore[method-assign]
    settings.CACHES = {"default": order["cache"]}
    for address, password in order["guesses"]:
        request = RequestFactory(REMOTE_ADDR=address).post("/accounts/login/")
        counts["tried"] += 1
        form = LoginForm(request, {"username": order["email"], "password": password})
        try:
            counts["let in"] += form.is_valid()
        except Limited:
            continue
    return counts


def run(order: dict[str, Any], together: Any, said: Any) -> None:
    together.wait()
    said.put(guess(order))


if __name__ == "__main__":
    fork = multiprocessing.get_context("fork")
    orders = json.load(sys.stdin)
    together, said = fork.Barrier(len(orders)), fork.Queue()
    guessers = [fork.Process(target=run, args=(o, together, said)) for o in orders]
    for guesser in guessers:
        guesser.daemon = True  # ends with this process
        guesser.start()
    print(json.dumps([said.get() for _ in guessers]))
