import pytest
from joserfc import jwt

from numberverify.sandbox import cut
from tests.numberverify.sandbox.camara_wire import KEY

SECRET = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (SECRET, "E9Melh… (43 characters)"),
        ("a" * 24, "aaaaaa… (24 characters)"),
        ("a" * 23, "… (23 characters)"),
        ("123456", "… (6 characters)"),
        ("", "… (0 characters)"),
    ],
)
def test_only_of_what_is_long_the_beginning_is_shown(value, shown):
    assert cut.cut(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("+447700900123", "+44…123"),
        ("+123456789", "+12…789"),
        ("+12345678", "… (9 characters)"),  # the ends would be nearly all of it
        ("447700900123", "… (12 characters)"),
    ],
)
def test_of_a_number_both_ends_are_shown(value, shown):
    assert cut.number(value) == shown


def test_a_name_that_nobody_has_thought_of_is_cut():
    query = {"scope": "openid", "login_hint": "+447700900123", "brand_new": SECRET}

    assert cut.parameters(query) == (
        ("scope", "openid"),
        ("login_hint", "+44…123"),
        ("brand_new", "E9Melh… (43 characters)"),
    )


@pytest.mark.parametrize("name", ["+447700900123", SECRET, "a" * 41, ""])
def test_a_name_that_is_none_is_not_shown(name):
    assert cut.parameters({name: "x"}) == (("…", "… (1 characters)"),)
    assert cut.members({name: {"scope": 1}}) == (("… / scope", "1"),)


def test_members_are_shown_as_json_has_them():
    body = {"devicePhoneNumberVerified": "true", "expires_in": 300, "aud": ["a"]}

    assert cut.members(body) == (
        ("devicePhoneNumberVerified", '"true"'),
        ("expires_in", "300"),
        ("aud", '["a"]'),
    )


def test_a_code_is_cut_and_the_code_of_an_error_is_not():
    assert cut.members({"code": "PERMISSION_DENIED"}) == (
        ("code", '"PERMISSION_DENIED"'),
    )
    assert cut.parameters({"code": SECRET}) == (("code", "E9Melh… (43 characters)"),)
    assert cut.members({"code": "123456"}) == (("code", "… (6 characters)"),)


def test_a_token_is_read_without_its_signature():
    claims = {"iss": "shop", "sub": "tel:+447700900123", "jti": SECRET}
    signed = jwt.encode({"alg": "ES256"}, claims, KEY, algorithms=["ES256"])

    lines = dict(cut.parameters({"client_assertion": signed}))

    assert lines["client_assertion / alg"] == '"ES256"'
    assert lines["client_assertion / iss"] == '"shop"'
    assert lines["client_assertion / sub"] == "… (17 characters)"
    assert signed.rpartition(".")[2] not in str(lines)


@pytest.mark.parametrize("raw", ["x", "a.b.c", "é", "", "W10.W10.W10"])
def test_what_is_no_token_is_cut(raw):
    expected = f"… ({len(raw)} characters)"
    assert cut.parameters({"id_token": raw}) == (("id_token", expected),)


def test_deep_or_long_or_many_is_bounded():
    assert cut.members({"a": {"b": {"scope": "c"}}}) == (
        ("a / b", "… (14 characters)"),
    )
    assert cut.parameters({"scope": "x" * 301})[0][1] == "xxxxxx… (301 characters)"
    assert len(cut.members({f"n{'x' * n}": 1 for n in range(30)})) == 24


def test_a_ticket_in_an_address_is_cut():
    assert cut.path(f"/sandbox/login/{SECRET}") == (
        "/sandbox/login/E9Melh… (43 characters)"
    )
    far = "https://a-rather-long-name-of-a-host.example"
    assert cut.path(f"{far}/back") == f"{far}/back"
