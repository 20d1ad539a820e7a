"""What happened to numbers, in the admin: looked at, and changed by nobody."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from numberverify import history, msisdn
from numberverify.browser import SeeOther
from numberverify.light_admin import LightAdminMixin
from numberverify.msisdn import Msisdn

from . import numbers
from .models import NumberEvent
from .number_models import OfANumber

MAY_LOOK = ("accounts.view_numberevent", "numberverify.view_verification")
KEYS = 10  # of fingerprints; more than anybody rotates through
LISTED = 1000

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:  # generic for the type checker alone
    ModelAdmin = admin.ModelAdmin


class NewestPaginator(Paginator):  # type: ignore[type-arg]
    """Counts as far as it shows, and never the whole table."""

    @cached_property
    def count(self) -> int:
        newest: Any = self.object_list
        return int(newest[:LISTED].count())


class OnlyLookedAt(LightAdminMixin, ModelAdmin):
    """Nobody adds, changes or deletes; no column is guessed by the address."""

    MAY_BE_FILTERED: frozenset[str] = frozenset()
    list_per_page = 50
    show_full_result_count = False
    paginator = NewestPaginator
    actions = None

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup in self.MAY_BE_FILTERED

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(NumberEvent)
class NumberEventAdmin(OnlyLookedAt):
    SHOWN = ("at", "number_mask", "what", "person", "by", "verification")
    MAY_BE_FILTERED = frozenset({"person__id__exact"})
    list_display = ["moment", "number", "what", "person", "by"]
    list_display_links = None
    list_select_related = ["person", "by"]
    fields = SHOWN
    readonly_fields = SHOWN
    change_list_template = "admin/accounts/numberevent/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.number_page)
        name = "accounts_numberevent_number"
        return [path("number/<slug:marks>/", page, name=name), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A POST is a search. Posted, so that no number gets into a URL or a log."""
        if request.method != "POST":
            return super().changelist_view(request, extra_context)
        if not self.has_view_permission(request):
            raise PermissionDenied
        typed = request.POST.get("q", "").replace("\0", "").strip()
        try:
            number = msisdn.parse(typed, region=settings.NV_DEFAULT_REGION)
        except ValueError:
            words = _("Nothing found. Search for a whole phone number.")
            self.message_user(request, words, messages.WARNING)
            return SeeOther(reverse("admin:accounts_numberevent_changelist"))
        return SeeOther(address_of(history.marks_of(number)))

    def number_page(self, request: HttpRequest, marks: str) -> HttpResponse:
        """What happened to one number, by its fingerprints, never by itself."""
        if not any(map(request.user.has_perm, MAY_LOOK)):
            raise PermissionDenied
        try:
            wanted = [bytes.fromhex(part) for part in marks.split("-")][:KEYS]
        except ValueError:
            raise Http404 from None
        if not all(wanted):  # what is forgotten has none
            raise Http404
        holder = numbers.holder_by(wanted)
        if holder:  # whose number has its fingerprint under the other keys as well
            wanted = history.marks_of(Msisdn(holder.phone))
        may_see = request.user.has_perm("numberverify.view_verification")
        entries = numbers.happened(wanted, verifications=may_see)
        context = {
            **self.admin_site.each_context(request),
            "title": _("What happened to this number"),
            "mask": entries[0].number_mask if entries else "",
            "holder": holder.user if holder else None,
            "entries": entries,
            "shown": numbers.SHOWN,
            "may_see_verifications": may_see,
        }
        return render(request, "admin/accounts/numberevent/number.html", context)

    @admin.display(description=_("time (UTC)"), ordering="pk")
    def moment(self, event: NumberEvent) -> str:
        return f"{event.at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description=_("number"))
    def number(self, event: NumberEvent) -> str:
        return link_to(event)


def link_to(row: OfANumber) -> str:
    """Return the row's masked number, linked to what happened to it."""
    if not row.number_fingerprint:
        return gettext("forgotten")
    address = address_of([bytes(row.number_fingerprint)])
    return format_html('<a href="{}">{}</a>', address, row.number_mask)


def address_of(marks: Sequence[bytes]) -> str:
    """Return the address of what happened to the number of these fingerprints."""
    joined = "-".join(mark.hex() for mark in marks)
    return reverse("admin:accounts_numberevent_number", args=[joined])
