"""From settings to operators that can be asked, each with its own threads."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

from ..errors import OperatorTimeout
from .base import Answer, Callback, Deadline, Operator, OperatorSettings, Question
from .mobile_connect import MobileConnect
from .tables import read

DIALECTS: dict[str, type[Operator]] = {"mobile-connect": MobileConnect}
lines: dict[OperatorSettings, "Line"] = {}
_lock = Lock()


class Line:
    """One operator and the threads that ask it."""

    def __init__(self, settings: OperatorSettings) -> None:
        self.settings = settings
        self.operator = DIALECTS[settings.dialect](settings)
        self.threads = ThreadPoolExecutor(settings.threads, f"operator-{settings.name}")

    def ask(self, callback: Callback, question: Question) -> Answer:
        """Ask in the operator's own threads; raise OperatorTimeout at the deadline.

        The wait ends on time even when the thread does not: a server that drips
        its headers holds one of its own threads, never one of a request.
        """
        within = Deadline.after(self.settings.deadline)
        asked = self.threads.submit(self.operator.ask, callback, question, within)
        try:
            return asked.result(timeout=self.settings.deadline)
        except TimeoutError:
            asked.cancel()  # still queued: the code must not be spent later
            raise OperatorTimeout from None


def line_to(settings: OperatorSettings) -> Line:
    """Return this process's one line to the operator, made at its first use."""
    with _lock:
        if settings not in lines:
            lines[settings] = Line(settings)
        return lines[settings]


def read_tables(tables: Mapping[str, Any]) -> dict[str, OperatorSettings]:
    """Check the tables of `operators.toml`; raise ConfigurationError."""
    return read(tables, dialects=DIALECTS)
