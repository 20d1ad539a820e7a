"""What CAMARA's APIs have in common: who may call, and how errors are said."""

import re
from collections.abc import Callable
from functools import wraps

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from numberverify.sandbox import trace
from numberverify.sandbox.bearer import bearer_token
from numberverify.sandbox.camara.grants import AccessToken, spend_token
from numberverify.sandbox.camara.scopes import NUMBER_VERIFICATION
from numberverify.sandbox.delay import wait_if_slow
from numberverify.sandbox.handset import Fault

CORRELATOR = re.compile(r"[a-zA-Z0-9_:;./<>{}-]{0,256}")

Api = Callable[[HttpRequest, AccessToken], HttpResponse]
View = Callable[[HttpRequest], HttpResponse]


class ApiError(Exception):
    """`code` is for programs, `message` for people."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers

    def response(self) -> HttpResponse:
        body = {"status": self.status, "code": self.code, "message": self.message}
        return JsonResponse(body, status=self.status, headers=self.headers)


def invalid(message: str) -> ApiError:
    return ApiError(400, "INVALID_ARGUMENT", message)


def api(method: str, *scopes: str) -> Callable[[Api], View]:
    """Answer to `method` alone, and to a fresh token with any of `scopes`."""

    def decorate(view: Api) -> View:
        @csrf_exempt  # Nobody is signed in here: a token is what counts.
        @wraps(view)
        def wrapped(request: HttpRequest) -> HttpResponse:
            response = _answer(view, request, method, frozenset(scopes))
            correlator = request.headers.get("x-correlator", "")
            if correlator and CORRELATOR.fullmatch(correlator):
                response["x-correlator"] = correlator
            response["Cache-Control"] = "no-store"
            return response

        return wrapped

    return decorate


def _answer(
    view: Api, request: HttpRequest, method: str, scopes: frozenset[str]
) -> HttpResponse:
    try:
        token = _token(request)
        trace.go_on(request, token.flow)
        _check_caller(request, token, scopes)
        _check_form(request, method)
        _misbehave(token.fault)
        return view(request, token)
    except ApiError as error:
        return error.response()
    except (BadRequest, SuspiciousOperation, UnreadablePostError):
        # Django's own refusals, like a body that is too large.
        return invalid("The request cannot be read").response()


def _token(request: HttpRequest) -> AccessToken:
    # Spent whatever comes next: a token is good for one call, not for one answer.
    token = spend_token(bearer_token(request))
    if token is None:
        raise ApiError(
            401,
            "UNAUTHENTICATED",
            "A valid access token is needed",
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )
    return token


def _check_caller(
    request: HttpRequest, token: AccessToken, scopes: frozenset[str]
) -> None:
    # The whole value: "$" would let a newline through, and into logs.
    if not CORRELATOR.fullmatch(request.headers.get("x-correlator", "")):
        raise invalid("x-correlator is invalid")
    needed = " ".join(sorted(scopes))
    challenge = {
        "WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{needed}"'
    }
    if not token.apis & scopes:
        raise ApiError(
            403,
            "PERMISSION_DENIED",
            "The access token is not for this",
            headers=challenge,
        )
    if scopes <= NUMBER_VERIFICATION and not token.from_sim:
        raise ApiError(
            403,
            "NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK",
            "The mobile network did not authenticate this person",
            headers=challenge,
        )


def _check_form(request: HttpRequest, method: str) -> None:
    if request.method != method:
        message = f"Only {method} is allowed"
        raise ApiError(405, "METHOD_NOT_ALLOWED", message, headers={"Allow": method})
    if method == "GET":
        return
    if not request.content_type:
        raise invalid("A body with a Content-Type is needed")
    if request.content_type != "application/json":
        raise ApiError(415, "UNSUPPORTED_MEDIA_TYPE", "The body must be JSON")


def _misbehave(fault: Fault) -> None:
    wait_if_slow(fault)
    if fault is Fault.OVERLOADED:
        raise ApiError(503, "UNAVAILABLE", "Try again later")
