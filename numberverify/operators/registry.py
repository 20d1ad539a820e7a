"""From settings to operators that can be asked, each with its own threads."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

from ..errors import OperatorError, OperatorRefused, OperatorTimeout
from .base import Answer, Brought, Deadline, Operator, OperatorSettings, Question
from .camara import Camara
from .mobile_connect import MobileConnect
from .turns import Turns

T = TypeVar("T")
DIALECTS: dict[str, type[Operator]] = {
    "mobile-connect": MobileConnect,
    "camara": Camara,
}
lines: dict[OperatorSettings, "Line"] = {}
_lock = Lock()


class Line:
    """One operator and the threads that ask it."""

    def __init__(self, settings: OperatorSettings) -> None:
        self.settings = settings
        self.operator = DIALECTS[settings.dialect](settings)
        self.threads = ThreadPoolExecutor(settings.threads, f"operator-{settings.name}")
        self.turns = Turns(settings.threads)

    def prepare(self) -> None:
        self.run(self.operator.prepare)

    def ask(self, brought: Brought, question: Question) -> Answer:
        return self.begin(brought, question).result()

    def begin(self, brought: Brought, question: Question) -> "Asked[Answer]":
        """The same, for somebody who does not wait to the end."""
        return self._asked(lambda within: self.operator.ask(brought, question, within))

    def ask_camara(
        self, ask: Callable[[Camara, Deadline], T], *, patience: float | None = None
    ) -> T:
        """Ask one of CAMARA's neighbours (siblings.py) at an operator that has them.

        `patience`, in seconds, is shorter than its deadline.
        """
        operator = self.operator
        if not isinstance(operator, Camara):
            raise OperatorRefused
        return self.run(lambda within: ask(operator, within), patience=patience)

    def run(self, ask: Callable[[Deadline], T], *, patience: float | None = None) -> T:
        """Ask in the operator's own threads; raise OperatorTimeout at the deadline,
        or OperatorBusy when all of them hang.

        The wait ends on time even when the thread does not: a server that drips
        its headers holds one of its own threads, never one of a request.
        """
        return self._asked(ask, patience).result()

    def _asked(
        self, ask: Callable[[Deadline], T], patience: float | None = None
    ) -> "Asked[T]":
        seconds = min(self.settings.deadline, patience or self.settings.deadline)
        return Asked(self, ask, Deadline.after(seconds))

    def _take_turn(self, ask: Callable[[Deadline], T], within: Deadline) -> T:
        answered = False
        try:
            within.remaining()  # too late already: the code must not be spent later
            found = ask(within)
            answered = True
            return found
        except OperatorError as error:
            answered = not error.is_outage
            raise
        finally:
            self.turns.give_back(answered=answered)


@dataclass(slots=True, eq=False)
class Asked(Generic[T]):
    """A question that is put when its turn comes. Who waits may hand it to another
    thread between two waits."""

    line: Line
    ask: Callable[[Deadline], T]
    within: Deadline
    future: "Future[T] | None" = None

    def comes_within(self, seconds: float) -> bool:
        """Wait so long at most, and say whether `result` will not wait any more."""
        until = min(time.monotonic() + seconds, self.within.at)
        if not self.future:
            if not self.line.turns.take(patience=self._left, pause=seconds):
                return False
            self.future = self._put()
        with suppress(TimeoutError):
            self.future.exception(timeout=until - time.monotonic())
        return self.future.done() or self._left <= 0

    def result(self) -> T:
        """Wait to the end; raise as `run` does, or what asking raises."""
        if not self.future:
            self.line.turns.take(patience=self._left)
            self.future = self._put()
        try:
            return self.future.result(timeout=self._left)
        except TimeoutError:
            raise OperatorTimeout from None

    @property
    def _left(self) -> float:
        return self.within.at - time.monotonic()

    def _put(self) -> "Future[T]":
        # What it logs is about the request's verification too.
        run = copy_context().run
        take_turn = self.line._take_turn
        return self.line.threads.submit(run, take_turn, self.ask, self.within)


def line_to(settings: OperatorSettings) -> Line:
    """Return this process's one line to the operator, made at its first use."""
    with _lock:
        if settings not in lines:
            lines[settings] = Line(settings)
        return lines[settings]
