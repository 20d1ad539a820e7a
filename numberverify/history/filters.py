"""What the list shows: read from its address, and written back to it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.http import urlencode

from ..choices import OPEN, Method
from ..uuid7 import first_at

COLUMNS = {
    "outcome": "status",
    "reason": "reason",
    "purpose": "purpose",
    "method": "method",
    "operator": "operator",
    "country": "country",
    "person": "user",
    "address": "ip",
}
FINGERPRINT = re.compile(r"\A[0-9a-f]{32}(-[0-9a-f]{32})*\Z")


@dataclass(frozen=True, slots=True)
class Filters:
    """Which rows: all that every filter lets through. An empty one lets all through."""

    outcome: str = ""
    reason: str = ""
    purpose: str = ""
    method: str = ""
    operator: str = ""
    country: str = ""
    since: date | None = None
    until: date | None = None  # that day included
    flag: str = ""  # "yes"
    test: str = ""  # "yes" or "no"
    person: str = ""
    address: str = ""
    fingerprint: str = ""  # one or more, in hexadecimal, with "-" between them

    def as_query(self) -> dict[str, str]:
        """Return what an address says of these filters, none that is empty."""
        values = ((name, getattr(self, name)) for name in NAMES)
        return {name: str(value) for name, value in values if value}

    def without(self, name: str) -> "Filters":
        return Filters(**{each: getattr(self, each) for each in NAMES if each != name})

    @property
    def chosen(self) -> list[str]:
        """The names of the filters that are set, but for the dates."""
        return [name for name in self.as_query() if name not in ("since", "until")]

    def condition(self) -> Q:
        """What the rows have to be, the time and the fingerprint left out."""
        wanted = Q()
        for name, column in COLUMNS.items():
            if value := getattr(self, name):
                wanted &= Q(**{column: value})
        # As the indexes' own conditions say it: SQLite does not see what follows.
        if self.reason:
            wanted &= ~Q(reason="")
        if self.operator:
            wanted &= ~Q(operator="")
        if self.method and self.method != Method.NETWORK:
            wanted &= ~Q(method=Method.NETWORK)
        if self.flag:
            wanted &= Q(attention=True)
        if self.test:
            wanted &= Q(test=self.test == "yes")
        return wanted

    def bounds(self) -> Q:
        """The time, as a condition on the key."""
        within = Q()
        if self.since:
            within &= Q(pk__gte=first_at(_midnight(self.since)))
        if self.until:
            day = timedelta(days=1).total_seconds()
            within &= Q(pk__lt=first_at(_midnight(self.until) + day))
        return within

    def parts(self) -> list[Q]:
        """The condition as alternatives that are each read in order from an index:
        settled rows first.

        Most indexes hold settled rows alone, and one what is open; of a number each key
        of the fingerprints has made another fingerprint.
        """
        wanted = self.condition()
        if self.is_in_order_of_the_key:
            return [wanted]
        kinds = [Q(settled_at__isnull=False)] if self.outcome not in OPEN else []
        if self.outcome in ("", *OPEN):
            kinds.append(Q(settled_at=None))
        said = dict.fromkeys(each for each in self.fingerprint.split("-") if each)
        prints = [bytes.fromhex(each) for each in said]
        numbers = [Q(number_fingerprint=each) for each in prints] or [Q()]
        return [wanted & kind & number for kind in kinds for number in numbers]

    @property
    def is_in_order_of_the_key(self) -> bool:
        """Whether so many rows are let through that no index but the key's helps."""
        nearly_all = {("test", "no"), ("method", Method.NETWORK)}
        return all((name, getattr(self, name)) in nearly_all for name in self.chosen)

    @property
    def is_counted(self) -> bool:
        """Whether an index holds just these rows, so that counting them is quick."""
        if len(self.chosen) == 1:
            return not self.is_in_order_of_the_key
        return not self.chosen


NAMES = [each.name for each in fields(Filters)]


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the list: the page behind a key, before one, or behind a time."""

    older: UUID | None = None
    newer: UUID | None = None
    at: datetime | None = None

    @property
    def is_top(self) -> bool:
        return self.edge is None

    @property
    def edge(self) -> UUID | None:
        """The key that the page lies on one side of."""
        if self.at:  # the whole minute, which is what one types
            return self.newer or self.older or first_at(self.at.timestamp() + 60)
        return self.newer or self.older

    def bounds(self) -> Q:
        if self.edge is None:
            return Q()
        return Q(pk__gt=self.edge) if self.newer else Q(pk__lt=self.edge)

    def as_query(self) -> dict[str, str]:
        found = {"older": self.older, "newer": self.newer}
        keys = {name: str(key) for name, key in found.items() if key}
        if keys or not self.at:
            return keys
        return {"at": self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M")}


def query(filters: Filters, more: Mapping[str, Any] | None = None) -> str:
    """Return the list's address with these filters, from the "?" on."""
    return f"?{urlencode(filters.as_query() | dict(more or {}))}"


def _midnight(day: date) -> float:
    return datetime.combine(day, time(), UTC).timestamp()
