from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from . import conf, privacy


@require_safe
def notice_page(request: HttpRequest) -> HttpResponse:
    """What is asked of whom, and what is kept. A site may give it an address of its own
    beside the one under `numberverify.urls`."""
    context = {"notice": privacy.notice(), "site_name": conf.site_name()}
    return render(request, privacy.TEMPLATE, context)
