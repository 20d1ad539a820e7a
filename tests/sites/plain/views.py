from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.generic import TemplateView

from numberverify.stepup import (
    StepUpRequiredMixin,
    redeem_step_up,
    step_up_required,
    typed_before,
)


def number_of(user):
    """This site keeps the number as the first name."""
    return user.first_name or None


@step_up_required("open_safe", max_age=60)
def safe(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        with transaction.atomic():
            redeem_step_up(request)
        return HttpResponse("the safe is open")
    return render(request, "safe.html")


@step_up_required("open_safe", max_age=60)
def bell(request: HttpRequest) -> HttpResponse:
    """A guarded page whose form has no field of its own."""
    if request.method == "POST":
        with transaction.atomic():
            redeem_step_up(request)
        return HttpResponse("the bell rang")
    return HttpResponse("press to ring")


class Diary(StepUpRequiredMixin, TemplateView):
    """A proof opens it for its age."""

    step_up_action = "read_diary"
    step_up_form_fields = ("page",)
    template_name = "diary.html"

    def post(self, request: HttpRequest) -> HttpResponse:
        with transaction.atomic():
            redeem_step_up(request)
        return HttpResponse(f"page {request.POST['page']}")


def envelope(request: HttpRequest) -> dict[str, str] | None:
    """What the person confirms of a letter; None for one without an address."""
    to = request.POST.get("to", "")
    return {"To": to, "Stamp": request.POST.get("stamp", "")} if to else None


@step_up_required("send_letter", keep=("to", "stamp"), details=envelope)
def letter(request: HttpRequest) -> HttpResponse:
    if not request.POST.get("to"):
        return render(request, "letter.html", {"typed": typed_before(request)})
    with transaction.atomic():
        redeem_step_up(request)
    return HttpResponse(f"sent to {request.POST['to']}")
