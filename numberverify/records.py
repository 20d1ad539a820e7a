"""The record of what staff did: written with the effect, and then left alone."""

import logging
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from . import limits
from .browser import client_ip
from .errors import Limited
from .models import StaffRecord

logger = logging.getLogger(__name__)
Kind = StaffRecord.Kind


def begin(
    request: HttpRequest, kind: str, details: dict[str, Any], *, reason: str = ""
) -> StaffRecord:
    """Write down what is about to be done; `end` it."""
    return _write(request, kind=kind, details=details, reason=reason)


def note(
    request: HttpRequest, kind: str, details: dict[str, Any], *, reason: str = ""
) -> StaffRecord:
    """Write down what is over as it is done."""
    now = timezone.now()
    over = {"at": now, "ended_at": now, "complete": True}
    return _write(request, kind=kind, details=details, reason=reason, **over)


def _write(request: HttpRequest, **columns: Any) -> StaffRecord:
    who = {"staff": request.user, "address": client_ip(request)}
    return StaffRecord.objects.create(**who, **columns)


def count(record: StaffRecord, rows: int) -> None:
    """Say how many rows it is so far: a process that dies leaves that."""
    StaffRecord.objects.filter(pk=record.pk, ended_at=None).update(rows=rows)


def end(record: StaffRecord, *, rows: int, complete: bool) -> bool:
    """Say that it is over, once."""
    still_open = StaffRecord.objects.filter(pk=record.pk, ended_at=None)
    ended = still_open.update(rows=rows, complete=complete, ended_at=timezone.now())
    return ended == 1


def refused(request: HttpRequest) -> None:
    """Write down that a page of the admin was refused to a member of staff, by its
    path alone: what is typed behind it may hold a number. Records are for good, so of
    anybody else, whom a link in a mail may have led there, the log tells."""
    page = _page(request)
    if not page or not request.user.is_authenticated:
        return
    if not getattr(request.user, "is_staff", False):
        logger.warning("the admin was refused to account %s", request.user.pk)
        return
    with suppress(Limited):
        limits.take([("staff_refused", str(request.user.pk))])
        note(request, Kind.REFUSED, {"page": page, "method": request.method})


def _page(request: HttpRequest) -> str:
    """Return the path in the admin that was wanted, or ""."""
    try:
        home = reverse("admin:index")
        login = reverse("admin:login")
    except NoReverseMatch:  # a site without it
        return ""
    path = request.path
    if path == login:  # where the admin sends who is no staff
        path = urlsplit(request.GET.get("next", "")).path or path
    return path[:200] if path.startswith(home) else ""
