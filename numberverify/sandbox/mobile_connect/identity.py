"""Who the operator is, and what it says about its customers."""

import base64
import hashlib
import secrets
import time
import uuid

from django.http import HttpRequest
from django.urls import reverse
from django.utils.crypto import salted_hmac
from joserfc import jwt

from numberverify.sandbox.handset import Fault
from numberverify.sandbox.keys import signing_key
from numberverify.sandbox.mobile_connect.grants import TOKEN_SECONDS, Grant

ALGORITHM = "RS256"
# What the word of the network is worth, whatever was asked for: a client that
# needs more has to notice.
LEVEL_OF_ASSURANCE = "2"


def issuer(request: HttpRequest) -> str:
    return request.build_absolute_uri(f"{reverse('sandbox:home')}mobile-connect")


def pcr(client_id: str, number: str) -> str:
    """The pseudonymous customer reference: another one for each client.

    Keyed, since all numbers of a country can be hashed in minutes.
    """
    mac = salted_hmac(
        "numberverify.sandbox.pcr", f"{client_id} {number}", algorithm="sha256"
    )
    return str(uuid.UUID(bytes=mac.digest()[:16]))


def id_token(grant: Grant, *, issuer: str, access_token: str) -> str:
    ask, key, now = grant.ask, signing_key(), int(time.time())
    wrong_nonce = grant.fault is Fault.WRONG_NONCE
    claims = {
        "iss": issuer,
        "sub": pcr(ask.client_id, grant.number),
        "aud": [ask.client_id],
        "azp": ask.client_id,
        "exp": now + TOKEN_SECONDS,
        "iat": now,
        "auth_time": grant.authenticated_at,
        "nonce": secrets.token_urlsafe() if wrong_nonce else ask.nonce,
        "acr": LEVEL_OF_ASSURANCE,
        "amr": ["SEAM_OK"],
        "at_hash": at_hash(access_token),
    }
    header = {"alg": ALGORITHM, "kid": key.kid}
    return jwt.encode(header, claims, key, algorithms=[ALGORITHM])


def at_hash(access_token: str) -> str:
    """OIDC Core, 3.1.3.6: the left half of the hash, in base64url, unpadded."""
    left_half = hashlib.sha256(access_token.encode("ascii")).digest()[:16]
    return base64.urlsafe_b64encode(left_half).rstrip(b"=").decode("ascii")
