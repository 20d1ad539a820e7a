"""The overview in the admin: the history in numbers and pictures."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from .deadline import TooSlow
from .history import charts, overview
from .history.figures import Asked, Section
from .history.filters import Filters, query
from .history.overview_form import KEPT, OverviewForm
from .history.sections import sections
from .models import Verification

VIEW = "numberverify.view_verification"
NAME = "numberverify_verification_overview"
TOO_SLOW = _("That takes too long to add up. Choose fewer days.")
# A run each few minutes links what has ended; a quiet site is sealed once a day.
LATE = timedelta(hours=2)
STOPPED = timedelta(hours=25)


@gzip_page  # as the list is
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Outcomes, reasons, fallbacks and times, by the totals that are kept."""
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    now = timezone.now()
    form = OverviewForm(request.GET, now=now)
    form.is_valid()
    counted = overview.counted()
    context = {
        **admin.site.each_context(request),
        "title": _("Overview"),
        "opts": Verification._meta,
        "form": form,
        "counted": counted,
        "age": _age(counted, now),
        "patterns": charts.patterns(),
        "sections": _sections(form, counted),
        "list": _list(form),
        "by_hour": form.span.step == "hour",
    }
    name = "admin/numberverify/verification/overview.html"
    return TemplateResponse(request, name, context)


def url() -> URLPattern:
    return path("overview/", admin.site.admin_view(page), name=NAME)


def address(filters: Filters) -> str:
    """Return the overview's address with what it knows of the list's filters."""
    kept = {name: value for name, value in filters.as_query().items() if name in KEPT}
    return reverse(f"admin:{NAME}") + (f"?{urlencode(kept)}" if kept else "")


def _sections(form: OverviewForm, counted: overview.Counted | None) -> list[Section]:
    if counted is None:
        return []
    try:
        found = overview.read(form.span, form.filters)
    except TooSlow:
        form.add_error("since", TOO_SLOW)
        return []
    if not found.ended:
        return []
    return sections(found, Asked(form.span, form.filters, counted))


def _list(form: OverviewForm) -> str:
    since, until = form.span.days
    asked: dict[str, Any] = form.filters.as_query()
    asked |= {"since": since, "until": until}
    return reverse("admin:numberverify_verification_changelist") + query(
        Filters(**asked)
    )


def _age(counted: overview.Counted | None, now: datetime) -> str:
    """How long ago something was counted: `stopped` when that is too long."""
    if counted is None:
        return "never"
    age = now - counted.at
    if age > STOPPED:
        return "stopped"
    return "late" if age > LATE else "fresh"
