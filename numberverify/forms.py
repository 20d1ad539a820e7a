"""Forms of numberverify's own pages."""

import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from . import limits
from .choices import Method
from .factors import recovery
from .operators.base import OperatorSettings
from .widgets import PasswordInput

SIX_DIGITS = re.compile(r"[0-9]{6}")
TWO_DIGITS = re.compile(r"[0-9]{2}")
FILLING = re.compile(r"[\s.\u00a0-]+")


class CodeForm(forms.Form):
    """A typed code; spaces and hyphens do not matter, and cost no try."""

    code = forms.CharField(
        label=_("Code"),
        max_length=100,
        widget=forms.TextInput(
            attrs={
                "inputmode": "numeric",
                "autocomplete": "one-time-code",
                "spellcheck": "false",
                "size": "12",
                "autofocus": True,
            }
        ),
        error_messages={"required": _("Enter the code")},
    )

    def __init__(self, *args: Any, method: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_recovery_code = method == Method.RECOVERY_CODE
        if self.is_recovery_code:
            field = self.fields["code"]
            field.label = _("Recovery code")
            field.widget.attrs |= {
                "inputmode": "text",
                "autocomplete": "off",
                "autocapitalize": "characters",
                "size": "24",
            }

    def clean_code(self) -> str:
        typed: str = self.cleaned_data["code"]
        if self.is_recovery_code:
            code = recovery.normal(typed)
            if len(code) != recovery.LENGTH or set(code) - set(recovery.ALPHABET):
                raise ValidationError(_("A recovery code has 16 letters and numbers"))
            return code
        code = FILLING.sub("", typed)
        if not SIX_DIGITS.fullmatch(code):
            raise ValidationError(_("The code must be 6 numbers"))
        return code


class DigitsForm(forms.Form):
    """The two digits that the desktop shows, typed on the phone."""

    digits = forms.CharField(
        label=_("The two digits that your computer shows"),
        max_length=20,
        widget=forms.TextInput(
            attrs={
                "inputmode": "numeric",
                "autocomplete": "off",
                "spellcheck": "false",
                "size": "4",
            }
        ),
        error_messages={"required": _("Type the two digits that your computer shows")},
    )

    def clean_digits(self) -> str:
        digits = FILLING.sub("", self.cleaned_data["digits"])
        if not TWO_DIGITS.fullmatch(digits):
            raise ValidationError(_("Type two digits, like 47"))
        return digits


class NetworkForm(forms.Form):
    """Which of `operators` the SIM is on, by short name."""

    operator = forms.ChoiceField(
        label=_("Which network is your SIM on?"),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose the network that your SIM is on"),
            "invalid_choice": _("Choose one of these networks"),
        },
    )

    def __init__(
        self, *args: Any, operators: Iterable[OperatorSettings], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["operator"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  as declared above
        field.choices = [(each.name, each.label or each.name) for each in operators]


class AuthenticatorForm(CodeForm):
    """The first code of a new app; with `user`, whose password is asked as well."""

    key = forms.CharField(widget=forms.HiddenInput, max_length=300)

    def __init__(self, *args: Any, user: Any | None = None, **kwargs: Any) -> None:
        super().__init__(*args, method=Method.TOTP, **kwargs)
        self.user = user
        self.fields["code"].label = _("The code that the app shows")
        del self.fields["code"].widget.attrs["autofocus"]  # the QR code comes first
        if user:
            self.fields["password"] = forms.CharField(
                label=_("Your password"),
                strip=False,
                max_length=4096,
                widget=PasswordInput("current-password"),
                error_messages={"required": _("Enter your password")},
            )

    def clean(self) -> None:
        super().clean()
        password = self.cleaned_data.get("password")
        if not self.user or not password:
            return
        taken = limits.before_own_password(self.user)
        if self.user.check_password(password):
            limits.hand_back(taken)
        else:
            self.add_error("password", _("That is not your password"))
