"""The sandbox's pages for people."""

from dataclasses import asdict
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from numberverify.sandbox import handset, inbox, legs, register, trace
from numberverify.sandbox.camara.identity import issuer as camara_issuer
from numberverify.sandbox.forms import HandsetForm
from numberverify.sandbox.mobile_connect.identity import issuer
from numberverify.sandbox.tries import tries


@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    context = {
        "base_url": issuer(request),
        "camara_url": camara_issuer(request),
        "faults": handset.Fault.labels[1:],
        "tries": tries(),
        "site": _site(),
    }
    response = render(request, "sandbox/home.html", context)
    if _site():
        # Its forms end there, which django-csp has to be told.
        response._csp_update = {"form-action": [_site()]}  # type: ignore[attr-defined]
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def handset_page(request: HttpRequest) -> HttpResponse:
    current = asdict(handset.of(request))
    if request.method != "POST":
        return _page(request, HandsetForm(initial=current), request.GET.get("next", ""))
    # A field that was not sent stays as it is.
    form = HandsetForm({**current, **request.POST.dict()})
    goal = request.POST.get("next", "")
    if not form.is_valid():
        return _page(request, form, goal)
    response = HttpResponseRedirect(_way_on(request, goal), status=303)
    phone = form.handset()
    handset.put(response, phone, secure=request.is_secure())
    register.write(phone)
    return response


def _page(request: HttpRequest, form: HandsetForm, goal: str) -> HttpResponse:
    # To the number that the handset holds, not to one that was typed just now.
    messages = inbox.received(handset.of(request).number)
    flows = [(legs.ending(flow), legs.told(flow)) for flow in trace.flows_of(request)]
    context = {
        "form": form,
        "next": goal,
        "text_messages": messages,
        "flows": flows,
        "here": request.build_absolute_uri(request.path),
        "port": request.get_port(),
    }
    return render(request, "sandbox/handset.html", context)


def _way_on(request: HttpRequest, goal: str) -> str:
    """`goal` when it lies on this host or at the site, else the handset page itself."""
    hosts = {request.get_host(), urlsplit(_site()).netloc} - {""}
    here = url_has_allowed_host_and_scheme(
        goal, hosts, require_https=request.is_secure()
    )
    return goal if here else reverse("sandbox:handset")


def _site() -> str:
    """Where the site is whose operator this is, or "": here."""
    return getattr(settings, "SANDBOX_SITE", "")
