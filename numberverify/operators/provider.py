"""What an OpenID provider publishes: its description and its signing keys.

Both are fetched once and kept for an hour in each process.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import Key, RSAKey, import_key

from ..errors import BadDiscovery, BadIdToken, MalformedAnswer, OperatorTimeout
from . import values, wire
from .base import RSA_BITS, Deadline, OperatorSettings
from .http import Http

PUBLIC_MEMBERS = ("kty", "kid", "alg", "use", "n", "e", "crv", "x", "y")
LIFETIME = 60 * 60  # seconds
REFRESH_AFTER = 60  # a forced refresh for an unknown `kid`, at most this often
MOST_KEYS = 128  # operators publish a handful; each costs time to read
WELL_KNOWN = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What we use of OpenID Connect Discovery 1.0, section 3, and RFC 9207, section 3.

    `names_itself`: the redirect back carries `iss`, so one without it is not theirs.
    """

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    names_itself: bool = False
    auth_methods: tuple[str, ...] = ()  # at the token endpoint; () when not said


class Provider:
    """An operator's description, by discovery unless its table gives all of it."""

    def __init__(self, http: Http, settings: OperatorSettings) -> None:
        self.http = http
        self.settings = settings
        self.lock = Lock()
        self.found: Metadata | None = _given(settings)
        self.fetched_at = float("inf") if self.found else float("-inf")
        self._keys: Keys | None = None

    @property
    def is_known(self) -> bool:
        return time.monotonic() - self.fetched_at <= LIFETIME

    def known(self) -> Metadata:
        """Return what was found last, however long ago: nothing is asked."""
        if self.found is None:
            raise BadDiscovery("not fetched yet")
        return self.found

    def last_known(self, within: Deadline) -> Metadata:
        """Return what is known, however old; fetch it when nothing is."""
        return self.found or self.metadata(within)

    def metadata(self, within: Deadline) -> Metadata:
        with _turn(self.lock, within):
            if self.found is None or not self.is_known:
                self.found = self._discover(within)
                self.fetched_at = time.monotonic()
            return self.found

    def keys(self, within: Deadline) -> "Keys":
        address = self.last_known(within).jwks_uri
        with _turn(self.lock, within):
            if self._keys is None or self._keys.url != address:
                self._keys = Keys(self.http, address)
            return self._keys

    def _discover(self, within: Deadline) -> Metadata:
        published = self.http.get(self._address(), within=within)
        # Discovery 1.0, 4.3: exactly the one that was configured, or another provider
        # could describe itself in this one's name.
        if published.get("issuer") != self.settings.issuer:
            raise BadDiscovery("issuer is another")
        return Metadata(
            issuer=self.settings.issuer,
            authorization_endpoint=self._endpoint("authorization_endpoint", published),
            token_endpoint=self._endpoint("token_endpoint", published),
            jwks_uri=self._endpoint("jwks_uri", published),
            names_itself=published.get("authorization_response_iss_parameter_supported")
            is True,
            auth_methods=_texts(published.get("token_endpoint_auth_methods_supported")),
        )

    def _address(self) -> str:
        return self.settings.issuer.rstrip("/") + WELL_KNOWN  # Discovery 1.0, 4.1

    def _endpoint(self, name: str, published: Mapping[str, Any]) -> str:
        if given := getattr(self.settings, name):
            return str(given)
        try:
            found = values.endpoint(wire.text(published, name))
        except (values.Unfit, MalformedAnswer):
            raise BadDiscovery(f"{name} is no address") from None
        # `check --deploy` sees the table alone, and our own machine is no operator.
        if _is_plain(found) and not _is_plain(self.settings.issuer):
            raise BadDiscovery(f"{name} is not https")
        return found


def _is_plain(address: str) -> bool:
    return address.lower().startswith("http:")


def _texts(published: object) -> tuple[str, ...]:
    listed = published if isinstance(published, list) else []
    return tuple(each for each in listed if isinstance(each, str))


def _given(settings: OperatorSettings) -> Metadata | None:
    """Return what the table says, when it leaves nothing to discovery."""
    endpoints = (
        settings.authorization_endpoint,
        settings.token_endpoint,
        settings.jwks_uri,
    )
    return Metadata(settings.issuer, *endpoints) if all(endpoints) else None


class Keys:
    """The operator's signing keys, fetched once and kept for an hour."""

    def __init__(self, http: Http, url: str) -> None:
        self.http = http
        self.url = url
        self.lock = Lock()
        self.fetched_at = float("-inf")
        self.keys: dict[str, Key] = {}

    def find(self, kid: object, within: Deadline) -> Key:
        """Return the key `kid`; for an unknown one the set is fetched once more."""
        if not isinstance(kid, str):  # a list could not even be looked up
            raise BadIdToken("unknown key")
        with _turn(self.lock, within):
            age = time.monotonic() - self.fetched_at
            known = kid in self.keys
            if age > LIFETIME or (not known and age > REFRESH_AFTER):
                self.fetch(within)
            if kid not in self.keys:
                raise BadIdToken("unknown key")
            return self.keys[kid]

    def fetch(self, within: Deadline) -> None:
        listed = self.http.get(self.url, within=within).get("keys")
        if not isinstance(listed, list):
            raise MalformedAnswer("no list of keys")
        if len(listed) > MOST_KEYS:
            raise MalformedAnswer("too many keys")
        self.keys = dict(filter(None, map(_usable, listed)))
        self.fetched_at = time.monotonic()


@contextmanager
def _turn(lock: Lock, within: Deadline) -> Iterator[None]:
    """Wait for the lock no longer than for an answer: whoever holds it may be held
    itself, by a server that drips its headers."""
    if not lock.acquire(timeout=within.remaining()):
        raise OperatorTimeout
    try:
        yield
    finally:
        lock.release()


def _usable(listed: Any) -> tuple[str, Key] | None:
    """Read one published key. What is not understood is ignored (RFC 7517, 5)."""
    if not isinstance(listed, dict) or not isinstance(listed.get("kid"), str):
        return None
    # Not "oct": a symmetric key in a public document is no secret.
    if listed.get("kty") not in ("RSA", "EC"):
        return None
    needed = {name: listed[name] for name in PUBLIC_MEMBERS if name in listed}
    try:
        key = import_key(needed)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    if isinstance(key, RSAKey) and key.raw_value.key_size < RSA_BITS:
        return None
    return listed["kid"], key
