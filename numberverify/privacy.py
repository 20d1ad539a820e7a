"""What people are told of who is asked about them, and what is kept: from the settings.

Its version stands in each row that was begun under it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.template.loader import get_template
from django.utils import translation

from . import conf, routing
from .operators.base import OperatorSettings

TEMPLATE = "numberverify/privacy.html"
VERSION_LENGTH = 12  # hexadecimal digits


@dataclass(frozen=True, slots=True)
class Asked:
    """An operator, as the page tells of it."""

    label: str
    countries: tuple[str, ...]  # none: it serves every country
    as_hash: bool
    tells_of_swaps: bool


@dataclass(frozen=True, slots=True)
class Notice:
    operators: tuple[Asked, ...]
    sends_texts: bool
    retention_days: int  # nought: for ever
    version: str = ""


# Of these settings: the tables, and what else the page is made from.
_made: tuple[Mapping[str, Any], tuple[Any, ...], str] | None = None


def notice() -> Notice:
    """Return what the page tells just now, in the language of whoever reads it."""
    swaps = bool(conf.sim_swap_within())
    return Notice(
        operators=tuple(_asked(o, swaps) for o in routing.operators().values()),
        sends_texts=bool(conf.sms_backend_path()),
        retention_days=conf.retention_days(),
        version=version(),
    )


def version() -> str:
    """Return a short digest of what the page says; made once for the same settings."""
    global _made
    tables = conf.operator_tables()
    rest = (
        conf.retention_days(),
        conf.sms_backend_path(),
        conf.sim_swap_within(),
        conf.site_name(),
    )
    if _made is None or _made[0] is not tables or _made[1] != rest:
        _made = (tables, rest, _digest(*map(str, rest)))
    return _made[2]


def _digest(*rest: str) -> str:
    """The words count as well: a site may have a template of its own."""
    template: Any = get_template(TEMPLATE)
    words = template.template.source
    with translation.override(settings.LANGUAGE_CODE):
        swaps = bool(conf.sim_swap_within())
        asked = [asdict(_asked(o, swaps)) for o in routing.operators().values()]
        said = json.dumps([words, asked, rest], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:VERSION_LENGTH]


def _asked(operator: OperatorSettings, swaps: bool) -> Asked:
    return Asked(
        label=str(operator.label or operator.name),
        countries=operator.countries,
        as_hash=operator.send == "hash",
        tells_of_swaps=swaps and bool(operator.sim_swap_url),
    )
