"""Reads over many rows: a person's own, and the list that staff filter and page."""

from .person import (
    all_of_person,
    by_staff,
    has_proved,
    mark_of,
    marks_of,
    names,
    no_matches,
    of_number,
    of_person,
    reference_of,
    said_not_me,
)

__all__ = [
    "all_of_person",
    "by_staff",
    "has_proved",
    "mark_of",
    "marks_of",
    "names",
    "no_matches",
    "of_number",
    "of_person",
    "reference_of",
    "said_not_me",
]
