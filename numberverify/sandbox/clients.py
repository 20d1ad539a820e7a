"""The clients that are registered with the operator."""

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


def find(client_id: str) -> Client | None:
    registered: dict[str, Any] = settings.SANDBOX_CLIENTS
    if client_id not in registered:
        return None
    entry = registered[client_id]
    return Client(client_id, entry["secret"], tuple(entry["redirect_uris"]))


def authenticated(authorization: str) -> Client | None:
    """The client whose id and secret stand in this header (RFC 6749, 2.3.1)."""
    client_id, secret = _basic_credentials(authorization)
    client = find(client_id)
    # Somebody unknown is compared too, so that time does not tell who is known.
    expected = client.secret if client else secrets.token_urlsafe()
    return client if constant_time_compare(secret, expected) else None


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
