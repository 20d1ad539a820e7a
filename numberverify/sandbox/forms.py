from django import forms
from django.utils.translation import gettext_lazy as _

from numberverify.sandbox.handset import (
    E164,
    Fault,
    Handset,
    Network,
    Sim,
    Subscriber,
)


class HandsetForm(forms.Form):
    number = forms.CharField(
        label=_("Number of the SIM"),
        help_text=_("With its country code, like +44 7700 900123. Empty: no SIM."),
        required=False,
        max_length=40,
        widget=forms.TextInput(
            {"type": "tel", "autocomplete": "off", "spellcheck": "false"}
        ),
    )
    network = forms.ChoiceField(
        label=_("Network"),
        choices=Network,
        error_messages={
            "required": _("Choose mobile data or Wi-Fi."),
            "invalid_choice": _("Choose mobile data or Wi-Fi."),
        },
        widget=forms.RadioSelect,
    )
    sim = forms.ChoiceField(
        label=_("SIM"),
        choices=Sim,
        error_messages={
            "required": _("Choose how long the SIM has been in."),
            "invalid_choice": _("Choose how long the SIM has been in."),
        },
    )
    subscriber = forms.ChoiceField(
        label=_("Customer of the number"),
        choices=Subscriber,
        error_messages={
            "required": _("Choose whether the customer is the same."),
            "invalid_choice": _("Choose whether the customer is the same."),
        },
    )
    fault = forms.ChoiceField(
        label=_("Fault"),
        choices=Fault,
        required=False,
        error_messages={"invalid_choice": _("Choose one of the faults.")},
    )

    def clean_number(self) -> str:
        number = "".join(self.cleaned_data["number"].split())
        if number and not E164.fullmatch(number):
            raise forms.ValidationError(
                _(
                    "Enter a number with its country code, like +44 7700 900123, "
                    "or leave it empty."
                )
            )
        return number

    def handset(self) -> Handset:
        """The handset that a valid form describes."""
        return Handset(
            number=self.cleaned_data["number"],
            network=Network(self.cleaned_data["network"]),
            fault=Fault(self.cleaned_data["fault"]),
            sim=Sim(self.cleaned_data["sim"]),
            subscriber=Subscriber(self.cleaned_data["subscriber"]),
        )
