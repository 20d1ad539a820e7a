"""What the site knows of a person, for that person alone."""

import json

import pytest
from django.utils import timezone

from accounts.models import User
from numberverify.choices import Method, Purpose
from numberverify.models import RecoveryCode, Verification
from tests.accounts.steps import by_app, by_network, sign_in
from tests.factories import (
    ANN,
    KEY,
    PAPER,
    AuthenticatorFactory,
    DeviceFactory,
    RecoveryCodeFactory,
    UserFactory,
    VerificationFactory,
)

pytestmark = pytest.mark.django_db
EXPORT = "/accounts/export/"
SECRET_COLUMNS = {"password", "session_salt", "key", "salt", "nonce", "auth_hash"}


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


@pytest.fixture
def signed_in(browser, ann):
    return sign_in(browser, ann)


def export(browser, operator):
    by_network(browser, operator, EXPORT)
    return browser.submit(EXPORT, export="1")


def names_in(value):
    """All the names of a JSON value, however deep."""
    if isinstance(value, dict):
        return set(value).union(*map(names_in, value.values()))
    if isinstance(value, list):
        return set().union(*map(names_in, value))
    return set()


def test_the_page_takes_a_proof_first(signed_in):
    page = signed_in.get(EXPORT)

    assert "Confirm it's you to export your data" in page.text
    assert 'name="export"' not in page.text


def test_the_file_holds_what_is_known(signed_in, operator, ann):
    AuthenticatorFactory(user=ann)
    RecoveryCodeFactory(user=ann)
    RecoveryCodeFactory(user=ann, code="ZZZZ", used_at=timezone.now())
    past = VerificationFactory(user=ann, mismatched=True, purpose=Purpose.LOGIN)

    answer = export(signed_in, operator)

    known = json.loads(answer.content)
    assert answer["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert answer["Content-Type"] == "application/json"
    assert "no-store" in answer["Cache-Control"]
    assert (known["email"], known["phone"]) == ("ann@example.com", ANN)
    assert known["authenticator_app"] is True
    assert known["recovery_codes_unused"] == 1
    assert [each["user_agent"] for each in known["browsers"]] == ["Tests/1.0"]
    rows = {row["id"]: row for row in known["verifications"]}
    assert rows[str(past.pk)]["status"] == "mismatched"
    assert rows[str(past.pk)]["purpose"] == "login"


def test_a_person_without_a_number_has_a_file_too(browser):
    ben = UserFactory(email="ben@example.com")
    AuthenticatorFactory(user=ben)
    sign_in(browser, ben)

    by_app(browser, ben, EXPORT)
    known = json.loads(browser.submit(EXPORT, export="1").content)

    assert (known["email"], known["phone"]) == ("ben@example.com", "")


def test_the_file_holds_nobody_else_s_data(signed_in, operator):
    ben = UserFactory(email="ben@example.com", phone="+447700900456")
    theirs = VerificationFactory(user=ben, verified=True, msisdn="+447700900456")
    nobodys = VerificationFactory(verified=True, msisdn="+447700900456")
    DeviceFactory(user=ben, token="Ben's", user_agent="Ben's browser")

    text = export(signed_in, operator).text

    for foreign in ("ben@", "900456", "•456", str(theirs.pk), str(nobodys.pk), "Ben's"):
        assert foreign not in text


def test_the_file_holds_no_secret_digest_or_key(signed_in, operator, ann, settings):
    app = AuthenticatorFactory(user=ann)
    RecoveryCodeFactory(user=ann)
    text_message = VerificationFactory(
        user=ann,
        method=Method.SMS,
        code_digest=b"\xabcd" * 8,
        code_reference="reference",
        operator_subject="pcr-1",
        purpose=Purpose.LOGIN,
    )

    answer = export(signed_in, operator)

    names = names_in(json.loads(answer.content))
    assert not names & SECRET_COLUMNS
    assert not [name for name in names if "digest" in name or "fingerprint" in name]
    row = Verification.objects.get(pk=text_message.pk)
    secrets = [
        ann.password,
        ann.session_salt,
        app.key,
        KEY,
        PAPER,
        "nonce",
        "reference",
    ]
    secrets += [
        bytes(found).hex()
        for found in (
            RecoveryCode.objects.get().digest,
            row.code_digest,
            row.number_fingerprint,
            row.holder_digest,
            row.salt,
        )
    ]
    secrets += [signed_in.cookies[name].value for name in ("nv_known", "nv_binding")]
    assert [secret for secret in secrets if secret in answer.text] == []


def test_one_proof_is_one_file(signed_in, operator):
    export(signed_in, operator)

    again = signed_in.submit(EXPORT, export="1")

    assert "Confirm it's you" in again.text
    assert "attachment" not in again.get("Content-Disposition", "")


def test_without_a_proof_there_is_no_file(signed_in):
    page = signed_in.submit(EXPORT, export="1")

    assert "Content-Disposition" not in page
    assert ANN not in page.text


def test_looking_at_the_page_costs_no_proof(signed_in, operator):
    by_network(signed_in, operator, EXPORT)
    signed_in.get(EXPORT)

    assert Verification.objects.get().redeemed_at is None


def test_a_proof_for_something_else_opens_no_file(signed_in, operator):
    by_network(signed_in, operator, "/accounts/email/change/")

    assert "Content-Disposition" not in signed_in.submit(EXPORT, export="1")


def test_another_browser_of_the_same_person_has_no_proof(
    signed_in, operator, new_browser, ann
):
    by_network(signed_in, operator, EXPORT)
    other = sign_in(new_browser(), ann, token="another known browser")

    assert "Content-Disposition" not in other.submit(EXPORT, export="1")


def test_a_frozen_account_has_no_file(signed_in, operator, ann):
    by_network(signed_in, operator, EXPORT)
    token = signed_in.get(EXPORT).context["csrf_token"]
    User.objects.filter(pk=ann.pk).update(frozen_at=timezone.now())

    page = signed_in.post(EXPORT, {"export": "1", "csrfmiddlewaretoken": str(token)})

    assert "Sensitive actions are frozen" in page.text
    assert "Content-Disposition" not in page


def test_a_stranger_is_sent_to_login(browser):
    assert browser.get(EXPORT)["Location"] == f"/accounts/login/?next={EXPORT}"
