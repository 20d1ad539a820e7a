"""The history: staff look and search; nobody, superusers included, changes it."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_totp.admin import TOTPDevice

from . import conf, manual, manual_admin, msisdn, routing
from .browser import SeeOther
from .choices import Status
from .models import Verification

ICONS = {
    Status.PENDING: "…",
    Status.EXCHANGING: "…",
    Status.VERIFIED: "✓",
    Status.MISMATCHED: "✗",
    Status.UNAVAILABLE: "?",
    Status.REFUSED: "⊘",
    Status.EXPIRED: "○",
}
STEPS = (
    ("created_at", _("Started")),
    ("claimed_at", _("Came back; the operator was asked")),
    ("sent_at", _("The last text message was handed over")),
    ("settled_at", _("Settled")),
    ("redeemed_at", _("Redeemed; the receipt paid for its effect")),
)
MAY_BE_FILTERED = {
    "status__exact",
    "purpose__exact",
    "method__exact",
    "created_at__gte",
    "created_at__lt",
    "user__id__exact",
    "operator",
    "fingerprint",
}
SHOWN: Any = [
    "id",
    "user",
    "number_mask",
    "country",
    "purpose",
    "action",
    "asked_because",
    "method",
    "operator",
    "operator_chosen",
    "sim_swap",
    "outcome",
    "reason_and_code",
    "steps",
    "at_the_operator",
    "flags",
    "ip",
    "user_agent",
    "operator_subject",
    "codes",
    "follows",
]

# Its pages show keys: whoever reads one is that person from then on.
admin.site.unregister(TOTPDevice)

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Verification]
else:  # generic for the type checker alone
    ModelAdmin = admin.ModelAdmin


class OperatorFilter(admin.SimpleListFilter):
    """The configured operators; asking the rows for theirs would scan them all."""

    title = _("operator")
    parameter_name = "operator"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in routing.operators()]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Verification]
    ) -> QuerySet[Verification]:
        return queryset.filter(operator=self.value()) if self.value() else queryset


class SearchedFilter(admin.SimpleListFilter):
    """What the search found: one number, by its fingerprints, never by itself."""

    title = _("search")
    parameter_name = "fingerprint"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        chosen = request.GET.get(self.parameter_name)
        return [(chosen, str(_("The number searched for")))] if chosen else []

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Verification]
    ) -> QuerySet[Verification]:
        if not self.value():
            return queryset
        try:
            wanted = [bytes.fromhex(part) for part in str(self.value()).split("-")]
        except ValueError:
            return queryset.none()
        return queryset.filter(number_fingerprint__in=wanted)


@admin.register(Verification)
class VerificationHistoryAdmin(ModelAdmin):
    list_display = [
        "started",
        "user",
        "number_mask",
        "purpose",
        "method",
        "operator",
        "outcome_and_reason",
        "duration",
    ]
    list_filter = [
        "status",
        "purpose",
        OperatorFilter,
        "method",
        "created_at",
        SearchedFilter,
    ]
    list_select_related = ["user"]
    list_per_page = 50
    show_full_result_count = False
    actions = None
    view_on_site = False  # the person's page is not for staff
    fields = SHOWN
    readonly_fields = SHOWN
    change_list_template = "admin/numberverify/verification/change_list.html"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A POST is a search. Posted, so that no number gets into a URL or a log."""
        if request.method == "POST":
            if not self.has_view_permission(request):
                raise PermissionDenied
            return self._search(
                request, request.POST.get("q", "").replace("\0", "").strip()
            )
        return super().changelist_view(request, extra_context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        may_ask = row is not None and request.user.has_perm(manual_admin.ASK)
        extra = {
            "may_ask_manual": may_ask and _may_be_asked_for(row, request.user),
            "number_page": _number_page(row),
        }
        return super().change_view(
            request, object_id, form_url, (extra_context or {}) | extra
        )

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """A list: any other column could be guessed letter by letter in the URL."""
        return lookup in MAY_BE_FILTERED

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("time (UTC)"), ordering="id")
    def started(self, row: Verification) -> str:
        return f"{row.created_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description=_("outcome"))
    def outcome(self, row: Verification) -> str:
        return f"{ICONS[Status(row.status)]} {row.get_status_display()}"

    @admin.display(description=_("outcome"), ordering="status")
    def outcome_and_reason(self, row: Verification) -> str:
        reason = f": {row.get_reason_display()}" if row.reason else ""
        flag = format_html('<strong title="{0}">⚑ {0}</strong>', _("attention"))
        return format_html(
            "{}{} {}", self.outcome(row), reason, flag if row.attention else ""
        )

    @admin.display(description=_("reason"))
    def reason_and_code(self, row: Verification) -> str:
        return f"{row.get_reason_display()} ({row.reason})" if row.reason else "–"

    @admin.display(description=_("flags"))
    def flags(self, row: Verification) -> str:
        raised = [
            _("needs attention: looks like an attack") if row.attention else "",
            _("test: a sandbox's answer") if row.test else "",
        ]
        return "; ".join(str(flag) for flag in raised if flag) or "–"

    @admin.display(description=_("duration"))
    def duration(self, row: Verification) -> str:
        if row.settled_at is None:
            return "–"
        return f"{(row.settled_at - row.created_at).total_seconds():.1f} s"

    @admin.display(description=_("steps"))
    def steps(self, row: Verification) -> str:
        taken = ((getattr(row, column), words) for column, words in STEPS)
        lines = ((_moment(at), words) for at, words in taken if at)
        return format_html("<ol>{}</ol>", format_html_join("", "<li>{} {}</li>", lines))

    @admin.display(description=_("at the operator"))
    def at_the_operator(self, row: Verification) -> str:
        return "–" if row.operator_ms is None else f"{row.operator_ms} ms"

    @admin.display(description=_("codes"))
    def codes(self, row: Verification) -> str:
        if not (row.tries or row.sends):
            return "–"
        return f"{row.sends} text messages, {row.tries} wrong codes"

    @admin.display(description=_("follows"))
    def follows(self, row: Verification) -> str:
        if row.previous is None:
            return "–"
        return format_html('<a href="{}">{}</a>', _address(row.previous), row.previous)

    def _search(self, request: HttpRequest, typed: str) -> HttpResponse:
        """Go to the one row, the person's rows or the number's rows."""
        here = reverse("admin:numberverify_verification_changelist")
        if row_id := _uuid(typed):
            if Verification.objects.filter(pk=row_id).exists():
                return SeeOther(_address(row_id))
        elif "@" in typed:
            people = get_user_model()._default_manager
            person = people.filter(**{_email_field(): typed.lower()}).first()
            if person:
                return SeeOther(f"{here}?{urlencode({'user__id__exact': person.pk})}")
        elif typed:
            try:
                number = msisdn.parse(typed, region=conf.default_region())
            except ValueError:
                pass
            else:
                prints = "-".join(part.hex() for part in conf.fingerprints(number))
                return SeeOther(f"{here}?{urlencode({'fingerprint': prints})}")
        self.message_user(
            request,
            _("Nothing found. Search for a whole id, e-mail address or phone number."),
            messages.WARNING,
        )
        return SeeOther(here)


def _address(row_id: UUID) -> str:
    return reverse("admin:numberverify_verification_change", args=[row_id])


def _moment(at: Any) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S.%f}"[:-3] + " UTC"


def _may_be_asked_for(row: Verification | None, staff: Any) -> bool:
    if row is None or not manual.may_be_asked_for(row, staff):
        return False
    return not row.manual_requests.exists()


def _number_page(row: Verification | None) -> str:
    """Return the address of the site's page of what happened to the row's number."""
    name = conf.number_history_url()
    if row is None or not name or not row.number_fingerprint:
        return ""
    return reverse(name, args=[bytes(row.number_fingerprint).hex()])


def _uuid(typed: str) -> UUID | None:
    try:
        return UUID(typed)
    except ValueError:
        return None


def _email_field() -> str:
    return get_user_model().get_email_field_name()
