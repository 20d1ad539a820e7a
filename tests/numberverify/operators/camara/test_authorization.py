"""Where the browser is sent, and with what in the address."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from numberverify.errors import BadDiscovery, ConfigurationError
from numberverify.msisdn import Msisdn
from numberverify.operators.base import Question
from numberverify.operators.camara import Camara, challenge
from tests.fake_camara import AUTHORIZE, DISCOVERY
from tests.numberverify.operators.conftest import BACK, NONCE, STATE, VERIFIER

QUESTION = Question(Msisdn("+447700900123"), BACK, NONCE, VERIFIER)
# base64url(sha256(VERIFIER)) without padding, by another program.
CHALLENGE = "QPB6c69PmFL4yzqrbhdY1hIjXPOGcP2DV_C1vRvQHB4"
SCOPE = "openid dpv:FraudPreventionAndDetection number-verification:verify"


@pytest.fixture
def sent(read, within):
    """Return the address for a table with changes."""

    def sent(**changes) -> str:
        camara = Camara(read(**changes))
        camara.prepare(within)
        return camara.authorization_url(QUESTION, state=STATE)

    return sent


def parameters(url: str) -> dict[str, str]:
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def test_the_authorization_url_asks_for_exactly_this(fake, sent):
    url = sent()

    assert url.startswith(f"{fake.base_url}{AUTHORIZE}?")
    assert parameters(url) == {
        "response_type": "code",
        "client_id": "id of ours",
        "redirect_uri": BACK,
        "scope": SCOPE,
        "state": STATE,
        "nonce": NONCE,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "prompt": "none",
    }


def test_the_challenge_is_the_one_of_the_specification():
    """RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

    assert challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize(
    ("prompt", "found"),
    [
        pytest.param("none", {"prompt": "none"}, id="none"),
        pytest.param("consent", {"prompt": "consent"}, id="consent"),
        pytest.param("", {}, id="empty"),
    ],
)
def test_the_prompt_is_the_one_of_the_table(sent, prompt, found):
    asked = parameters(sent(prompt=prompt))

    assert {name: asked[name] for name in asked if name == "prompt"} == found


@pytest.mark.parametrize(
    "scope",
    [
        "openid dpv:IdentityVerification number-verification:verify",
        "openid dpv:FraudPreventionAndDetection#number-verification:verify",
        "openid dpv:ServiceProvision number-verification-verify-read",
    ],
)
def test_the_scope_goes_out_as_the_table_spells_it(sent, scope):
    asked = parameters(sent(scope=scope))["scope"]

    assert asked == scope
    assert len([word for word in asked.split() if word.startswith("dpv:")]) == 1


@pytest.mark.parametrize("send", ["plain", "hash"])
@pytest.mark.parametrize("changes", [{}, {"test": True}], ids=["real", "test"])
def test_the_number_is_not_in_the_address(sent, send, changes):
    url = sent(send=send, **changes)

    assert "7700900123" not in url
    assert "login_hint" not in url


def test_only_a_test_operator_may_be_sent_the_number_as_a_hint(sent):
    url = sent(test=True, send_login_hint=True)

    assert parameters(url)["login_hint"] == "tel:+447700900123"
    with pytest.raises(ConfigurationError):
        sent(send_login_hint=True)


@pytest.mark.parametrize("by", ["discovery", "table"])
def test_a_query_of_the_endpoints_own_is_kept(fake, sent, by):
    """RFC 6749, 3.1."""
    there = f"{fake.base_url}{AUTHORIZE}?policy=sim&market=gb"
    changes = {"authorization_endpoint": there} if by == "table" else {}
    fake.described = {} if by == "table" else {"authorization_endpoint": there}

    url = sent(**changes)

    assert url.startswith(f"{there}&")
    asked = parameters(url)
    assert (asked["policy"], asked["market"]) == ("sim", "gb")
    assert (asked["state"], asked["nonce"]) == (STATE, NONCE)


def test_state_nonce_and_address_back_arrive_whatever_is_in_them(read, within):
    odd = "a&b=c#d+e é%"
    question = Question(Msisdn("+447700900123"), f"{BACK}?x={odd}", odd, VERIFIER)
    camara = Camara(read())
    camara.prepare(within)

    asked = parameters(camara.authorization_url(question, state=odd))

    assert (asked["state"], asked["nonce"]) == (odd, odd)
    assert asked["redirect_uri"] == question.redirect_uri


def test_the_address_is_made_without_asking_once_it_is_known(fake, sent, read, within):
    camara = Camara(read())
    assert not camara.is_prepared
    camara.prepare(within)
    assert camara.is_prepared

    for _ in range(3):
        camara.authorization_url(QUESTION, state=STATE)

    assert [call.path for call in fake.calls] == [DISCOVERY]


def test_before_it_is_known_there_is_no_address(fake, read):
    with pytest.raises(BadDiscovery):
        Camara(read()).authorization_url(QUESTION, state=STATE)
    assert not fake.calls
