"""What the tests of the history share."""

from django.utils import timezone

from numberverify.uuid7 import uuid7
from tests.factories import VerificationFactory

HISTORY = "/admin/numberverify/verification/"


def row_of(at=None, **columns):
    """A row that began at a time, as its key says, too; settled unless told else."""
    at = at or timezone.now()
    state = columns or {"verified": True}
    return VerificationFactory(pk=uuid7(at.timestamp()), created_at=at, **state)


def rows_on(page):
    """The rows that a page of the list shows, in their order."""
    return [line.row for line in page.context["lines"]]


def links_of(page):
    return page.context["links"]
