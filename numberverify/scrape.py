"""/metrics, for who may read it; to everybody else there is no such page."""

from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address

from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from . import breaker, conf, metrics, routing
from .browser import client_ip

PATH = "/metrics"
# What proxies write: who sends one of these is not at the other end of the connection.
FORWARDED = (
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "X-Real-IP",
    "Forwarded",
    "Via",
)


class MetricsMiddleware:
    """Before all that looks at host names and schemes: scrapers come by address and
    over plain http."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_asked = request.path_info == PATH and request.method in ("GET", "HEAD")
        if not is_asked or not may_read(request):
            return self.get_response(request)
        text = metrics.exposition([Breakers()])
        response = HttpResponse(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)
        add_never_cache_headers(response)
        return response


def may_read(request: HttpRequest) -> bool:
    """Whether METRICS_FROM holds the address of whoever asks."""
    address = _asker(request)
    if address is None:
        return False
    return any(address in network for network in conf.metrics_from())


def _asker(request: HttpRequest) -> IPv4Address | IPv6Address | None:
    """Return who asks. Through a proxy that nobody counts it might be anybody; and what
    a stranger from elsewhere writes down is not our own machine."""
    peer = _read(request.META.get("REMOTE_ADDR", ""))
    if not any(name in request.headers for name in FORWARDED):
        return peer
    if not conf.trusted_proxy_count():
        return None
    client = _read(client_ip(request) or "")
    from_elsewhere = peer is not None and not peer.is_loopback
    return None if client and client.is_loopback and from_elsewhere else client


def _read(address: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(address)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


class Breakers(Collector):
    """How the breakers stand, as the cache says now: for all processes alike."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily(
            "numberverify_breaker_state",
            "0 closed, 1 open, 2 half-open.",
            labels=["operator", "api"],
        )
        for (operator, api), state in breaker.states(routing.operators()).items():
            family.add_metric([operator, api], breaker.NUMBERS[state])
        yield family
