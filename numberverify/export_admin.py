"""The export of the history: what the filters show, to who may, proved afresh."""

from collections.abc import Generator
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from . import conf, records
from .browser import SeeOther
from .errors import VerificationNotUsable
from .history.chips import LABELS, WORDS
from .history.export import Batch, batches
from .history.filters import Filters, query
from .history.form import FilterForm
from .models import StaffRecord
from .stepup import came_back, redeem_step_up, step_up_required, typed_before
from .stepup.guard import address_of

EXPORT = ("numberverify.view_verification", "numberverify.export_verification")
TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
COUNT_EVERY = 25  # batches


class ExportForm(forms.Form):
    form = forms.ChoiceField(
        label=_("Format"),
        choices=[("csv", _("CSV, for a spreadsheet")), ("jsonl", _("JSON Lines"))],
        initial="csv",
        widget=forms.RadioSelect,
    )


def address(filters: Filters) -> str:
    return reverse("admin:numberverify_verification_export") + query(filters)


def export(request: HttpRequest) -> HttpResponse:
    if not all(map(request.user.has_perm, EXPORT)):
        raise PermissionDenied
    if back := came_back(request):
        return back
    filters = _filters(request)
    if not filters.is_valid():
        place = reverse("admin:numberverify_verification_changelist")
        return SeeOther(f"{place}?{_query(request).urlencode()}")
    return _proved(request, filters.filters)


def _filters(request: HttpRequest) -> FilterForm:
    return FilterForm(_query(request))


def _query(request: HttpRequest) -> QueryDict:
    """The filters of the address, without what step-up adds to it."""
    return QueryDict(urlsplit(address_of(request)).query)


def described(filters: Filters) -> dict[str, str]:
    """Say by what is filtered, by label, each exactly: it is confirmed, too."""
    return {
        str(LABELS[name]): str(WORDS.get(name, {}).get(value, value))
        for name, value in filters.as_query().items()
    }


def _details(request: HttpRequest) -> dict[str, str] | None:
    form = ExportForm(request.POST)
    filters = _filters(request)
    if not (form.is_valid() and filters.is_valid()):
        return None
    rows = described(filters.filters) or {str(_("Verifications")): str(_("all"))}
    return rows | {str(_("Format")): form.cleaned_data["form"]}


@step_up_required(
    "export_history", form_fields=("form",), keep=("form",), details=_details
)
def _proved(request: HttpRequest, filters: Filters) -> HttpResponse:
    form = ExportForm(
        request.POST if request.method == "POST" else None,
        initial=dict(typed_before(request)),
    )
    if request.method == "POST" and form.is_valid():
        try:
            return _sent(request, filters, form.cleaned_data["form"])
        except VerificationNotUsable:
            messages.error(request, _("The confirmation was used. Nothing was sent."))
            return SeeOther(address(filters))
    context = {
        **admin.site.each_context(request),
        "title": _("Export the history"),
        "form": form,
        "filters": described(filters),
        "back": reverse("admin:numberverify_verification_changelist") + query(filters),
        "has_typed": bool(typed_before(request)),
        "seconds": conf.export_seconds(),
    }
    return render(request, "admin/numberverify/verification/export.html", context)


def _sent(request: HttpRequest, filters: Filters, form: str) -> HttpResponse:
    said = {"filters": filters.as_query(), "format": form}
    with transaction.atomic():
        redeem_step_up(request)
        record = records.begin(request, StaffRecord.Kind.EXPORT, said)
    found = batches(filters, form, seconds=conf.export_seconds())
    sent = Recorded(record, found)
    response: Any = StreamingHttpResponse(sent, content_type=TYPES[form])
    name = f"verifications-{timezone.now():%Y%m%d-%H%M%S}.{form}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response  # type: ignore[no-any-return]


class Recorded:
    """The batches as they are sent, each counted before it leaves.

    Closed before its end it is recorded as broken off, with the rows of the batches
    that were handed to the server: an iterator of its own, since a generator that was
    never begun does not hear of that.
    """

    def __init__(
        self,
        record: StaffRecord,
        found: Generator[Batch, None, StaffRecord.Ending | None],
    ) -> None:
        self.record, self.found = record, found
        self.rows = self.sent = 0
        self.is_over = False

    def __iter__(self) -> "Recorded":
        return self

    def __next__(self) -> bytes:
        try:
            lines, rows = next(self.found)
        except StopIteration as over:
            self._end(over.value)
            raise
        except BaseException:
            self._end(StaffRecord.Ending.FAILED)
            raise
        self.rows += rows
        self.sent += 1
        if self.sent % COUNT_EVERY == 0:
            records.count(self.record, self.rows)
        return lines

    def close(self) -> None:
        self._end(StaffRecord.Ending.GONE)

    def _end(self, ending: StaffRecord.Ending | None) -> None:
        if not self.is_over:
            self.is_over = True
            records.end(self.record, rows=self.rows, ending=ending)
