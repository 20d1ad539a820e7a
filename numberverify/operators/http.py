"""The one door to operators: pooled, bounded in time and size, and strict."""

import re
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar

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
# urllib3's own come through for a host name that cannot be one.
UNREACHABLE = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)
# The name of an error: OAuth's `error`, CAMARA's `code`. It chooses a reason of ours.
ERROR_NAME = re.compile(r"[A-Za-z0-9_.]{1,100}")


class _Session(requests.Session):
    """Never looks where a redirect points: requests would read its body for that,
    past the deadline, even when told not to follow it."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class Http:
    """One keep-alive session to one operator, shared by the threads of its pool."""

    def __init__(self, settings: OperatorSettings) -> None:
        self.connect_timeout = settings.connect_timeout
        self.read_timeout = settings.read_timeout
        self.session = _Session()
        self._addresses: dict[str, requests.PreparedRequest] = {}
        # No proxy and no .netrc that the machine happens to have; no cookies.
        self.session.trust_env = False
        self.session.cookies = RequestsCookieJar(
            DefaultCookiePolicy(allowed_domains=[])
        )
        if settings.proxy:
            self.session.proxies = {"http": settings.proxy, "https": settings.proxy}
        # Retries are off: a code and a token are good for one call.
        adapter = HTTPAdapter(pool_maxsize=settings.threads, max_retries=0)
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
            timeout = min(self.connect_timeout, left), min(self.read_timeout, left)
            response = self._send(method, url, timeout, **sent)
            status = response.status_code
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
        timeout: tuple[float, float],
        *,
        headers: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> requests.Response:
        """Send through the session's own connections, but past what `Session.request`
        does for each call, which costs as much as the call: cookies, redirects,
        settings of the environment and the reading of an address already read."""
        if url not in self._addresses:
            self._addresses[url] = requests.Request("GET", url).prepare()
        request = self._addresses[url].copy()
        request.prepare_method(method)
        request.prepare_headers({**self.session.headers, **(headers or {})})
        request.prepare_body(data, None, json)
        adapter = self.session.get_adapter(url)
        return adapter.send(
            request,
            stream=True,
            timeout=timeout,
            verify=True if self.session.verify is None else self.session.verify,
            proxies=self.session.proxies,
        )

    @staticmethod
    def _body(response: requests.Response, within: Deadline) -> bytes:
        """Read the body as it comes, so that a dripping server meets the deadline."""
        body = bytearray()
        try:
            while chunk := _read1(response):
                body += chunk
                if len(body) > MAX_BODY:
                    raise MalformedAnswer("body too large")
                within.remaining()
        except BaseException:
            response.raw.close()  # half read: the connection cannot serve again
            raise
        response.raw.release_conn()
        return bytes(body)


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
    timed_out = isinstance(error, requests.Timeout)
    return OperatorTimeout() if timed_out else OperatorUnreachable()


def _error_name(body: bytes) -> str:
    """Return `code` or `error` of an error's body, or "" when there is none to read."""
    try:
        said = wire.json_object(body)
    except MalformedAnswer:
        return ""
    names = (said.get("code"), said.get("error"))
    found = (n for n in names if isinstance(n, str) and ERROR_NAME.fullmatch(n))
    return next(found, "")


def _read1(response: requests.Response) -> bytes:
    """Read what is there; the errors of urllib3 become those of requests."""
    try:
        chunk: bytes = response.raw.read1(CHUNK, decode_content=False)
    except urllib3.exceptions.ReadTimeoutError as error:
        raise requests.Timeout from error
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError from error
    return chunk
