"""What staff do at a person with a reason, that is recorded: see the whole number, have
the person forgotten."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as now_said
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from numberverify import forget, limits, records
from numberverify.browser import SeeOther, View
from numberverify.errors import VerificationNotUsable
from numberverify.msisdn import LONG_NUMBER
from numberverify.stepup import redeem_step_up, step_up_required, typed_before

from .models import User
from .pages import posted, signed_in
from .phone import number_of
from .release_admin import SEE_PEOPLE
from .releases import is_within_reach

SHOW, FORGET = "accounts.show_number", "accounts.forget_person"


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        help_text=_(
            "Kept for good, beside your name. A file number will do; leave names, "
            "addresses and long numbers out."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "size": 60}),
    )

    def clean_reason(self) -> str:
        reason: str = self.cleaned_data["reason"]
        if "@" in reason or LONG_NUMBER.search(reason):
            raise ValidationError(
                _("Leave e-mail addresses and long numbers out: this is kept.")
            )
        return reason


def addresses(site: admin.AdminSite) -> list[URLPattern]:
    pages = {"number": show_number, "forget": forget_person}
    return [
        path(
            f"<int:person_id>/{name}/",
            site.admin_view(view),
            name=f"accounts_user_{name}",
        )
        for name, view in pages.items()
    ]


def tools_of(request: HttpRequest, person: User) -> dict[str, Any]:
    """Return which of these the person's page offers."""
    may = _may(request, SHOW, person) and number_of(person) is not None
    return {"may_show_number": may, "may_forget": _may(request, FORGET, person)}


def show_number(request: HttpRequest, person_id: int) -> HttpResponse:
    return _number_page(request, _person(request, SHOW, person_id))


def forget_person(request: HttpRequest, person_id: int) -> HttpResponse:
    return _forget_page(request, _person(request, FORGET, person_id))


def _may(request: HttpRequest, permission: str, person: User) -> bool:
    """Nobody does it to themselves, nor to who may do more than they."""
    staff = signed_in(request)
    allowed = staff.has_perms([permission, SEE_PEOPLE])
    return allowed and is_within_reach(person, staff)


def _person(request: HttpRequest, permission: str, person_id: int) -> User:
    """Before the person at the desk is asked for a proof."""
    if not signed_in(request).has_perms([permission, SEE_PEOPLE]):
        raise PermissionDenied
    person = get_object_or_404(User.objects.select_related("profile"), pk=person_id)
    if not _may(request, permission, person):
        raise PermissionDenied
    return person


def _details(request: HttpRequest) -> dict[str, str] | None:
    """The proof is for this person and this reason."""
    form = ReasonForm(request.POST)
    match = request.resolver_match
    if not form.is_valid() or match is None:
        return None
    person = User.objects.get(pk=match.kwargs["person_id"])
    return {
        str(_("Person")): person.email,
        str(_("Reason")): form.cleaned_data["reason"],
    }


def _guard(action: str) -> Callable[[View], View]:
    return step_up_required(
        action, form_fields=("reason",), keep=("reason",), details=_details
    )


@_guard("show_number")
def _number_page(request: HttpRequest, person: User) -> HttpResponse:
    form = ReasonForm(posted(request), initial=dict(typed_before(request)))
    context = _context(request, person, form, _("Show the whole number"))
    if number_of(person) is None:
        messages.error(request, _("There is no number on file."))
        return SeeOther(context["back"])
    if request.method == "POST" and form.is_valid():
        limits.take([("staff_numbers", str(request.user.pk))])
        try:
            with transaction.atomic():
                redeem_step_up(request)
                _note(request, records.Kind.NUMBER_SHOWN, person, form)
        except VerificationNotUsable:
            return _used(request)
        shown = context | {"number": number_of(person)}
        return render(request, "admin/accounts/user/number_shown.html", shown)
    return render(request, "admin/accounts/user/number.html", context)


@_guard("forget_person")
def _forget_page(request: HttpRequest, person: User) -> HttpResponse:
    form = ReasonForm(posted(request), initial=dict(typed_before(request)))
    context = _context(request, person, form, _("Forget this person"))
    if request.method == "POST" and form.is_valid():
        by, why = f"staff {signed_in(request).pk}", form.cleaned_data["reason"]
        try:
            with transaction.atomic():
                redeem_step_up(request)
                done = forget.person(person, by=by, reason=why)
                _note(request, records.Kind.FORGOTTEN, person, form, rows=done.rows)
        except VerificationNotUsable:
            return _used(request)
        _say(request, done)
        return SeeOther(context["back"])
    context["outlook"] = forget.outlook(person)
    return render(request, "admin/accounts/user/forget.html", context)


def _note(
    request: HttpRequest,
    kind: str,
    person: User,
    form: ReasonForm,
    rows: int | None = None,
) -> None:
    said = form.cleaned_data["reason"]
    records.note(request, kind, {"person": person.pk}, reason=said, rows=rows)


def _used(request: HttpRequest) -> HttpResponse:
    messages.error(request, _("The confirmation was used. Nothing was done."))
    return SeeOther(request.path)


def _say(request: HttpRequest, done: forget.Forgotten) -> None:
    erased = ngettext("Erased from %d row.", "Erased from %d rows.", done.rows)
    messages.success(request, erased % done.rows)
    if done.left:
        words = now_said(
            "%(left)d of the last hour stay, since they may close a way to guess. "
            "Forget the person again after %(at)s UTC."
        )
        at = f"{done.at:%H:%M:%S}"
        messages.warning(request, words % {"left": done.left, "at": at})


def _context(
    request: HttpRequest, person: User, form: ReasonForm, title: Any
) -> dict[str, Any]:
    return {
        **admin.site.each_context(request),
        "title": title,
        "form": form,
        "person": person,
        "back": reverse("admin:accounts_user_change", args=[person.pk]),
        "has_typed": bool(typed_before(request)) and request.method != "POST",
    }
