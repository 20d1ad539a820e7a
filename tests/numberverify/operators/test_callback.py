"""What the redirect back says, and what is made of it."""

from collections.abc import Iterator

import pytest

from numberverify.choices import Reason
from numberverify.errors import (
    AccessDenied,
    AuthorizationFailed,
    ConsentRequired,
    MalformedCallback,
    NotOnMobileNetwork,
    OperatorUnreachable,
)
from tests.fake_camara import FakeCamara
from tests.fake_operator import Call, FakeOperator

NO_SIM = "NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK"


@pytest.fixture(params=[FakeOperator, FakeCamara])
def fake(request: pytest.FixtureRequest) -> Iterator[FakeOperator]:
    fake = request.param()
    yield fake
    fake.close()


def exchanges(fake: FakeOperator) -> list[Call]:
    return [call for call in fake.calls if call.method == "POST"]


@pytest.mark.parametrize(
    ("error", "raised", "reason"),
    [
        ("access_denied", AccessDenied, Reason.ACCESS_DENIED),
        ("consent_required", ConsentRequired, Reason.CONSENT_REQUIRED),
        ("interaction_required", ConsentRequired, Reason.CONSENT_REQUIRED),
        ("login_required", NotOnMobileNetwork, Reason.NOT_ON_MOBILE_NETWORK),
        (NO_SIM, NotOnMobileNetwork, Reason.NOT_ON_MOBILE_NETWORK),
        ("server_error", OperatorUnreachable, Reason.OPERATOR_UNREACHABLE),
        ("temporarily_unavailable", OperatorUnreachable, Reason.OPERATOR_UNREACHABLE),
        ("unauthorized_client", AuthorizationFailed, Reason.AUTHORIZATION_FAILED),
        ("invalid_request", AuthorizationFailed, Reason.AUTHORIZATION_FAILED),
        ("invalid_scope", AuthorizationFailed, Reason.AUTHORIZATION_FAILED),
        ("ACCESS_DENIED", AuthorizationFailed, Reason.AUTHORIZATION_FAILED),
        ("never heard of", AuthorizationFailed, Reason.AUTHORIZATION_FAILED),
        ("\0", AuthorizationFailed, Reason.AUTHORIZATION_FAILED),
    ],
)
@pytest.mark.parametrize("code", ["", "a-code"], ids=["alone", "with a code"])
def test_an_error_is_told_and_its_code_not_spent(
    fake, ask, error, raised, reason, code
):
    with pytest.raises(raised) as caught:
        ask(brought={"code": code, "error": error})

    assert caught.value.code == reason
    assert not exchanges(fake)


@pytest.mark.parametrize(
    "brought",
    [
        pytest.param({"code": ""}, id="no code"),
        pytest.param({"malformed": True}, id="doubled or over-long"),
        pytest.param({"malformed": True, "error": "access_denied"}, id="and an error"),
        pytest.param({"iss": "https://evil.example"}, id="another issuer"),
        pytest.param(
            {"iss": "https://evil.example", "error": "login_required", "code": ""},
            id="another issuer's error",
        ),
        pytest.param({"iss": "http://127.0.0.1"}, id="issuer cut short"),
    ],
)
def test_a_redirect_that_is_not_well_formed_spends_no_code(fake, ask, brought):
    with pytest.raises(MalformedCallback):
        ask(brought=brought)

    assert not exchanges(fake)


@pytest.mark.parametrize("fake", [FakeOperator], indirect=True)
def test_the_issuer_in_the_redirect_is_the_one_that_was_asked(fake, ask):
    """RFC 9207: against one operator's code brought to another's address."""
    assert ask(brought={"iss": fake.base_url}).matched
    fake.claims = {"iss": "https://issuer.example"}
    named = {"issuer": "https://issuer.example"}
    assert ask(brought={"iss": "https://issuer.example"}, **named).matched
    with pytest.raises(MalformedCallback):
        ask(brought={"iss": fake.base_url}, **named)
