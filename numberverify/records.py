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
from .paths import without_tokens

logger = logging.getLogger(__name__)
Kind = StaffRecord.Kind


def begin(
    request: HttpRequest, kind: str, details: dict[str, Any], *, reason: str = ""
) -> StaffRecord:
    """Write down what is about to be done; `end` it."""
    return _write(request, kind=kind, details=details, reason=reason)


def note(
    request: HttpRequest,
    kind: str,
    details: dict[str, Any],
    *,
    reason: str = "",
    rows: int | None = None,
) -> StaffRecord:
    """Write down what is over as it is done."""
    over = _over() | {"rows": rows}
    return _write(request, kind=kind, details=details, reason=reason, **over)


def note_command(by: str, kind: str, details: dict[str, Any], **more: Any) -> None:
    """Write down what was done by a command, of which no member of staff is known;
    `by` names the account of the operating system. `complete=False`: not as it ought
    to be."""
    columns = (
        {"by_command": by[:100], "kind": kind, "details": details} | _over() | more
    )
    StaffRecord.objects.create(**columns)


def _over() -> dict[str, Any]:
    now = timezone.now()
    return {"at": now, "ended_at": now, "complete": True}


def _write(request: HttpRequest, **columns: Any) -> StaffRecord:
    who = {"staff": request.user, "address": client_ip(request)}
    return StaffRecord.objects.create(**who, **columns)


def count(record: StaffRecord, rows: int) -> None:
    """Say how many rows it is so far: a process that dies leaves that."""
    StaffRecord.objects.filter(pk=record.pk, ended_at=None).update(rows=rows)


def end(
    record: StaffRecord, *, rows: int, ending: StaffRecord.Ending | None = None
) -> bool:
    """Say that it is over, once; `ending`: why it is not complete."""
    still_open = StaffRecord.objects.filter(pk=record.pk, ended_at=None)
    over = {"complete": ending is None, "ending": ending or ""}
    return still_open.update(rows=rows, ended_at=timezone.now(), **over) == 1


def refused(request: HttpRequest) -> None:
    """Write down that a page of the admin was refused to a member of staff, by its
    path alone, without fingerprints: what is typed behind it may hold a number. Records
    are for good, so of anybody else, whom a link in a mail may have led there, the log
    tells."""
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
    return without_tokens(path)[:200] if path.startswith(home) else ""
