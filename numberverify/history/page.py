"""One page of the list: by key, in one statement, without OFFSET, not for long."""

from dataclasses import dataclass, field

from django.db.models import IntegerField, Q, Subquery, Value
from django.db.models.expressions import Combinable

from ..deadline import deadline
from ..models import Verification, VerificationQuerySet
from .filters import Filters, Place

SIZE = 50
COUNTED = 10_000  # no further: beyond it the list says "more than"
LISTED = (
    "purpose",
    "action",
    "method",
    "operator",
    "test",
    "status",
    "reason",
    "attention",
    "number_mask",
    "country",
    "created_at",
    "settled_at",
    "user",
)


@dataclass(frozen=True, slots=True)
class Page:
    """`count` is that of all rows that the filters show, COUNTED + 1 where there are
    more, None where it was not counted."""

    rows: list[Verification] = field(default_factory=list)
    has_newer: bool = False
    has_older: bool = False
    count: int | None = None


class _Count(Subquery):
    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"


def read(filters: Filters, place: Place) -> Page:
    """Read a page, newest first; raise TooSlow after a second."""
    with deadline():
        rows = list(statement(filters, place))
    more = len(rows) > SIZE
    count = _count_of(rows, filters) if filters.is_counted and place.is_top else None
    rows = rows[:SIZE]
    if place.newer:
        return Page(rows[::-1], has_newer=more, has_older=True)
    return Page(rows, has_newer=not place.is_top, has_older=more, count=count)


def statement(filters: Filters, place: Place) -> VerificationQuerySet:
    """Return the statement of a page: one row more than it shows, in its order."""
    order = "pk" if place.newer else "-pk"
    parts, within = filters.parts(), filters.bounds()
    is_counted = filters.is_counted and place.is_top
    total = _total(parts, within) if is_counted else Value(0)
    found = []
    for number, part in enumerate(parts):
        keys = Verification.objects.filter(part, within, place.bounds())
        # Once is enough: the first part is what is settled, of which few pages have
        # nothing.
        found.append(_whole(keys, order, Value(0) if number else total))
    rows = found[0].union(*found[1:], all=True) if len(found) > 1 else found[0]
    return rows.order_by(order)[: SIZE + 1]


def _whole(
    rows: VerificationQuerySet, order: str, total: Combinable
) -> VerificationQuerySet:
    """The rows of one part; their keys first, so that few rows are read whole."""
    keys = rows.order_by(order).values("pk")[: SIZE + 1]
    return (
        Verification.objects.filter(pk__in=keys)
        .order_by()
        .select_related("user")
        .only(*LISTED)
        .annotate(total=total)
    )


def _total(parts: list[Q], within: Q) -> Combinable:
    """How many there are, as a column of the same statement, which the database counts
    once, and no further than COUNTED + 1 in each part."""
    total: Combinable = Value(0)
    for part in parts:
        some = Verification.objects.filter(part, within).order_by().values("pk")
        total = total + _Count(some[: COUNTED + 1], output_field=IntegerField())
    return total


def _count_of(rows: list[Verification], filters: Filters) -> int:
    counted: int = max((row.total for row in rows), default=0)  # type: ignore[attr-defined]
    if not counted and len(rows) > SIZE:
        # What is settled has the count, and is not on a page of open rows alone.
        total = _total(filters.parts(), filters.bounds())
        with deadline():
            counted = Verification.objects.order_by().values_list(total)[0][0]
    return min(counted or len(rows), COUNTED + 1)
