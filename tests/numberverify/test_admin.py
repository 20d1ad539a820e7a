from datetime import timedelta

import pytest
import time_machine
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from numberverify import conf
from numberverify.choices import Method, Purpose, Reason, Status
from numberverify.models import ManualRequest, RecoveryCode, Verification
from numberverify.msisdn import Msisdn
from tests.conftest import step_up
from tests.factories import (
    ANN,
    KEY,
    AuthenticatorFactory,
    ManualRequestFactory,
    RecoveryCodeFactory,
    UserFactory,
    VerificationFactory,
)

pytestmark = pytest.mark.django_db
HISTORY = "/admin/numberverify/verification/"
BEN = "+447700900456"


@pytest.fixture
def staff(client):
    client.force_login(UserFactory(staff=True))
    return client


def rows_on(page):
    return list(page.context["cl"].queryset)


def test_the_list_says_who_what_how_and_how_it_ended(staff):
    user = UserFactory(email="ann@example.com")
    VerificationFactory(
        unavailable=True,
        reason=Reason.OPERATOR_TIMEOUT,
        purpose=Purpose.LOGIN,
        user=user,
        created_at=timezone.now() - timedelta(seconds=12.5),
    )

    text = staff.get(HISTORY).text

    for words in (
        "ann@example.com",
        "+44 •••• •••123",
        "Login",
        "Mobile network",
        "sandbox",
        "Could not tell",
        "operator took too long",
        "12.5 s",
    ):
        assert words in text
    assert ANN not in text


@pytest.mark.parametrize(
    ("query", "state"),
    [
        ({"status__exact": Status.MISMATCHED}, {"mismatched": True}),
        ({"purpose__exact": Purpose.LOGIN}, {"purpose": Purpose.LOGIN}),
        ({"operator": "sandbox"}, {}),
        ({"method__exact": Method.SMS}, {"method": Method.SMS}),
        (
            {"created_at__gte": str(timezone.now() - timedelta(days=1))},
            {},
        ),
    ],
)
def test_each_filter_finds_its_rows_alone(staff, query, state):
    wanted = VerificationFactory(**state)
    VerificationFactory(
        operator="other",
        purpose=Purpose.SIGNUP,
        created_at=timezone.now() - timedelta(days=90),
    )

    assert rows_on(staff.get(HISTORY, query)) == [wanted]


@pytest.mark.parametrize("typed", [ANN, "07700 900123", "(07700) 900-123"])
def test_a_whole_phone_number_is_posted_and_found_by_fingerprint(staff, typed):
    mine = [VerificationFactory(verified=True), VerificationFactory(mismatched=True)]
    VerificationFactory(verified=True, msisdn=BEN)

    found = staff.post(HISTORY, {"q": typed})

    assert found.status_code == 303
    assert "900123" not in found["Location"]
    assert set(rows_on(staff.get(found["Location"]))) == set(mine)


def test_a_number_is_found_under_older_keys_too(staff, settings):
    old = VerificationFactory(verified=True)
    settings.NV_FINGERPRINT_KEYS = ["a newer key", *settings.NV_FINGERPRINT_KEYS]
    new = VerificationFactory(verified=True)
    assert old.fingerprint_key != new.fingerprint_key

    found = staff.post(HISTORY, {"q": ANN})

    assert set(rows_on(staff.get(found["Location"]))) == {old, new}


def test_an_email_finds_the_persons_rows(staff):
    mine = VerificationFactory(user=UserFactory(email="ann@example.com"))
    VerificationFactory(user=UserFactory())

    found = staff.post(HISTORY, {"q": "Ann@Example.com"})

    assert "ann" not in found["Location"]
    assert rows_on(staff.get(found["Location"])) == [mine]


def test_an_id_finds_its_page(staff):
    row = VerificationFactory()

    assert staff.post(HISTORY, {"q": f" {row.pk} "})["Location"].endswith(
        f"/{row.pk}/change/"
    )


@pytest.mark.parametrize(
    "typed",
    ["", "077", "nobody@example.com", "01890000-0000-7000-8000-000000000000", "'; --"],
)
def test_what_finds_nothing_says_so(staff, typed):
    page = staff.post(HISTORY, {"q": typed}, follow=True)

    assert page.status_code == 200
    assert "Nothing found" in page.text


@pytest.mark.parametrize("prints", ["zz", "ab-", "", "1"])
def test_a_fingerprint_edited_by_hand_is_no_500(staff, prints):
    assert staff.get(HISTORY, {"fingerprint": prints}).status_code == 200


def test_the_plain_number_is_nowhere_in_a_settled_row():
    row = VerificationFactory(verified=True)

    stored = str(Verification.objects.filter(pk=row.pk).values_list().get())
    assert ANN[1:] not in stored
    assert bytes(row.number_fingerprint) in conf.fingerprints(Msisdn(ANN))


def test_one_verification_shows_its_steps_in_order(staff):
    before = VerificationFactory(mismatched=True)
    row = VerificationFactory(
        verified=True, redeemed_at=timezone.now(), previous=before.pk, operator_ms=321
    )

    text = staff.get(f"{HISTORY}{row.pk}/change/").text

    steps = ["Started", "Came back", "Settled", "Redeemed"]
    places = [text.index(step) for step in steps]
    assert places == sorted(places)
    assert f"{HISTORY}{before.pk}/change/" in text
    assert "321" in text


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("page", ["add/", "{pk}/delete/"])
def test_nobody_adds_or_deletes_a_row(staff, method, page):
    row = VerificationFactory(verified=True)

    answer = getattr(staff, method)(HISTORY + page.format(pk=row.pk))

    assert answer.status_code == 403
    assert Verification.objects.count() == 1


def test_nobody_changes_a_row(staff):
    row = VerificationFactory(mismatched=True)

    answer = staff.post(f"{HISTORY}{row.pk}/change/", {"status": "verified"})

    assert answer.status_code == 403
    assert Verification.objects.get().status == Status.MISMATCHED
    assert 'name="_save"' not in staff.get(f"{HISTORY}{row.pk}/change/").text


def test_there_are_no_bulk_actions(staff):
    row = VerificationFactory(mismatched=True)

    staff.post(HISTORY, {"action": "delete_selected", "_selected_action": [row.pk]})

    assert Verification.objects.count() == 1
    assert 'name="action"' not in staff.get(HISTORY).text


def test_the_history_needs_its_permission(client):
    user = UserFactory(is_staff=True)
    client.force_login(user)
    assert client.get(HISTORY).status_code == 403
    assert client.post(HISTORY, {"q": ANN}).status_code == 403

    user.user_permissions.add(Permission.objects.get(codename="view_verification"))
    assert client.get(HISTORY).status_code == 200


def test_the_number_of_queries_does_not_grow_with_the_rows(
    staff, django_assert_num_queries
):
    VerificationFactory(user=UserFactory(), verified=True)
    staff.get(HISTORY)  # the first request starts the clocks of the session
    with CaptureQueriesContext(connection) as one_row:
        staff.get(HISTORY)
    for _ in range(40):
        VerificationFactory(user=UserFactory(), verified=True)

    with django_assert_num_queries(len(one_row)):
        staff.get(HISTORY)


@pytest.mark.parametrize(
    "lookup", ["number__startswith", "nonce__startswith", "user__password__startswith"]
)
def test_no_column_can_be_guessed_by_the_address(staff, lookup):
    VerificationFactory()

    assert staff.get(HISTORY, {lookup: "+"}).status_code == 400


def test_a_search_with_a_nul_finds_nothing(staff):
    assert staff.post(HISTORY, {"q": "a@b\0"}).status_code == 303


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"sends": 2, "tries": 3}, "2 text messages, 3 wrong codes"),
        ({"sends": 0, "tries": 5}, "0 text messages, 5 wrong codes"),
    ],
)
def test_a_row_says_how_many_codes_were_sent_and_were_wrong(staff, columns, said):
    row = VerificationFactory(unavailable=True, method=Method.SMS, **columns)

    assert said in staff.get(f"{HISTORY}{row.pk}/change/").text


def test_a_row_without_codes_says_nothing_of_them(staff):
    row = VerificationFactory(verified=True)

    assert "wrong codes" not in staff.get(f"{HISTORY}{row.pk}/change/").text


# Keys and codes


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


# Manual verification

MANUAL = "/admin/numberverify/manualrequest/"
TYPED = {"reason": "Lost the phone", "evidence": "Came with a passport"}


def asking(row):
    return f"{MANUAL}ask/{row.pk}/"


def deciding(asked):
    return f"{MANUAL}{asked.pk}/decide/"


def member(client, *codenames, proved=True, **columns):
    """Sign in a member of staff with these permissions."""
    user = UserFactory(is_staff=True, phone="+447700900999", **columns)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)
    if proved:
        step_up(client, user, "administer")
    return user


@pytest.fixture
def waiting():
    """The row of a person who waits for staff."""
    return VerificationFactory(
        method=Method.MANUAL,
        purpose=Purpose.LOGIN,
        user=UserFactory(email="ann@example.com"),
        operator="",
        number="",
        nonce="",
        expires_at=timezone.now() + timedelta(hours=24),
    )


def test_one_asks_with_a_reason_and_evidence(client, waiting):
    one = member(client, "ask_manual", "view_verification")
    assert asking(waiting) in client.get(f"{HISTORY}{waiting.pk}/change/").text

    page = client.post(asking(waiting), TYPED, follow=True)

    asked = ManualRequest.objects.get()
    assert "Another member of staff has to decide" in page.text
    assert (asked.asked_by, asked.reason) == (one, "Lost the phone")
    assert asked.evidence == "Came with a passport"
    waiting.refresh_from_db()
    assert waiting.status == Status.PENDING
    assert asking(waiting) not in client.get(f"{HISTORY}{waiting.pk}/change/").text


@pytest.mark.parametrize("missing", ["reason", "evidence"])
def test_without_a_reason_or_evidence_nothing_is_asked(client, waiting, missing):
    member(client, "ask_manual")

    page = client.post(asking(waiting), TYPED | {missing: " "})

    assert page.context["form"].errors[missing]
    assert not ManualRequest.objects.exists()


def test_another_approves(client, waiting):
    asked = ManualRequestFactory(verification=waiting)
    two = member(client, "decide_manual")
    assert "Approve" in client.get(f"{MANUAL}{asked.pk}/change/").text

    page = client.post(deciding(asked), {"approve": "1"}, follow=True)

    asked.refresh_from_db()
    waiting.refresh_from_db()
    assert "Decided." in page.text
    assert (asked.approved, asked.decided_by) == (True, two)
    assert (waiting.status, waiting.method) == (Status.VERIFIED, Method.MANUAL)


def test_another_declines(client, waiting):
    asked = ManualRequestFactory(verification=waiting)
    member(client, "decide_manual")

    client.post(deciding(asked), {"decline": "1"})

    waiting.refresh_from_db()
    assert (waiting.status, waiting.reason) == (Status.REFUSED, Reason.NOT_APPROVED)


@pytest.mark.parametrize("proved", [True, False], ids=["proved", "not proved"])
def test_asking_takes_a_fresh_proof(client, waiting, proved):
    member(client, "ask_manual", proved=proved)

    page = client.post(asking(waiting), TYPED)

    assert ("Confirm it's you to act as staff" in page.text) is not proved
    assert ManualRequest.objects.exists() is proved


@pytest.mark.parametrize("proved", [True, False], ids=["proved", "not proved"])
@pytest.mark.parametrize("decision", ["approve", "decline"])
def test_deciding_takes_a_fresh_proof(client, waiting, decision, proved):
    asked = ManualRequestFactory(verification=waiting)
    member(client, "decide_manual", proved=proved)

    client.post(deciding(asked), {decision: "1"})

    asked.refresh_from_db()
    assert (asked.decided_at is not None) is proved


def test_looking_takes_none(client, waiting):
    asked = ManualRequestFactory(verification=waiting)
    member(client, "decide_manual", "view_verification", proved=False)

    for page in (MANUAL, f"{MANUAL}{asked.pk}/change/", HISTORY):
        assert "Confirm it's you" not in client.get(page).text


@pytest.mark.parametrize(
    ("codename", "may_ask", "may_decide"),
    [
        ("ask_manual", True, False),
        ("decide_manual", False, True),
        ("view_manualrequest", False, False),
        ("change_user", False, False),
    ],
)
def test_asking_and_deciding_are_permissions_of_their_own(
    client, waiting, codename, may_ask, may_decide
):
    asked = ManualRequestFactory()
    member(client, codename)

    answers = (
        client.post(asking(waiting), TYPED),
        client.post(deciding(asked), {"approve": "1"}),
    )

    assert [answer.status_code == 303 for answer in answers] == [may_ask, may_decide]
    assert waiting.manual_requests.exists() is may_ask
    asked.refresh_from_db()
    assert (asked.approved is True) is may_decide


def test_who_asked_does_not_decide(client, waiting):
    one = member(client, "ask_manual", "decide_manual", is_superuser=True)
    asked = ManualRequestFactory(verification=waiting, asked_by=one)

    page = client.get(f"{MANUAL}{asked.pk}/change/")
    answer = client.post(deciding(asked), {"approve": "1"})

    assert answer.status_code == 403
    assert "Approve" not in page.text
    waiting.refresh_from_db()
    assert waiting.status == Status.PENDING


def test_nobody_asks_or_decides_for_themselves(client):
    me = member(client, "ask_manual", "decide_manual")
    mine = ManualRequestFactory(verification__user=me)
    other = VerificationFactory(
        method=Method.MANUAL, purpose=Purpose.LOGIN, user=me, number="", nonce=""
    )

    client.post(asking(other), TYPED)

    assert client.post(deciding(mine), {"approve": "1"}).status_code == 403
    assert not other.manual_requests.exists()


def test_a_decision_stands(client, waiting):
    asked = ManualRequestFactory(verification=waiting)
    member(client, "decide_manual")
    client.post(deciding(asked), {"decline": "1"})

    page = client.post(deciding(asked), {"approve": "1"}, follow=True)

    asked.refresh_from_db()
    assert "decided already" in page.text
    assert asked.approved is False


@pytest.mark.parametrize(
    "state",
    [
        pytest.param({"method": Method.NETWORK}, id="the network"),
        pytest.param({"method": Method.SMS}, id="a text message"),
        pytest.param({"verified": True}, id="settled"),
        pytest.param({"expires_at": timezone.now()}, id="late"),
    ],
)
def test_nobody_asks_where_nobody_waits_for_staff(client, state):
    columns = {"method": Method.MANUAL, "number": "", "nonce": ""} | state
    row = VerificationFactory(user=UserFactory(), purpose=Purpose.LOGIN, **columns)
    member(client, "ask_manual", "view_verification")

    page = client.get(f"{HISTORY}{row.pk}/change/")
    answer = client.post(asking(row), TYPED, follow=True)

    assert asking(row) not in page.text
    assert "nobody waits" in answer.text
    assert not ManualRequest.objects.exists()


def test_what_has_run_out_is_not_approved(client, waiting):
    asked = ManualRequestFactory(verification=waiting)

    with time_machine.travel(timezone.now() + timedelta(hours=24, seconds=1)):
        member(client, "decide_manual")
        page = client.post(deciding(asked), {"approve": "1"}, follow=True)

    assert "has run out" in page.text
    asked.refresh_from_db()
    assert asked.decided_at is None


@pytest.mark.parametrize("path", ["add/", "{pk}/delete/"])
def test_nobody_adds_or_deletes_a_request(staff, path):
    asked = ManualRequestFactory()

    assert staff.post(f"{MANUAL}{path.format(pk=asked.pk)}").status_code == 403
    assert ManualRequest.objects.count() == 1


def test_nobody_changes_a_request(staff):
    asked = ManualRequestFactory()

    answer = staff.post(f"{MANUAL}{asked.pk}/change/", {"approved": "on"})

    assert answer.status_code == 403
    asked.refresh_from_db()
    assert asked.approved is None


def test_a_get_decides_nothing(client, waiting):
    asked = ManualRequestFactory(verification=waiting)
    member(client, "decide_manual")

    client.get(deciding(asked), {"approve": "1"})

    asked.refresh_from_db()
    assert asked.decided_at is None


def test_the_person_s_number_is_masked_there(client, waiting):
    asked = ManualRequestFactory(verification=waiting)
    member(client, "decide_manual")

    text = client.get(MANUAL).text + client.get(f"{MANUAL}{asked.pk}/change/").text

    assert "ann@example.com" in text
    assert ANN not in text
