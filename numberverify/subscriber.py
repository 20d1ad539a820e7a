"""What operators know of a number's subscriber: yes, no, or unknown.

*Unknown* is never safe: nobody was asked, nobody answered, or nobody may say.
"""

import logging
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

from . import breaker, routing
from .browser import give_back_connections
from .errors import NotTheirNumber, OperatorError
from .msisdn import Msisdn
from .operators import siblings
from .operators.base import Deadline, OperatorSettings, Told
from .operators.camara import Camara

logger = logging.getLogger(__name__)
LONGEST = 2400  # hours, the most that SIM Swap takes


def sim_swapped(
    msisdn: Msisdn,
    *,
    within: timedelta,
    operator: str = "",
    patience: float | None = None,
) -> Told:
    """Say whether the number got another SIM within that time, 100 days at most.

    `operator` is the one to ask; else those that serve the country. `patience`: how
    many seconds for each, if fewer than its deadline.
    """
    hours = max(1, min(LONGEST, round(within.total_seconds() / 3600)))

    def ask(camara: Camara, deadline: Deadline) -> Told:
        return siblings.sim_swapped(camara, msisdn, hours=hours, within=deadline)

    return _ask(_asked(msisdn, operator), "sim_swap_url", ask, patience)


def recycled(msisdn: Msisdn, *, since: date, operator: str = "") -> Told:
    """Say whether the number has had another subscriber after that day."""

    def ask(camara: Camara, deadline: Deadline) -> Told:
        return siblings.number_recycled(camara, msisdn, since=since, within=deadline)

    return _ask(_asked(msisdn, operator), "number_recycling_url", ask)


def _asked(msisdn: Msisdn, operator: str) -> list[OperatorSettings]:
    if operator:
        return [routing.operators()[operator]]
    return routing.serving(msisdn.countries)


def _ask(
    operators: list[OperatorSettings],
    url: str,
    ask: Callable[[Camara, Deadline], Told],
    patience: float | None = None,
) -> Told:
    """Ask in the file's order until one knows the number."""
    give_back_connections()
    for operator in operators:
        if not getattr(operator, url):
            continue
        line = routing.line(operator.name)
        put = partial(line.ask_camara, ask, patience=patience)
        try:
            return breaker.guard(operator, put, url.removesuffix("_url"))
        except NotTheirNumber:
            continue
        except OperatorError as error:
            logger.warning("nothing known by %s: %s", operator.name, error.code)
            return Told.UNKNOWN
    return Told.UNKNOWN
