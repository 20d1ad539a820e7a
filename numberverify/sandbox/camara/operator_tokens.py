"""What a phone's operating system gets for an app: TS.43's temporary tokens.

They come over any connection, since the SIM itself authenticates to the operator.
"""

import time

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.common import no_append_slash

from numberverify.sandbox import handset, register
from numberverify.sandbox.camara.grants import TOKEN_SECONDS, Sim, operator_tokens
from numberverify.sandbox.endpoint import Refusal, endpoint


@no_append_slash  # Else Django answers a POST without the slash with an exception.
@endpoint("POST")
def operator_token(request: HttpRequest) -> HttpResponse:
    phone = handset.of(request)
    if not phone.number:
        raise Refusal("no_sim", "There is no SIM in the handset", status=409)
    register.attach(phone)
    name = operator_tokens.put(Sim(phone.number, phone.fault, int(time.time())))
    return JsonResponse({"operator_token": name, "expires_in": TOKEN_SECONDS})
