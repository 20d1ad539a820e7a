"""The release of a number in the admin: one asks at a person, another decides."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from numberverify import history
from numberverify.browser import SeeOther
from numberverify.errors import VerificationNotUsable
from numberverify.msisdn import LONG_NUMBER
from numberverify.stepup import step_up_required

from . import releases
from .models import NumberRelease, User
from .number_admin import OnlyLookedAt, address_of, link_to
from .pages import signed_in
from .phone import msisdn_of

ASK, DECIDE = "accounts.ask_release", "accounts.decide_release"
SEE_PEOPLE = "accounts.view_user"
SHOWN: Any = [
    "person",
    "number",
    "reason",
    "evidence",
    "asked_by",
    "asked_at",
    "outcome",
    "decided_by",
    "ended_at",
]


class AskForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = NumberRelease
        fields = ["reason", "evidence"]
        widgets = {"evidence": forms.Textarea(attrs={"rows": 3})}

    def clean_evidence(self) -> str:
        evidence: str = self.cleaned_data["evidence"]
        if LONG_NUMBER.search(evidence):
            raise ValidationError(_("Leave long numbers out: this is kept."))
        return evidence


# Who may not is told so, and recorded, before being asked for a proof.
@permission_required([ASK, SEE_PEOPLE], raise_exception=True)
@step_up_required("administer", form_fields=("reason", "evidence"))
def ask(request: HttpRequest, person_id: int) -> HttpResponse:
    """Ask for the release of the number of the person `person_id`."""
    staff = signed_in(request)
    person = get_object_or_404(User.objects.select_related("profile"), pk=person_id)
    back = reverse("admin:accounts_user_change", args=[person.pk])
    if not releases.may_be_asked_for(person, staff):
        messages.error(request, _("The number cannot be released, or was asked for."))
        return SeeOther(back)
    data = request.POST if "reason" in request.POST else None
    form = AskForm(data)
    if data and form.is_valid():
        try:
            releases.ask(person, staff, **form.cleaned_data)
        except VerificationNotUsable:
            messages.error(request, _("Somebody else was quicker."))
        else:
            words = _("Asked. Another member of staff has to decide, after a day.")
            messages.success(request, words)
        return SeeOther(back)
    context = {
        **admin.site.each_context(request),
        "title": _("Ask for the release of a number"),
        "form": form,
        "person": person,
        "back": back,
    }
    return render(request, "admin/accounts/release/ask.html", context)


@permission_required(DECIDE, raise_exception=True)
@step_up_required("administer", form_fields=("approve", "decline"))
def decide(request: HttpRequest, release_id: int) -> HttpResponse:
    staff = signed_in(request)
    back = reverse("admin:accounts_numberrelease_change", args=[release_id])
    if not {"approve", "decline"} & set(request.POST):
        return SeeOther(back)
    asked = get_object_or_404(
        NumberRelease.objects.select_related("person"), pk=release_id
    )
    try:
        releases.decide(asked, staff, approve="approve" in request.POST)
    except VerificationNotUsable:
        words = _("It was decided already, has run out, or may not be approved now.")
        messages.error(request, words)
    else:
        messages.success(request, _("Decided."))
    return SeeOther(back)


@admin.register(NumberRelease)
class NumberReleaseAdmin(OnlyLookedAt):
    """What was asked for and decided. Nobody edits it."""

    list_display = ["asked_at", "person", "number", "asked_by", "outcome"]
    list_select_related = ["person", "asked_by"]
    fields = SHOWN
    readonly_fields = SHOWN
    change_form_template = "admin/accounts/release/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                "ask/<int:person_id>/",
                self.admin_site.admin_view(ask),
                name="accounts_numberrelease_ask",
            ),
            path(
                "<int:release_id>/decide/",
                self.admin_site.admin_view(decide),
                name="accounts_numberrelease_decide",
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
        extra: dict[str, Any] = {}
        if asked and _may_decide(signed_in(request), asked):
            extra = {
                "may_decide": True,
                "hindrance": releases.hindrance(asked),
                "approved_at": releases.may_be_approved_at(asked),
            }
        return super().change_view(
            request, object_id, form_url, (extra_context or {}) | extra
        )

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_view_permission(request, obj)
        return may or request.user.has_perm(DECIDE) or request.user.has_perm(ASK)

    @admin.display(description=_("number"))
    def number(self, asked: NumberRelease) -> str:
        return link_to(asked)


def _may_decide(staff: User, asked: NumberRelease) -> bool:
    may = staff.has_perm(DECIDE) and staff.pk != asked.asked_by_id
    within_reach = releases.is_within_reach(asked.person, staff)
    return may and within_reach and asked.ended_at is None


def tools_of(request: HttpRequest, person: User) -> dict[str, Any]:
    """Return what the person's page offers: to ask, what was asked, what happened."""
    staff = signed_in(request)
    may_ask = staff.has_perm(ASK) and releases.may_be_asked_for(person, staff)
    msisdn = msisdn_of(person)
    marks = history.marks_of(msisdn) if msisdn else []
    return {
        "may_ask_release": may_ask,
        "release": releases.open_for(person),
        "number_page": address_of(marks) if marks else "",
    }
