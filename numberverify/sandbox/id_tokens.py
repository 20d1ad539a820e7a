"""What the operator signs about its customers, in either dialect."""

import base64
import hashlib
import uuid

from django.utils.crypto import salted_hmac
from joserfc import jwt

from numberverify.sandbox.keys import signing_key

ALGORITHM = "RS256"


def pairwise_sub(client_id: str, number: str) -> str:
    """The pseudonym of a customer: another one for each client.

    Keyed, since all numbers of a country can be hashed in minutes.
    """
    mac = salted_hmac(
        "numberverify.sandbox.pcr", f"{client_id} {number}", algorithm="sha256"
    )
    return str(uuid.UUID(bytes=mac.digest()[:16]))


def at_hash(access_token: str) -> str:
    """OIDC Core, 3.1.3.6: the left half of the hash, in base64url, unpadded."""
    left_half = hashlib.sha256(access_token.encode("ascii")).digest()[:16]
    return base64.urlsafe_b64encode(left_half).rstrip(b"=").decode("ascii")


def signed(claims: dict[str, object]) -> str:
    key = signing_key()
    header = {"alg": ALGORITHM, "kid": key.kid}
    return jwt.encode(header, claims, key, algorithms=[ALGORITHM])
