"""The history in numbers: from the totals alone, never from its rows."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from django.db.models import F, Q, Sum
from django.db.models.functions import TruncMonth, TruncWeek

from ..choices import Status
from ..deadline import deadline
from ..models import DayDuration, DayTotal, HourDuration, HourTotal, Seal
from .filters import Filters
from .span import Span, midnight

ENDINGS = [
    Status.VERIFIED,
    Status.MISMATCHED,
    Status.UNAVAILABLE,
    Status.REFUSED,
    Status.EXPIRED,
]
Ended = Counter[str]  # how many ended so, by status
Took = Counter[int]  # how many answers, by bucket of `rollup`


@dataclass(frozen=True, slots=True)
class Counted:
    """Up to where the history is counted, and when housekeeping said so."""

    upto: datetime
    at: datetime


@dataclass(slots=True)
class Overview:
    """What ended how, by each thing that is asked for."""

    by_time: dict[datetime, Ended] = field(default_factory=dict)
    by_operator: dict[str, Ended] = field(default_factory=dict)
    by_country: dict[str, Ended] = field(default_factory=dict)
    by_purpose: dict[str, Ended] = field(default_factory=dict)
    could_not_tell: Counter[str] = field(default_factory=Counter)  # by reason
    fallbacks: dict[str, Ended] = field(default_factory=dict)  # by method
    took: dict[str, Took] = field(default_factory=dict)  # by operator
    took_by_time: dict[datetime, Took] = field(default_factory=dict)

    @property
    def ended(self) -> Ended:
        return sum(self.by_time.values(), Ended())


def counted() -> Counted | None:
    """Return None as long as nothing was counted at all."""
    links = Seal.objects.filter(kind=Seal.Kind.ROWS).order_by("-number")
    link = links.values_list("last_id", "made_at").first()
    if link is None:
        return None
    key, at = link
    # Nothing younger than the link is in it, whatever the clocks were.
    return Counted(min(datetime.fromtimestamp((key.int >> 80) / 1000, UTC), at), at)


def read(span: Span, filters: Filters) -> Overview:
    """Add up the totals of the span, in five statements; raise TooSlow after a second.

    `filters` may name operator, country, purpose and test rows.
    """
    by_hour = span.step == "hour"
    time = "hour" if by_hour else "day"
    edges: Any = (span.since, span.until)
    if not by_hour:
        edges = (span.since.date(), span.until.date())
    wanted = filters.condition() & Q(**{f"{time}__gte": edges[0]})
    wanted &= Q(**{f"{time}__lt": edges[1]})
    total: Any = HourTotal if by_hour else DayTotal
    duration: Any = HourDuration if by_hour else DayDuration
    columns = {"week": TruncWeek("day"), "month": TruncMonth("day")}
    column = columns.get(span.step, F(time))

    def sums(model: Any, *by: Any) -> list[tuple[Any, ...]]:
        rows = model.objects.filter(wanted).values_list(*by)
        return list(rows.annotate(all=Sum("rows")).order_by())

    with deadline():
        endings = sums(total, "method", "fallback", "status", "reason")
        places = sums(total, "operator", "country", "purpose", "status")
        over_time = sums(total, column, "status")
        took = sums(duration, "operator", "bucket")
        took_over_time = sums(duration, column, "bucket")
    return Overview(
        by_time=_grouped((_moment(at), status, n) for at, status, n in over_time),
        by_operator=_grouped((each[0], *each[3:]) for each in places),
        by_country=_grouped((each[1], *each[3:]) for each in places),
        by_purpose=_grouped((each[2], *each[3:]) for each in places),
        could_not_tell=_could_not_tell(endings),
        fallbacks=_grouped((how, as_, n) for how, is_, as_, _, n in endings if is_),
        took=_grouped(took),
        took_by_time=_grouped((_moment(at), took, n) for at, took, n in took_over_time),
    )


def _grouped(rows: Iterable[tuple[Any, ...]]) -> dict[Any, Counter[Any]]:
    found: dict[Any, Counter[Any]] = defaultdict(Counter)
    for group, what, number in rows:
        found[group][what] += number
    return dict(found)


def _could_not_tell(endings: Iterable[tuple[Any, ...]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for _method, _fallback, status, reason, number in endings:
        if status == Status.UNAVAILABLE:
            found[reason] += number
    return found


def _moment(at: date) -> datetime:
    return at if isinstance(at, datetime) else midnight(at)
