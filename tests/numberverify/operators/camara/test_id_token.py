"""The ID token in CAMARA: the same rules, and who may vouch for a SIM."""

import hashlib
import time

import pytest

from numberverify.errors import BadIdToken, MalformedAnswer
from numberverify.operators.base import Answer
from tests.fake_camara import JWKS, TOKEN, VERIFY
from tests.fake_operator import KEY, Reply
from tests.numberverify.operators.test_id_token import BAD_CLAIMS, IN_TIME, OUT_OF_TIME

NUMBER = "+447700900123"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("claims", BAD_CLAIMS)
def test_a_claim_that_does_not_hold_is_no_answer(fake, ask, claims):
    fake.claims = claims

    with pytest.raises(BadIdToken):
        ask()
    assert fake.calls_to(TOKEN)
    assert not fake.calls_to(VERIFY)


@pytest.mark.parametrize(("claim", "seconds"), OUT_OF_TIME)
def test_a_token_out_of_its_time_is_no_answer(fake, ask, claim, seconds):
    fake.claims = {claim: int(time.time()) + seconds}

    with pytest.raises(BadIdToken):
        ask()


@pytest.mark.parametrize(("claim", "seconds"), IN_TIME)
def test_clocks_may_differ_by_a_minute(fake, ask, claim, seconds):
    fake.claims = {claim: time.time() + seconds}

    assert ask().matched


@pytest.mark.parametrize(
    "amr",
    [
        pytest.param(["nba"], id="network"),
        pytest.param(["mnba"], id="mobile network"),
        pytest.param(["pwd", None, {}, "nba"], id="one of several"),
        pytest.param(None, id="none"),
    ],
)
def test_the_network_vouches_or_nobody_is_named(fake, ask, amr):
    fake.claims = {"amr": amr}

    assert ask().matched


@pytest.mark.parametrize(
    "amr", [["sms"], ["otp"], ["user"], ["NBA"], ["nba "], ["sim"], ["xnba"], "nba", 1]
)
def test_whoever_else_vouches_is_not_enough(fake, ask, amr):
    fake.claims = {"amr": amr}

    with pytest.raises(BadIdToken):
        ask()
    assert not fake.calls_to(VERIFY)


@pytest.mark.parametrize("acr", ["1", "0", "x", None])
def test_a_level_that_was_not_asked_for_does_not_disturb(fake, ask, acr):
    fake.claims = {"acr": acr}

    assert ask().matched


@pytest.mark.parametrize("id_token", [None, "", 5, {"sub": "pcr-1"}, ["a.b.c"]])
def test_an_id_token_must_come_with_a_code(fake, ask, id_token):
    fake.tokens = {"id_token": id_token}

    with pytest.raises(MalformedAnswer):
        ask()
    assert not fake.calls_to(VERIFY)


def test_the_issuer_is_the_one_of_the_table_and_no_slash_less(fake, ask):
    fake.claims = {"iss": fake.base_url + "/"}

    with pytest.raises(BadIdToken):
        ask()


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param(NUMBER, id="number"),
        pytest.param("447700900123", id="digits"),
        pytest.param("07700900123", id="as dialled at home"),
        pytest.param("00447700900123", id="as dialled abroad"),
        pytest.param("+44 7700 900123", id="with spaces"),
        pytest.param("+44-7700-900123", id="with dashes"),
        pytest.param("(07700) 900.123", id="with brackets"),
        pytest.param(f"tel:{NUMBER}", id="tel"),
        pytest.param(f"TEL:{NUMBER}", id="TEL"),
        pytest.param("tel:07700900123;phone-context=+44", id="tel with a context"),
        pytest.param("tel:+44-7700-900123", id="tel with dashes"),
        pytest.param(f"sip:{NUMBER}@ims.example", id="sip"),
        pytest.param("msisdn:447700900123", id="msisdn"),
        pytest.param(f"gb|{NUMBER}|1", id="amidst others"),
        pytest.param("tel:+447700900907", id="another number"),
        pytest.param("+447700900907", id="another number alone"),
        pytest.param("sip:+447700900907@ims.example", id="another number by sip"),
        pytest.param("234150000000001@nai.example", id="IMSI"),
        pytest.param("user-447700900999-x", id="amidst others, another one"),
        pytest.param("feed-447700900999", id="after hexadecimal letters"),
        pytest.param("user-07700900123@ims", id="as dialled at home, amidst others"),
        pytest.param(sha256(NUMBER), id="hash"),
        pytest.param(sha256(NUMBER).upper(), id="hash in capitals"),
        pytest.param(sha256("447700900123"), id="hash of the digits"),
        pytest.param(f"sha256:{sha256(NUMBER)}", id="hash, named"),
    ],
)
def test_a_subject_that_is_a_number_is_not_kept(fake, ask, subject):
    """The history would hold it; the profile forbids it."""
    fake.claims = {"sub": subject}

    assert ask() == Answer(True, "")


@pytest.mark.parametrize(
    "subject",
    [
        "pcr-1",
        "8f14e45f-ceea-467f-a1d2-2b0f2a1b9c3d",
        "12345678-1234-4234-8234-123456789012",
        "3f2504e04f8911d39a0c0305e82c3301",
        "a" * 64,
        "user@operator.example",
        "telephone",
        "1234",
        "Ωμέγα",
    ],
)
def test_a_pseudonym_is_kept_as_it_is(fake, ask, subject):
    fake.claims = {"sub": subject}

    assert ask() == Answer(True, subject)


@pytest.mark.parametrize(
    "published",
    [
        pytest.param([], id="none"),
        pytest.param([KEY.as_dict(private=False) | {"kid": "x"}], id="another kid"),
    ],
)
def test_there_is_no_answer_without_its_key(fake, ask, published):
    """Unlike Mobile Connect's, a description always says where the keys are."""
    fake.replies[JWKS] = Reply(body={"keys": published})

    with pytest.raises(BadIdToken):
        ask()
    assert not fake.calls_to(VERIFY)
