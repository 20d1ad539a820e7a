"""What every dialect has in common. No Django: it runs in a plain interpreter."""

import re
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from ..errors import OperatorTimeout, OperatorTokenRefused
from ..msisdn import Msisdn

RSA_BITS = 2048  # the least, of ours and of theirs (RFC 7518, 3.3)
# Opaque by TS.43; of what base64, base64url, hexadecimal and JWTs are written in.
OPERATOR_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/=]{1,4096}")


@dataclass(frozen=True, slots=True)
class OperatorSettings:
    """One table of `operators.toml`; docs/reference/settings.md explains each key."""

    name: str
    dialect: str
    base_url: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    client_auth: str = "client_secret_basic"
    private_key: str = field(default="", repr=False)  # PEM
    kid: str = ""  # none given: the key's thumbprint (RFC 7638)
    token_endpoint_auth_signing_alg: str = ""  # none given: the key's first
    # Not compared: a translation is another text in another language, and the line to
    # the operator the same.
    label: str = field(default="", compare=False)
    countries: tuple[str, ...] = ()  # none given: it serves every country
    send: str = "hash"
    hash_input: str = "plus"
    scope: str = ""
    prompt: str = ""
    send_login_hint: bool = False
    issuer: str = ""
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    match_url: str = ""
    jwks_uri: str = ""
    one_time_password_sms_url: str = ""
    sim_swap_url: str = ""
    number_recycling_url: str = ""
    deadline: float = 12.0  # seconds, for the operator's whole leg
    connect_timeout: float = 3.0
    read_timeout: float = 8.0
    threads: int = 40
    breaker_failures: int = 5
    breaker_seconds: float = 30.0
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
            # Mobile Connect's is compared, and never asked.
            self.issuer if self.dialect == "camara" else "",
            self.authorization_endpoint,
            self.token_endpoint,
            self.match_url,
            self.jwks_uri,
            self.one_time_password_sms_url,
            self.sim_swap_url,
            self.number_recycling_url,
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
class OperatorToken:
    """A TS.43 temporary token, which an app got from the SIM in its device.

    It stands for the subscriber as the redirect's code does, on Wi-Fi too. What it is
    made of rules out "tel:" and the like: a number that somebody names is no proof.
    """

    token: str = field(repr=False)

    def __post_init__(self) -> None:
        if not OPERATOR_TOKEN.fullmatch(self.token):
            raise OperatorTokenRefused


Brought = Callback | OperatorToken


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


class Told(StrEnum):
    """What an operator says of a subscriber. *Unknown* is neither of the others."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


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

    @property
    def is_prepared(self) -> bool:
        """Whether `prepare` would ask nothing."""

    def prepare(self, within: Deadline) -> None:
        """Find out what `authorization_url` needs; raise OperatorError."""

    def authorization_url(self, question: Question, *, state: str) -> str:
        """Return where to send the browser. Prepared, it asks nothing."""

    def ask(self, brought: Brought, question: Question, within: Deadline) -> Answer:
        """Exchange what was brought, and ask; raise OperatorError for no answer."""
