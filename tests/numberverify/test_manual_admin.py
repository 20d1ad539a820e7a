"""Manual verification in the admin: one member of staff asks, another decides."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from numberverify.choices import Method, Purpose, Reason, Status
from numberverify.models import ManualRequest, StaffRecord
from tests.conftest import step_up
from tests.factories import (
    ANN,
    ManualRequestFactory,
    UserFactory,
    VerificationFactory,
)

pytestmark = pytest.mark.django_db
HISTORY = "/admin/numberverify/verification/"
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
def staff(client):
    client.force_login(UserFactory(staff=True))
    return client


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


@pytest.mark.parametrize("send", [Client.get, Client.post])
@pytest.mark.parametrize("page", ["ask", "decide"])
def test_who_may_not_is_refused_before_a_proof_and_it_is_recorded(
    client, waiting, page, send
):
    asked = ManualRequestFactory(verification=waiting)
    member(client, proved=False)

    answer = send(client, asking(waiting) if page == "ask" else deciding(asked))

    assert answer.status_code == 403
    assert StaffRecord.objects.get().kind == StaffRecord.Kind.REFUSED


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
