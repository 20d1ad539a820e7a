"""Whatever comes in, the operator answers; it never breaks."""

import json
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws

from tests.numberverify.sandbox.camara_wire import (
    AUTHORIZE,
    BASE,
    JWT_BEARER,
    KEY,
    PURPOSE,
    RECYCLING,
    REQUEST,
    SEND_CODE,
    SHARE,
    SIBLINGS,
    SIM_SWAP,
    TOKEN,
    VALIDATE_CODE,
    VERIFY,
    authenticated,
    claims,
    own_token,
    post,
    token_of,
)
from tests.numberverify.sandbox.test_robustness import (
    anything,
    content_types,
    credentials,
    header,
    often,
)

KINDS = ["authorization_code", "client_credentials", JWT_BEARER]
MEMBERS = [
    "phoneNumber",
    "hashedPhoneNumber",
    "maxAge",
    "specifiedDate",
    "message",
    "authenticationId",
    "code",
]
some_claims = st.dictionaries(
    st.sampled_from([*claims(), "nbf", "scope"]),
    st.none() | st.integers() | st.floats() | st.text() | anything,
    max_size=2,
)
bodies = st.one_of(
    anything, st.dictionaries(st.sampled_from(MEMBERS), anything, max_size=3)
)


@often
@given(query=header, content_type=content_types)
def test_authorize_survives_any_query(client, query, content_type):
    answer = client.get(AUTHORIZE, QUERY_STRING=query, CONTENT_TYPE=content_type)

    assert answer.status_code in {302, 400}


@often
@given(values=st.fixed_dictionaries({}, optional=dict.fromkeys(REQUEST, st.text())))
def test_authorize_survives_any_value(client, values):
    assert client.get(AUTHORIZE, {**REQUEST, **values}).status_code in {302, 400}


@often
@given(body=st.binary(), authorization=credentials, content_type=content_types)
@pytest.mark.parametrize("path", [TOKEN, VERIFY, SHARE, VALIDATE_CODE])
def test_the_server_endpoints_survive_any_header_and_body(
    client, path, body, authorization, content_type
):
    answer = client.generic(
        "POST",
        path,
        body,
        content_type=content_type,
        headers={"authorization": authorization, "x-correlator": authorization},
    )

    assert answer.status_code in ({400, 401} if path == TOKEN else {401})
    assert answer.json()


@often
@given(
    kind=st.sampled_from(KINDS),
    header=st.dictionaries(st.sampled_from(["kid", "alg", "crit", "b64"]), anything),
    changes=some_claims,
    signature=st.binary(max_size=80),
)
def test_no_forged_assertion_breaks_it(client, kind, header, changes, signature):
    # As JSON of Python, with its NaN and its half characters.
    parts = [json.dumps(part).encode() for part in (header, claims() | changes)]
    forged = ".".join(
        urlsafe_b64encode(part).decode().rstrip("=") for part in [*parts, signature]
    )

    answer = post(client, form_of(kind, forged))

    assert answer.status_code in {400, 401}


@often
@given(kind=st.sampled_from(KINDS), changes=some_claims)
def test_no_assertion_that_is_well_signed_breaks_it(client, kind, changes):
    payload = json.dumps(claims() | changes)
    signed = jws.serialize_compact(
        {"alg": "ES256", "kid": KEY.kid}, payload, KEY, algorithms=["ES256"]
    )

    assert post(client, form_of(kind, signed)).status_code in {200, 400, 401}


def form_of(kind, signed):
    form = {"grant_type": kind, "scope": SIBLINGS, "code": "x", "code_verifier": "x"}
    if kind == JWT_BEARER:
        return {"grant_type": kind, "assertion": signed}
    return authenticated(form | {"redirect_uri": "x"}, signed)


@often
@given(body=bodies)
def test_verify_survives_any_json_with_a_good_token(client, body):
    answer = client.post(
        VERIFY,
        json.dumps(body),
        content_type="application/json",
        headers={"authorization": f"Bearer {token_of(client)}"},
    )

    assert answer.status_code == 400


@often
@given(body=bodies)
@pytest.mark.parametrize("path", [SIM_SWAP, RECYCLING, SEND_CODE, VALIDATE_CODE])
def test_the_siblings_survive_any_json_with_a_good_token(client, path, body):
    answer = client.post(
        path,
        json.dumps(body),
        content_type="application/json",
        headers={"authorization": f"Bearer {own_token(client)}"},
    )

    assert answer.status_code in {200, 400, 404, 422}


@pytest.mark.parametrize("hop", ["network", "login"])
@pytest.mark.parametrize("ticket", ["x", "n" * 5000, "%00", "%ff", "a%20b", "é", ":"])
def test_a_ticket_of_any_form_is_unknown(client, hop, ticket):
    assert client.get(f"{AUTHORIZE}/{hop}/{ticket}").status_code == 400


@pytest.mark.parametrize("path", ["", "/token/", "/number-verification/v2/", "/x"])
def test_what_is_not_there_is_not_found(client, path):
    assert client.get(BASE + path).status_code == 404
    assert client.post(BASE + path).status_code == 404


def test_a_purpose_alone_is_nothing_to_ask_for(client):
    answer = post(
        client, authenticated({"grant_type": "client_credentials", "scope": PURPOSE})
    )

    assert answer.json()["error"] == "invalid_scope"
