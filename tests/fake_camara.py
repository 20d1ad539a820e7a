"""A CAMARA operator for the tests, reached over real HTTP and told what to do.

Like the Mobile Connect one it shares no code with the client and none with the sandbox.
It believes what clients say of themselves: the sandbox is the strict one.
"""

import hashlib
import json
import time
import uuid
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import Any

from joserfc.jwk import ECKey

from tests.fake_operator import Call, FakeOperator, Reply

DISCOVERY = "/.well-known/openid-configuration"
AUTHORIZE = "/authorize"
TOKEN = "/token"
JWKS = "/jwks"
VERIFY = "/number-verification/v2/verify"
SIM_SWAP = "/sim-swap/v2/check"
RECYCLING = "/number-recycling/v0.2/check"
SEND_CODE = "/one-time-password-sms/v1/send-code"
VALIDATE_CODE = "/one-time-password-sms/v1/validate-code"
CLIENT_KEY = ECKey.generate_key("P-256")
CODE = "271828"


def claims_of(jwt: str) -> dict[str, Any]:
    payload = jwt.split(".")[1]
    return json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


class FakeCamara(FakeOperator):
    """`described` is laid over the discovery document (None takes a member away);
    `operator_tokens` are those that stand for its SIM; `flags` what it says of the
    number: `swapped`, `recycled`; `messages` what it sent to whom."""

    def __init__(self) -> None:
        super().__init__()
        self.described: dict[str, Any] = {}
        self.operator_tokens = {"an-operator-token"}
        self.flags = {"swapped": False, "recycled": False}
        self.messages: list[tuple[str, str]] = []

    def table(self, **changes: Any) -> dict[str, Any]:
        table = {
            "dialect": "camara",
            "label": "Fake",
            "issuer": self.base_url,
            "base_url": self.base_url + "/number-verification/v2",
            "client_id": "id of ours",
            "client_auth": "private_key_jwt",
            "private_key": CLIENT_KEY.as_pem(private=True).decode(),
            "countries": ["GB"],
            "deadline": 5.0,
        }
        table |= changes
        return {key: value for key, value in table.items() if value is not None}

    def with_siblings(self, **changes: Any) -> dict[str, Any]:
        return self.table(
            one_time_password_sms_url=self.base_url + "/one-time-password-sms/v1",
            sim_swap_url=self.base_url + "/sim-swap/v2",
            number_recycling_url=self.base_url + "/number-recycling/v0.2",
            **changes,
        )

    def authorize(self, url: str) -> dict[str, str]:
        return super().authorize(url) | {"iss": self.base_url}

    def truths(self) -> dict[str, Callable[[Call], Reply]]:
        return {
            DISCOVERY: self._describe,
            AUTHORIZE: self._authorize,
            TOKEN: self._token,
            JWKS: self._jwks,
            VERIFY: self._verify,
            SIM_SWAP: lambda _: Reply(body={"swapped": self.flags["swapped"]}),
            RECYCLING: lambda _: Reply(
                body={"phoneNumberRecycled": self.flags["recycled"]}
            ),
            SEND_CODE: self._send_code,
            VALIDATE_CODE: self._validate_code,
        }

    def id_token(self, access_token: str, nonce: str) -> str:
        kept, ours = self.claims, {"amr": ["nba"], "acr": None}
        self.claims = ours | kept
        try:
            return super().id_token(access_token, nonce)
        finally:
            self.claims = kept

    def _describe(self, _call: Call) -> Reply:
        described = {
            "issuer": self.base_url,
            "authorization_endpoint": self.base_url + AUTHORIZE,
            "token_endpoint": self.base_url + TOKEN,
            "jwks_uri": self.base_url + JWKS,
            "authorization_response_iss_parameter_supported": True,
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "code_challenge_methods_supported": ["S256"],
        }
        described |= self.described
        return Reply(body={k: v for k, v in described.items() if v is not None})

    def _token(self, call: Call) -> Reply:
        grant_type = call.form.get("grant_type", "")
        if grant_type == "authorization_code":
            return super()._token(call)
        if grant_type.endswith(":jwt-bearer"):
            subject = claims_of(call.form["assertion"])["sub"]
            kind, _, token = subject.partition(":")
            if kind != "operatortoken" or token not in self.operator_tokens:
                return Reply(400, {"error": "invalid_grant"})
        body = {
            "access_token": f"token-{time.monotonic_ns()}",
            "token_type": "Bearer",
            "expires_in": 300,
        }
        body |= self.tokens
        return Reply(body={name: body[name] for name in body if body[name] is not None})

    def _verify(self, call: Call) -> Reply:
        hashed = hashlib.sha256(self.sim.encode()).hexdigest()
        found = bool({self.sim, hashed} & set(call.json.values()))
        return Reply(body={"devicePhoneNumberVerified": found})

    def _send_code(self, call: Call) -> Reply:
        message = call.json["message"].replace("{{code}}", CODE)
        self.messages.append((call.json["phoneNumber"], message))
        return Reply(body={"authenticationId": str(uuid.uuid4())})

    def _validate_code(self, call: Call) -> Reply:
        if call.json["code"] == CODE:
            return Reply(204)
        return Reply(400, {"code": "ONE_TIME_PASSWORD_SMS.INVALID_OTP"})
