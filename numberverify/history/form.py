"""The form of the filters, and the search: what staff type, or edit in the address."""

import ipaddress
from collections.abc import Callable
from datetime import UTC, date
from typing import Any
from uuid import UUID

import phonenumbers
from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .. import conf, msisdn, routing
from ..choices import Method, Purpose, Reason, Status
from ..models import Verification
from . import page
from .filters import FINGERPRINT, NAMES, Filters, Place

FIRST_DAY = date(1970, 1, 1)  # of the keys' clock
ANY = ("", _("Any"))
UNKNOWN = {"invalid_choice": _("There is no such choice. Choose one of the list.")}
NO_KEY = {"invalid": _("That is no key of a verification. Here is the newest page.")}
SEARCHABLE = _(
    "Type a whole id, e-mail address, client address or phone number; nothing is found "
    "by a part of it."
)


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("Enter a day, like 2026-05-31.")},
    )


def _choice(label: Any, choices: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        required=False,
        choices=lambda: [ANY, *(choices() if callable(choices) else choices)],
        error_messages=UNKNOWN,
    )


def _hidden(field: type[forms.Field], **options: Any) -> forms.Field:
    return field(required=False, widget=forms.HiddenInput, **options)


class FilterForm(forms.Form):
    """The filters of an address, each by itself: a wrong one says so, and the others
    hold."""

    outcome = _choice(_("Outcome"), Status.choices)
    reason = _choice(_("Reason"), Reason.choices)
    purpose = _choice(_("Purpose"), Purpose.choices)
    method = _choice(_("Method"), Method.choices)
    operator = forms.RegexField(
        r"\A[a-z0-9-]{1,32}\Z",
        label=_("Operator"),
        required=False,
        error_messages={"invalid": UNKNOWN["invalid_choice"]},
    )
    country = forms.CharField(
        label=_("Country"),
        required=False,
        max_length=3,
        help_text=_("Two letters, like GB."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    since = _day(_("From"))
    until = _day(_("To, that day included"))
    flag = _choice(_("Attention"), [("yes", _("Looks like an attack"))])
    test = _choice(
        _("Test"), [("no", _("No test rows")), ("yes", _("Test rows alone"))]
    )
    at = forms.DateTimeField(
        label=_("Go to a time (UTC)"),
        required=False,
        widget=forms.DateTimeInput(
            attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"
        ),
        error_messages={"invalid": _("Enter a day and a time.")},
    )
    person = _hidden(forms.CharField, max_length=40)
    address = _hidden(
        forms.GenericIPAddressField,
        error_messages={"invalid": _("That is no client address.")},
    )
    fingerprint = _hidden(
        forms.RegexField,
        regex=FINGERPRINT,
        max_length=400,
        error_messages={
            "invalid": _("That is no number searched for. Search for it once more.")
        },
    )
    older = _hidden(forms.UUIDField, error_messages=NO_KEY)
    newer = _hidden(forms.UUIDField, error_messages=NO_KEY)

    def __init__(self, data: MultiValueDict[str, str]) -> None:
        super().__init__(data)
        self.given = data
        known = [ANY, *((name, name) for name in routing.operators())]
        chosen = data.get("operator", "")
        if chosen and chosen not in routing.operators():  # the history outlives them
            known.append((chosen, chosen))
        self.fields["operator"].widget = forms.Select(choices=known)

    def clean_country(self) -> str:
        country = str(self.cleaned_data["country"]).upper()
        if country and country not in {*phonenumbers.SUPPORTED_REGIONS, "001"}:
            raise ValidationError(
                _("No numbers are known of such a country. Two letters, like GB.")
            )
        return country

    def clean_person(self) -> str:
        person = str(self.cleaned_data["person"])
        if person:
            words = _("That is no person's key.")
            try:
                key = get_user_model()._meta.pk.to_python(person)
            except ValidationError:
                raise ValidationError(words) from None
            if isinstance(key, int) and abs(key) >= 2**63:  # no column holds it
                raise ValidationError(words)
        return person

    def clean_since(self) -> date | None:
        return self._in_time("since")

    def clean_until(self) -> date | None:
        return self._in_time("until")

    def clean_at(self) -> Any:
        at = self.cleaned_data["at"]
        try:
            too_early = at and at.astimezone(UTC).date() < FIRST_DAY
        except OverflowError:  # in UTC it is of the year 10000
            raise ValidationError(_("Enter a time before the year 9999.")) from None
        if too_early:
            raise ValidationError(_("Enter a time after 1970."))
        return at

    def clean(self) -> dict[str, Any]:
        found = self.cleaned_data
        since, until = found.get("since"), found.get("until")
        if since and until and since > until:
            self.add_error("until", _("It ends before it begins: turn the days round."))
            found.pop("since")
        for name, values in self.given.lists():
            if name not in self.fields:
                words = _("There is no filter “%(name)s”; it is left out.")
                self.add_error(None, ValidationError(words, params={"name": name[:40]}))
            elif len(values) > 1:
                self.add_error(name, _("It is given more than once."))
        if found.get("older") and found.get("newer"):
            self.add_error("newer", NO_KEY["invalid"])
            found.pop("older")
        return found

    def _in_time(self, name: str) -> date | None:
        day: date | None = self.cleaned_data[name]
        if day and day < FIRST_DAY:
            raise ValidationError(_("Enter a day from 1970 on."))
        return day

    @property
    def filters(self) -> Filters:
        """The filters that are understood; call `is_valid` first."""
        found = {name: self.cleaned_data.get(name) for name in NAMES}
        return Filters(**{name: value for name, value in found.items() if value})

    @property
    def place(self) -> Place:
        places = ("older", "newer", "at")
        return Place(**{name: self.cleaned_data.get(name) for name in places})


def search(typed: str) -> UUID | Filters:
    """Return the row of an id, or the filters that find what was typed as a whole.

    Raise ValidationError, which says what could not be found.
    """
    typed = typed.replace("\0", "").strip()
    kinds: list[Callable[[str], UUID | Filters | None]] = [
        _by_id,
        _by_email,
        _by_address,
        _by_number,
    ]
    for look in kinds:
        if found := look(typed):
            return found
    raise ValidationError(gettext("Nothing found.") + " " + str(SEARCHABLE))


def _by_id(typed: str) -> UUID | None:
    try:
        key = UUID(typed)
    except ValueError:
        return None
    if not Verification.objects.filter(pk=key).exists():
        raise ValidationError(gettext("Nothing found: no verification has this id."))
    return key


def _by_email(typed: str) -> Filters | None:
    if "@" not in typed:
        return None
    people = get_user_model()._default_manager
    column = get_user_model().get_email_field_name()
    person = people.filter(**{column: typed.lower()}).first()
    if person is None:
        raise ValidationError(
            gettext(
                "Nothing found: no account has this e-mail address. The rows of a "
                "closed account are found by its number."
            )
        )
    return Filters(person=str(person.pk))


def _by_address(typed: str) -> Filters | None:
    try:
        address = str(ipaddress.ip_address(typed))
    except ValueError:
        return None
    return _known(
        Filters(address=address),
        gettext("Nothing found: no verification came from this client address."),
    )


def _by_number(typed: str) -> Filters | None:
    try:
        number = msisdn.parse(typed, region=conf.default_region())
    except ValueError:
        return None
    prints = "-".join(part.hex() for part in conf.fingerprints(number))
    return _known(
        Filters(fingerprint=prints),
        gettext(
            "Nothing found: no verification is of this number. Is it whole? A number "
            "of another country begins with + and the country code."
        ),
    )


def _known(filters: Filters, otherwise: str) -> Filters:
    if not page.read(filters, Place()).rows:
        raise ValidationError(otherwise)
    return filters
