"""The one door to operators: pooled, bounded in time and size, and strict."""

from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar

from ..errors import (
    MalformedAnswer,
    OperatorRefused,
    OperatorTimeout,
    OperatorUnreachable,
)
from . import wire
from .base import Deadline, OperatorSettings

MAX_BODY = 64 * 1024  # bytes
CHUNK = 16 * 1024


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
        return self._call("GET", url, within)

    def post_form(
        self, url: str, *, fields: Mapping[str, str], basic: str, within: Deadline
    ) -> dict[str, Any]:
        """POST a form; `basic` is the credentials' base64."""
        headers = {"Authorization": f"Basic {basic}"}
        return self._call("POST", url, within, data=dict(fields), headers=headers)

    def post_json(
        self, url: str, *, body: Mapping[str, Any], bearer: str, within: Deadline
    ) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {bearer}"}
        return self._call("POST", url, within, json=dict(body), headers=headers)

    def _call(
        self, method: str, url: str, within: Deadline, **sent: Any
    ) -> dict[str, Any]:
        left = within.remaining()
        try:
            response = self.session.request(
                method,
                url,
                timeout=(min(self.connect_timeout, left), min(self.read_timeout, left)),
                allow_redirects=False,
                stream=True,
                **sent,
            )
            body = self._body(response, within)
        # The errors of requests and urllib3 name the address and may quote what was
        # sent, so they are neither chained nor logged.
        except requests.Timeout:
            raise OperatorTimeout from None
        except (requests.RequestException, OSError):
            raise OperatorUnreachable from None
        return self._answer(response.status_code, body)

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

    @staticmethod
    def _answer(status: int, body: bytes) -> dict[str, Any]:
        """An answer counts with status 200 alone, whatever another's body says."""
        if status >= 500:
            raise OperatorUnreachable(f"status {status}")
        if status != 200:
            raise OperatorRefused(f"status {status}")
        return wire.json_object(body)


def _read1(response: requests.Response) -> bytes:
    """Read what is there; the errors of urllib3 become those of requests."""
    try:
        chunk: bytes = response.raw.read1(CHUNK, decode_content=False)
    except urllib3.exceptions.ReadTimeoutError as error:
        raise requests.Timeout from error
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError from error
    return chunk
