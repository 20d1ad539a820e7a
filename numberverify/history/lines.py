"""The rows as a table shows them: in words, each said once and not for every row."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import TextChoices
from django.urls import reverse

from ..choices import Method, Purpose, Reason, Status
from ..models import Verification
from .one import duration
from .sentences import ICONS


@dataclass(frozen=True, slots=True)
class Line:
    row: Verification
    address: str
    time: str
    outcome: str
    icon: str
    reason: str
    person: str
    purpose: str
    method: str
    took: str


def lines(rows: Iterable[Verification]) -> list[Line]:
    outcomes, reasons = _words(Status), _words(Reason)
    purposes, methods = _words(Purpose), _words(Method)
    return [
        Line(
            row=row,
            address=address_of(row.pk),
            time=f"{row.created_at:%Y-%m-%d %H:%M:%S}",
            outcome=outcomes[row.status],
            icon=ICONS[Status(row.status)],
            reason=reasons.get(row.reason, row.reason),
            person=str(row.user or "–"),
            purpose=purposes[row.purpose],
            method=methods[row.method],
            took=duration(row),
        )
        for row in rows
    ]


def address_of(key: UUID) -> str:
    return reverse("admin:numberverify_verification_change", args=[key])


def _words(choices: type[TextChoices]) -> dict[str, str]:
    """Read once: a field's own `get_…_display` looks through all of them each time."""
    return {str(value): str(label) for value, label in choices.choices}
