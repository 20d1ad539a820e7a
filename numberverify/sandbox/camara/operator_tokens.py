"""What a phone's operating system gets for an app: TS.43's temporary tokens.

They come over any connection, since the SIM itself authenticates to the operator.
"""

import time

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.common import no_append_slash

from numberverify.sandbox import handset, register, trace
from numberverify.sandbox.camara.grants import TOKEN_SECONDS, Sim, operator_tokens
from numberverify.sandbox.endpoint import Refusal, endpoint
from numberverify.sandbox.trace import traced


@no_append_slash  # Else Django answers a POST without the slash with an exception.
@traced("operator-token")
@endpoint("POST")
def operator_token(request: HttpRequest) -> HttpResponse:
    flow = trace.begin(request)
    phone = handset.of(request)
    trace.note(request, phone, sees_sim=bool(phone.number))
    if not phone.number:
        raise Refusal("no_sim", "There is no SIM in the handset", status=409)
    register.attach(phone)
    sim = Sim(phone.number, phone.fault, int(time.time()), flow)
    name = operator_tokens.put(sim)
    return JsonResponse({"operator_token": name, "expires_in": TOKEN_SECONDS})
