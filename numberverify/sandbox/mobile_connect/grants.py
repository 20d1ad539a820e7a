"""What waits between the steps of one authorization."""

from dataclasses import dataclass, field

from numberverify.sandbox.handset import Fault
from numberverify.sandbox.store import Shelf, WatchedShelf

CODE_SECONDS = 60
TOKEN_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Ask:
    """A request for authorization that was found to be in order."""

    client_id: str
    redirect_uri: str
    scope: str  # without "openid"
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    prompt: frozenset[str]
    correlation_id: str
    flow: str = ""  # that it is shown in


@dataclass(frozen=True, slots=True)
class Grant:
    """A request and the handset that it came from, at that moment.

    The fault travels along: the later calls come from the client's server,
    which has no handset.
    """

    ask: Ask
    number: str = field(repr=False)
    fault: Fault
    authenticated_at: int  # seconds since the epoch


@dataclass(frozen=True, slots=True)
class AccessToken:
    grant: Grant
    code: str = field(repr=False)  # that it was bought with


asks = Shelf[Ask]("ask", CODE_SECONDS)
grants = Shelf[Grant]("grant", CODE_SECONDS)
codes = WatchedShelf[Grant]("code", CODE_SECONDS, memory=TOKEN_SECONDS)
tokens = Shelf[AccessToken]("token", TOKEN_SECONDS)


def spend_token(name: str) -> Grant | None:
    """Return what the access token allows, once.

    None, too, when its code was presented a second time: one of the two who
    had the code is a thief (RFC 6749, 4.1.2).
    """
    token = tokens.take(name)
    if token is None or codes.came_twice(token.code):
        return None
    return token.grant
