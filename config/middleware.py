"""What every request passes before the site sees it."""

from collections.abc import Callable
from urllib.parse import urlsplit

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase


class CanonicalHostMiddleware:
    """Send a GET under another allowed host name to the one in SITE_URL.

    Cookies belong to a host name: a form opened as "localhost" would lose its
    binding when the operator sends the browser back to "127.0.0.1".
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Some proxies name the scheme's own port, which browsers leave out.
        port = ":443" if request.is_secure() else ":80"
        host = request.get_host().removesuffix(port)
        if (
            request.method in {"GET", "HEAD"}
            and host != urlsplit(settings.SITE_URL).netloc
        ):
            return HttpResponseRedirect(settings.SITE_URL + request.get_full_path())
        return self.get_response(request)


class PolicyMiddleware(CSPMiddleware):
    """django-csp, but for the redirects of a journey: they show nothing that a policy
    could bind, and making it costs as much as all other middleware together."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if response.status_code == 303:
            return response
        return super().process_response(request, response)
