"""CAMARA Number Verification, versions 1 and 2, over OpenID Connect.

Sources: Number Verification 2.1.0; CAMARA Security and Interoperability Profile 0.5.0.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from ..errors import (
    InsufficientScope,
    NotOnMobileNetwork,
    NotTheirNumber,
    OperatorError,
    OperatorRefused,
    OperatorTokenRefused,
)
from ..msisdn import Msisdn, sha256_hex
from . import oidc, wire
from .base import (
    Answer,
    Brought,
    Callback,
    Deadline,
    OperatorSettings,
    OperatorToken,
    Question,
)
from .http import Http
from .provider import Provider

DEFAULT_SCOPE = "openid dpv:FraudPreventionAndDetection number-verification:verify"
# As it is spelled since version 1.0, and as some operators still do.
VERIFY_SCOPES = ("number-verification:verify", "number-verification-verify-read")
NOT_BY_NETWORK = "NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK"
NO_NUMBER = "INVALID_TOKEN_CONTEXT"
# What the API's refusals mean (1.0: the token's context; 2: how it was got).
REFUSALS: Mapping[str, type[OperatorError]] = {
    NOT_BY_NETWORK: NotOnMobileNetwork,
    NO_NUMBER: NotOnMobileNetwork,
    f"NUMBER_VERIFICATION.{NO_NUMBER}": NotOnMobileNetwork,
    "PERMISSION_DENIED": InsufficientScope,
    "IDENTIFIER_NOT_FOUND": NotTheirNumber,
    "SERVICE_NOT_APPLICABLE": NotTheirNumber,
}


class Camara:
    pkce = True

    def __init__(self, settings: OperatorSettings) -> None:
        self.settings = settings
        self.http = Http(settings)
        self.provider = Provider(self.http, settings)
        self.verify = settings.match_url or f"{settings.base_url}/verify"

    @property
    def is_prepared(self) -> bool:
        return self.provider.is_known

    def prepare(self, within: Deadline) -> None:
        self.provider.metadata(within)

    def authorization_url(self, question: Question, *, state: str) -> str:
        settings = self.settings
        parameters = {
            "response_type": "code",
            "client_id": settings.client_id,
            "redirect_uri": question.redirect_uri,
            "scope": settings.scope,
            "state": state,
            "nonce": question.nonce,
            "code_challenge": challenge(question.code_verifier),
            "code_challenge_method": "S256",
        }
        if settings.prompt:
            parameters["prompt"] = settings.prompt
        if settings.send_login_hint:  # of a vendor's own sandbox, and of no other
            parameters["login_hint"] = f"tel:{question.msisdn.e164}"
        found = self.provider.known()
        joint = "&" if "?" in found.authorization_endpoint else "?"
        return f"{found.authorization_endpoint}{joint}{urlencode(parameters)}"

    def ask(self, brought: Brought, question: Question, within: Deadline) -> Answer:
        if isinstance(brought, OperatorToken):
            token = self._token_by_sim(brought, within)
            nonce = None
        else:
            token = self._token_by_code(brought, question, within)
            nonce = question.nonce
        subject = ""
        if token.id_token:
            keys = self.provider.keys(within)
            claims = oidc.check_id_token(
                token, self.settings, nonce=nonce, keys=keys, within=within
            )
            subject = oidc.pseudonym(claims["sub"], question.msisdn)
        answer = self.put(token, question, within)
        return Answer(wire.boolean(answer, "devicePhoneNumberVerified"), subject)

    def token_endpoint(self, within: Deadline) -> str:
        return self.provider.metadata(within).token_endpoint

    def _token_by_code(
        self, callback: Callback, question: Question, within: Deadline
    ) -> oidc.SubscriberToken:
        # What the redirect says against itself is told without asking anybody.
        oidc.code_of(callback, self.settings.issuer)
        found = self.provider.last_known(within)  # by which the browser was sent
        code = oidc.code_of(callback, found.issuer, iss_demanded=found.names_itself)
        return oidc.exchange_code(
            self.http,
            self.settings,
            found.token_endpoint,
            code,
            question,
            within,
            pkce=self.pkce,
        )

    def _token_by_sim(
        self, operator_token: OperatorToken, within: Deadline
    ) -> oidc.SubscriberToken:
        if not self.settings.private_key:  # the grant is an assertion that we sign
            raise OperatorTokenRefused
        found = self.provider.metadata(within)
        return oidc.exchange_operator_token(
            self.http,
            self.settings,
            found.token_endpoint,
            operator_token,
            " ".join(w for w in self.settings.scope.split() if w != "openid"),
            within,
        )

    def put(
        self, token: oidc.SubscriberToken, question: Question, within: Deadline
    ) -> dict[str, Any]:
        """Put the question, with a token that is good for this one call."""
        if token.scope and not may_verify(token.scope):
            raise InsufficientScope
        try:
            return self.http.post_json(
                self.verify,
                body=self._body(question.msisdn),
                bearer=token.access_token,
                correlator=question.correlator,
                within=within,
            )
        except OperatorRefused as refused:
            if refused.said in REFUSALS:
                raise REFUSALS[refused.said] from None
            raise

    def _body(self, msisdn: Msisdn) -> dict[str, str]:
        if self.settings.send == "plain":
            return {"phoneNumber": msisdn.e164}
        plus = self.settings.hash_input == "plus"
        return {"hashedPhoneNumber": sha256_hex(msisdn, plus=plus)}


def challenge(code_verifier: str) -> str:
    """Return the S256 challenge (RFC 7636, 4.2)."""
    hashed = hashlib.sha256(code_verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode("ascii")


def purposes_of(scope: str) -> list[str]:
    """Return the `dpv:` words of a scope; "#" joins an API's scope to an old one's."""
    return [word for word in scope.split() if word.startswith("dpv:")]


def may_verify(scope: str) -> bool:
    words = (word.rpartition("#")[2] for word in scope.split())
    return any(word in VERIFY_SCOPES for word in words)
