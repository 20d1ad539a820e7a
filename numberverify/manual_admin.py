"""Manual verification in the admin: one asks at a waiting row, another decides."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from . import manual
from .browser import SeeOther
from .errors import VerificationNotUsable
from .light_admin import LightAdminMixin
from .models import ManualRequest, Verification
from .stepup import step_up_required

ASK, DECIDE = "numberverify.ask_manual", "numberverify.decide_manual"
SHOWN: Any = [
    "person",
    "link",
    "purpose",
    "reason",
    "evidence",
    "asked_by",
    "asked_at",
    "outcome",
    "decided_by",
    "decided_at",
]

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[ManualRequest]
else:  # generic for the type checker alone
    ModelAdmin = admin.ModelAdmin


class AskForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = ManualRequest
        fields = ["reason", "evidence"]
        widgets = {
            "reason": forms.Textarea(attrs={"rows": 3}),
            "evidence": forms.Textarea(attrs={"rows": 3}),
        }


# Who may not is told so, and recorded, before being asked for a proof.
@permission_required(ASK, raise_exception=True)
@step_up_required("administer", form_fields=("reason", "evidence"))
def ask(request: HttpRequest, row_id: Any) -> HttpResponse:
    """Ask for the manual verification of a person who waits at `row_id`."""
    row = get_object_or_404(Verification, pk=row_id)
    back = reverse("admin:numberverify_verification_change", args=[row.pk])
    data = request.POST if "reason" in request.POST else None
    form = AskForm(data)
    if data and form.is_valid():
        try:
            manual.ask(row, request.user, **form.cleaned_data)
        except VerificationNotUsable:
            messages.error(request, _("It was asked for already, or nobody waits."))
        else:
            words = _("Asked. Another member of staff has to decide.")
            messages.success(request, words)
        return SeeOther(back)
    context = {
        **admin.site.each_context(request),
        "title": _("Ask for a manual verification"),
        "form": form,
        "row": row,
        "back": back,
    }
    return render(request, "admin/numberverify/manual/ask.html", context)


@permission_required(DECIDE, raise_exception=True)
@step_up_required("administer", form_fields=("approve", "decline"))
def decide(request: HttpRequest, request_id: int) -> HttpResponse:
    back = reverse("admin:numberverify_manualrequest_change", args=[request_id])
    if not {"approve", "decline"} & set(request.POST):
        return SeeOther(back)
    asked = get_object_or_404(
        ManualRequest.objects.select_related("verification__user"), pk=request_id
    )
    try:
        manual.decide(asked, request.user, approve="approve" in request.POST)
    except VerificationNotUsable:
        words = _("It was decided already, has run out, or may not be approved now.")
        messages.error(request, words)
    else:
        messages.success(request, _("Decided."))
    return SeeOther(back)


@admin.register(ManualRequest)
class ManualRequestAdmin(LightAdminMixin, ModelAdmin):
    """What was asked for and decided. Nobody edits it."""

    list_display = ["asked_at", "person", "asked_by", "outcome", "decided_by"]
    list_select_related = ["verification__user", "asked_by", "decided_by"]
    list_per_page = 50
    show_full_result_count = False
    actions = None
    fields = SHOWN
    readonly_fields = SHOWN
    change_form_template = "admin/numberverify/manual/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                "ask/<uuid:row_id>/",
                self.admin_site.admin_view(ask),
                name="numberverify_manualrequest_ask",
            ),
            path(
                "<int:request_id>/decide/",
                self.admin_site.admin_view(decide),
                name="numberverify_manualrequest_decide",
            ),
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        asked = self.get_object(request, object_id)
        extra = {"may_decide": asked and _may_decide(request, asked)}
        return super().change_view(
            request, object_id, form_url, (extra_context or {}) | extra
        )

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_view_permission(request, obj)
        return may or request.user.has_perm(DECIDE) or request.user.has_perm(ASK)

    @admin.display(description=_("person"))
    def person(self, asked: ManualRequest) -> str:
        return str(asked.verification.user or "–")

    @admin.display(description=_("for"))
    def purpose(self, asked: ManualRequest) -> str:
        row = asked.verification
        return f"{row.get_purpose_display()} {row.action}".strip()

    @admin.display(description=_("verification"))
    def link(self, asked: ManualRequest) -> str:
        key = asked.verification_id
        address = reverse("admin:numberverify_verification_change", args=[key])
        return format_html('<a href="{}">{}</a>', address, key)

    @admin.display(description=_("decision"))
    def outcome(self, asked: ManualRequest) -> str:
        if asked.approved is None:
            return str(_("… waits for a second member of staff"))
        return str(_("✓ Approved") if asked.approved else _("✗ Declined"))


def _may_decide(request: HttpRequest, asked: ManualRequest) -> bool:
    may = request.user.has_perm(DECIDE) and request.user.pk != asked.asked_by_id
    is_open = manual.may_be_asked_for(asked.verification, request.user)
    return may and is_open and asked.decided_at is None
