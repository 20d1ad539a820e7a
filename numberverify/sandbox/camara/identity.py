"""Who the operator is, and what it says about its customers."""

import secrets
import time

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse

from numberverify.sandbox.assertions import ALGORITHMS
from numberverify.sandbox.camara import scopes
from numberverify.sandbox.camara.grants import TOKEN_SECONDS, Grant
from numberverify.sandbox.endpoint import endpoint
from numberverify.sandbox.handset import Fault
from numberverify.sandbox.id_tokens import ALGORITHM, at_hash, pairwise_sub, signed

GRANT_TYPES = (
    "authorization_code",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "client_credentials",
)
CLAIMS = "iss sub aud azp exp iat auth_time nonce amr at_hash"


def issuer(request: HttpRequest) -> str:
    return request.build_absolute_uri(f"{reverse('sandbox:home')}camara")


def token_endpoint(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("sandbox:camara-token"))


@endpoint("GET")
def configuration(request: HttpRequest) -> HttpResponse:
    """OpenID Connect Discovery 1.0, section 3."""
    base = issuer(request)
    return JsonResponse(
        {
            "issuer": base,
            "authorization_endpoint": f"{base}/authorize",
            "token_endpoint": token_endpoint(request),
            "jwks_uri": f"{base}/jwks",
            "scopes_supported": [
                "openid",
                *sorted(scopes.PURPOSES),
                *sorted(scopes.NUMBER_VERIFICATION | scopes.SIBLINGS),
            ],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": GRANT_TYPES,
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
            "code_challenge_methods_supported": ["S256"],
            "prompt_values_supported": ["none"],
            "request_parameter_supported": False,
            # Left out, it would mean "true".
            "request_uri_parameter_supported": False,
            "authorization_response_iss_parameter_supported": True,
            "claims_supported": CLAIMS.split(),
        }
    )


def id_token(grant: Grant, *, issuer: str, access_token: str) -> str:
    ask, sim, now = grant.ask, grant.sim, int(time.time())
    wrong_nonce = sim.fault is Fault.WRONG_NONCE
    return signed(
        {
            "iss": issuer,
            "sub": pairwise_sub(ask.client_id, sim.number),
            "aud": ask.client_id,
            "azp": ask.client_id,
            "exp": now + TOKEN_SECONDS,
            "iat": now,
            "auth_time": sim.authenticated_at,
            "nonce": secrets.token_urlsafe() if wrong_nonce else ask.nonce,
            "amr": ["nba"],
            "at_hash": at_hash(access_token),
        }
    )
