from django import forms

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
        label="Number of the SIM",
        help_text="With its country code, like +44 7700 900123. Empty: no SIM.",
        required=False,
        max_length=40,
        widget=forms.TextInput(
            {"type": "tel", "autocomplete": "off", "spellcheck": "false"}
        ),
    )
    network = forms.ChoiceField(
        label="Network",
        choices=Network,
        error_messages={
            "required": "Choose mobile data or Wi-Fi.",
            "invalid_choice": "Choose mobile data or Wi-Fi.",
        },
        widget=forms.RadioSelect,
    )
    sim = forms.ChoiceField(
        label="SIM",
        choices=Sim,
        error_messages={
            "required": "Choose how long the SIM has been in.",
            "invalid_choice": "Choose how long the SIM has been in.",
        },
        widget=forms.RadioSelect,
    )
    subscriber = forms.ChoiceField(
        label="Customer of the number",
        choices=Subscriber,
        error_messages={
            "required": "Choose whether the customer is the same.",
            "invalid_choice": "Choose whether the customer is the same.",
        },
        widget=forms.RadioSelect,
    )
    fault = forms.ChoiceField(
        label="Fault",
        choices=Fault,
        required=False,
        error_messages={"invalid_choice": "Choose one of the faults."},
        widget=forms.RadioSelect,
    )

    def clean_number(self) -> str:
        number = "".join(self.cleaned_data["number"].split())
        if number and not E164.fullmatch(number):
            raise forms.ValidationError(
                "Enter a number with its country code, like +44 7700 900123, "
                "or leave it empty."
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
