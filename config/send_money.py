"""A demo, with the sandbox alone: a proof that is good for this money to this payee.

Shows what a bank binds a proof to (PSD2 RTS, article 5): change the amount or the payee
and the person is asked again. No money moves.
"""

from decimal import Decimal

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods

from numberverify.browser import SeeOther
from numberverify.errors import VerificationNotUsable
from numberverify.stepup import redeem_step_up, step_up_required, typed_before


class MoneyForm(forms.Form):
    payee = forms.CharField(label=_("To whom"), max_length=60)
    amount = forms.DecimalField(
        label=_("How much, in pounds"),
        min_value=1,
        max_value=10_000,
        max_digits=7,
        decimal_places=2,
        localize=True,
        widget=forms.TextInput(
            attrs={"inputmode": "decimal", "autocomplete": "off", "size": "10"}
        ),
    )


def details(request: HttpRequest) -> dict[str, str] | None:
    """What the person confirms, word for word."""
    form = MoneyForm(request.POST)
    if not form.is_valid():
        return None
    payee, amount = form.cleaned_data["payee"], form.cleaned_data["amount"]
    # In the language of the page: one that is changed meanwhile is asked about again.
    return {pgettext("money", "To"): payee, pgettext("money", "Amount"): pounds(amount)}


def pounds(amount: Decimal) -> str:
    return f"£{number_format(amount, 2)}"


@step_up_required("send_money", keep=("payee", "amount"), details=details)
@require_http_methods(["GET", "HEAD", "POST"])
def send_money(request: HttpRequest) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    form = MoneyForm(data, initial=dict(typed_before(request)))
    if data and form.is_valid():
        try:
            with transaction.atomic():
                redeem_step_up(request)
        except VerificationNotUsable:
            return SeeOther(request.path)
        sent = _("Sent %(amount)s to %(payee)s. It is a demo: no money moved.")
        amount = pounds(form.cleaned_data["amount"])
        payee = form.cleaned_data["payee"]
        messages.success(request, sent % {"amount": amount, "payee": payee})
        return SeeOther(request.path)
    return render(request, "demo/send_money.html", {"form": form})
