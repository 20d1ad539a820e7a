"""The seal in the admin: how far it goes, what was purged and erased, and the batches
of a month. It looks at no row: that is `manage.py verify_history`."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.validators import RegexValidator
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from .models import Seal, StaffRecord, Verification
from .uuid7 import first_at

VIEW = "numberverify.view_verification"
NAME = "numberverify_verification_seal"
SHOWN = 20  # purges, and erasings
BATCHES = 500  # of a month: five million rows
# A quiet site is sealed once a day.
STOPPED = timedelta(hours=25)
Kind = Seal.Kind


@dataclass(frozen=True, slots=True)
class Line:
    """A link of the chain, its times in UTC."""

    link: Seal
    digest: str
    since: datetime | None  # its oldest row; of one without a row, unknown
    until: datetime | None
    is_purged: bool


class MonthForm(forms.Form):
    month = forms.CharField(
        label=_("Month (UTC)"),
        help_text=_("Like 2026-05."),
        validators=[
            RegexValidator(
                r"\A20[0-9]{2}-(0[1-9]|1[0-2])\Z", _("A month is written as 2026-05.")
            )
        ],
        widget=forms.TextInput(attrs={"size": 8, "autocomplete": "off"}),
    )


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    newest = _links().order_by("-number").first()
    now = timezone.now()
    form = MonthForm(request.GET if "month" in request.GET else None)
    month = form.cleaned_data["month"] if form.is_valid() else f"{now:%Y-%m}"
    batches = _batches_of(month)
    context = {
        **admin.site.each_context(request),
        "title": _("Seal"),
        "opts": Verification._meta,
        "form": form,
        "newest": _line(newest, newest=newest.last_id) if newest else None,
        "stopped": newest is not None and now - newest.made_at > STOPPED,
        "month": month,
        "shown": SHOWN,
        "batches": batches[:BATCHES],
        "rows": sum(each.link.rows for each in batches[:BATCHES]),
        "has_more": len(batches) > BATCHES,
        "check": _last_check(),
        **_told(),
    }
    name = "admin/numberverify/verification/seal.html"
    return TemplateResponse(request, name, context)


def url() -> URLPattern:
    return path("seal/", admin.site.admin_view(page), name=NAME)


def _links() -> QuerySet[Seal]:
    return Seal.objects.defer("leaves", "left_open")


def _last_check() -> StaffRecord | None:
    """Of all rows, as `verify_history` has written it down."""
    whole = StaffRecord.objects.filter(
        kind=StaffRecord.Kind.CHECKED, details__part="all"
    )
    return whole.select_related("staff").first()


def _told() -> dict[str, list[Line]]:
    """What the chain says was purged and erased, newest first."""
    gone = _links().order_by("-number")
    batch = Seal.objects.filter(pk=OuterRef("of")).values("first_id")
    purges = gone.filter(kind=Kind.PURGED).annotate(oldest=Subquery(batch))
    return {
        "purges": [_line(each, each.oldest, each.purged_to) for each in purges[:SHOWN]],
        "erasings": [_line(each) for each in gone.filter(kind=Kind.FORGOTTEN)[:SHOWN]],
    }


def _batches_of(month: str) -> list[Line]:
    """Return the batches that hold rows begun within the month, oldest first; some rows
    before and after it are in the first and the last."""
    first = datetime.fromisoformat(f"{month}-01").replace(tzinfo=UTC)
    behind = (first + timedelta(days=31)).replace(day=1)
    found = _links().filter(
        kind=Kind.ROWS,
        rows__gt=0,
        last_id__gte=first_at(first.timestamp()),
        first_id__lt=first_at(behind.timestamp()),
    )
    purge = Seal.objects.filter(of=OuterRef("number"))
    found = found.annotate(is_purged=Exists(purge)).order_by("number")
    return [
        _line(each, each.first_id, each.last_id, is_purged=each.is_purged)
        for each in found[: BATCHES + 1]
    ]


def _line(
    link: Seal,
    oldest: UUID | None = None,
    newest: UUID | None = None,
    *,
    is_purged: bool = False,
) -> Line:
    digest = bytes(link.digest).hex()
    return Line(link, digest, _time(oldest), _time(newest), is_purged)


def _time(key: UUID | None) -> datetime | None:
    """Return when a row of that key began."""
    if not key or not key.int:
        return None
    return datetime.fromtimestamp((key.int >> 80) / 1000, UTC)
