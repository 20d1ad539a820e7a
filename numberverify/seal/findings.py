"""What a check finds, and what it has seen on the way."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from ..models import Seal


def time_of(key: UUID) -> datetime | None:
    """Return when a row of that key began; None if it is no key of ours."""
    try:
        return datetime.fromtimestamp((key.int >> 80) / 1000, UTC)
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and where: at a row, or at a link of the chain."""

    what: str  # changed, missing, added, time, forgotten, purge, link
    says: str
    row: UUID | None = None

    def __str__(self) -> str:
        if self.row is None:
            return f"{self.what}: {self.says}"
        began = time_of(self.row)
        if began is None:
            return f"{self.what}: {self.row}: {self.says}"
        return (
            f"{self.what}: {self.row}, begun {began:%Y-%m-%d %H:%M:%S} UTC: {self.says}"
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """What is asked of a batch once it is purged."""

    number: int
    rows: int
    first_id: UUID | None
    last_id: UUID

    @property
    def span(self) -> str:
        first, last = (time_of(key or self.last_id) for key in (self.first_id, None))
        return f"{first:%Y-%m-%d} to {last:%Y-%m-%d}" if first and last else "no time"


@dataclass(frozen=True, slots=True)
class Told:
    """A purge or an erasing, as its link tells of it."""

    number: int
    at: datetime
    rows: int
    says: str

    def __str__(self) -> str:
        # Whoever wrote the link chose the words: nothing in them moves a cursor.
        says = "".join(letter if letter.isprintable() else "?" for letter in self.says)
        return f"  {self.number}, {self.at:%Y-%m-%d %H:%M} UTC: {self.rows} rows {says}"


@dataclass(slots=True)
class Checked:
    """How much was looked at: filled in on the way."""

    links: int = 0
    batches: int = 0
    rows: int = 0
    forgotten: int = 0
    purges: list[Told] = field(default_factory=list)
    erasings: list[Told] = field(default_factory=list)
    head: Seal | None = None
    # Those to be looked at, with the batch before each.
    wanted: list[tuple[int, int]] = field(default_factory=list)
    # The keys of the rows that the chain says are erased, with the link of each; and
    # up to which link that was read.
    erased: dict[bytes, int] = field(default_factory=dict)
    erased_to: int = 0
