"""What every dialect has in common. No Django: it runs in a plain interpreter."""

import time
from dataclasses import dataclass, field
from typing import Protocol

from ..errors import OperatorTimeout
from ..msisdn import Msisdn


@dataclass(frozen=True, slots=True)
class OperatorSettings:
    """One table of `operators.toml`; docs/reference/settings.md explains each key."""

    name: str
    dialect: str
    base_url: str
    client_id: str
    client_secret: str = field(repr=False)
    label: str = ""
    countries: tuple[str, ...] = ()  # none given: it serves every country
    send: str = "hash"
    hash_input: str = "plus"
    issuer: str = ""
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    match_url: str = ""
    jwks_uri: str = ""
    deadline: float = 12.0  # seconds, for the operator's whole leg
    connect_timeout: float = 3.0
    read_timeout: float = 8.0
    threads: int = 64
    proxy: str = field(default="", repr=False)
    test: bool = False

    @property
    def expected_issuer(self) -> str:
        return self.issuer or self.base_url

    @property
    def addresses(self) -> list[str]:
        """Every address at the operator that this table names."""
        named = (
            self.base_url,
            self.authorization_endpoint,
            self.token_endpoint,
            self.match_url,
            self.jwks_uri,
        )
        return [address for address in named if address]

    def serves(self, countries: tuple[str, ...]) -> bool:
        return not self.countries or not set(self.countries).isdisjoint(countries)


@dataclass(frozen=True, slots=True)
class Callback:
    """What came back in the redirect (RFC 6749, 4.1.2), not yet believed."""

    code: str = field(default="", repr=False)
    error: str = ""
    iss: str = ""  # RFC 9207
    malformed: bool = False  # a parameter was doubled or over-long


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the operator, all of it bound at the start."""

    msisdn: Msisdn
    redirect_uri: str
    nonce: str = field(repr=False)
    code_verifier: str = field(default="", repr=False)
    correlator: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The operator's answer; `subject` is its pseudonym of the subscriber."""

    matched: bool
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock that several calls share."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        return cls(time.monotonic() + seconds)

    def remaining(self) -> float:
        """Return the seconds that are left; raise OperatorTimeout when none are."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise OperatorTimeout
        return left


class Operator(Protocol):
    """A dialect, spoken to one operator."""

    def __init__(self, settings: OperatorSettings) -> None: ...

    def authorization_url(self, question: Question, *, state: str) -> str:
        """Return where to send the browser."""

    def ask(self, callback: Callback, question: Question, within: Deadline) -> Answer:
        """Exchange the code and ask; raise OperatorError when there is no answer."""
