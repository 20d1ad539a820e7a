"""Whatever an operator does wrong, in either dialect: *could not tell*, with a reason,
never a 500 and never a pass. From the form to the ending, over real HTTP."""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from numberverify.choices import Reason, Status
from numberverify.models import Verification
from tests import fake_camara, fake_operator
from tests.factories import ANN, PASSWORD
from tests.fake_camara import FakeCamara
from tests.fake_operator import KEY, FakeOperator, Reply

pytestmark = pytest.mark.django_db
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "fake-1"})
TYPED = {
    "email": "ann@example.com",
    "phone": ANN,
    "password1": PASSWORD,
    "password2": PASSWORD,
}
# The two places where the dialects lie, and the answer that both call "yes".
PATHS = {
    "mobile-connect": {
        "token": fake_operator.TOKEN,
        "match": fake_operator.MATCH,
        "keys": fake_operator.JWKS,
    },
    "camara": {
        "token": fake_camara.TOKEN,
        "match": fake_camara.VERIFY,
        "keys": fake_camara.JWKS,
    },
}
SAYS = {
    "mobile-connect": lambda value: {"sub": "pcr-1", "device_msisdn_verified": value},
    "camara": lambda value: {"devicePhoneNumberVerified": value},
}


@dataclass
class Wrong:
    """What is wrong: at a path, in the claims, by the signature, or in the tokens.

    `at` and `says` make the answer of the match endpoint with that value.
    """

    reason: Reason
    at: str = ""
    reply: Reply = field(default_factory=Reply)
    says: Any = None
    status: int = 200
    claims: dict[str, Any] = field(default_factory=dict)
    forge: Any = None
    tokens: dict[str, Any] = field(default_factory=dict)


def part(value) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(raw).decode().rstrip("=")


def unsigned(claims):
    return f"{part({'alg': 'none', 'kid': 'fake-1'})}.{part(claims)}."


def signed_by_the_public_key(claims):
    text = f"{part({'alg': 'HS256', 'kid': 'fake-1'})}.{part(claims)}"
    signature = hmac.digest(KEY.as_pem(private=False), text.encode(), "sha256")
    return f"{text}.{part(signature)}"


def signed_by_somebody_else(claims):
    header = {"alg": "RS256", "kid": "fake-1"}
    return jwt.encode(header, claims, OTHER_KEY, algorithms=["RS256"])


def of_an_unknown_key(claims):
    header = {"alg": "RS256", "kid": "nowhere"}
    return jwt.encode(header, claims, KEY, algorithms=["RS256"])


def of_no_key(claims):
    return jwt.encode({"alg": "RS256"}, claims, KEY, algorithms=["RS256"])


def changed_after_signing(claims):
    header = {"alg": "RS256", "kid": "fake-1"}
    whole = jwt.encode(header, claims, KEY, algorithms=["RS256"])
    head, _, signature = whole.split(".")
    return f"{head}.{part(claims | {'x': 1})}.{signature}"


def many_keys():
    point = ECKey.generate_key("P-256").as_dict(private=False)
    return [point | {"kid": str(n)} for n in range(250)]


NOW = int(time.time())
HTML = b"<html><body>Welcome</body></html>"
DRIPPED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
BAD_ID_TOKEN, MALFORMED = Reason.BAD_ID_TOKEN, Reason.MALFORMED_ANSWER
REFUSED, TIMEOUT = Reason.OPERATOR_REFUSED, Reason.OPERATOR_TIMEOUT
UNREACHABLE = Reason.OPERATOR_UNREACHABLE

WRONGS = {
    # The ID token
    "ID token missing": Wrong(MALFORMED, tokens={"id_token": None}),
    "ID token null": Wrong(MALFORMED, tokens={"id_token": [None]}),
    "ID token of nonsense": Wrong(BAD_ID_TOKEN, forge=lambda claims: "a.b.c"),
    "ID token of one part": Wrong(BAD_ID_TOKEN, forge=lambda claims: "a"),
    "ID token encrypted": Wrong(BAD_ID_TOKEN, forge=lambda claims: "a.b.c.d.e"),
    "ID token unsigned": Wrong(BAD_ID_TOKEN, forge=unsigned),
    "ID token signed with the public key as a secret": Wrong(
        BAD_ID_TOKEN, forge=signed_by_the_public_key
    ),
    "ID token of another key": Wrong(BAD_ID_TOKEN, forge=signed_by_somebody_else),
    "ID token of a kid that is nowhere": Wrong(BAD_ID_TOKEN, forge=of_an_unknown_key),
    "ID token without a kid": Wrong(BAD_ID_TOKEN, forge=of_no_key),
    "ID token changed": Wrong(BAD_ID_TOKEN, forge=changed_after_signing),
    "ID token expired": Wrong(BAD_ID_TOKEN, claims={"exp": NOW - 70}),
    "ID token without exp": Wrong(BAD_ID_TOKEN, claims={"exp": None}),
    "ID token of the future": Wrong(BAD_ID_TOKEN, claims={"iat": NOW + 3600}),
    "ID token not valid yet": Wrong(BAD_ID_TOKEN, claims={"nbf": NOW + 3600}),
    "ID token for another": Wrong(BAD_ID_TOKEN, claims={"aud": "somebody"}),
    "ID token for another as well": Wrong(
        BAD_ID_TOKEN, claims={"aud": ["id of ours", "somebody"]}
    ),
    "ID token for another party": Wrong(BAD_ID_TOKEN, claims={"azp": "somebody"}),
    "ID token of another issuer": Wrong(
        BAD_ID_TOKEN, claims={"iss": "https://evil.example"}
    ),
    "ID token of another request": Wrong(BAD_ID_TOKEN, claims={"nonce": "another"}),
    "ID token without a nonce": Wrong(BAD_ID_TOKEN, claims={"nonce": None}),
    "ID token of another access token": Wrong(
        BAD_ID_TOKEN, claims={"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}
    ),
    "ID token by a password": Wrong(BAD_ID_TOKEN, claims={"amr": ["pwd"]}),
    "ID token by a text message": Wrong(BAD_ID_TOKEN, claims={"amr": ["otp", "sms"]}),
    # The keys
    "keys: hundreds": Wrong(MALFORMED, "keys", Reply(body={"keys": many_keys()})),
    "keys: a secret under that kid": Wrong(
        BAD_ID_TOKEN,
        "keys",
        Reply(body={"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "fake-1"}]}),
    ),
    "keys: none": Wrong(BAD_ID_TOKEN, "keys", Reply(body={"keys": []})),
    "keys: HTML": Wrong(MALFORMED, "keys", Reply(body=HTML)),
    "keys: elsewhere": Wrong(REFUSED, "keys", Reply(302, headers={"Location": "/"})),
    # The token answer
    "token: HTML": Wrong(MALFORMED, "token", Reply(body=HTML)),
    "token: a list": Wrong(MALFORMED, "token", Reply(body=[{"access_token": "x"}])),
    "token: 30 MB": Wrong(MALFORMED, "token", Reply(body=b" " * 30_000_000)),
    "token: dripped": Wrong(TIMEOUT, "token", Reply(drip=0.05, body={"a": "b" * 99})),
    "token: headers dripped": Wrong(TIMEOUT, "token", Reply(drip=0.05, raw=DRIPPED)),
    "token: redirected": Wrong(REFUSED, "token", Reply(307, headers={"Location": "/"})),
    "token: cut": Wrong(UNREACHABLE, "token", Reply(body={"a": "b"}, cut=True)),
    "token: no token": Wrong(MALFORMED, tokens={"access_token": None}),
    "token: breaks a header": Wrong(MALFORMED, tokens={"access_token": "a\r\nb"}),
    "token: another kind": Wrong(MALFORMED, tokens={"token_type": "mac"}),
    "token: refused": Wrong(REFUSED, "token", Reply(400, {"error": "invalid_grant"})),
    "token: overloaded": Wrong(UNREACHABLE, "token", Reply(503)),
    # The answer
    "answer: the text true": Wrong(MALFORMED, "match", says="true"),
    "answer: one": Wrong(MALFORMED, "match", says=1),
    "answer: null": Wrong(MALFORMED, "match", says=[None]),
    "answer: a list of true": Wrong(MALFORMED, "match", says=[True]),
    "answer: an object": Wrong(MALFORMED, "match", says={"value": True}),
    "answer: status 201": Wrong(REFUSED, "match", says=True, status=201),
    "answer: status 202": Wrong(REFUSED, "match", says=True, status=202),
    "answer: status 404": Wrong(REFUSED, "match", says=True, status=404),
    "answer: status 500": Wrong(UNREACHABLE, "match", says=True, status=500),
    "answer: a list": Wrong(MALFORMED, "match", Reply(body=[True])),
    "answer: true alone": Wrong(MALFORMED, "match", Reply(body=True)),
    "answer: nothing": Wrong(MALFORMED, "match", Reply(body=b"")),
    "answer: HTML": Wrong(MALFORMED, "match", Reply(body=HTML)),
    "answer: deep nesting": Wrong(
        MALFORMED, "match", Reply(body=b'{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}")
    ),
    "answer: redirected": Wrong(
        REFUSED, "match", Reply(302, headers={"Location": "/"})
    ),
}


@pytest.fixture(params=["mobile-connect", "camara"])
def bad(request, settings, operator):
    """An operator of each dialect that can be told to do wrong."""
    fake: FakeOperator = operator
    if request.param == "camara":
        fake = FakeCamara()
    settings.NV_OPERATORS = {"fake": fake.table(deadline=0.8)}
    fake.dialect = request.param
    yield fake
    if fake is not operator:
        fake.close()


def goes_wrong(bad, wrong: Wrong) -> None:
    bad.claims, bad.forge, bad.tokens = wrong.claims, wrong.forge, wrong.tokens
    if wrong.at:
        reply = wrong.reply
        if wrong.says is not None:
            reply = Reply(wrong.status, SAYS[bad.dialect](wrong.says))
        bad.replies[PATHS[bad.dialect][wrong.at]] = reply


def ends(browser, bad, **changes):
    started = browser.submit("/accounts/signup/", **TYPED)
    assert started["Location"].startswith(bad.base_url), started["Location"]
    brought = bad.authorize(started["Location"]) | changes
    return browser.get(f"/verify/callback/fake/?{urlencode(brought)}")


def could_not_tell(browser, back, reason) -> None:
    row = Verification.objects.get()
    assert back.status_code == 303
    assert back["Location"] == f"/verify/{row.pk}/"
    assert (row.status, row.reason) == (Status.UNAVAILABLE, reason)
    assert (row.number, row.nonce, row.code_verifier) == ("", "", "")
    page = browser.get(back["Location"])
    assert page.status_code == 200
    assert "does not match" not in page.text


@pytest.mark.parametrize("wrong", [pytest.param(w, id=i) for i, w in WRONGS.items()])
def test_what_an_operator_does_wrong_is_could_not_tell(browser, bad, wrong):
    goes_wrong(bad, wrong)

    back = ends(browser, bad)

    could_not_tell(browser, back, wrong.reason)


SAYS_TRUE = {
    "mobile-connect": b'{"sub":"pcr-1","device_msisdn_verified":true}',
    "camara": b'{"devicePhoneNumberVerified":true}',
}


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(
            lambda said: said[:-1] + b"," + said.rpartition(b",")[2].lstrip(b"{"),
            id="doubled key",
        ),
        pytest.param(lambda said: said.decode().encode("utf-16"), id="UTF-16"),
        pytest.param(lambda said: said.decode().encode("utf-32"), id="UTF-32"),
        pytest.param(lambda said: b"\xef\xbb\xbf" + said, id="byte order mark"),
        pytest.param(lambda said: said + said, id="twice"),
        pytest.param(lambda said: said[:-1], id="not closed"),
        pytest.param(lambda said: said[:-1] + b',"a":NaN}', id="NaN"),
        pytest.param(lambda said: said + b" " * 70_000, id="too large"),
        pytest.param(lambda said: said.replace(b"true", b"True"), id="Python"),
    ],
)
def test_a_yes_that_is_not_strict_json_is_could_not_tell(browser, bad, spoil):
    body = spoil(SAYS_TRUE[bad.dialect])
    bad.replies[PATHS[bad.dialect]["match"]] = Reply(body=body)

    back = ends(browser, bad)

    could_not_tell(browser, back, MALFORMED)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"iss": "https://evil.example"}, "malformed_callback", id="iss"),
        pytest.param({"error": "login_required"}, "not_on_mobile_network", id="Wi-Fi"),
        pytest.param({"error": "access_denied"}, "access_denied", id="denied"),
        pytest.param({"error": "consent_required"}, "consent_required", id="consent"),
        pytest.param({"error": "nonsense"}, "authorization_failed", id="nonsense"),
        pytest.param({"code": ""}, "malformed_callback", id="no code"),
    ],
)
def test_a_redirect_that_brings_no_code_is_could_not_tell(
    browser, bad, changes, reason
):
    back = ends(browser, bad, **changes)

    could_not_tell(browser, back, reason)
    assert [call for call in bad.calls if call.method == "POST"] == []


def test_nothing_wrong_is_a_match(browser, bad):
    """So that the tables above are red for what they say, and not for their form."""
    back = ends(browser, bad)

    assert Verification.objects.get().status == Status.VERIFIED
    assert back["Location"] == "/accounts/profile/"  # signed in


def test_a_yes_written_by_hand_is_a_match(browser, bad):
    bad.replies[PATHS[bad.dialect]["match"]] = Reply(body=SAYS_TRUE[bad.dialect])
    ends(browser, bad)

    assert Verification.objects.get().status == Status.VERIFIED


def test_a_no_is_a_no_match(browser, bad):
    bad.sim = "+447700900907"
    ends(browser, bad)

    assert Verification.objects.get().status == Status.MISMATCHED


# What one dialect alone has


@pytest.fixture
def camara(settings):
    fake = FakeCamara()
    settings.NV_OPERATORS = {"fake": fake.table(deadline=0.8)}
    yield fake
    fake.close()


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (
            403,
            {"code": "NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK"},
            Reason.NOT_ON_MOBILE_NETWORK,
        ),
        (403, {"code": "INVALID_TOKEN_CONTEXT"}, Reason.NOT_ON_MOBILE_NETWORK),
        (403, {"code": "PERMISSION_DENIED"}, Reason.INSUFFICIENT_SCOPE),
        (404, {"code": "IDENTIFIER_NOT_FOUND"}, Reason.NOT_THEIR_NUMBER),
        (422, {"code": "SERVICE_NOT_APPLICABLE"}, Reason.NOT_THEIR_NUMBER),
        (401, {"code": "UNAUTHENTICATED"}, REFUSED),
        (400, {"code": "INVALID_ARGUMENT"}, REFUSED),
        (403, HTML, REFUSED),
        (503, {"code": "UNAVAILABLE"}, UNREACHABLE),
    ],
)
def test_a_refusal_of_the_api_is_could_not_tell(browser, camara, status, body, reason):
    camara.replies[fake_camara.VERIFY] = Reply(status, body)

    back = ends(browser, camara)

    could_not_tell(browser, back, reason)


def test_a_token_for_something_else_is_could_not_tell(browser, camara):
    camara.tokens = {"scope": "openid dpv:FraudPreventionAndDetection sim-swap:check"}

    back = ends(browser, camara)

    could_not_tell(browser, back, Reason.INSUFFICIENT_SCOPE)
    assert camara.calls_to(fake_camara.VERIFY) == []


def test_a_redirect_that_leaves_out_the_promised_issuer_is_could_not_tell(
    browser, camara
):
    started = browser.submit("/accounts/signup/", **TYPED)
    brought = camara.authorize(started["Location"])
    del brought["iss"]

    back = browser.get(f"/verify/callback/fake/?{urlencode(brought)}")

    could_not_tell(browser, back, Reason.MALFORMED_CALLBACK)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        pytest.param(Reply(404), REFUSED, id="404"),
        pytest.param(Reply(500), UNREACHABLE, id="500"),
        pytest.param(Reply(302, headers={"Location": "/"}), REFUSED, id="redirected"),
        pytest.param(Reply(body=HTML), MALFORMED, id="HTML"),
        pytest.param(Reply(body=[]), MALFORMED, id="a list"),
        pytest.param(Reply(drip=0.05, raw=DRIPPED), TIMEOUT, id="dripped"),
        pytest.param(
            Reply(body={"issuer": "https://evil.example"}),
            Reason.BAD_DISCOVERY,
            id="another issuer",
        ),
        pytest.param(Reply(body={}), Reason.BAD_DISCOVERY, id="empty"),
    ],
)
def test_a_bad_description_is_could_not_tell_before_anybody_leaves(
    browser, camara, reply, reason
):
    camara.replies[fake_camara.DISCOVERY] = reply

    started = browser.submit("/accounts/signup/", **TYPED)

    could_not_tell(browser, started, reason)
