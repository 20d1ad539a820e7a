"""The history in the admin: staff look and search; nobody, superusers included, changes
it."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.formats import number_format
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.gzip import gzip_page

from . import conf, export_admin, manual, manual_admin, overview_admin, seal_admin
from .browser import SeeOther
from .choices import Status
from .deadline import TooSlow
from .history import one, page
from .history.chips import chips
from .history.filters import Filters, Place, query
from .history.form import FilterForm, search
from .history.lines import address_of, lines
from .history.sentences import ICONS, story
from .light_admin import LightAdminMixin
from .models import Verification

NARROW = _(
    "That takes too long over so many rows. Narrow the dates, or filter by less."
)

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Verification]
else:  # generic for the type checker alone
    ModelAdmin = admin.ModelAdmin


@admin.register(Verification)
class VerificationHistoryAdmin(LightAdminMixin, ModelAdmin):
    """Its own two pages, in the admin's look: the list by key, and one verification."""

    actions = None
    view_on_site = False  # the person's page is not for staff

    def get_urls(self) -> list[URLPattern]:
        export = self.admin_site.admin_view(export_admin.export)
        name = "numberverify_verification_export"
        own = [
            path("export/", export, name=name),
            overview_admin.url(),
            seal_admin.url(),
        ]
        return [*own, *super().get_urls()]

    # Long. What is secret on it, the token, is masked anew each time (BREACH).
    @method_decorator(gzip_page)
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A POST is a search. Posted, so that no number gets into a URL or a log."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        fields = [(name, each) for name, all in request.GET.lists() for each in all]
        given = [(name, str(value)) for name, value in fields if value]
        if request.method == "GET" and given != fields:
            # A form sends its empty fields, too: an address to pass on is without.
            return SeeOther(f"{request.path}?{urlencode(given)}")
        typed, not_found = request.POST.get("q", ""), ""
        if request.method == "POST":
            try:
                return SeeOther(_address(search(typed)))
            except ValidationError as error:
                not_found = error.messages[0]
            except TooSlow:
                not_found = str(NARROW)
        form = FilterForm(request.GET)
        form.is_valid()
        context = _list(form) | {"typed": typed, "not_found": not_found}
        if all(map(request.user.has_perm, export_admin.EXPORT)):
            context["export"] = export_admin.address(form.filters)
        return self._page(request, "change_list", _("Verifications"), context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, object_id)
        if row is None:
            words = _("No verification has this id. What is old may be deleted.")
            messages.warning(request, words)
            return SeeOther(_address(Filters()))
        context = _one(row) | {"may_ask_manual": _may_ask(request, row)}
        title = f"{ICONS[Status(row.status)]} {row.get_status_display()}"
        return self._page(request, "change_form", title, context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def _page(
        self, request: HttpRequest, name: str, title: Any, context: dict[str, Any]
    ) -> HttpResponse:
        context |= {"opts": self.opts, "title": title}
        return TemplateResponse(
            request,
            f"admin/numberverify/verification/{name}.html",
            self.admin_site.each_context(request) | context,
        )


def _list(form: FilterForm) -> dict[str, Any]:
    """What the list's page shows: a filter that is not understood is left out."""
    filters, place = form.filters, form.place
    try:
        shown = page.read(filters, place)
    except TooSlow:
        form.add_error("since", NARROW)
        shown = page.Page()
    found = shown.rows
    return {
        "form": form,
        "lines": lines(found),
        "chips": chips(filters, place, found),
        "count": _count(shown),
        "links": _links(filters, place, shown),
        "is_top": place.is_top,
        "here": query(filters, place.as_query()),
        "overview": overview_admin.address(filters),
        "seal": reverse(f"admin:{seal_admin.NAME}"),
        "kept": {
            name: value
            for name, value in filters.as_query().items()
            if form[name].is_hidden
        },
    }


def _links(filters: Filters, place: Place, shown: page.Page) -> dict[str, str]:
    """The addresses of the pages around, where there are any."""
    found = {} if place.is_top else {"newest": query(filters)}
    keys: list[UUID | None] = [row.pk for row in shown.rows] or [place.edge]
    if shown.has_newer:
        found["newer"] = query(filters, {"newer": keys[0]})
    if shown.has_older:
        found["older"] = query(filters, {"older": keys[-1]})
    return found


def _count(shown: page.Page) -> str:
    if shown.count is None:
        return ""
    most = number_format(page.COUNTED, force_grouping=True)
    if shown.count > page.COUNTED:
        return gettext("more than %(most)s") % {"most": most}
    return number_format(shown.count, force_grouping=True)


def _one(row: Verification) -> dict[str, Any]:
    previous = one.before(row)
    return {
        "row": row,
        "story": story(row, now=timezone.now()),
        "steps": one.steps(row),
        "previous": lines([previous] if previous else []),
        "following": lines(one.after(row)),
        "others": [(each.words, _address(each.filters)) for each in one.others(row)],
        "facts": one.facts(row),
        "asked": row.manual_requests.all(),
        "number_page": _number_page(row),
    }


def _number_page(row: Verification) -> str:
    """Return the address of the site's page of what happened to the row's number."""
    name = conf.number_history_url()
    if not name or not row.number_fingerprint:
        return ""
    return reverse(name, args=[bytes(row.number_fingerprint).hex()])


def _address(found: UUID | Filters) -> str:
    if isinstance(found, UUID):
        return address_of(found)
    return reverse("admin:numberverify_verification_changelist") + query(found)


def _may_ask(request: HttpRequest, row: Verification) -> bool:
    may = request.user.has_perm(manual_admin.ASK)
    may = may and manual.may_be_asked_for(row, request.user)
    return may and not row.manual_requests.exists()
