"""SIM Swap and Number Recycling: yes, no, and what cannot be known."""

import typing
from datetime import date

import pytest

from numberverify.errors import (
    MalformedAnswer,
    NotTheirNumber,
    OperatorError,
    OperatorRefused,
    OperatorUnreachable,
)
from numberverify.msisdn import Msisdn
from numberverify.operators import oidc
from numberverify.operators.base import Told
from numberverify.operators.camara import Camara
from numberverify.operators.siblings import number_recycled, send_code, sim_swapped
from tests.fake_camara import (
    DISCOVERY,
    RECYCLING,
    SEND_CODE,
    SIM_SWAP,
    TOKEN,
    VERIFY,
)
from tests.fake_operator import Reply

NUMBER = Msisdn("+447700900123")
SINCE = date(2026, 2, 1)
OUT_OF_RANGE = Reply(400, {"status": 400, "code": "OUT_OF_RANGE", "message": "m"})


def swapped(camara, within, hours=72) -> Told:
    return sim_swapped(camara, NUMBER, hours=hours, within=within)


def recycled(camara, within) -> Told:
    return number_recycled(camara, NUMBER, since=SINCE, within=within)


def sent(camara, within) -> str:
    return send_code(camara, NUMBER, "{{code}}", within)


EACH = pytest.mark.parametrize(
    ("call", "path", "member"),
    [
        pytest.param(swapped, SIM_SWAP, "swapped", id="swap"),
        pytest.param(recycled, RECYCLING, "phoneNumberRecycled", id="recycling"),
    ],
)


@pytest.mark.parametrize(("flag", "told"), [(True, Told.YES), (False, Told.NO)])
def test_yes_and_no_are_told(fake, camara, within, flag, told):
    fake.flags = {"swapped": flag, "recycled": flag}

    assert swapped(camara, within) is told
    assert recycled(camara, within) is told


def test_exactly_this_is_asked(fake, camara, within):
    swapped(camara, within, hours=72)
    recycled(camara, within)

    (swap,), (recycling,) = fake.calls_to(SIM_SWAP), fake.calls_to(RECYCLING)
    assert swap.json == {"phoneNumber": NUMBER.e164, "maxAge": 72}
    assert recycling.json == {
        "phoneNumber": NUMBER.e164,
        "specifiedDate": "2026-02-01",
    }
    assert (swap.method, recycling.method) == ("POST", "POST")


@EACH
@pytest.mark.parametrize(
    "value", ["true", "false", "", 1, 0, None, [True], {"value": True}]
)
def test_what_is_neither_true_nor_false_is_no_answer(
    fake, camara, within, call, path, member, value
):
    fake.replies[path] = Reply(body={member: value})

    with pytest.raises(MalformedAnswer):
        call(camara, within)


@EACH
@pytest.mark.parametrize(
    "body",
    [
        {},
        [{"swapped": False, "phoneNumberRecycled": False}],
        {"devicePhoneNumberVerified": False},
        {"latestSimChange": None},
        b"",
        b"false",
    ],
    ids=str,
)
def test_an_answer_without_it_is_none(fake, camara, within, call, path, member, body):
    fake.replies[path] = Reply(body=body)

    with pytest.raises(MalformedAnswer):
        call(camara, within)


@EACH
@pytest.mark.parametrize(
    ("status", "code", "raised"),
    [
        (404, "IDENTIFIER_NOT_FOUND", NotTheirNumber),
        (404, "NOT_FOUND", NotTheirNumber),
        (422, "SERVICE_NOT_APPLICABLE", NotTheirNumber),
        (404, "", OperatorRefused),
        (422, "MISSING_IDENTIFIER", OperatorRefused),
        (400, "INVALID_ARGUMENT", OperatorRefused),
        (403, "PERMISSION_DENIED", OperatorRefused),
        (429, "QUOTA_EXCEEDED", OperatorRefused),
        (201, "", OperatorRefused),
        (503, "IDENTIFIER_NOT_FOUND", OperatorUnreachable),
    ],
)
@pytest.mark.parametrize("said", [True, False])
def test_a_refusal_is_told_by_its_code(
    fake, camara, within, call, path, member, status, code, raised, said
):
    fake.replies[path] = Reply(status, {"code": code, member: said})

    with pytest.raises(OperatorError) as caught:
        call(camara, within)
    assert type(caught.value) is raised


@EACH
def test_a_token_that_was_not_sold_says_nothing_of_the_number(
    fake, camara, within, call, path, member
):
    fake.replies[TOKEN] = Reply(404, {"code": "NOT_FOUND"})

    with pytest.raises(OperatorRefused):
        call(camara, within)
    assert not fake.calls_to(path)


class NoFurtherBack:
    """An operator that may look back ten days and no more."""

    def __init__(self, fake, swapped: object) -> None:
        self.truth = fake.answer
        self.swapped = swapped

    def __call__(self, call) -> Reply:
        if call.path != SIM_SWAP:
            return self.truth(call)
        return (
            OUT_OF_RANGE
            if call.json["maxAge"] > 240
            else Reply(body={"swapped": self.swapped})
        )


@pytest.mark.parametrize(
    ("lately", "told"), [(True, Told.YES), (False, Told.UNKNOWN)], ids=["yes", "no"]
)
@pytest.mark.parametrize("hours", [241, 720, 2400])
def test_who_looks_back_no_further_is_asked_about_ten_days(
    fake, camara, within, monkeypatch, hours, lately, told
):
    """Its yes holds for the longer time as well, its no does not."""
    monkeypatch.setattr(fake, "answer", NoFurtherBack(fake, lately))

    assert swapped(camara, within, hours=hours) is told

    asked = fake.calls_to(SIM_SWAP)
    assert [call.json["maxAge"] for call in asked] == [hours, 240]
    assert len({call.headers["Authorization"] for call in asked}) == 2


def test_the_second_answer_is_read_as_strictly(fake, camara, within, monkeypatch):
    monkeypatch.setattr(fake, "answer", NoFurtherBack(fake, "false"))

    with pytest.raises(MalformedAnswer):
        swapped(camara, within, hours=720)


@pytest.mark.parametrize(
    ("hours", "calls"), [(1, 1), (239, 1), (240, 1), (241, 2), (2400, 2)]
)
def test_who_does_not_look_back_at_all_has_refused(fake, camara, within, hours, calls):
    fake.replies[SIM_SWAP] = OUT_OF_RANGE

    with pytest.raises(OperatorRefused) as caught:
        swapped(camara, within, hours=hours)
    assert caught.value.said == "OUT_OF_RANGE"
    assert len(fake.calls_to(SIM_SWAP)) == calls


def test_another_refusal_is_not_asked_again(fake, camara, within):
    fake.replies[SIM_SWAP] = Reply(400, {"code": "INVALID_ARGUMENT"})

    with pytest.raises(OperatorRefused):
        swapped(camara, within, hours=2400)
    assert len(fake.calls_to(SIM_SWAP)) == 1


@pytest.mark.parametrize("code", ["OUT_OF_RANGE", "INVALID_ARGUMENT"])
def test_a_date_that_is_out_of_range_is_a_refusal(fake, camara, within, code):
    fake.replies[RECYCLING] = Reply(400, {"code": code})

    with pytest.raises(OperatorRefused):
        recycled(camara, within)
    assert len(fake.calls_to(RECYCLING)) == 1


@pytest.mark.parametrize(
    ("call", "path", "scope"),
    [
        (swapped, SIM_SWAP, "sim-swap:check"),
        (recycled, RECYCLING, "number-recycling:check"),
        (sent, SEND_CODE, "one-time-password-sms:send-validate"),
    ],
)
@pytest.mark.parametrize(
    ("table", "spelled"),
    [
        ("openid dpv:ServiceProvision number-verification:verify", "{} {}"),
        ("number-verification:verify dpv:ServiceProvision openid", "{} {}"),
        ("openid dpv:ServiceProvision#number-verification:verify", "{}#{}"),
    ],
    ids=["apart", "in another order", "joined"],
)
def test_each_call_has_a_token_of_our_own_for_its_scope(
    fake, read, within, call, path, scope, table, spelled
):
    camara = Camara(read(**fake.with_siblings(scope=table)))

    for _ in range(3):
        call(camara, within)

    bought, used = fake.calls_to(TOKEN), fake.calls_to(path)
    assert [call.path for call in fake.calls] == [DISCOVERY, *[TOKEN, path] * 3]
    assert len({call.headers["Authorization"] for call in used}) == 3
    for sale in bought:
        assert sale.form["grant_type"] == "client_credentials"
        assert sale.form["scope"] == spelled.format("dpv:ServiceProvision", scope)
        assert set(sale.form) == {
            "grant_type",
            "scope",
            "client_assertion_type",
            "client_assertion",
        }


@pytest.mark.parametrize("call", [swapped, recycled, sent])
def test_a_secret_serves_as_well_as_a_key(fake, read, within, call):
    basic = {"client_auth": "client_secret_basic", "client_secret": "s3cret"}
    camara = Camara(read(**fake.with_siblings(private_key=None, **basic)))

    assert call(camara, within)
    (sale,) = fake.calls_to(TOKEN)
    assert set(sale.form) == {"grant_type", "scope"}
    assert sale.headers["Authorization"].startswith("Basic ")


@pytest.mark.parametrize("call", [swapped, recycled, sent])
def test_no_network_proof_comes_of_it(fake, camara, within, call):
    call(camara, within)

    assert not fake.calls_to(VERIFY)
    assert not [call for call in fake.calls if "code" in call.form]


def test_a_token_of_ours_cannot_ask_for_a_match():
    """By its type; mypy sees to it."""
    asked_with = typing.get_type_hints(Camara.put)["token"]

    assert asked_with is oidc.SubscriberToken
    assert not issubclass(oidc.ClientToken, oidc.SubscriberToken)
    assert typing.get_type_hints(oidc.client_token)["return"] is oidc.ClientToken
