from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from numberverify.light_admin import LightAdminMixin
from numberverify.msisdn import Msisdn
from numberverify.stepup import came_back, step_up_required

from . import (
    account,
    claims,
    mail,
    notices,
    number_admin,
    password,
    person_admin,
    release_admin,
)
from .models import Claim, User
from .notice import Kind

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[User]
else:  # generic for the type checker alone
    ModelAdmin = admin.ModelAdmin

# The confirm page's own POST has neither.
AS_STAFF = step_up_required(
    "administer",
    form_fields=("action", "_save", "_continue", "_addanother", "_saveasnew", "post"),
)
PRIVILEGES = ("is_staff", "is_superuser", "groups", "user_permissions")


class FreshProofMixin:
    """What staff change takes a fresh proof; looking does not. Who may not change it is
    told so before being asked for one."""

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        may = self.has_view_or_change_permission(request)  # type: ignore[attr-defined]
        view = super().changelist_view  # type: ignore[misc]
        return _guarded(view, may, request, *args, **kwargs)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        *args: Any,
        **more: Any,
    ) -> Any:
        name = "has_change_permission" if object_id else "has_add_permission"
        view = super().changeform_view  # type: ignore[misc]
        may = getattr(self, name)(request)
        return _guarded(view, may, request, object_id, *args, **more)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        may = self.has_delete_permission(request)  # type: ignore[attr-defined]
        view = super().delete_view  # type: ignore[misc]
        return _guarded(view, may, request, *args, **kwargs)


def _guarded(
    view: Callable[..., Any], may: bool, request: HttpRequest, *args: Any, **kwargs: Any
) -> Any:
    if request.method in ("GET", "HEAD"):
        return came_back(request) or view(request, *args, **kwargs)
    if not may:
        raise PermissionDenied
    return AS_STAFF(lambda request: view(request, *args, **kwargs))(request)


admin.site.unregister(Group)


@admin.register(Group)
class FreshProofGroupAdmin(LightAdminMixin, FreshProofMixin, GroupAdmin):
    """A group hands out privileges."""

    filter_horizontal = ()


@admin.register(User)
class PersonAdmin(LightAdminMixin, FreshProofMixin, ModelAdmin):
    """Staff find people, end their sessions and send them a reset. Nobody sets
    another's password or e-mail: both would be ways to become that person."""

    list_display = ["email", "number", "is_active", "is_staff", "joined"]
    list_filter = ["is_active", "is_staff"]
    list_select_related = ["profile"]
    search_fields = ["=email"]
    ordering = ["-pk"]
    show_full_result_count = False
    actions = ["end_sessions", "send_reset", "freeze"]
    change_form_template = "admin/accounts/user/change_form.html"
    fields = [
        "email",
        "email_confirmed_at",
        "number",
        "number_verified",
        "date_joined",
        "last_login",
        "frozen_at",
        "is_active",
        *PRIVILEGES,
    ]
    readonly_fields = [
        "email",
        "email_confirmed_at",
        "number",
        "number_verified",
        "date_joined",
        "last_login",
        "frozen_at",
    ]

    def get_urls(self) -> list[URLPattern]:
        return [*person_admin.addresses(self.admin_site), *super().get_urls()]

    def get_readonly_fields(
        self, request: HttpRequest, obj: User | None = None
    ) -> list[str]:
        """Only a superuser hands out privileges; staff cannot raise themselves."""
        fixed = list(self.readonly_fields)
        return fixed if request.user.is_superuser else [*fixed, *PRIVILEGES]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        person = self.get_object(request, object_id)
        extra = extra_context or {}
        if person:
            extra |= release_admin.tools_of(request, person)
            extra |= person_admin.tools_of(request, person)
        return super().change_view(request, object_id, form_url, extra)

    def save_model(
        self, request: HttpRequest, obj: User, form: Any, change: bool
    ) -> None:
        """Who is made inactive is signed out for good, not just until active again, and
        nothing that was under way goes on. Who may do more or less is told."""
        switched = "is_active" in form.changed_data
        if switched and not obj.is_active:
            account.withdraw(obj)
        elif switched:
            claims.begin_anew(obj)
        super().save_model(request, obj, form, change)
        if switched and not obj.is_active:
            obj.end_sessions()
        if set(PRIVILEGES) & set(form.changed_data):
            notices.tell(obj, Kind.RIGHTS_CHANGED)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """A list: any other column could be guessed letter by letter in the URL."""
        return lookup in {"is_active__exact", "is_staff__exact"}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # people sign up; staff come from `createsuperuser`

    def has_delete_permission(
        self, request: HttpRequest, obj: User | None = None
    ) -> bool:
        # An account is made inactive, so that its history keeps its person.
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: User | None = None
    ) -> bool:
        if obj and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    @admin.display(description=_("number"))
    def number(self, user: User) -> str:
        profile = getattr(user, "profile", None)
        return str(Msisdn(profile.phone)) if profile and profile.phone else "–"

    @admin.display(description=_("number verified"))
    def number_verified(self, user: User) -> str:
        profile = getattr(user, "profile", None)
        at = profile.phone_verified_at if profile else None
        return f"{at:%Y-%m-%d %H:%M} UTC" if at else "–"

    @admin.display(description=_("joined"), ordering="date_joined")
    def joined(self, user: User) -> str:
        return f"{user.date_joined:%Y-%m-%d}"

    @admin.action(description=_("End all sessions"), permissions=["change"])
    def end_sessions(self, request: HttpRequest, people: QuerySet[User]) -> None:
        chosen = list(self._within_reach(request, people))
        for person in chosen:
            person.end_sessions()
            self.log_change(request, person, gettext("Ended all sessions."))
        said = ngettext(
            "Ended the sessions of %d person.",
            "Ended the sessions of %d people.",
            len(chosen),
        )
        self.message_user(request, said % len(chosen), messages.SUCCESS)

    @admin.action(
        description=_("Freeze until the password is reset"), permissions=["change"]
    )
    def freeze(self, request: HttpRequest, people: QuerySet[User]) -> None:
        chosen = list(self._within_reach(request, people))
        for person in chosen:
            account.freeze(person)
            mail.send_frozen(person)
            self.log_change(request, person, gettext("Froze the account's step-up."))
        said = ngettext("Froze %d person.", "Froze %d people.", len(chosen))
        self.message_user(request, said % len(chosen), messages.SUCCESS)

    @admin.action(description=_("Send a password reset"), permissions=["change"])
    def send_reset(self, request: HttpRequest, people: QuerySet[User]) -> None:
        chosen = list(self._within_reach(request, people).filter(is_active=True))
        sent = [one for one in chosen if password.send_reset_link(one.email)]
        for person in sent:
            self.log_change(request, person, gettext("Sent a password reset."))
        said = ngettext(
            "Sent a reset to %d person.", "Sent a reset to %d people.", len(sent)
        )
        self.message_user(request, said % len(sent), messages.SUCCESS)

    @staticmethod
    def _within_reach(request: HttpRequest, people: QuerySet[User]) -> QuerySet[User]:
        return (
            people if request.user.is_superuser else people.filter(is_superuser=False)
        )


@admin.register(Claim)
class ClaimAdmin(number_admin.OnlyLookedAt):
    """Numbers that changed hands, or were to. Nobody edits what happened."""

    SHOWN = (
        "number_mask",
        "claimant",
        "holder",
        "verification",
        "created_at",
        "due_at",
        "outcome",
        "ended_at",
    )
    list_display = ["created_at", "number_mask", "claimant", "holder", "outcome"]
    list_select_related = ["claimant", "holder"]
    fields = SHOWN
    readonly_fields = SHOWN
