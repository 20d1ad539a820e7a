"""An app brings a token of its SIM (TS.43) instead of a redirect: on Wi-Fi too."""

import pytest

from numberverify import flow
from numberverify.browser import Browser
from numberverify.choices import Purpose, Reason, Status
from numberverify.errors import OperatorTokenRefused, VerificationNotUsable
from numberverify.models import Verification
from numberverify.msisdn import Msisdn
from numberverify.operators.base import OperatorToken
from tests.factories import ANN, UserFactory
from tests.fake_camara import TOKEN, VERIFY, FakeCamara, claims_of
from tests.fake_operator import Reply

pytestmark = pytest.mark.django_db
APP = "the app's own binding"
SIM_TOKEN = "an-operator-token"


@pytest.fixture
def camara(settings):
    fake = FakeCamara()
    settings.NV_OPERATORS = {"fake": fake.table()}
    yield fake
    fake.close()


def begun(operator, **changes) -> Verification:
    """A login begun by an app, and its row claimed as the redirect would."""
    url = flow.start(
        purpose=Purpose.LOGIN,
        msisdn=Msisdn(ANN),
        user=UserFactory(phone=ANN),
        browser=Browser(APP, user_agent="App/1.0"),
        next="/",
    )
    state = operator.authorize(url)["state"]
    asked = {"state": state, "operator": "fake", "device": APP} | changes
    row, taken = flow.claim(viewer=lambda: None, **asked)
    assert taken
    row.sent_to = url
    return row


def settled(row) -> tuple[str, str]:
    row.refresh_from_db()
    return row.status, row.reason


def test_a_token_of_the_sim_is_a_network_proof(camara):
    row = begun(camara)

    assert flow.exchange_and_settle(row, OperatorToken(SIM_TOKEN))

    assert settled(row) == (Status.VERIFIED, "")
    proof = flow.Proof(Purpose.LOGIN, row.user, APP, Msisdn(ANN))
    flow.redeem(flow.find_receipt(proof), proof)
    with pytest.raises(VerificationNotUsable):
        flow.redeem(flow.Receipt(row.pk, row.method, row.settled_at), proof)


def test_the_token_of_another_sim_is_a_no_match(camara):
    camara.sim = "+447700900907"
    row = begun(camara)

    assert not flow.exchange_and_settle(row, OperatorToken(SIM_TOKEN))

    assert settled(row) == (Status.MISMATCHED, "")


def test_the_operator_hears_of_the_token_and_of_no_number(camara):
    flow.exchange_and_settle(begun(camara), OperatorToken(SIM_TOKEN))

    (call,) = camara.calls_to(TOKEN)
    assert call.form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    claims = claims_of(call.form["assertion"])
    assert claims["sub"] == f"operatortoken:{SIM_TOKEN}"
    assert "scope" not in call.form
    assert ANN not in str(claims)


def test_a_token_that_the_operator_does_not_know_could_not_tell(camara):
    row = begun(camara)

    flow.exchange_and_settle(row, OperatorToken("made-up"))

    assert settled(row) == (Status.UNAVAILABLE, Reason.OPERATOR_REFUSED)
    assert camara.calls_to(VERIFY) == []


@pytest.mark.parametrize(
    "named",
    [
        pytest.param("tel:+447700900123", id="tel"),
        pytest.param("ipport:192.0.2.1:80", id="address"),
        pytest.param("operatortoken:x", id="prefixed"),
        pytest.param("", id="empty"),
        pytest.param("a b", id="space"),
        pytest.param("a\n", id="line end"),
        pytest.param("x" * 4097, id="over-long"),
    ],
)
def test_what_names_a_number_is_no_token(named):
    with pytest.raises(OperatorTokenRefused):
        OperatorToken(named)


@pytest.mark.parametrize("token", [SIM_TOKEN, "447700900123", "tel"])
def test_no_hint_of_ours_names_a_number(camara, token):
    """An operator that takes a number for a proof is never given one."""
    row = begun(camara)
    flow.exchange_and_settle(row, OperatorToken(token))

    assert "login_hint" not in row.sent_to
    assert "7700900123" not in row.sent_to
    (sold,) = camara.calls_to(TOKEN)
    assert claims_of(sold.form["assertion"])["sub"] == f"operatortoken:{token}"


def test_an_operator_without_that_grant_could_not_tell(operator):
    row = begun(operator)

    flow.exchange_and_settle(row, OperatorToken(SIM_TOKEN))

    assert settled(row) == (Status.UNAVAILABLE, Reason.OPERATOR_TOKEN_REFUSED)
    assert operator.calls == []


def test_a_network_that_did_not_authenticate_could_not_tell(camara):
    code = "NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK"
    camara.replies[VERIFY] = Reply(403, {"code": code})
    row = begun(camara)

    flow.exchange_and_settle(row, OperatorToken(SIM_TOKEN))

    assert settled(row) == (Status.UNAVAILABLE, Reason.NOT_ON_MOBILE_NETWORK)


def test_neither_token_nor_number_is_logged_or_kept(camara, caplog):
    row = begun(camara)
    camara.replies[TOKEN] = Reply(400, {"error": "invalid_grant", "x": SIM_TOKEN})

    flow.exchange_and_settle(row, OperatorToken(SIM_TOKEN))

    kept = str(Verification.objects.values())
    for secret in (SIM_TOKEN, ANN):
        assert secret not in caplog.text
        assert secret not in kept
