"""Guarded pages, by decorator and by mixin, and what one does there."""

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.test.utils import override_settings
from django.urls import path
from django.views.generic import View

from config.urls import urlpatterns as of_the_site
from numberverify.stepup import (
    StepUpRequiredMixin,
    redeem_step_up,
    step_up_required,
    typed_before,
)

BEN = "+447700900456"
TABLE = {
    "vault": {"label": "open the vault", "serves": "age", "max_age": 600},
    "pay": {"label": "pay"},
    "wire": {"label": "wire money"},
    "sign": {"label": "sign", "methods": ["totp"]},
}
done: list[str] = []


def form(request) -> HttpResponse:
    token = get_token(request)
    field = f'<input name="csrfmiddlewaretoken" value="{token}">'
    kept = dict(sorted(typed_before(request).items()))
    return HttpResponse(f"open {kept} {field}")


def act(request, field: str) -> HttpResponse:
    """The view of each page: a form, or the effect that its fields ask for."""
    if field not in request.POST:
        return form(request)
    with transaction.atomic():
        redeem_step_up(request)
        done.append(request.POST[field])
    return HttpResponse("done")


def transfer(request):
    named = {"payee", "amount"} <= set(request.POST)
    return (
        {"To": request.POST["payee"], "Amount": request.POST["amount"]}
        if named
        else None
    )


with override_settings(NV_STEP_UP=TABLE):

    @step_up_required("vault", form_fields=("take",))
    def vault(request):
        return act(request, "take")

    @step_up_required("vault", max_age=60, form_fields=("take",))
    def safe(request):
        return act(request, "take")

    @step_up_required("pay", form_fields=("amount",), keep=("amount", "note"))
    def pay(request):
        return act(request, "amount")

    @step_up_required("pay")
    def bell(request):
        if request.method != "POST":
            return form(request)
        with transaction.atomic():
            redeem_step_up(request)
        done.append("rang")
        return HttpResponse("done")

    @step_up_required("wire", keep=("payee", "amount"), details=transfer)
    def wire(request):
        return act(request, "amount")

    @step_up_required("sign")
    def sign(request):
        return form(request)

    class Vault(StepUpRequiredMixin, View):
        step_up_action = "vault"
        step_up_form_fields = ("take",)

        def dispatch(self, request):
            return super().dispatch(request)

        def get(self, request):
            return act(request, "take")

        post = get

    class Safe(Vault):
        step_up_max_age = 60

    class Pay(Vault):
        step_up_action = "pay"
        step_up_form_fields = ("amount",)
        step_up_keep = ("amount", "note")

        def get(self, request):
            return act(request, "amount")

        post = get

    class Wire(Pay):
        step_up_action = "wire"
        step_up_form_fields = ()
        step_up_details = transfer
        step_up_keep = ("payee", "amount")


VIEWS = {
    "vault": vault,
    "safe": safe,
    "pay": pay,
    "bell": bell,
    "wire": wire,
    "sign": sign,
    "class/vault": Vault.as_view(),
    "class/safe": Safe.as_view(),
    "class/pay": Pay.as_view(),
    "class/wire": Wire.as_view(),
}
urlpatterns = [
    *of_the_site,
    *(path(f"{name}/", view) for name, view in VIEWS.items()),
]
both = pytest.mark.parametrize("place", ["/", "/class/"], ids=["function", "class"])


def prove(browser, operator, page):
    return browser.follow(browser.come_back(operator, browser.submit(page)))


def is_open(page):
    return page.text.startswith("open ")


def asks(page):
    return "Confirm it's you" in page.text
