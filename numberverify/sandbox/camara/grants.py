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
    scope: str  # as it was asked for
    apis: frozenset[str]
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    challenge: str = field(repr=False)
    flow: str = ""  # that it is shown in


@dataclass(frozen=True, slots=True)
class Sim:
    """A SIM that proved itself, and what goes wrong for its handset.

    The fault travels along: the later calls come from the client's server,
    which has no handset.
    """

    number: str = field(repr=False)
    fault: Fault
    authenticated_at: int  # seconds since the epoch
    flow: str = ""  # that it is shown in


@dataclass(frozen=True, slots=True)
class Grant:
    ask: Ask
    sim: Sim


@dataclass(frozen=True, slots=True)
class AccessToken:
    client_id: str
    apis: frozenset[str]
    number: str = field(default="", repr=False)  # empty: nobody's
    # Whether the network or the SIM itself vouched for the number.
    from_sim: bool = False
    fault: Fault = Fault.NONE
    code: str = field(default="", repr=False)  # that it was bought with
    flow: str = ""  # that it is shown in


asks = Shelf[Ask]("camara-ask", CODE_SECONDS)
grants = Shelf[Grant]("camara-grant", CODE_SECONDS)
codes = WatchedShelf[Grant]("camara-code", CODE_SECONDS, memory=TOKEN_SECONDS)
tokens = Shelf[AccessToken]("camara-token", TOKEN_SECONDS)
operator_tokens = Shelf[Sim]("camara-operator-token", TOKEN_SECONDS)


def spend_token(name: str) -> AccessToken | None:
    """Return what the access token allows, once.

    None, too, when its code was presented a second time: one of the two who
    had the code is a thief (RFC 6749, 4.1.2).
    """
    token = tokens.take(name)
    if token is None or (token.code and codes.came_twice(token.code)):
        return None
    return token
