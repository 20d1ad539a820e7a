"""Codes that a person types: what lets in, what costs a try, what is told."""

import re
from hashlib import sha256

import pytest

from numberverify import flow
from numberverify.choices import Method, Reason, Status
from numberverify.factors import sms
from tests.factories import ANN, BINDING, UserFactory
from tests.numberverify.typed import (
    later,
    opened,
    proof_of,
    shown_by,
    state_of,
    texted,
    tries,
    type_at,
    way_for,
    wrong,
)

pytestmark = pytest.mark.django_db
BEN = "+447700900456"
COUNTED = [Method.SMS, Method.RECOVERY_CODE]


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


@pytest.fixture
def holder(client):
    client.cookies["nv_binding"] = BINDING
    return client


# What is kept and what is sent


def test_a_text_message_has_six_digits_of_which_the_row_keeps_an_hmac(ann):
    row = opened(ann, Method.SMS)
    code = texted()

    assert re.fullmatch(r"[0-9]{6}", code)
    kept = [str(value) for value in vars(row).values()]
    assert not any(code in value for value in kept if "-" not in value)
    digest = bytes(row.code_digest)
    assert len(digest) == 32
    assert digest != sha256(code.encode()).digest()


def test_equal_codes_leave_different_digests(ann, monkeypatch):
    monkeypatch.setattr("secrets.randbelow", lambda below: 42)
    first = bytes(opened(ann, Method.SMS).code_digest)

    assert texted() == "000042"
    assert bytes(opened(ann, Method.SMS).code_digest) != first


@pytest.mark.parametrize(
    ("site_url", "host"),
    [
        ("https://bank.example", "bank.example"),
        ("https://bank.example:8443", "bank.example"),
        ("http://127.0.0.1:8000", "127.0.0.1"),
        pytest.param(
            "http://[::1]:8000",
            "[::1]",
        ),
    ],
)
def test_the_last_line_binds_the_code_to_our_host(ann, settings, site_url, host):
    settings.SITE_URL = site_url

    opened(ann, Method.SMS)

    *_, blank, last = sms.outbox[-1].text.split("\n")
    assert (blank, last) == ("", f"@{host} #{texted()}")


def test_the_message_goes_to_the_number_and_names_the_site(ann, settings):
    settings.NV_SITE_NAME = "Bank of Ann"

    opened(ann, Method.SMS)

    message = sms.outbox[-1]
    assert message.msisdn.e164 == ANN
    assert message.text.startswith(f"{texted()} is your Bank of Ann security code.")


def test_the_console_prints_it_and_a_file_holds_it(ann, settings, tmp_path, capsys):
    settings.SMS_BACKEND = "numberverify.factors.sms.ConsoleBackend"
    opened(ann, Method.SMS)
    settings.SMS_BACKEND = "numberverify.factors.sms.FileBackend"
    settings.SMS_FILE_PATH = str(tmp_path / "sent")
    opened(ann, Method.SMS)

    assert re.search(r"@testserver #[0-9]{6}\n", capsys.readouterr().out)
    (file,) = (tmp_path / "sent").iterdir()
    assert re.match(rf"To: \{ANN}\n\n[0-9]{{6}} is", file.read_text("utf-8"))


def test_a_folder_that_takes_no_file_means_could_not_tell(ann, settings, tmp_path):
    (tmp_path / "file").write_text("")
    settings.SMS_BACKEND = "numberverify.factors.sms.FileBackend"
    settings.SMS_FILE_PATH = str(tmp_path / "file")

    row = opened(ann, Method.SMS)

    assert state_of(row) == (Status.UNAVAILABLE, Reason.SMS_NOT_SENT)


# Right


@pytest.mark.parametrize("method", [Method.SMS, Method.TOTP, Method.RECOVERY_CODE])
def test_the_right_code_is_a_receipt_once(ann, method):
    right = way_for(ann, method)
    row = opened(ann, method)
    code = right()

    assert tries(row, code).right
    assert not tries(row, code).right
    assert flow.find_receipt(proof_of(row)).method == method
    row.refresh_from_db()
    assert (row.number, bytes(row.code_digest)) == ("", b"")


@pytest.mark.parametrize(
    "written",
    ["{0}{1}", " {0} {1} ", "{0}-{1}", "{0}.{1}", "{0}\u00a0{1}", "{0}\t{1}\n"],
)
def test_a_code_with_spaces_passes(holder, ann, written):
    row = opened(ann, Method.SMS)
    code = texted()

    type_at(holder, row, written.format(code[:3], code[3:]))

    assert state_of(row) == (Status.VERIFIED, "")


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "12345",
        "1234567",
        "12345a",
        "١٢٣٤٥٦",
        "12345６",
        "-123456e",
        "x" * 101,
    ],
)
@pytest.mark.parametrize("method", [Method.SMS, Method.TOTP])
def test_what_is_no_code_costs_no_try(holder, ann, method, typed):
    way_for(ann, method)
    row = opened(ann, method)

    page = type_at(holder, row, typed)

    row.refresh_from_db()
    assert page.context["form"].errors["code"]
    assert (row.tries, row.status) == (0, Status.PENDING)


def test_a_right_code_gives_the_tries_back(ann):
    for _ in range(3):
        row = opened(ann, Method.SMS)
        for left in (4, 3, 2, 1):
            assert tries(row, wrong(texted())).left == left
        assert tries(row, texted()).right
        sms.outbox.clear()


def test_a_newer_message_takes_the_place_of_the_one_before(holder, ann):
    old = opened(ann, Method.SMS)
    first = texted()
    new = opened(ann, Method.SMS)

    page = type_at(holder, old, first)

    assert "A newer code took its place" in page.text
    assert state_of(old) == (Status.EXPIRED, Reason.REPLACED)
    assert tries(new, texted()).right


# Wrong


@pytest.mark.parametrize("method", COUNTED)
def test_a_wrong_code_says_how_many_tries_are_left(holder, ann, method):
    way_for(ann, method)
    row = opened(ann, method)
    typed = wrong(texted()) if method == Method.SMS else "0" * 16

    said = [type_at(holder, row, typed).text for _ in range(5)]

    for left, text in zip(
        ("4 tries", "3 tries", "2 tries", "1 try"), said, strict=False
    ):
        assert f"You have {left} left." in text
    assert "Too many wrong codes" in said[4]
    assert state_of(row) == (Status.REFUSED, Reason.WRONG_CODES)


@pytest.mark.parametrize("method", COUNTED)
def test_after_five_wrong_codes_the_right_one_does_not_count(ann, method):
    right = way_for(ann, method)
    row = opened(ann, method)
    code = right()
    for _ in range(5):
        tries(row, wrong(code) if method == Method.SMS else "0" * 16)

    assert not tries(row, code).right
    assert flow.find_receipt(proof_of(row)) is None


@pytest.mark.parametrize("method", COUNTED)
def test_a_new_row_has_the_tries_that_are_left(ann, method):
    way_for(ann, method)
    typed = "0" * 16 if method == Method.RECOVERY_CODE else "000000"
    left = []
    for _ in range(4):
        row = opened(ann, method)
        if method == Method.SMS:
            typed = wrong(texted())
        left.append(tries(row, typed).left)

    row = opened(ann, method)
    tries(row, wrong(texted()) if method == Method.SMS else typed)

    assert left == [4, 3, 2, 1]
    assert state_of(row) == (Status.REFUSED, Reason.WRONG_CODES)
    assert state_of(opened(ann, method)) == (Status.UNAVAILABLE, Reason.METHOD_CLOSED)


@pytest.mark.parametrize("method", COUNTED)
def test_the_tries_are_the_accounts_whatever_they_are_for(ann, method):
    way_for(ann, method)
    left = []
    for purpose in ("login", "password_reset", "password_change", "step_up"):
        row = opened(ann, method, purpose=purpose, binding=f"browser of {purpose}")
        typed = wrong(texted()) if method == Method.SMS else "0" * 16
        left.append(tries(row, typed).left)

    assert left == [4, 3, 2, 1]


@pytest.mark.parametrize("method", COUNTED)
def test_a_way_closed_by_wrong_codes_opens_after_an_hour(ann, method):
    right = way_for(ann, method)
    row = opened(ann, method)
    for _ in range(5):
        tries(row, wrong(texted()) if method == Method.SMS else "0" * 16)

    with later(minutes=59):
        assert opened(ann, method).reason == Reason.METHOD_CLOSED
    with later(minutes=61):
        assert tries(opened(ann, method), right()).right


@pytest.mark.parametrize("method", COUNTED)
def test_a_stranger_does_not_use_up_the_tries_of_a_known_browser(ann, method):
    right = way_for(ann, method)
    row = opened(ann, method, binding="a stranger's")
    for _ in range(5):
        tries(row, wrong(texted()) if method == Method.SMS else "0" * 16)

    assert tries(opened(ann, method, known=True), right()).right


def test_a_code_of_one_row_opens_no_other(ann):
    mine = opened(ann, Method.SMS, known=True)
    code = texted()
    other = opened(UserFactory(phone=BEN), Method.SMS, msisdn=BEN)

    assert not tries(other, code).right
    assert tries(mine, code).right


# Late


@pytest.mark.parametrize(
    "method", [Method.SMS, Method.TOTP, Method.RECOVERY_CODE], ids=str
)
def test_a_late_code_says_so_and_offers_a_new_one(holder, ann, method):
    right = way_for(ann, method)
    row = opened(ann, method)
    code = right()

    with later(minutes=10, seconds=1):
        page = type_at(holder, row, shown_by_now(ann) or code)

    assert "This check has run out" in page.text
    assert str(method) in [way["value"] for way in page.context["ways"]]
    assert state_of(row) == (Status.EXPIRED, "")


def shown_by_now(user):
    app = user.totpdevice_set.first()
    return app and shown_by(app)


@pytest.mark.parametrize("method", [Method.SMS, Method.TOTP, Method.RECOVERY_CODE])
def test_a_row_that_nobody_has_swept_yet_takes_no_late_code(ann, method):
    right = way_for(ann, method)
    row = opened(ann, method)

    with later(minutes=10, seconds=1):
        assert not tries(row, right()).right

    assert state_of(row) == (Status.PENDING, "")


def test_a_code_is_good_until_the_last_second(ann):
    row = opened(ann, Method.SMS)

    with later(minutes=9, seconds=59):
        assert tries(row, texted()).right
