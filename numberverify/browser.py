"""What a view knows of the browser: its binding, its address, its forms' way out."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import wraps
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db import connections
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import translation
from django.utils.cache import patch_cache_control

from . import conf
from .choices import Method
from .policy import MANUAL_RECEIPT_FOR, MANUAL_WAITS
from .windows import Taken

View = Callable[..., HttpResponse]
# What such buttons send for `method`.
NOT_ON_PHONE, OTHER_NETWORK, ON_PHONE = "other", "other_network", "phone"
# Some proxies add the port that they were called from.
WITH_PORT = re.compile(r"\[([0-9a-fA-F:.]+)\](?::\d+)?|([0-9.]+):\d+")


class SeeOther(HttpResponseRedirect):
    """303: whatever was asked, the next request is a GET (RFC 9110, 15.4.4)."""

    status_code = 303


def to_login(request: HttpRequest, back_to: str = "") -> HttpResponse:
    """Send somebody who is not signed in to the login page, and back here after it, or
    where to go instead of an address that takes no GET."""
    address = redirect_to_login(back_to or request.get_full_path()).url
    posted = request.method == "POST"
    return SeeOther(address) if posted else HttpResponseRedirect(address)


@dataclass(frozen=True, slots=True)
class Browser:
    """`binding` is the random value of the cookie that only this browser has;
    `is_known` says whether the account in question knows the browser; `network` is
    what limits count as its address; `tries` are handed back with the next start;
    `language` is the one that was chosen in it or that it asks for, "" for none."""

    binding: str = field(repr=False)
    ip: str | None = None
    user_agent: str = ""
    is_known: bool = False
    is_new: bool = False  # its binding has yet to reach it
    network: str = ""
    tries: Taken | None = None
    language: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """How the person asks to prove it, as one of our forms says.

    `not_on_phone`: by no way yet, but not by the network either. `other_network`: by
    the network, and the person wants to say which. `on_phone`: by the network, on
    another device than this. `previous` is the verification that
    this one follows, as the browser says.
    """

    method: Method = Method.NETWORK
    not_on_phone: bool = False
    other_network: bool = False
    on_phone: bool = False
    previous: UUID | None = None


def lives(way: Way) -> timedelta | None:
    """How long the binding must last: who waits for staff closes the browser."""
    by_staff = way.method == Method.MANUAL
    return MANUAL_WAITS + MANUAL_RECEIPT_FOR if by_staff else None


def way_of(request: HttpRequest) -> Way:
    named = request.POST.get("method", "")
    try:
        previous = UUID(request.POST.get("previous", ""))
    except ValueError:
        previous = None
    method = Method(named) if named in Method.values else Method.NETWORK
    return Way(
        method,
        not_on_phone=named == NOT_ON_PHONE,
        other_network=named == OTHER_NETWORK,
        on_phone=named == ON_PHONE,
        previous=previous,
    )


def cookie_name() -> str:
    # "__Host-": no other host of the domain can plant it (RFC 6265bis, 4.1.3.2).
    return "__Host-nv_binding" if settings.SESSION_COOKIE_SECURE else "nv_binding"


def binding_of(request: HttpRequest) -> str:
    """Return the binding of the request's browser, or "" when it has none yet."""
    return request.COOKIES.get(cookie_name(), "")


def browser_of(request: HttpRequest, user: Any | None = None) -> Browser:
    """Describe the browser, as `user` knows it; one without a binding gets a new one.

    The new one reaches it through `bind`.
    """
    bound = binding_of(request)
    binding = bound or secrets.token_urlsafe(32)
    known = user is not None and conf.knows_browser(request, user)
    ip = client_ip(request)
    return Browser(
        binding,
        ip,
        agent_of(request),
        known,
        not bound,
        _network(request, ip),
        language=language_of(request),
    )


def agent_of(request: HttpRequest) -> str:
    """Return what the browser says to be, as it is kept."""
    said = request.headers.get("User-Agent", "")
    # The backslash keeps CR, LF and other control characters out of the history.
    return said.encode("unicode_escape").decode("ascii")[:256]


def is_phone(request: HttpRequest) -> bool:
    """Whether the browser says to be one on a phone: for what is offered, no more."""
    agent = request.headers.get("User-Agent", "")
    return request.headers.get("Sec-CH-UA-Mobile") == "?1" or "Mobi" in agent


def is_fetched_by_a_person(request: HttpRequest) -> bool:
    """Whether a GET opens a page, rather than looks ahead or only at the headers."""
    said = request.headers.get
    why = " ".join(said(name, "") for name in ("Sec-Purpose", "Purpose", "X-Purpose"))
    looks_ahead = re.search("prefetch|prerender|preview", why.lower())
    opens = said("Sec-Fetch-Mode", "navigate"), said("Sec-Fetch-Dest", "document")
    is_page = opens == ("navigate", "document")
    return request.method == "GET" and is_page and not looks_ahead


def language_of(request: HttpRequest) -> str:
    """Return which of the site's languages was chosen in the browser, else which one it
    asks for, "" for neither. Not what the page is in: an account has its own."""
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
    is_known = chosen in dict(settings.LANGUAGES)
    if not (is_known or request.headers.get("Accept-Language")):
        return ""
    return translation.get_language_from_request(request)


def bind(
    response: HttpResponse, browser: Browser, *, max_age: timedelta | None = None
) -> HttpResponse:
    """Give the browser its binding: a cookie that no script and no other site sends,
    save in a top-level GET, as which the operator's redirect comes back.

    It goes with the browser's session, or with `max_age` outlives its windows. One
    that the browser has stays as it is.
    """
    if browser.is_new or max_age:
        _set_binding(response, browser.binding, max_age)
    return response


def _set_binding(
    response: HttpResponse, binding: str, max_age: timedelta | None = None
) -> None:
    response.set_cookie(
        cookie_name(),
        binding,
        max_age=max_age,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def bind_anew(response: HttpResponse) -> HttpResponse:
    """At login and logout: what was started before belongs to nobody any more."""
    _set_binding(response, secrets.token_urlsafe(32))
    return response


def client_ip(request: HttpRequest) -> str | None:
    """Return the client's address, counting trusted proxies from the right.

    The left end of X-Forwarded-For is written by the client and never read.
    """
    count = conf.trusted_proxy_count()
    hops = request.headers.get("X-Forwarded-For", "").split(",") if count else []
    if len(hops) < count:
        return None
    found = hops[-count].strip() if count else request.META.get("REMOTE_ADDR", "")
    if with_port := WITH_PORT.fullmatch(found):
        found = with_port[1] or with_port[2]
    try:
        return str(ip_address(found))
    except ValueError:  # a socket without an address, or what no proxy of ours wrote
        return None


def client_network(request: HttpRequest) -> str:
    """Return what limits count as the client's address, or "".

    Where no trusted proxy has written one down, whoever is at the other end of the
    connection has come around the proxies, and counts itself.
    """
    return _network(request, client_ip(request))


def _network(request: HttpRequest, ip: str | None) -> str:
    try:
        return network_of(ip or request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return ""


def network_of(address: str | None) -> str:
    """Return what counts as one address, "" for none: of IPv6 the /64, all of which one
    customer has."""
    if not address:
        return ""
    ip = ip_address(address)
    if not isinstance(ip, IPv6Address):
        return str(ip)
    if ip.ipv4_mapped:
        return str(ip.ipv4_mapped)
    return str(ip_network((int(ip), 64), strict=False).network_address)


def leaves_for_operator(view: View) -> View:
    """Mark a page whose form may be answered by a redirect to an operator.

    Chromium checks `form-action` on every hop of that redirect, and nobody can list
    an operator's hosts. Read by django-csp where the site has it.
    """

    @wraps(view)
    def marked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        schemes = ["https:"] + (["http:"] if _an_operator_is_on_http() else [])
        response._csp_update = {"form-action": schemes}  # type: ignore[attr-defined]
        patch_cache_control(response, no_store=True)
        return response

    return marked


def follows_callback(view: View) -> View:
    """Mark a journey's page that answers a GET after a match by a redirect: the
    callback goes on into it at once, which spares the browser a request, and hands it
    the `receipt`, which spares it the search."""
    view.follows_callback = True  # type: ignore[attr-defined]
    return view


def _an_operator_is_on_http() -> bool:
    addresses = (
        str(table.get(key, ""))
        for table in conf.operator_tables().values()
        for key in ("base_url", "authorization_endpoint")
    )
    return any(address.startswith("http:") for address in addresses)


def give_back_connections() -> None:
    """Return this thread's pooled connections, so that waiting people hold none."""
    for connection in connections.all(initialized_only=True):
        pooled = connection.settings_dict["OPTIONS"].get("pool")
        if pooled and not connection.in_atomic_block:
            connection.close()
