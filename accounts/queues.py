"""Threads in which mails and text messages leave, outside the request."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextvars import copy_context
from typing import Any

logger = logging.getLogger(__name__)
# Seconds: writing a mail takes processor time, which an answer under way would feel.
AFTER_THE_ANSWER = 0.1
# A mail server that has stopped must not fill the memory.
MOST_WAITING = 1000


class Queue:
    """First in, first out; what comes when too many wait is dropped, and logged."""

    def __init__(self, name: str, threads: int) -> None:
        self.name = name
        self.threads = ThreadPoolExecutor(threads, name)
        self.under_way: set[Future[None]] = set()

    def put(self, deliver: Callable[..., None], *what: Any) -> None:
        if len(self.under_way) >= MOST_WAITING:
            # Not what it is: it holds an address or a number.
            logger.error("%s: too many wait, one is dropped", self.name)
            return
        due = time.monotonic() + AFTER_THE_ANSWER
        # What it logs is about the request's verification too.
        future = self.threads.submit(copy_context().run, _at, due, deliver, *what)
        self.under_way.add(future)
        future.add_done_callback(self.under_way.discard)

    def wait(self) -> None:
        """Wait until what was put in has left."""
        wait_for(list(self.under_way))


def _at(due: float, deliver: Callable[..., None], *what: Any) -> None:
    """Of many that wait, all but the first few are due by their turn."""
    time.sleep(max(0, due - time.monotonic()))
    deliver(*what)
