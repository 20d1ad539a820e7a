from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from numberverify import conf
from numberverify.choices import Method, Purpose, Reason, Status
from numberverify.models import Verification
from numberverify.msisdn import Msisdn
from tests.factories import ANN, UserFactory, VerificationFactory

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
