"""From settings to operators that can be asked, each with its own threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import Lock
from typing import TypeVar

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
        return self.run(lambda within: self.operator.ask(brought, question, within))

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
        seconds = min(self.settings.deadline, patience or self.settings.deadline)
        within = Deadline.after(seconds)
        self.turns.take(patience=seconds)
        # What it logs is about the request's verification too.
        asked = self.threads.submit(copy_context().run, self._take_turn, ask, within)
        try:
            return asked.result(timeout=within.remaining())
        except TimeoutError:
            raise OperatorTimeout from None

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


def line_to(settings: OperatorSettings) -> Line:
    """Return this process's one line to the operator, made at its first use."""
    with _lock:
        if settings not in lines:
            lines[settings] = Line(settings)
        return lines[settings]
