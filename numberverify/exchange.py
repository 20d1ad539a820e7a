"""A claimed row's code is exchanged, the operator asked, and the row settled.

A request waits PATIENCE for all that. What takes longer goes on in a thread of its own,
up to the operator's deadline, while the person looks at a page that says so.
docs/decisions/0035-while-the-network-is-asked.md
"""

import logging
import time
import traceback
from collections.abc import Iterator
from contextvars import copy_context
from dataclasses import dataclass
from threading import Thread, current_thread

from django.db import connections
from django.utils import timezone

from . import (
    breaker,
    conf,
    handoff,
    limits,
    metrics,
    network,
    routing,
    statements,
    swaps,
)
from .browser import give_back_connections
from .choices import Event, Reason, Status
from .correlation import is_about
from .errors import OperatorError
from .models import Verification
from .msisdn import Msisdn
from .operators.base import Callback, OperatorToken

logger = logging.getLogger(__name__)
# Seconds. Most operators have answered by then, and their people see no page in
# between; a tab that stays blank for longer looks broken, and is reloaded.
PATIENCE = 1.0
# In a process. As many as may ask two operators by default, or one and wait their turn
# as well; the request of anybody more waits itself.
MOST_LEFT = 80
_left: set[Thread] = set()


@dataclass(frozen=True, slots=True)
class Ending:
    """How a row is to be settled. `operator_ms` is None where nobody was asked."""

    status: Status
    reason: str = ""
    subject: str = ""
    operator_ms: int | None = None


def exchange_and_settle(row: Verification, brought: Callback | OperatorToken) -> bool:
    """Exchange what was brought for a claimed row, ask, and settle. From any thread.

    An app brings an operator token of its SIM (TS.43) instead of the redirect's code:
    so it works on Wi-Fi. Return whether the row is now a receipt.
    """
    return _settle(row, _ending(_exchange(row, brought)))


def exchange_or_leave(row: Verification, brought: Callback | OperatorToken) -> bool:
    """The same for a request, which leaves what takes longer than PATIENCE to a thread:
    then the row is no receipt yet."""
    steps = _exchange(row, brought)
    ending = next(steps)
    if ending is None and _leave(row, steps):
        return False
    return _settle(row, ending or _ending(steps))


def wait() -> None:
    """Wait until what was left is settled."""
    for thread in list(_left):
        thread.join()


def _exchange(
    row: Verification, brought: Callback | OperatorToken
) -> Iterator[Ending | None]:
    """Yield how it ended, and before that None, once, if it takes longer than PATIENCE:
    from there another thread may go on."""
    is_about(row.pk)
    question = network.question(row)
    give_back_connections()
    began: float | None = time.monotonic()
    status, subject, reason = Status.UNAVAILABLE, "", ""
    try:
        line = routing.line(row.operator)
        with breaker.guarded(line.settings):
            asked = line.begin(brought, question)
            if not asked.comes_within(PATIENCE):
                yield None
            answer = asked.result()
        status = Status.VERIFIED if answer.matched else Status.MISMATCHED
        subject = answer.subject
    except OperatorError as error:
        reason = error.code
        said = f"{reason} ({error})" if str(error) else reason
        logger.warning("verification %s: %s %s", row.pk, row.operator, said)
        began = began if error.was_asked else None
    except Exception as error:
        # A fault of ours. It is no answer either, and the code may be spent. What
        # the error says stays out of the log: it may quote a number or a code.
        reason = Reason.INTERRUPTED
        where = traceback.extract_tb(error.__traceback__)[-1]
        fault = f"{type(error).__name__} at {where.filename}:{where.lineno}"
        logger.error("verification %s: our own fault, %s", row.pk, fault)
    took = None if began is None else round((time.monotonic() - began) * 1000)
    yield Ending(status, reason, subject, took)


def _ending(steps: Iterator[Ending | None]) -> Ending:
    return next(filter(None, steps))


def _leave(row: Verification, steps: Iterator[Ending | None]) -> bool:
    """Have a thread go on; return whether there is one for it. A process that is
    stopped waits for it; of one that dies the row is swept."""
    if len(_left) >= MOST_LEFT:
        return False
    # What it logs is about the request's verification too.
    run = copy_context().run
    thread = Thread(target=run, args=(_go_on, row, steps), name="exchange")
    _left.add(thread)
    try:
        thread.start()
    except RuntimeError:  # no more of them here
        _left.discard(thread)
        return False
    return True


def _go_on(row: Verification, steps: Iterator[Ending | None]) -> None:
    try:
        _settle(row, _ending(steps))
    except Exception as error:  # nobody waits for it; its words may quote the row
        kind = type(error).__name__
        logger.error("verification %s: was not settled, %s", row.pk, kind)
    finally:
        connections.close_all()  # or the pool's were lost with the thread
        _left.discard(current_thread())


def _settle(row: Verification, ending: Ending) -> bool:
    """Settle the row, once, and return whether it is now a receipt."""
    status, now = ending.status, timezone.now()
    settled = statements.SETTLE.ask(
        id=row.pk,
        status=status,
        now=now,
        reason=ending.reason,
        operator_subject=ending.subject[:255],
        operator_ms=ending.operator_ms,
    )
    if not settled:
        return False
    row.settled_at = now
    metrics.ended(row, status, ending.reason)
    limits.settled(row, status)
    if status == Status.UNAVAILABLE:  # a text message may be offered next
        swaps.note(row, Msisdn(row.number))
        if row.sim_swap:
            Verification.objects.filter(pk=row.pk).update(sim_swap=row.sim_swap)
    if status == Status.MISMATCHED and row.user_id:
        _tell_of_no_match(row)
    handoff.settled(row, status, Msisdn(row.number))
    return status == Status.VERIFIED


def _tell_of_no_match(row: Verification) -> None:
    """Have the site count it. Whatever it makes of it, the answer stands."""
    try:
        conf.tell(row.user, Event.NO_MATCH)
    except Exception as error:  # its words may quote the person's address
        kind = type(error).__name__
        logger.error("verification %s: the site was not told, %s", row.pk, kind)
