"""Codes that a person types: what lets in, what costs a try, what is told."""

import re
from hashlib import sha256
from typing import ClassVar

import pytest
from django.utils import timezone

from numberverify import codes, flow, policy
from numberverify.choices import Method, Reason, Status
from numberverify.errors import SmsNotSent
from numberverify.factors import recovery, sms
from numberverify.models import RecoveryCode, Verification
from tests.factories import ANN, BINDING, UserFactory
from tests.numberverify.typed import (
    app_of,
    later,
    opened,
    proof_of,
    shown_by,
    texted,
    tries,
    way_for,
    wrong,
)

pytestmark = pytest.mark.django_db
BEN = "+447700900456"
COUNTED = [Method.SMS, Method.RECOVERY_CODE]


class NoSms(sms.SmsBackend):
    """An operator that takes no message."""

    def send(self, msisdn, text):
        raise SmsNotSent


class OperatorsCodes(sms.SmsBackend):
    """An operator that makes the codes and checks them itself."""

    makes_codes = True
    sent: ClassVar[list[str]] = []
    asked: ClassVar[list[tuple[str, str]]] = []
    is_down = False

    def send_code(self, msisdn, text):
        self.sent.append(text)
        return f"reference-{len(self.sent)}"

    def check_code(self, reference, code):
        if OperatorsCodes.is_down:
            raise SmsNotSent
        self.asked.append((reference, code))
        return (reference, code) == (f"reference-{len(self.sent)}", "424242")


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


@pytest.fixture
def holder(client):
    client.cookies["nv_binding"] = BINDING
    return client


@pytest.fixture
def operators_codes(settings):
    settings.SMS_BACKEND = f"{__name__}.OperatorsCodes"
    OperatorsCodes.sent.clear()
    OperatorsCodes.asked.clear()
    yield OperatorsCodes
    OperatorsCodes.is_down = False


def type_at(client, row, code):
    """Type the code at the row's own page; return the page that answers."""
    return client.post(f"/verify/{row.pk}/", {"code": code}, follow=True)


def state_of(row):
    row.refresh_from_db()
    return row.status, row.reason


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


# Sent again


def send_again(client, row):
    return client.post(f"/verify/{row.pk}/", {"resend": "1"}, follow=True)


def test_within_30_seconds_nothing_is_sent_again(holder, ann):
    row = opened(ann, Method.SMS)

    with later(seconds=20):
        page = send_again(holder, row)

    assert re.search(r"You can ask for a new code in (9|10|11) seconds", page.text)
    assert len(sms.outbox) == 1


def test_after_30_seconds_a_new_code_takes_the_old_ones_place(holder, ann):
    row = opened(ann, Method.SMS)
    old = texted()

    with later(seconds=31):
        page = send_again(holder, row)

        assert "A new code is on its way" in page.text
        assert old == texted() or not tries(row, old).right
        assert tries(row, texted()).right


def test_a_new_code_brings_no_new_tries(ann):
    row = opened(ann, Method.SMS)
    for _ in range(4):
        tries(row, wrong(texted()))
    row.refresh_from_db()

    with later(seconds=31):
        assert codes.resend(row) == 0
        assert tries(row, wrong(texted())).left == 0

    assert state_of(row) == (Status.REFUSED, Reason.WRONG_CODES)


def test_a_new_code_lives_ten_minutes_of_its_own(ann):
    row = opened(ann, Method.SMS)
    with later(minutes=9):
        codes.resend(row)

    with later(minutes=18):
        assert tries(row, texted()).right


def test_a_recovery_code_is_not_sent_again(holder, ann):
    way_for(ann, Method.RECOVERY_CODE)
    row = opened(ann, Method.RECOVERY_CODE)

    send_again(holder, row)

    assert not sms.outbox
    assert state_of(row) == (Status.PENDING, "")


# Nobody takes the message


def test_a_message_that_nobody_takes_means_could_not_tell(holder, ann, settings):
    settings.SMS_BACKEND = f"{__name__}.NoSms"

    row = opened(ann, Method.SMS)

    assert state_of(row) == (Status.UNAVAILABLE, Reason.SMS_NOT_SENT)
    assert row.number == ""
    page = holder.get(f"/verify/{row.pk}/")
    assert "The text message could not be sent" in page.text


def test_a_new_code_that_nobody_takes_is_not_said_to_be_on_its_way(
    holder, ann, settings
):
    row = opened(ann, Method.SMS)
    settings.SMS_BACKEND = f"{__name__}.NoSms"

    with later(seconds=31):
        page = send_again(holder, row)

    assert "The text message could not be sent" in page.text
    assert "on its way" not in page.text


def test_without_a_backend_sms_is_not_open(ann, settings):
    settings.SMS_BACKEND = ""

    assert opened(ann, Method.SMS).reason == Reason.METHOD_CLOSED


def test_a_number_gets_five_messages_an_hour_for_strangers(ann):
    for n in range(5):
        opened(None, Method.SMS, purpose="signup", binding=f"browser {n}")

    sixth = opened(None, Method.SMS, purpose="signup", binding="browser 6")

    assert sixth.reason == Reason.METHOD_CLOSED
    assert len(sms.outbox) == policy.MOST_CODES == 5
    assert opened(None, Method.SMS, purpose="signup", msisdn=BEN).reason == ""
    # Whoever has the account gets theirs all the same.
    assert opened(ann, Method.SMS).reason == ""
    with later(minutes=71):
        assert opened(None, Method.SMS, purpose="signup").reason == ""


def test_messages_that_were_of_use_do_not_count(ann):
    for _ in range(7):
        assert tries(opened(ann, Method.SMS), texted()).right


def test_messages_sent_again_count_among_the_five(holder, ann):
    row = opened(ann, Method.SMS)
    for n in range(1, 5):
        with later(seconds=31 * n):
            send_again(holder, row)

    with later(seconds=31 * 5):
        page = send_again(holder, row)

    assert len(sms.outbox) == 5
    assert "has had all its text messages for the hour" in page.text
    assert state_of(row) == (Status.PENDING, "")


# An operator that makes the codes and checks them


def test_the_operators_own_code_is_checked_by_the_operator(ann, operators_codes):
    row = opened(ann, Method.SMS)

    assert operators_codes.sent[0].endswith("@testserver #{{code}}")
    assert (row.code_reference, bytes(row.code_digest)) == ("reference-1", b"")
    assert tries(row, "111111").left == 4
    assert tries(row, "424242").right
    assert operators_codes.asked == [
        ("reference-1", "111111"),
        ("reference-1", "424242"),
    ]


def test_the_operator_is_not_asked_more_than_five_times(ann, operators_codes):
    row = opened(ann, Method.SMS)
    for _ in range(5):
        tries(row, "111111")

    assert not tries(row, "424242").right
    assert len(operators_codes.asked) == 5
    assert state_of(row) == (Status.REFUSED, Reason.WRONG_CODES)


def test_an_operator_that_cannot_be_asked_costs_no_try(holder, ann, operators_codes):
    row = opened(ann, Method.SMS)
    operators_codes.is_down = True

    page = type_at(holder, row, "424242")

    assert "Nobody could check the code just now" in page.text
    assert Verification.objects.get(pk=row.pk).tries == 0
    operators_codes.is_down = False
    assert tries(row, "424242").right


def test_the_operators_new_code_has_a_new_reference(ann, operators_codes):
    row = opened(ann, Method.SMS)

    with later(seconds=31):
        codes.resend(row)
        row.refresh_from_db()

        assert (row.code_reference, row.sends) == ("reference-2", 2)
        assert tries(row, "424242").right


# An authenticator app


def test_a_used_step_is_refused_for_ever(ann):
    app = app_of(ann)
    code = shown_by(app)
    assert tries(opened(ann, Method.TOTP), code).right

    assert not tries(opened(ann, Method.TOTP, known=True), code).right
    app.refresh_from_db()
    app.throttle_reset()
    assert not tries(opened(ann, Method.TOTP), code).right


def test_the_step_before_a_used_one_is_refused_as_well(ann):
    app = app_of(ann)
    earlier = shown_by(app)
    with later(seconds=30):
        assert tries(opened(ann, Method.TOTP), shown_by(app)).right
        assert not tries(opened(ann, Method.TOTP), earlier).right

    with later(seconds=60):
        assert tries(opened(ann, Method.TOTP), shown_by(app)).right


def test_wrong_codes_of_the_app_count_like_others(holder, ann):
    app = app_of(ann)
    row = opened(ann, Method.TOTP)

    left = [tries(row, wrong(shown_by(app))).left for _ in range(5)]

    assert left == [4, 3, 2, 1, 0]
    assert state_of(row) == (Status.REFUSED, Reason.WRONG_CODES)
    assert not tries(row, shown_by(app)).right
    assert tries(opened(ann, Method.TOTP, known=True), shown_by(app)).right


@pytest.mark.parametrize("method", COUNTED)
def test_after_a_hundred_wrong_codes_in_a_row_the_way_is_closed(ann, method):
    way_for(ann, method)
    for n in range(20):
        with later(days=n):
            row = opened(ann, method)
            Verification.objects.filter(pk=row.pk).update(tries=5)

    with later(days=30):
        assert opened(ann, method).reason == Reason.METHOD_CLOSED
        known = opened(ann, method, known=True)
        Verification.objects.filter(pk=known.pk).right_code(now=timezone.now())
        assert opened(ann, method).reason == ""


def test_the_app_of_somebody_else_opens_nothing(ann):
    app_of(ann)
    bens = app_of(UserFactory())

    assert not tries(opened(ann, Method.TOTP), shown_by(bens)).right


def test_one_code_of_the_app_settles_one_row(ann):
    app = app_of(ann)
    rows = [opened(ann, Method.TOTP, known=known) for known in (True, False)]

    right = [tries(row, shown_by(app)).right for row in rows]

    assert right == [True, False]
    assert [state_of(row)[0] for row in rows] == [Status.VERIFIED, Status.PENDING]


def test_an_app_that_was_removed_meanwhile_opens_nothing(ann):
    app = app_of(ann)
    row = opened(ann, Method.TOTP)
    code = shown_by(app)
    app.delete()

    assert not tries(row, code).right
    assert opened(ann, Method.TOTP).reason == Reason.METHOD_CLOSED


def test_an_app_that_was_never_confirmed_is_none(ann):
    app = app_of(ann)
    app.confirmed = False
    app.save()

    assert opened(ann, Method.TOTP).reason == Reason.METHOD_CLOSED


# Recovery codes


def test_there_are_ten_of_80_bits_of_which_hmacs_stay(ann):
    made = recovery.make(ann)
    kept = {bytes(row.digest) for row in RecoveryCode.objects.filter(user=ann)}

    assert len(set(made)) == len(kept) == 10
    assert len(recovery.ALPHABET) == 32
    for code in made:
        assert re.fullmatch(rf"([{recovery.ALPHABET}]{{4}}-){{3}}.{{4}}", code)
        plain = code.replace("-", "")
        assert not kept & {sha256(c.encode()).digest() for c in (code, plain)}


@pytest.mark.parametrize(
    "as_typed",
    [
        pytest.param(str.lower, id="lower case"),
        pytest.param(lambda code: code.replace("-", ""), id="no hyphens"),
        pytest.param(lambda code: code.replace("-", " "), id="spaces"),
        pytest.param(lambda code: f"  {code} ", id="spaces around"),
        pytest.param(lambda code: code.replace("0", "O"), id="O for 0"),
        pytest.param(lambda code: code.replace("1", "l"), id="l for 1"),
        pytest.param(lambda code: code.replace("1", "I"), id="I for 1"),
    ],
)
def test_a_recovery_code_is_read_as_it_was_meant(holder, ann, monkeypatch, as_typed):
    others = "".join(letter * recovery.LENGTH for letter in "GHJKMNPQR")
    digits = iter("0123456789ABCDEF" + others)
    with monkeypatch.context() as patched:
        patched.setattr("secrets.choice", lambda among: next(digits))
        code = recovery.make(ann)[0]
    row = opened(ann, Method.RECOVERY_CODE)

    type_at(holder, row, as_typed(code))

    assert state_of(row) == (Status.VERIFIED, "")


@pytest.mark.parametrize("typed", ["", "ABCD", "A" * 15, "A" * 17, "U" * 16, "é" * 16])
def test_what_is_no_recovery_code_costs_no_try(holder, ann, typed):
    recovery.make(ann)
    row = opened(ann, Method.RECOVERY_CODE)

    page = type_at(holder, row, typed)

    assert page.context["form"].errors["code"]
    assert Verification.objects.get(pk=row.pk).tries == 0


def test_a_recovery_code_is_spent_once(ann):
    code, other = recovery.make(ann)[:2]
    assert tries(opened(ann, Method.RECOVERY_CODE), code).right

    assert recovery.left(ann.pk) == 9
    assert not tries(opened(ann, Method.RECOVERY_CODE), code).right
    assert tries(opened(ann, Method.RECOVERY_CODE), other).right


def test_a_new_set_replaces_the_old(ann):
    old = recovery.make(ann)[0]
    new = recovery.make(ann)[0]

    assert recovery.left(ann.pk) == 10
    assert not tries(opened(ann, Method.RECOVERY_CODE), old).right
    assert tries(opened(ann, Method.RECOVERY_CODE), new).right


def test_the_codes_of_somebody_else_open_nothing(ann):
    recovery.make(ann)
    bens = recovery.make(UserFactory())[0]

    assert not tries(opened(ann, Method.RECOVERY_CODE), bens).right


def test_a_recovery_code_outlives_a_new_key(ann, settings):
    code = recovery.make(ann)[0]
    settings.NV_FINGERPRINT_KEYS = ["a newer key", *settings.NV_FINGERPRINT_KEYS]

    assert tries(opened(ann, Method.RECOVERY_CODE), code).right


def test_with_all_codes_spent_the_way_is_closed(ann):
    for code in recovery.make(ann):
        assert tries(opened(ann, Method.RECOVERY_CODE), code).right

    assert opened(ann, Method.RECOVERY_CODE).reason == Reason.METHOD_CLOSED


def test_a_code_that_is_typed_in_another_browser_is_not_looked_at(client, ann):
    row = opened(ann, Method.SMS)
    client.cookies["nv_binding"] = "another browser"

    assert type_at(client, row, texted()).status_code == 404
    client.force_login(ann)
    type_at(client, row, texted())
    assert state_of(row) == (Status.PENDING, "")
