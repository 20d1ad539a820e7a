"""How a client speaks to the operator: by the documents, with none of our code."""

import base64
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

BASE = "/sandbox/mobile-connect"
AUTHORIZE = f"{BASE}/deviceinitiated/v1/authorize"
TOKEN = f"{BASE}/deviceinitiated/v1/token"
MATCH = f"{BASE}/premiuminfo/v1/"
JWKS = f"{BASE}/jwks"
HANDSET = "/sandbox/handset/"

NUMBER = "+447700900123"
# Copied from the protocol notes, not computed: what is hashed is under test.
HASH = "a8acc3a90a7b4e4dc65e93db9240ed26523050ef754d63b75b5161de76781436"
OTHER_HASH = "01a03859d1dd000bb5f648c3e97dad6a3dae5f40b9d103769a68d316bd905559"

SHOP = "shop"
# With what breaks a header unless it is form-encoded first.
SECRET = "p:w d+100%/é"
BACK = "https://shop.example/back"
BANK = "bank: 100%/é"

REQUEST = {
    "client_id": SHOP,
    "redirect_uri": BACK,
    "response_type": "code",
    "scope": "openid mc_vm_match_hash",
    "version": "mc_di_r2_v2.3",
    "state": "a state",
    "nonce": "a-nonce",
    "acr_values": "2",
}


def without(parameters, *names):
    return {key: parameters[key] for key in parameters if key not in names}


def query_of(response):
    """The query that a redirect carries, each parameter once."""
    parameters = parse_qs(urlsplit(response["Location"]).query, strict_parsing=True)
    return {name: value for name, (value,) in parameters.items()}


def address_of(response):
    return response["Location"].partition("?")[0]


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


def basic(client_id=SHOP, secret=SECRET):
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def buy(server, code, *, authorization=None, **changes):
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    return server.post(
        TOKEN,
        urlencode({**form, **changes}, doseq=True),
        content_type="application/x-www-form-urlencoded",
        headers={"authorization": authorization or basic()},
    )


def token_of(browser, **changes):
    return buy(browser, code_of(browser, **changes)).json()["access_token"]


def ask(server, token, claims=None):
    return server.post(
        MATCH,
        {"mc_claims": claims or {"device_msisdn_hash": HASH}},
        content_type="application/json",
        headers={"authorization": f"Bearer {token}"},
    )


def set_handset(browser, **fields):
    assert browser.post(HANDSET, fields).status_code == 303
