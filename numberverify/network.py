"""The way to the operator: which one it is, and the row bound to it.

No call is made on the way, save once an hour to find out where the operator's pages
are; no transaction and no pooled connection is held then.
"""

import secrets
from typing import Any

from django.urls import reverse
from django.utils import timezone

from . import breaker, conf, limits, metrics, policy, routing, ways
from .browser import give_back_connections
from .choices import Method, Reason, Status
from .errors import OperatorError
from .models import Verification, digest
from .msisdn import Msisdn, with_main_region
from .operators.base import OperatorSettings, Question
from .operators.registry import Line
from .prepared import insert


def start(row: Verification, msisdn: Msisdn | None, chosen: str, *, ask: bool) -> str:
    """Save a described row and return the URL to send the browser to.

    `chosen` is the operator that the person named before in this journey; `ask`: that
    was a mistake, so the person is asked once more.
    """
    if reason := closed(row, msisdn):
        return row.save_closed(reason)
    assert msisdn is not None  # noqa: S101  else it was closed
    serving = routing.serving(msisdn.countries)
    row.number = msisdn.e164
    operator = None
    if not ask or len(serving) == 1:
        operator = routing.operator_for(
            msisdn, serving, purpose=row.purpose, user=row.user, chosen=chosen
        )
    if operator is None:
        row.save(force_insert=True)
        return row.get_absolute_url()
    row.operator_chosen = operator.name == chosen
    return _save_and_send(row, operator)


def closed(row: Verification, msisdn: Msisdn | None) -> Reason | None:
    """Say why the network cannot be asked what a described row asks, if it cannot."""
    if msisdn is None or Method.NETWORK not in conf.accepts_of(row):
        return Reason.METHOD_CLOSED
    if ways.is_closed_by_a_swap(row, Method.NETWORK):
        return Reason.SIM_SWAPPED
    return None if routing.serving(msisdn.countries) else Reason.NO_OPERATOR


def certain(row: Verification, chosen: str = "") -> str:
    """Return the operator that a row which waits for one is asked of without a
    question; "" where the person has to name it."""
    among, msisdn = choices_for(row), Msisdn(row.number)
    if not among:
        return ""
    operator = routing.operator_for(
        msisdn, among, purpose=row.purpose, user=row.user, chosen=chosen
    )
    return operator.name if operator else ""


def choices_for(row: Verification) -> list[OperatorSettings]:
    """Return the operators among which a row that waits for one may choose."""
    return routing.serving(Msisdn(row.number).countries)


def others_serve(row: Verification) -> bool:
    """Whether there is a network to choose instead; of a row that is over, too."""
    return bool(row.country) and len(routing.serving(with_main_region(row.country))) > 1


def send(row: Verification, name: str, *, device: str, **columns: Any) -> str:
    """Bind a saved row that waits for it to the operator `name`, once.

    `columns` are written as well. Return the URL to send the browser to; the row's own
    page, when it waits no more or the operator cannot be reached.
    """
    mine, now = Verification.objects.filter(pk=row.pk), timezone.now()
    try:
        line = _prepared(name)
    except OperatorError as error:
        waiting = mine.filter(state_digest=None, device_digest=digest(device))
        columns |= {"operator": name, "reason": error.code}
        if waiting.settle(Status.UNAVAILABLE, now=now, **columns):
            row.operator = name
            metrics.ended(row, Status.UNAVAILABLE, error.code)
            limits.settled(row, Status.UNAVAILABLE)
        return row.get_absolute_url()
    state, leg = _leg(line.settings)
    columns |= leg | {"expires_at": now + policy.PENDING_FOR}
    if not mine.send_to_operator(device=device, now=now, **columns):
        return row.get_absolute_url()
    row.refresh_from_db()
    return line.operator.authorization_url(question(row), state=state)


def _save_and_send(row: Verification, operator: OperatorSettings) -> str:
    try:
        line = _prepared(operator.name)
    except OperatorError as error:
        row.operator = operator.name
        return row.save_closed(Reason(error.code))
    state, columns = _leg(operator)
    for name, value in columns.items():
        setattr(row, name, value)
    insert(row)
    return line.operator.authorization_url(question(row), state=state)


def _prepared(name: str) -> Line:
    """Return the line to an operator that a browser can be sent to."""
    line = routing.line(name)
    breaker.before_start(line.settings)
    if not line.operator.is_prepared:
        give_back_connections()
        breaker.guard(line.settings, line.prepare, breaker.DESCRIPTION)
    return line


def _leg(operator: OperatorSettings) -> tuple[str, dict[str, Any]]:
    """Return a new `state`, and the columns that bind a row to it and the operator."""
    state = secrets.token_urlsafe(32)
    return state, {
        "operator": operator.name,
        "test": operator.test,
        "state_digest": digest(state),
        "nonce": secrets.token_urlsafe(32),
        "code_verifier": secrets.token_urlsafe(48),
    }


def question(row: Verification) -> Question:
    """Return what is asked of the operator, as bound at the start."""
    address = reverse("numberverify:callback", args=[row.operator])
    return Question(
        msisdn=Msisdn(row.number),
        redirect_uri=conf.site_url() + address,
        nonce=row.nonce,
        code_verifier=row.code_verifier,
        correlator=str(row.pk),
    )
