"""Numbers: read as people type them, kept as E.164, shown masked."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from numberverify.msisdn import (
    Msisdn,
    NotANumber,
    NotMobile,
    fingerprint,
    parse,
    sha256_hex,
)


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("07700900123", id="national"),
        pytest.param("+447700900123", id="international"),
        pytest.param("00447700900123", id="00"),
        pytest.param("7700900123", id="without the nought"),
        pytest.param("(07700) 900123", id="brackets"),
        pytest.param("+44 (0)7700 900123", id="both prefixes"),
        pytest.param("07700-900-123", id="dashes"),
        pytest.param("07700–900–123", id="en dashes"),
        pytest.param("07700.900.123", id="dots"),
        pytest.param("07700/900123", id="slash"),
        pytest.param("07700 900 123", id="spaces"),
        pytest.param("07700\u00a0900\u00a0123", id="spaces that do not break"),
        pytest.param("  07700900123\n", id="spaces around"),
        pytest.param("0\u200b7700900123", id="space of no width"),
        pytest.param("\u202a+447700900123\u202c", id="copied from a contact"),
        pytest.param("０７７００９００１２３", id="full-width"),
        pytest.param("＋４４７７００９００１２３", id="full-width plus"),
        pytest.param("٠٧٧٠٠٩٠٠١٢٣", id="Arabic-Indic"),
    ],
)
def test_a_number_is_read_as_people_type_it(typed):
    assert parse(typed, region="GB") == Msisdn("+447700900123")


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("", id="empty"),
        pytest.param("   ", id="blank"),
        pytest.param("+", id="plus"),
        pytest.param("-", id="dash"),
        pytest.param("my number", id="letters"),
        pytest.param("0800 FLOWERS", id="vanity"),
        pytest.param("07700 9OO123", id="letters for noughts"),
        pytest.param("tel:+447700900123", id="tel:"),
        pytest.param("1" * 40, id="40 digits"),
        pytest.param("07700900123" + " " * 30, id="41 characters"),
        pytest.param("07700 900123 x5", id="extension by x"),
        pytest.param("07700900123#5", id="extension by #"),
        pytest.param("07700900123,,5", id="extension by commas"),
        pytest.param("07700900123;ext=5", id="extension as in RFC 3966"),
        pytest.param("999", id="3 digits"),
        pytest.param("112", id="emergency"),
        pytest.param("077009001234", id="a digit too many"),
        pytest.param("*#06#", id="service code"),
        pytest.param("+999123456789", id="no country"),
        pytest.param("+49 12345 67890 12345", id="17 digits, possible in Germany"),
        pytest.param("+44+7700900123", id="two pluses"),
        pytest.param("07700 900123 / 07700 900124", id="two numbers"),
        pytest.param("07700\x00900123", id="NUL"),
        pytest.param("07700\n900123", id="line end"),
        pytest.param("07700\t900123", id="tab"),
        pytest.param("\x1b[0m07700900123", id="escape"),
        pytest.param("²²²²²²²²²²²", id="superscripts"),
    ],
)
def test_what_cannot_be_a_number_is_refused_and_not_quoted(typed):
    with pytest.raises(NotANumber) as caught:
        parse(typed, region="GB")
    assert not str(caught.value)


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("020 7946 0018", id="fixed line"),
        pytest.param("0909 879 0000", id="premium"),
        pytest.param("0800 1111", id="toll-free"),
        pytest.param("0845 4647", id="shared cost"),
        pytest.param("070 1234 5678", id="personal"),
        pytest.param("056 12345678", id="VoIP"),
        pytest.param("0300 123 4567", id="company"),
        pytest.param("07640 123456", id="pager"),
        pytest.param("+1 800 555 0123", id="toll-free abroad"),
        pytest.param("+39 06 1234 5678", id="fixed line abroad"),
    ],
)
def test_what_is_known_to_be_no_mobile_line_is_refused(typed):
    with pytest.raises(NotMobile):
        parse(typed, region="GB")


@pytest.mark.parametrize(
    ("typed", "region", "e164"),
    [
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("+33 6 12 34 56 78", "GB", "+33612345678"),
        ("347 123 4567", "IT", "+393471234567"),
        ("0151 12345678", "DE", "+4915112345678"),
        # One range for both kinds of line: the operator will know.
        ("(202) 555-0123", "US", "+12025550123"),
        ("011 44 7700 900123", "US", "+447700900123"),
    ],
)
def test_without_a_country_code_the_region_decides(typed, region, e164):
    assert parse(typed, region=region).e164 == e164


@pytest.mark.parametrize("number", range(0, 1000, 37))
def test_the_numbers_of_films_are_accepted(number):
    assert parse(f"07700 900{number:03}", region="GB").e164 == f"+447700900{number:03}"


DIGITS = st.characters(categories=["Nd", "Nl", "No", "Pd", "Zs", "Cc", "Cf", "Sm"])


@given(
    st.text() | st.text(DIGITS, max_size=40) | st.from_regex(r"\+?[0-9() -]{1,40}"),
    st.sampled_from(["GB", "US", "FR", "IT", "XX", ""]),
)
@example("\ud800", "GB")
@example("+" * 40, "GB")
def test_whatever_is_typed_ends_in_a_number_or_a_refusal(typed, region):
    try:
        msisdn = parse(typed, region=region)
    except (NotANumber, NotMobile):
        return
    assert re.fullmatch(r"\+[1-9][0-9]{4,14}", msisdn.e164)
    assert parse(msisdn.e164, region="GB") == msisdn


@pytest.mark.parametrize(
    "e164",
    [
        pytest.param("", id="empty"),
        pytest.param("447700900123", id="no plus"),
        pytest.param("+0447700900123", id="nought first"),
        pytest.param("+1234", id="4 digits"),
        pytest.param("+1234567890123456", id="16 digits"),
        pytest.param("+447700900123\n", id="line end"),
        pytest.param("+44 7700 900123", id="spaces"),
        pytest.param("+44７７００９００１２３", id="full-width"),
    ],
)
def test_a_number_in_another_form_is_a_mistake_and_not_quoted(e164):
    with pytest.raises(ValueError, match="form") as caught:
        Msisdn(e164)
    assert str(caught.value) == "phone number is not in E.164 form"


@pytest.mark.parametrize(
    ("e164", "mask"),
    [
        ("+447700900123", "+44 •••• •••123"),
        ("+12025550123", "+1 •••• •••123"),
        ("+390612345678", "+39 •••• •••678"),
        ("+35312345678", "+353 •••• •••678"),
        ("+999123456789", "+ •••• •••789"),
        ("+12345", "+1 •••• •••345"),
    ],
)
def test_a_mask_shows_the_calling_code_and_three_digits(e164, mask):
    msisdn = Msisdn(e164)

    assert str(msisdn) == f"{msisdn}" == mask


@given(st.from_regex(r"\+[1-9][0-9]{9,14}", fullmatch=True))
def test_no_mask_shows_more(e164):
    msisdn = Msisdn(e164)

    code, *hidden = str(msisdn).split(" ")

    assert e164.startswith(code)
    assert len(code) <= len("+999")
    assert hidden == ["••••", f"•••{e164[-3:]}"]
    assert repr(msisdn) == "Msisdn()"


@pytest.mark.parametrize(
    ("e164", "countries"),
    [
        pytest.param("+447700900123", ("GB",), id="Great Britain"),
        pytest.param("+447797700123", ("JE", "GB"), id="Jersey"),
        pytest.param("+447911123456", ("GG", "GB"), id="Guernsey"),
        pytest.param("+12025550123", ("US",), id="United States"),
        pytest.param("+14165550123", ("CA", "US"), id="Canada"),
        pytest.param("+77011234567", ("KZ", "RU"), id="Kazakhstan"),
        pytest.param("+4412345", ("GB",), id="of no known range"),
        pytest.param("+999123456789", (), id="of no country"),
    ],
)
def test_a_number_belongs_to_its_region_and_its_calling_code(e164, countries):
    assert Msisdn(e164).countries == countries


@pytest.mark.parametrize(
    ("e164", "digest"),
    # Copied from the protocol notes, 1.4.
    [
        (
            "+447700900123",
            "a8acc3a90a7b4e4dc65e93db9240ed26523050ef754d63b75b5161de76781436",
        ),
        (
            "+447700900907",
            "01a03859d1dd000bb5f648c3e97dad6a3dae5f40b9d103769a68d316bd905559",
        ),
        (
            "+346661113334",
            "6dd5d20f257c1f3620662454064e3aa25ba9a6c7a4d1e99e965bbadd3a7e07d6",
        ),
        (
            "+34666666666",
            "3ffdd5fed312a04d147a2f4bece733bf77cb35528112fd83cd5e01590dfb616b",
        ),
        (
            "+123456789",
            "b49f9168e8a886ffd61a090b51a26e117717f5f6fa804af49ea67043a2bfa4f0",
        ),
    ],
)
def test_the_hash_is_the_one_of_the_specification(e164, digest):
    assert sha256_hex(Msisdn(e164)) == digest


def test_the_hash_of_the_digits_leaves_the_plus_out():
    assert sha256_hex(Msisdn("+447700900123"), plus=False) == (
        "033134b911b137918338415ee3d20a064b24773d36a3b02e8b99fdd3fcd6b4cd"
    )


def test_fingerprints_differ_by_key_and_by_number():
    ann, bob = Msisdn("+447700900123"), Msisdn("+447700900124")

    found = {fingerprint(who, key) for who in (ann, bob) for key in ("one", "two")}

    assert len(found) == 4
    assert {len(each) for each in found} == {16}
    assert fingerprint(ann, "one") in found


def test_a_fingerprint_stays_the_same_for_ever():
    """It is compared with rows of years ago. By openssl dgst -sha256 -hmac key."""
    expected = "d828cfeae6a562ec193d32362a3e2d4a"
    assert fingerprint(Msisdn("+447700900123"), "key").hex() == expected
