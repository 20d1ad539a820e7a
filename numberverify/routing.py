"""Which operator to ask."""

from collections.abc import Callable, Mapping
from typing import Any

from . import conf
from .choices import Purpose
from .msisdn import Msisdn
from .operators.base import OperatorSettings
from .operators.registry import Line, line_to
from .operators.tables import read_tables

# Of whom the memory may speak: somebody who has shown the password. At signup, at a
# reset and for a new number nobody has, and the number on the form is all there is.
REMEMBERS = {
    Purpose.LOGIN,
    Purpose.PASSWORD_CHANGE,
    Purpose.STEP_UP,
}
_read: tuple[Mapping[str, Any], dict[str, OperatorSettings]] | None = None


def operators() -> dict[str, OperatorSettings]:
    """Return the configured operators by name; raise ConfigurationError."""
    global _read
    tables = conf.operator_tables()
    if _read is None or _read[0] is not tables:
        _read = (tables, read_tables(tables))
    return _read[1]


def serving(countries: tuple[str, ...]) -> list[OperatorSettings]:
    """Return the operators that serve a number of `Msisdn.countries`, in the file's
    order.

    Never guessed from the number's prefix: numbers are ported between operators.
    """
    return [o for o in operators().values() if o.serves(countries)]


def operator_for(
    msisdn: Msisdn,
    among: list[OperatorSettings],
    *,
    purpose: str,
    user: Any | None,
    chosen: str = "",
) -> OperatorSettings | None:
    """Return the operator to ask, or None to ask the person which it is.

    `among` are those that serve the number, one at least. `chosen` is what the person
    chose before, in this journey. What the site's `NV_CHOOSE_OPERATOR` returns counts
    if it serves.
    """
    candidates = {o.name: o for o in among}
    if chosen in candidates:
        return candidates[chosen]

    def remembered() -> str:
        known = user is not None and purpose in REMEMBERS
        return conf.operator_of(user) if known else ""

    choose = conf.choose_operator() or only_or_remembered
    return candidates.get(choose(msisdn, list(candidates), remembered) or "")


def only_or_remembered(
    msisdn: Msisdn, candidates: list[str], remembered: Callable[[], str]
) -> str | None:
    """Return the only operator that serves the number, or the one that the profile
    remembers; None, so that the person is asked.

    A site that knows better names a function of its own in `NV_CHOOSE_OPERATOR`.
    """
    return candidates[0] if len(candidates) == 1 else remembered()


def line(name: str) -> Line:
    """Return the line to the operator; KeyError when it is configured no more."""
    return line_to(operators()[name])
