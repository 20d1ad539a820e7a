"""What the admin never does: change the history, or show a key."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django_otp.plugins.otp_totp.models import TOTPDevice

from numberverify import conf
from numberverify.choices import Method, Status
from numberverify.models import RecoveryCode, Verification
from numberverify.msisdn import Msisdn
from tests.factories import (
    ANN,
    KEY,
    AuthenticatorFactory,
    RecoveryCodeFactory,
    UserFactory,
    VerificationFactory,
)

pytestmark = pytest.mark.django_db
HISTORY = "/admin/numberverify/verification/"


@pytest.fixture
def staff(client):
    client.force_login(UserFactory(staff=True))
    return client


def test_the_plain_number_is_nowhere_in_a_settled_row():
    row = VerificationFactory(verified=True)

    stored = str(Verification.objects.filter(pk=row.pk).values_list().get())
    assert ANN[1:] not in stored
    assert bytes(row.number_fingerprint) in conf.fingerprints(Msisdn(ANN))


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("page", ["add/", "{pk}/delete/"])
def test_nobody_adds_or_deletes_a_row(staff, method, page):
    row = VerificationFactory(verified=True)

    answer = getattr(staff, method)(HISTORY + page.format(pk=row.pk))

    assert answer.status_code == 403
    assert Verification.objects.count() == 1


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_nobody_changes_a_row(staff, method):
    row = VerificationFactory(mismatched=True)

    answer = getattr(staff, method)(
        f"{HISTORY}{row.pk}/change/", {"status": "verified"}
    )

    assert answer.status_code == 403
    assert Verification.objects.get().status == Status.MISMATCHED
    assert "_save" not in staff.get(f"{HISTORY}{row.pk}/change/").text


def test_there_are_no_bulk_actions(staff):
    row = VerificationFactory(mismatched=True)

    staff.post(HISTORY, {"action": "delete_selected", "_selected_action": [row.pk]})

    assert Verification.objects.count() == 1
    assert 'name="action"' not in staff.get(HISTORY).text


def test_the_history_needs_its_permission(client):
    user, row = UserFactory(is_staff=True), VerificationFactory(verified=True)
    client.force_login(user)
    pages = [HISTORY, f"{HISTORY}{row.pk}/change/"]
    assert [client.get(page).status_code for page in pages] == [403, 403]
    assert client.post(HISTORY, {"q": ANN}).status_code == 403

    user.user_permissions.add(Permission.objects.get(codename="view_verification"))
    assert [client.get(page).status_code for page in pages] == [200, 200]


@pytest.mark.parametrize("path", ["", "{pk}/change/"])
def test_an_anonymous_visitor_is_sent_to_the_login(client, path):
    row = VerificationFactory(verified=True)

    answer = client.get(HISTORY + path.format(pk=row.pk))

    assert answer.status_code == 302
    assert "/login/" in answer["Location"]


@pytest.mark.parametrize("model", [TOTPDevice, RecoveryCode])
def test_keys_and_codes_have_no_page(model):
    assert model not in admin.site._registry


@pytest.mark.parametrize("path", ["", "add/", "{pk}/change/", "{pk}/config/"])
def test_nobody_reads_a_key_by_an_address(staff, path):
    device = AuthenticatorFactory()

    page = staff.get(f"/admin/otp_totp/totpdevice/{path.format(pk=device.pk)}")

    assert page.status_code == 404


def test_no_page_of_the_admin_shows_a_key_or_a_digest(staff):
    device = AuthenticatorFactory()
    code = RecoveryCodeFactory(user=device.user)
    row = VerificationFactory(
        user=device.user, method=Method.SMS, code_digest=b"\xab\xcd" * 16
    )
    pages = [
        "/admin/",
        "/admin/accounts/user/",
        f"/admin/accounts/user/{device.user.pk}/change/",
        HISTORY,
        f"{HISTORY}{row.pk}/change/",
    ]

    text = "".join(staff.get(page).text for page in pages)

    secrets = [KEY, bytes(code.digest).hex(), "abcd" * 4, str(row.code_digest)]
    assert [secret for secret in secrets if secret in text] == []
