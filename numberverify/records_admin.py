"""The record of what staff did, in the admin: looked at, and changed by nobody."""

import json
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from .light_admin import LightAdminMixin
from .models import StaffRecord

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[StaffRecord]
else:  # generic for the type checker alone
    ModelAdmin = admin.ModelAdmin


@admin.register(StaffRecord)
class StaffRecordAdmin(LightAdminMixin, ModelAdmin):
    SHOWN = (
        "moment",
        "who",
        "kind",
        "said",
        "reason",
        "rows",
        "address",
        "outcome",
        "ended_at",
    )
    list_display = ["moment", "who", "kind", "said", "reason", "rows", "outcome"]
    list_filter = ["kind"]
    show_facets = admin.ShowFacets.NEVER  # it would count them all
    list_select_related = ["staff"]
    list_per_page = 50
    show_full_result_count = False
    actions = None
    fields = SHOWN
    readonly_fields = SHOWN

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup in {"kind__exact", "staff__id__exact"}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("time (UTC)"), ordering="pk")
    def moment(self, record: StaffRecord) -> str:
        return f"{record.at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description=_("who"), ordering="staff")
    def who(self, record: StaffRecord) -> str:
        return str(record.staff or record.by_command)

    @admin.display(description=_("details"))
    def said(self, record: StaffRecord) -> str:
        details = {**record.details, **record.details.get("filters", {})}
        details.pop("filters", None)
        return ", ".join(f"{name}: {_text(each)}" for name, each in details.items())

    @admin.display(description=_("outcome"))
    def outcome(self, record: StaffRecord) -> str:
        if record.ended_at is None:
            return str(_("… not ended"))
        if record.kind == StaffRecord.Kind.REFUSED:
            return str(_("⊘ refused"))
        if record.complete:
            return str(_("✓ done"))
        if record.kind == StaffRecord.Kind.CHECKED:
            return str(_("✗ not as it was sealed"))
        return f"✗ {record.get_ending_display() or _('broken off')}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
