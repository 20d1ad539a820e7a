"""The one door to operators: pooled, bounded in time and size, and strict."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from http.cookiejar import DefaultCookiePolicy
from json import dumps
from ssl import SSLContext
from threading import Lock
from typing import Any
from urllib.parse import urlencode

import certifi
import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from urllib3.util.ssl_ import ALPN_PROTOCOLS, create_urllib3_context

from ..errors import (
    MalformedAnswer,
    OperatorError,
    OperatorRefused,
    OperatorTimeout,
    OperatorUnreachable,
)
from . import wire
from .base import Deadline, OperatorSettings

MAX_BODY = 64 * 1024  # bytes
CHUNK = 16 * 1024
ADDRESSES = 32  # of one operator that are kept as read
# requests reads the address; urllib3 makes the call.
UNREACHABLE = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)
# The name of an error: OAuth's `error`, CAMARA's `code`. It chooses a reason of ours.
_reading = Lock()
ERROR_NAME = re.compile(r"[A-Za-z0-9_.]{1,100}")


class _Session(requests.Session):
    """Never looks where a redirect points: requests would read its body for that,
    past the deadline, even when told not to follow it."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class _Adapter(HTTPAdapter):
    """Has one TLS context for all connections: to read the authorities that vouch for
    operators takes as long as three verifications, and requests has it done for each
    connection."""

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        place, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return place, {"ssl_context": _trusting(_file(verify))}

    def proxy_manager_for(self, proxy: str, **more: Any) -> Any:
        own = {"proxy_ssl_context": _trusting(_file(True))}
        return super().proxy_manager_for(proxy, **own, **more)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Nothing: the context does."""


def _file(verify: bool | str | None) -> str:
    """Return where the authorities are listed: of a session that was told no other
    place, certifi's. There is no way to trust everybody."""
    return verify if isinstance(verify, str) else certifi.where()


def _trusting(authorities: str) -> SSLContext:
    with _reading:  # else threads that come first at once would have one each
        return _context(authorities)


@lru_cache(maxsize=8)
def _context(authorities: str) -> SSLContext:
    """As urllib3 makes its own: of a certificate the Common Name counts for nothing."""
    context = create_urllib3_context()
    context.load_verify_locations(authorities)
    # urllib3 says it once more for each connection, which frees what another thread
    # may just be copying (python/cpython#141012). Nothing else in it is changed.
    context.set_alpn_protocols(ALPN_PROTOCOLS)
    context.set_alpn_protocols = lambda alpn_protocols: None  # type: ignore[method-assign]
    return context


class Http:
    """One keep-alive session to one operator, shared by the threads of its pool."""

    def __init__(self, settings: OperatorSettings) -> None:
        self.connect_timeout = settings.connect_timeout
        self.read_timeout = settings.read_timeout
        self.session = _Session()
        self._door = lru_cache(ADDRESSES)(self._read)
        # No proxy and no .netrc that the machine happens to have; no cookies.
        self.session.trust_env = False
        self.session.cookies = RequestsCookieJar(
            DefaultCookiePolicy(allowed_domains=[])
        )
        if settings.proxy:
            self.session.proxies = {"http": settings.proxy, "https": settings.proxy}
        # Retries are off: a code and a token are good for one call.
        adapter = _Adapter(pool_maxsize=settings.threads, max_retries=0)
        self.session.mount("https://", adapter)
        self.session.mount("http://", adapter)
        # Not compressed: a small body could not unpack into a large one.
        self.session.headers.update(
            {"Accept": "application/json", "Accept-Encoding": "identity"}
        )

    def get(self, url: str, *, within: Deadline) -> dict[str, Any]:
        return wire.json_object(self._call("GET", url, within))

    def look(self, url: str, *, within: Deadline) -> tuple[int, str]:
        """Return the status of a page and where it redirects to, unfollowed."""
        left = within.remaining()
        try:
            with self.session.get(
                url,
                timeout=(min(self.connect_timeout, left), min(self.read_timeout, left)),
                allow_redirects=False,
                stream=True,
            ) as response:
                return response.status_code, response.headers.get("Location", "")
        except requests.Timeout:
            raise OperatorTimeout from None
        except UNREACHABLE:
            raise OperatorUnreachable from None

    def post_form(
        self,
        url: str,
        *,
        fields: Mapping[str, str],
        headers: Mapping[str, str],
        within: Deadline,
    ) -> dict[str, Any]:
        sent = self._call("POST", url, within, data=dict(fields), headers=dict(headers))
        return wire.json_object(sent)

    def post_json(
        self,
        url: str,
        *,
        body: Mapping[str, Any],
        bearer: str,
        within: Deadline,
        correlator: str = "",
    ) -> dict[str, Any]:
        sent = _json(body, bearer, correlator)
        return wire.json_object(self._call("POST", url, within, **sent))

    def post_for_nothing(
        self,
        url: str,
        *,
        body: Mapping[str, Any],
        bearer: str,
        within: Deadline,
        correlator: str = "",
    ) -> None:
        """POST where "yes" is status 204, and nothing else is."""
        self._call("POST", url, within, yes=204, **_json(body, bearer, correlator))

    def _call(
        self, method: str, url: str, within: Deadline, *, yes: int = 200, **sent: Any
    ) -> bytes:
        """Return the body of an answer: of one status alone, whatever others say."""
        left = within.remaining()
        status = 0
        try:
            timeout = urllib3.Timeout(
                connect=min(self.connect_timeout, left),
                read=min(self.read_timeout, left),
            )
            response = self._send(method, url, timeout, **sent)
            status = response.status
            body = self._body(response, within)
        # The errors of requests and urllib3 name the address and may quote what was
        # sent, so they are neither chained nor logged.
        except (OperatorError, *UNREACHABLE) as error:
            raise _failure(error, status) from None
        if status >= 500:
            raise OperatorUnreachable(f"status {status}")
        if status != yes:
            raise OperatorRefused(status, _error_name(body))
        return body

    def _send(
        self,
        method: str,
        url: str,
        timeout: urllib3.Timeout,
        *,
        headers: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """Send through the session's own connections, but past what requests does for
        each call, which costs nearly as much as the call: cookies, redirects, settings
        of the environment and the reading of an address already read."""
        door = self._door(url, self.session.verify)
        sent: dict[str, Any] = {**self.session.headers, **(headers or {})}
        body = None
        if data is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(data).encode()
        elif json is not None:
            sent["Content-Type"] = "application/json"
            body = dumps(json).encode()
        return door.pool.urlopen(
            method,
            door.target,
            body=body,
            headers=sent,
            timeout=timeout,
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
        )

    def _read(self, url: str, verify: bool | str | None) -> "_Door":
        """Have requests read the address and choose by which proxy it is reached."""
        request = requests.Request("GET", url).prepare()
        adapter: Any = self.session.get_adapter(url)
        proxies = self.session.proxies
        pool = adapter.get_connection_with_tls_context(request, verify, proxies)
        return _Door(pool, adapter.request_url(request, proxies))

    @staticmethod
    def _body(response: urllib3.BaseHTTPResponse, within: Deadline) -> bytes:
        """Read the body as it comes, so that a dripping server meets the deadline."""
        body = bytearray()
        try:
            while chunk := response.read1(CHUNK, decode_content=False):
                body += chunk
                if len(body) > MAX_BODY:
                    raise MalformedAnswer("body too large")
                within.remaining()
        except BaseException:
            response.close()  # half read: the connection cannot serve again
            raise
        response.release_conn()
        return bytes(body)


@dataclass(frozen=True, slots=True)
class _Door:
    """The connections to an address, and what it is called on them."""

    pool: urllib3.HTTPConnectionPool
    target: str


def _json(body: Mapping[str, Any], bearer: str, correlator: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {bearer}"}
    if correlator:
        headers["x-correlator"] = correlator
    return {"json": dict(body), "headers": headers}


def _failure(error: Exception, status: int) -> OperatorError:
    """What a 4xx lacks in its body, or has too much of, is no outage: such is the page
    of a firewall."""
    if 400 <= status < 500:
        return OperatorRefused(status)
    if isinstance(error, OperatorError):
        return error
    # urllib3 has it that nobody listens for one as well.
    no_time = isinstance(error, urllib3.exceptions.TimeoutError)
    nobody = isinstance(error, urllib3.exceptions.NewConnectionError)
    return OperatorTimeout() if no_time and not nobody else OperatorUnreachable()


def _error_name(body: bytes) -> str:
    """Return `code` or `error` of an error's body, or "" when there is none to read."""
    try:
        said = wire.json_object(body)
    except MalformedAnswer:
        return ""
    names = (said.get("code"), said.get("error"))
    found = (n for n in names if isinstance(n, str) and ERROR_NAME.fullmatch(n))
    return next(found, "")
