"""The same rows in Django's own list, as a developer would set it up in an hour."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from numberverify.models import Verification


class Plain(Verification):
    class Meta:
        proxy = True
        app_label = "numberverify"


if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Plain]
else:  # generic for the type checker alone
    ModelAdmin = admin.ModelAdmin


class SettledRows(ModelAdmin):
    list_display = (
        "created_at",
        "status",
        "reason",
        "attention",
        "user",
        "number_mask",
        "country",
        "purpose",
        "action",
        "method",
        "operator",
        "settled_at",
    )
    list_per_page = 50
    list_select_related = ("user",)
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plain]:
        """Settled rows alone, so that the indexes, which are partial, serve it too."""
        return super().get_queryset(request).filter(settled_at__isnull=False)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("numberverify.view_verification")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PlainAdmin(SettledRows):
    list_filter = (
        "status",
        "reason",
        "purpose",
        "method",
        "operator",
        "country",
        "attention",
        "test",
    )
    date_hierarchy = "created_at"
    search_fields = ("id", "user__email", "ip", "number_mask")


class TunedAdmin(SettledRows):
    """With what Django's documentation offers against its slowness."""

    # Without those that ask the table which values there are.
    list_filter = ("status", "reason", "purpose", "method", "attention", "test")
    show_full_result_count = False
    search_fields = ("=user__email", "=ip", "=number_mask")


plain = admin.AdminSite("plain")
plain.register(Plain, PlainAdmin)
tuned = admin.AdminSite("tuned")
tuned.register(Plain, TunedAdmin)
for site in (plain, tuned):
    site.enable_nav_sidebar = False
