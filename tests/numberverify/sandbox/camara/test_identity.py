from tests.numberverify.sandbox import wire
from tests.numberverify.sandbox.camara_wire import CONFIGURATION, ISSUER, JWKS


def test_the_configuration_says_where_everything_is(client):
    answer = client.get(CONFIGURATION)

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    told = answer.json()
    assert told["issuer"] == ISSUER
    assert told["authorization_endpoint"] == f"{ISSUER}/authorize"
    assert told["token_endpoint"] == f"{ISSUER}/token"
    assert told["jwks_uri"] == f"{ISSUER}/jwks"


def test_the_configuration_promises_what_is_kept(client):
    told = client.get(CONFIGURATION).json()

    assert told["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert told["authorization_response_iss_parameter_supported"] is True
    assert told["request_parameter_supported"] is False
    assert told["request_uri_parameter_supported"] is False
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert told["id_token_signing_alg_values_supported"] == ["RS256"]
    assert told["subject_types_supported"] == ["pairwise"]
    assert set(told["grant_types_supported"]) == {
        "authorization_code",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "client_credentials",
    }
    assert not [name for name in told if "backchannel" in name]


def test_the_operator_signs_both_dialects_with_one_key(client):
    answer = client.get(JWKS)

    assert answer.status_code == 200
    assert answer.json() == client.get(wire.JWKS).json()
    assert "d" not in answer.json()["keys"][0]


def test_what_is_read_is_not_written(client):
    assert client.post(CONFIGURATION).status_code == 405
    assert client.post(JWKS).status_code == 405
