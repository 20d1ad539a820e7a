"""What every endpoint of the protocol has in common."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    QueryDict,
    UnreadablePostError,
)
from django.views.decorators.csrf import csrf_exempt

# Of what is echoed or kept: it bounds the redirect and the cache.
LONGEST = 512

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


class Refusal(Exception):
    """An OAuth error: `error` is for programs, `description` for people."""

    def __init__(
        self, error: str, description: str, *, status: int = 400, challenge: str = ""
    ) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status
        self.challenge = challenge

    def response(self) -> JsonResponse:
        body = {"error": self.error, "error_description": self.description}
        response = JsonResponse(body, status=self.status)
        if self.challenge:
            response["WWW-Authenticate"] = self.challenge
        return response


def endpoint(method: str) -> Callable[[View[P]], View[P]]:
    """Answer to `method` alone, never from a cache, and say every error in JSON."""

    def decorate(view: View[P]) -> View[P]:
        @csrf_exempt  # Nobody is signed in here: a code or a token is what counts.
        @wraps(view)
        def wrapped(
            request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponse:
            if request.method != method:
                response = _not_allowed(method)
            else:
                response = _answer(view, request, *args, **kwargs)
            response["Cache-Control"] = "no-store"
            response["Pragma"] = "no-cache"
            return response

        return wrapped

    return decorate


def _answer(
    view: View[P], request: HttpRequest, *args: P.args, **kwargs: P.kwargs
) -> HttpResponse:
    try:
        return view(request, *args, **kwargs)
    except Refusal as refusal:
        return refusal.response()
    except (BadRequest, SuspiciousOperation, UnreadablePostError):
        # Django's own refusals, like a body that is too large.
        return Refusal("invalid_request", "The request cannot be read").response()


def _not_allowed(method: str) -> HttpResponse:
    refusal = Refusal("invalid_request", f"Only {method} is allowed", status=405)
    response = refusal.response()
    response["Allow"] = method
    return response


def demand(holds: bool, description: str, error: str = "invalid_request") -> None:
    if not holds:
        raise Refusal(error, description)


def form_of(request: HttpRequest) -> QueryDict:
    demand(
        request.content_type == "application/x-www-form-urlencoded",
        "The body must be application/x-www-form-urlencoded",
    )
    return request.POST


def demand_no_doubles(parameters: QueryDict) -> None:
    """RFC 6749, 3.1 and 3.2: no parameter more than once."""
    doubled = any(len(values) > 1 for _, values in parameters.lists())
    demand(not doubled, "A parameter is doubled")


def single(parameters: QueryDict, name: str) -> str:
    """The value of a parameter, or "" when it is missing or doubled.

    A parameter without a value counts as missing (RFC 6749, 3.1).
    """
    values = parameters.getlist(name)
    return values[0] if len(values) == 1 else ""


def words(parameters: QueryDict, name: str) -> frozenset[str]:
    value = single(parameters, name)
    return frozenset(value.split(" ")) if value else frozenset()


def short(parameters: QueryDict, name: str) -> str:
    """The value of a parameter, or "" when it is too long to be echoed."""
    value = single(parameters, name)
    return value if len(value) <= LONGEST else ""


def redirect_back(redirect_uri: str, answer: dict[str, str]) -> HttpResponse:
    """Send the browser to the client with what of `answer` is not empty."""
    query = urlencode({name: value for name, value in answer.items() if value})
    joint = "&" if "?" in redirect_uri else "?"
    return HttpResponseRedirect(f"{redirect_uri}{joint}{query}")
