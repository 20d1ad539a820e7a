"""The clients that are registered with the operator.

SANDBOX_CLIENTS holds them by their ids: one with a `secret` speaks Mobile
Connect, one with a `jwks` (its public keys) speaks CAMARA, and neither the other.
"""

import base64
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from django.conf import settings
from django.utils.crypto import constant_time_compare


@dataclass(frozen=True, slots=True)
class Client:
    client_id: str
    secret: str = field(repr=False)
    redirect_uris: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeyClient:
    client_id: str
    keys: tuple[dict[str, Any], ...]
    redirect_uris: tuple[str, ...]
    old_scopes: bool  # may write "dpv:Purpose#scope"


def find(client_id: str) -> Client | None:
    entry = _entry(client_id)
    if "secret" not in entry:
        return None
    return Client(client_id, entry["secret"], tuple(entry["redirect_uris"]))


def find_with_keys(client_id: str) -> KeyClient | None:
    entry = _entry(client_id)
    if "jwks" not in entry:
        return None
    return KeyClient(
        client_id,
        tuple(entry["jwks"]["keys"]),
        tuple(entry["redirect_uris"]),
        entry.get("old_scopes", False),
    )


def authenticated(authorization: str) -> Client | None:
    """The client whose id and secret stand in this header (RFC 6749, 2.3.1)."""
    client_id, secret = _basic_credentials(authorization)
    client = find(client_id)
    # Somebody unknown is compared too, so that time does not tell who is known.
    expected = client.secret if client else secrets.token_urlsafe()
    return client if constant_time_compare(secret, expected) else None


def _entry(client_id: str) -> dict[str, Any]:
    registered: dict[str, dict[str, Any]] = settings.SANDBOX_CLIENTS
    return registered.get(client_id, {})


def _basic_credentials(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        decoded = base64.b64decode(encoded, validate=True).decode("utf-8")
    except ValueError:
        return "", ""
    # Both halves were form-encoded first, or a ":" in an id would split it.
    client_id, _, secret = decoded.partition(":")
    return unquote_plus(client_id), unquote_plus(secret)
