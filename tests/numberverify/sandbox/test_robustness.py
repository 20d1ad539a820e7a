"""Whatever comes in, the operator answers; it never breaks."""

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.numberverify.sandbox.wire import (
    AUTHORIZE,
    MATCH,
    REQUEST,
    TOKEN,
    basic,
    token_of,
)

often = settings(
    max_examples=150,
)
# What a server hands on of a header: any bytes, read as Latin-1.
header = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"))
credentials = st.one_of(
    header,
    header.map(lambda text: f"Basic {text}"),
    header.map(lambda text: f"Bearer {text}"),
    st.binary().map(lambda raw: "Basic " + base64.b64encode(raw).decode()),
    st.just(basic()),
)
# Not every charset: on "base64" Django fails before it asks any view.
content_types = st.one_of(
    header.filter(lambda text: "=" not in text),
    st.sampled_from(
        [
            "application/json",
            "application/json; charset=utf-16",
            "application/x-www-form-urlencoded",
            "application/x-www-form-urlencoded; charset=utf-16",
            "application/x-www-form-urlencoded; charset=unheard-of",
            "multipart/form-data",
            "multipart/form-data; boundary=x",
        ]
    ),
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
@pytest.mark.parametrize("path", [TOKEN, MATCH])
def test_the_server_endpoints_survive_any_header_and_body(
    client, path, body, authorization, content_type
):
    answer = client.generic(
        "POST",
        path,
        body,
        content_type=content_type,
        headers={"authorization": authorization},
    )

    assert answer.status_code in ({400, 401} if path == TOKEN else {401})
    assert answer.json()["error"]


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@often
@given(body=st.one_of(anything, anything.map(lambda inner: {"mc_claims": inner})))
def test_match_survives_any_json_with_a_good_token(client, body):
    answer = client.post(
        MATCH,
        json.dumps(body),
        content_type="application/json",
        headers={"authorization": f"Bearer {token_of(client)}"},
    )

    assert answer.status_code == 400


@pytest.mark.parametrize("hop", ["network", "login"])
@pytest.mark.parametrize("ticket", ["x", "n" * 5000, "%00", "%ff", "a%20b", "é", ":"])
def test_a_ticket_of_any_form_is_unknown(client, hop, ticket):
    assert client.get(f"{AUTHORIZE}/{hop}/{ticket}").status_code == 400


def test_a_body_that_is_too_large_is_refused_in_json(client, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    answer = client.post(
        TOKEN,
        "x" * 1001,
        content_type="application/x-www-form-urlencoded",
        headers={"authorization": basic()},
    )

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


def test_too_many_parameters_are_refused_in_json(client):
    answer = client.get(AUTHORIZE, QUERY_STRING="&".join(["a=1"] * 1001))

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


def test_the_sandbox_loads_nothing_of_the_client():
    """Shared code would let one mistake agree with itself."""
    script = (
        "import sys, django; from django.conf import settings; settings.configure();"
        "import numberverify.sandbox.urls, numberverify.sandbox.context_processors;"
        "print(*[name for name in sys.modules if name.split('.')[0] in"
        "  ('accounts', 'config', 'numberverify')"
        "  and not ('numberverify.sandbox.' in name + '.' or name == 'numberverify')])"
    )

    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )

    assert done.stdout.strip() == ""
