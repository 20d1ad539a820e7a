"""What is asked of the API, with which token, and what its refusals mean."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from numberverify.choices import Reason
from numberverify.errors import (
    InsufficientScope,
    MalformedAnswer,
    NotOnMobileNetwork,
    NotTheirNumber,
    OperatorError,
    OperatorRefused,
    OperatorUnreachable,
)
from numberverify.operators.base import Answer
from tests.fake_camara import DISCOVERY, JWKS, TOKEN, VERIFY
from tests.fake_operator import Reply

OTHER = "+447700900907"
# Copied from the protocol notes, not computed: what is hashed is under test.
HASH = "a8acc3a90a7b4e4dc65e93db9240ed26523050ef754d63b75b5161de76781436"
HASH_OF_DIGITS = "033134b911b137918338415ee3d20a064b24773d36a3b02e8b99fdd3fcd6b4cd"
NOT_BY_NETWORK = "NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK"
TRUE = {"devicePhoneNumberVerified": True}
SAYS_TRUE = json.dumps(TRUE).encode()


@pytest.mark.parametrize("send", ["plain", "hash"])
def test_the_number_of_the_sim_matches_and_another_does_not(ask, send):
    assert ask(send=send) == Answer(True, "pcr-1")
    assert ask(number=OTHER, send=send) == Answer(False, "pcr-1")


@pytest.mark.parametrize(
    ("changes", "body"),
    [
        pytest.param({}, {"phoneNumber": "+447700900123"}, id="plain by default"),
        pytest.param({"send": "hash"}, {"hashedPhoneNumber": HASH}, id="hash with +"),
        pytest.param(
            {"send": "hash", "hash_input": "digits"},
            {"hashedPhoneNumber": HASH_OF_DIGITS},
            id="hash of the digits",
        ),
        pytest.param(
            {"hash_input": "digits"},
            {"phoneNumber": "+447700900123"},
            id="plain keeps its +",
        ),
    ],
)
def test_exactly_one_member_goes_out(fake, ask, changes, body):
    """An unknown member, or both, would be refused as INVALID_ARGUMENT."""
    ask(**changes)

    (call,) = fake.calls_to(VERIFY)
    assert call.json == body
    assert (call.method, call.path) == ("POST", VERIFY)
    assert call.headers["Content-Type"] == "application/json"


def test_the_question_carries_the_reference_and_the_token_of_the_code(fake, ask):
    fake.tokens = {"access_token": "the-token"}
    fake.claims = {"at_hash": None}

    ask()

    (call,) = fake.calls_to(VERIFY)
    assert call.headers["x-correlator"] == "c-1"
    assert call.headers["Authorization"] == "Bearer the-token"


@pytest.mark.parametrize(
    ("table", "path"),
    [
        ({"base_url": "{}/number-verification/v1"}, "/number-verification/v1/verify"),
        ({"base_url": "{}/number-verification/v2"}, "/number-verification/v2/verify"),
        ({"base_url": "{}/v031/"}, "/v031/verify"),
        ({"match_url": "{}/elsewhere"}, "/elsewhere"),
    ],
    ids=["version 1", "version 2", "a slash at the end", "given outright"],
)
def test_the_address_is_the_one_of_the_table(fake, ask, table, path):
    fake.replies[path] = Reply(body=TRUE)

    assert ask(**{k: v.format(fake.base_url) for k, v in table.items()}).matched

    asked = [call.path for call in fake.calls if call.method == "POST"]
    assert asked == [TOKEN, path]


def test_four_calls_make_a_first_verification_and_two_a_later_one(fake, ask):
    ask()
    ask()

    paths = [call.path for call in fake.calls]
    assert paths == [DISCOVERY, TOKEN, JWKS, VERIFY, TOKEN, VERIFY]


def test_each_token_is_used_for_one_call(fake, ask):
    for _ in range(5):
        ask()

    used = [call.headers["Authorization"] for call in fake.calls_to(VERIFY)]
    assert len(set(used)) == len(used) == 5
    others = [call for call in fake.calls if call.path != VERIFY]
    assert not [call for call in others if "Authorization" in call.headers]


@pytest.mark.parametrize(
    "scope",
    [
        None,
        "",
        "number-verification:verify",
        "openid dpv:FraudPreventionAndDetection number-verification:verify",
        "dpv:FraudPreventionAndDetection#number-verification:verify",
        "number-verification-verify-read",
    ],
)
def test_a_scope_that_was_granted_is_used(fake, ask, scope):
    fake.tokens = {"scope": scope}

    assert ask().matched


@pytest.mark.parametrize(
    "scope",
    [
        "openid",
        "dpv:FraudPreventionAndDetection",
        "number-verification:device-phone-number:read",
        "number-verification:verify2",
        "xnumber-verification:verify",
        "NUMBER-VERIFICATION:VERIFY",
        " ",
        5,
        True,
        ["openid", "number-verification:verify"],
        {"number-verification:verify": True},
    ],
)
def test_without_the_scope_nothing_is_asked(fake, ask, scope):
    fake.tokens = {"scope": scope}

    with pytest.raises(InsufficientScope):
        ask()
    assert not fake.calls_to(VERIFY)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({}, id="bare"),
        pytest.param({"message": "é", "details": [{"a": None}]}, id="more"),
        pytest.param(TRUE, id="and true"),
    ],
)
@pytest.mark.parametrize(
    ("status", "code", "raised", "reason"),
    [
        (403, NOT_BY_NETWORK, NotOnMobileNetwork, Reason.NOT_ON_MOBILE_NETWORK),
        (403, "INVALID_TOKEN_CONTEXT", NotOnMobileNetwork, "not_on_mobile_network"),
        (
            403,
            "NUMBER_VERIFICATION.INVALID_TOKEN_CONTEXT",
            NotOnMobileNetwork,
            "not_on_mobile_network",
        ),
        (403, "PERMISSION_DENIED", InsufficientScope, "insufficient_scope"),
        (404, "IDENTIFIER_NOT_FOUND", NotTheirNumber, "not_their_number"),
        (422, "SERVICE_NOT_APPLICABLE", NotTheirNumber, "not_their_number"),
        (400, "INVALID_ARGUMENT", OperatorRefused, Reason.OPERATOR_REFUSED),
        (401, "UNAUTHENTICATED", OperatorRefused, Reason.OPERATOR_REFUSED),
        (401, "AUTHENTICATION_REQUIRED", OperatorRefused, Reason.OPERATOR_REFUSED),
        (403, "permission_denied", OperatorRefused, Reason.OPERATOR_REFUSED),
        (403, "FORBIDDEN", OperatorRefused, Reason.OPERATOR_REFUSED),
        (404, "NOT_FOUND", OperatorRefused, Reason.OPERATOR_REFUSED),
        (405, "METHOD_NOT_ALLOWED", OperatorRefused, Reason.OPERATOR_REFUSED),
        (422, "MISSING_IDENTIFIER", OperatorRefused, Reason.OPERATOR_REFUSED),
        (429, "TOO_MANY_REQUESTS", OperatorRefused, Reason.OPERATOR_REFUSED),
        (500, "INTERNAL", OperatorUnreachable, Reason.OPERATOR_UNREACHABLE),
        (503, NOT_BY_NETWORK, OperatorUnreachable, Reason.OPERATOR_UNREACHABLE),
    ],
)
def test_a_refusal_is_told_by_its_code(fake, ask, status, code, raised, reason, more):
    body = more | {"status": status, "code": code}
    fake.replies[VERIFY] = Reply(status, body)

    with pytest.raises(raised) as caught:
        ask()

    assert type(caught.value) is raised
    assert caught.value.code == reason


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<html>PERMISSION_DENIED</html>", id="HTML"),
        pytest.param({"code": ["PERMISSION_DENIED"]}, id="code a list"),
        pytest.param({"code": {"PERMISSION_DENIED": 1}}, id="code an object"),
        pytest.param({"code": 403}, id="code a number"),
        pytest.param({"code": "PERMISSION_DENIED "}, id="code with a space"),
        pytest.param({"message": "PERMISSION_DENIED"}, id="in the message"),
        pytest.param(["PERMISSION_DENIED"], id="list"),
        pytest.param(b'{"code":"PERMISSION_DENIED","code":"X"}', id="doubled"),
    ],
)
def test_a_refusal_without_a_code_is_a_refusal(fake, ask, body):
    fake.replies[VERIFY] = Reply(403, body)

    with pytest.raises(OperatorRefused) as caught:
        ask()
    assert (caught.value.status, caught.value.said) == (403, "")


@pytest.mark.parametrize("status", [201, 202, 204, 206, 302, 304, 400, 404, 500])
@pytest.mark.parametrize("matched", [True, False])
def test_true_and_false_count_with_status_200_alone(fake, ask, status, matched):
    body = {"devicePhoneNumberVerified": matched}
    fake.replies[VERIFY] = Reply(status, body)

    with pytest.raises(OperatorError):
        ask()


@pytest.mark.parametrize(
    "body",
    [
        *[{"devicePhoneNumberVerified": v} for v in ("true", "false", 1, 0, None, [])],
        {"devicephonenumberverified": True},
        {"device_msisdn_verified": True},
        {"devicePhoneNumber": "+447700900123"},
        {"result": TRUE},
        [TRUE],
        True,
        SAYS_TRUE[:-1] + b',"devicePhoneNumberVerified":false}',
        SAYS_TRUE + SAYS_TRUE,
        SAYS_TRUE[:-1],
        b"\xef\xbb\xbf" + SAYS_TRUE,
        SAYS_TRUE.ljust(64 * 1024 + 1),
    ],
    ids=lambda body: str(body)[:50],
)
def test_an_answer_that_is_not_exactly_true_or_false_is_none(fake, ask, body):
    fake.replies[VERIFY] = Reply(body=body)

    with pytest.raises(MalformedAnswer):
        ask()


WORDS = st.sampled_from(["devicePhoneNumberVerified", "true", "false", "code", ""])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | WORDS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(), inner)
    ),
    max_leaves=8,
)
ANSWERS = st.fixed_dictionaries({"devicePhoneNumberVerified": JSON})


@given(body=JSON | ANSWERS | st.binary())
def test_whatever_else_an_operator_says_is_no_answer(fake, ask, body):
    said = body.get("devicePhoneNumberVerified") if isinstance(body, dict) else None
    assume(not isinstance(said, bool))
    fake.replies[VERIFY] = Reply(body=body)

    with pytest.raises(OperatorError):
        ask()


def test_more_than_was_asked_does_not_disturb(fake, ask):
    fake.replies[VERIFY] = Reply(body=TRUE | {"note": "é\0", "a": {"b": [1, None]}})

    assert ask().matched is True
