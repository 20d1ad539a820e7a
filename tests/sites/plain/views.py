from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from numberverify.stepup import redeem_step_up, step_up_required


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
