"""GSMA Mobile Connect, device-initiated, with Verified MSISDN (IDY.01, IDY.54)."""

import hmac
from typing import Any
from urllib.parse import urlencode

from ..errors import BadIdToken, OperatorTokenRefused, SubjectMismatch
from ..msisdn import Msisdn, sha256_hex
from . import oidc, wire
from .base import Answer, Brought, Callback, Deadline, OperatorSettings, Question
from .http import Http
from .provider import Keys

LEVEL_OF_ASSURANCE = 2
VERSION = "mc_di_r2_v2.3"


class MobileConnect:
    is_prepared = True
    pkce = False  # not in this profile

    def __init__(self, settings: OperatorSettings) -> None:
        base = settings.base_url
        self.settings = settings
        self.http = Http(settings)
        self.keys = Keys(self.http, settings.jwks_uri) if settings.jwks_uri else None
        self.authorize = (
            settings.authorization_endpoint or f"{base}/deviceinitiated/v1/authorize"
        )
        self.token = settings.token_endpoint or f"{base}/deviceinitiated/v1/token"
        self.match = settings.match_url or f"{base}/premiuminfo/v1/"

    def prepare(self, within: Deadline) -> None:
        """Nothing: its table says where everything is."""

    def authorization_url(self, question: Question, *, state: str) -> str:
        hashed = self.settings.send == "hash"
        parameters = {
            "client_id": self.settings.client_id,
            "redirect_uri": question.redirect_uri,
            "response_type": "code",
            "scope": "openid mc_vm_match_hash" if hashed else "openid mc_vm_match",
            "version": VERSION,
            "acr_values": LEVEL_OF_ASSURANCE,
            "state": state,
            "nonce": question.nonce,
        }
        return f"{self.authorize}?{urlencode(parameters)}"

    def ask(self, brought: Brought, question: Question, within: Deadline) -> Answer:
        if not isinstance(brought, Callback):
            raise OperatorTokenRefused  # this dialect has no grant for it
        code = oidc.code_of(brought, self.settings.expected_issuer)
        token = oidc.exchange_code(
            self.http, self.settings, self.token, code, question, within
        )
        claims = oidc.check_id_token(
            token, self.settings, nonce=question.nonce, keys=self.keys, within=within
        )
        _check_assurance(claims)
        answer = self.put(token, question, within)
        subject = wire.text(answer, "sub")
        if not hmac.compare_digest(subject.encode(), claims["sub"].encode()):
            raise SubjectMismatch
        matched = wire.boolean(answer, "device_msisdn_verified")
        return Answer(matched, oidc.pseudonym(subject, question.msisdn))

    def token_endpoint(self, within: Deadline) -> str:
        return self.token

    def put(
        self, token: oidc.SubscriberToken, question: Question, within: Deadline
    ) -> dict[str, Any]:
        """Put the question, with a token that is good for this one call."""
        return self.http.post_json(
            self.match,
            body={"mc_claims": self._claim(question.msisdn)},
            bearer=token.access_token,
            within=within,
        )

    def _claim(self, msisdn: Msisdn) -> dict[str, str]:
        if self.settings.send == "plain":
            return {"device_msisdn": msisdn.e164}
        plus = self.settings.hash_input == "plus"
        return {"device_msisdn_hash": sha256_hex(msisdn, plus=plus)}


def _check_assurance(claims: dict[str, Any]) -> None:
    """A level below the one that was asked does not count; `acr` may be absent."""
    acr = str(claims.get("acr", LEVEL_OF_ASSURANCE))
    if acr not in {"2", "3", "4"}:
        raise BadIdToken("claim acr does not hold")
