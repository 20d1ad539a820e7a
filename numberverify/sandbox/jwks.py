from django.http import HttpRequest, HttpResponse, JsonResponse

from numberverify.sandbox.endpoint import endpoint
from numberverify.sandbox.keys import signing_key


@endpoint("GET")
def jwks(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"keys": [signing_key().as_dict(private=False)]})
