import hashlib
import hmac
import secrets
from urllib.parse import urlencode

import requests
from django.conf import settings
from django.contrib.auth import get_user_model, login
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from requests.adapters import HTTPAdapter

from bench.flows.people import HOST, by_subject, phone

from .models import Attempt

CALLBACK = f"https://{HOST}/callback/"
operator = requests.Session()
for scheme in ("https://", "http://"):
    operator.mount(scheme, HTTPAdapter(pool_maxsize=64))


@require_POST
def start(request: HttpRequest) -> HttpResponse:
    user = get_user_model().objects.get(username=request.POST["username"])
    state, nonce = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    number = phone(by_subject(user.get_username()))
    attempt = Attempt.objects.create(user=user, state=state, phone=number)
    request.session["attempt"] = attempt.pk
    query = {
        "client_id": settings.CLIENT_ID,
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid mc_vm_match_hash",
        "state": state,
        "nonce": nonce,
    }
    return redirect(f"{settings.OPERATOR}/authorize?{urlencode(query)}")


@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    number = request.session.get("attempt")
    attempt = Attempt.objects.select_related("user").get(pk=number)
    if not hmac.compare_digest(attempt.state, request.GET.get("state", "")):
        return HttpResponseBadRequest()
    token = _token(request.GET["code"])
    hashed = hashlib.sha256(attempt.phone.encode()).hexdigest()
    answer = operator.post(
        f"{settings.OPERATOR}/premiuminfo/v1/",
        json={"mc_claims": {"device_msisdn_hash": hashed}},
        headers={"Authorization": f"Bearer {token}"},
        timeout=(3, 8),
    )
    matched = answer.json()["device_msisdn_verified"] is True
    attempt.status = "verified" if matched else "mismatched"
    attempt.settled_at = timezone.now()
    attempt.save(update_fields=["status", "settled_at"])
    if not matched:
        return redirect("/no-match/")
    login(request, attempt.user, "django.contrib.auth.backends.ModelBackend")
    return redirect("/profile/")


def _token(code: str) -> str:
    answer = operator.post(
        f"{settings.OPERATOR}/token",
        data={
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
        },
        auth=(settings.CLIENT_ID, settings.CLIENT_SECRET),
        timeout=(3, 8),
    )
    return str(answer.json()["access_token"])
