from django import forms


class PasswordInput(forms.PasswordInput):
    """`autocomplete` says which password is meant. Shown as text it must not be
    corrected: some browsers send what they check the spelling of to a server."""

    def __init__(self, autocomplete: str) -> None:
        quiet = {"spellcheck": "false", "autocapitalize": "none"}
        super().__init__(attrs={"autocomplete": autocomplete} | quiet)
