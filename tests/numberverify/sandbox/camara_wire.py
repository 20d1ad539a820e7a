"""How a client speaks CAMARA: by the documents, with none of our code."""

import hashlib
import itertools
import time
from base64 import urlsafe_b64encode
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from tests.numberverify.sandbox.wire import query_of

ISSUER = "http://testserver/sandbox/camara"
BASE = "/sandbox/camara"
CONFIGURATION = f"{BASE}/.well-known/openid-configuration"
JWKS = f"{BASE}/jwks"
AUTHORIZE = f"{BASE}/authorize"
TOKEN = f"{BASE}/token"
TOKEN_ENDPOINT = f"{ISSUER}/token"
VERIFY = f"{BASE}/number-verification/v2/verify"
SHARE = f"{BASE}/number-verification/v2/device-phone-number"
SIM_SWAP = f"{BASE}/sim-swap/v2/check"
RECYCLING = f"{BASE}/number-recycling/v0.2/check"
SEND_CODE = f"{BASE}/one-time-password-sms/v1/send-code"
VALIDATE_CODE = f"{BASE}/one-time-password-sms/v1/validate-code"
OPERATOR_TOKEN = "/sandbox/handset/operator-token/"

# Swedish, and kept for fiction.
NUMBER = "+46701740605"

SHOP = "camara shop"
BANK = "camara-bank"
BACK = "https://shop.example/camara"
BANK_BACK = "https://bank.example/camara?from=operator"
KEY = ECKey.generate_key("P-256", {"kid": "shop-1", "use": "sig"})
RSA = RSAKey.generate_key(2048, {"kid": "shop-2", "use": "sig"})
BANK_KEY = ECKey.generate_key("P-256", {"kid": "bank-1", "use": "sig"})
STRANGE_KEY = ECKey.generate_key("P-256", {"kid": "shop-1", "use": "sig"})
CLIENTS = {
    SHOP: {
        "jwks": {"keys": [key.as_dict(private=False) for key in (KEY, RSA)]},
        "redirect_uris": [BACK],
    },
    BANK: {
        "jwks": {"keys": [BANK_KEY.as_dict(private=False)]},
        "redirect_uris": [BANK_BACK, BACK],
        "old_scopes": True,
    },
}

PURPOSE = "dpv:FraudPreventionAndDetection"
SCOPE = f"openid {PURPOSE} number-verification:verify"
SHARE_SCOPE = f"openid {PURPOSE} number-verification:device-phone-number:read"
SIBLINGS = "sim-swap:check number-recycling:check one-time-password-sms:send-validate"

# From RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

REQUEST = {
    "client_id": SHOP,
    "redirect_uri": BACK,
    "response_type": "code",
    "scope": SCOPE,
    "state": "a state",
    "nonce": "a-nonce",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
    "prompt": "none",
}
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CLIENT_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_serial = itertools.count()


def challenge_of(verifier):
    digest = hashlib.sha256(verifier.encode()).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")


def hops(browser, query):
    """Follow the operator's redirects; return all answers, the way back last."""
    answers = [browser.get(f"{AUTHORIZE}?{urlencode(query)}")]
    while answers[-1].get("Location", "").startswith("/"):
        answers.append(browser.get(answers[-1]["Location"]))
    return answers


def authorized(browser, **changes):
    return hops(browser, {**REQUEST, **changes})[-1]


def code_of(browser, **changes):
    return query_of(authorized(browser, **changes))["code"]


def claims(**changes):
    """The claims of a client's assertion; one that is None is left out."""
    now = int(time.time())
    whole = {
        "iss": SHOP,
        "sub": SHOP,
        "aud": TOKEN_ENDPOINT,
        "jti": f"assertion {next(_serial)}",
        "iat": now,
        "exp": now + 300,
    }
    whole |= changes
    return {name: value for name, value in whole.items() if value is not None}


def assertion(*, key=KEY, alg="ES256", header=None, **changes):
    header = {"alg": alg, "kid": key.kid, **(header or {})}
    return jwt.encode(header, claims(**changes), key, algorithms=[alg])


def post(server, form, **headers):
    return server.post(
        TOKEN,
        urlencode(form, doseq=True),
        content_type="application/x-www-form-urlencoded",
        headers=headers,
    )


def authenticated(form, signed=None):
    return {
        "client_assertion_type": CLIENT_ASSERTION,
        "client_assertion": signed or assertion(),
        **form,
    }


def buy(server, code, signed=None, **changes):
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
    }
    return post(server, authenticated({**form, **changes}, signed))


def token_of(browser, **changes):
    return buy(browser, code_of(browser, **changes)).json()["access_token"]


def operator_token_of(browser):
    return browser.post(OPERATOR_TOKEN).json()["operator_token"]


def exchange(server, sub, scope=f"{PURPOSE} number-verification:verify", **changes):
    """The answer to a JWT bearer grant for `sub`."""
    signed = assertion(sub=sub, scope=scope, **changes)
    return post(server, {"grant_type": JWT_BEARER, "assertion": signed})


def own_answer(server, scope=SIBLINGS, signed=None, **changes):
    """The answer to a client credentials grant."""
    form = {"grant_type": "client_credentials", "scope": scope}
    return post(server, authenticated({**form, **changes}, signed))


def own_token(server, scope=SIBLINGS):
    return own_answer(server, scope).json()["access_token"]


def ask(server, token, body=None, path=VERIFY, **headers):
    return server.post(
        path,
        {"phoneNumber": NUMBER} if body is None else body,
        content_type="application/json",
        headers={"authorization": f"Bearer {token}", **headers},
    )


def share(server, token, **headers):
    return server.get(SHARE, headers={"authorization": f"Bearer {token}", **headers})


def code_in(answer):
    """The code of an error, whose form is checked on the way."""
    body = answer.json()
    assert set(body) == {"status", "code", "message"}
    assert body["status"] == answer.status_code
    assert body["message"]
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"
    return body["code"]
