"""Who the operator is, and what it says about its customers."""

import secrets
import time

from django.http import HttpRequest
from django.urls import reverse

from numberverify.sandbox.handset import Fault
from numberverify.sandbox.id_tokens import at_hash, pairwise_sub, signed
from numberverify.sandbox.mobile_connect.grants import TOKEN_SECONDS, Grant

# What the word of the network is worth, whatever was asked for: a client that
# needs more has to notice.
LEVEL_OF_ASSURANCE = "2"


def issuer(request: HttpRequest) -> str:
    return request.build_absolute_uri(f"{reverse('sandbox:home')}mobile-connect")


def id_token(grant: Grant, *, issuer: str, access_token: str) -> str:
    ask, now = grant.ask, int(time.time())
    wrong_nonce = grant.fault is Fault.WRONG_NONCE
    return signed(
        {
            "iss": issuer,
            "sub": pairwise_sub(ask.client_id, grant.number),
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
    )
