"""Manual verification: two members of staff, never oneself, never for the rest."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core import mail as outbox
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connections
from django.utils import timezone

from accounts import mail
from accounts.models import User
from numberverify import flow, manual
from numberverify.choices import Method, Purpose, Reason, Status
from numberverify.errors import VerificationNotUsable
from numberverify.models import ManualRequest, Verification
from tests.conftest import step_up
from tests.factories import (
    ANN,
    BINDING,
    ManualRequestFactory,
    UserFactory,
    VerificationFactory,
)
from tests.numberverify.test_races import at_once
from tests.numberverify.typed import later, opened, proof_of, start

pytestmark = pytest.mark.django_db
WORDS = {"reason": "Lost the phone", "evidence": "Came with a passport"}
PLACE = "/admin/numberverify/manualrequest"


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


@pytest.fixture
def waiting(ann):
    return opened(ann, Method.MANUAL)


@pytest.fixture
def asked(waiting):
    return manual.ask(waiting, UserFactory(staff=True), **WORDS)


def state_of(row):
    row.refresh_from_db()
    return row.status, row.reason


def staff_member(client, *permissions, **columns):
    """Somebody of the staff with these permissions, who has just proved it."""
    person = UserFactory(is_staff=True, **columns)
    found = Permission.objects.filter(codename__in=[*permissions, "view_verification"])
    person.user_permissions.set(found)
    client.force_login(person)
    step_up(client, person, "administer")
    return person


# Who


def test_v5_0_0_2_3_5_one_asks_and_another_approves(asked):
    manual.decide(asked, UserFactory(staff=True), approve=True)

    row = asked.verification
    assert state_of(row) == (Status.VERIFIED, "")
    assert flow.find_receipt(proof_of(row)).method == Method.MANUAL


@pytest.mark.parametrize("who", ["asked_by", "the person"])
@pytest.mark.parametrize("approve", [True, False])
def test_neither_who_asked_nor_the_person_decides(asked, ann, who, approve):
    staff = asked.asked_by if who == "asked_by" else ann

    with pytest.raises(PermissionDenied):
        manual.decide(asked, staff, approve=approve)
    assert state_of(asked.verification) == (Status.PENDING, "")


def test_nobody_asks_for_oneself():
    staff = UserFactory(staff=True, phone=ANN)

    with pytest.raises(VerificationNotUsable):
        manual.ask(opened(staff, Method.MANUAL), staff, **WORDS)


def test_the_database_takes_two_different_people_as_well(asked):
    decided = {"decided_at": timezone.now(), "approved": True}

    with pytest.raises(IntegrityError, match="nv_manual_takes_two"):
        ManualRequest.objects.update(decided_by=asked.asked_by_id, **decided)


def test_it_is_asked_for_once(waiting, asked):
    with pytest.raises(VerificationNotUsable):
        manual.ask(waiting, UserFactory(staff=True), **WORDS)


@pytest.mark.parametrize("method", [Method.SMS, Method.NETWORK])
def test_nobody_asks_at_a_row_of_another_method(ann, operator, method):
    with pytest.raises(VerificationNotUsable):
        manual.ask(opened(ann, method), UserFactory(staff=True), **WORDS)


# For what


@pytest.mark.parametrize(
    "purpose",
    [
        Purpose.SIGNUP,
        Purpose.PASSWORD_RESET,
        Purpose.PHONE_CHANGE,
        Purpose.PASSWORD_CHANGE,
        Purpose.STEP_UP,
    ],
)
def test_for_all_but_a_login_nobody_waits(ann, purpose):
    user = None if purpose == Purpose.SIGNUP else ann

    row = opened(user, Method.MANUAL, purpose=purpose)

    assert state_of(row) == (Status.UNAVAILABLE, Reason.METHOD_CLOSED)


def test_for_a_login_the_person_waits(ann):
    assert state_of(opened(ann, Method.MANUAL)) == (Status.PENDING, "")


def test_asking_once_more_leads_to_the_row_that_waits(ann):
    first = start(ann, Method.MANUAL)

    assert start(ann, Method.MANUAL) == first
    assert Verification.objects.count() == 1


def test_after_a_no_match_nobody_vouches_for_the_person(ann):
    asked = ManualRequestFactory(verification=opened(ann, Method.MANUAL))
    VerificationFactory(mismatched=True, user=ann, purpose=Purpose.LOGIN)

    with pytest.raises(VerificationNotUsable):
        manual.decide(asked, UserFactory(staff=True), approve=True)
    assert opened(ann, Method.MANUAL, binding="new").reason == Reason.METHOD_CLOSED


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"frozen_at": timezone.now()}, id="frozen"),
        pytest.param({"is_active": False}, id="disabled"),
        pytest.param({"is_staff": False}, id="no staff"),
    ],
)
def test_v5_0_0_8_3_1_what_somebody_asked_who_may_act_no_more_is_only_declined(
    waiting, asked, columns
):
    User.objects.filter(pk=asked.asked_by_id).update(**columns)
    asked = ManualRequest.objects.get()

    with pytest.raises(VerificationNotUsable):
        manual.decide(asked, UserFactory(staff=True), approve=True)
    assert state_of(waiting) == (Status.PENDING, "")

    manual.decide(asked, UserFactory(staff=True), approve=False)
    assert state_of(waiting) == (Status.REFUSED, Reason.NOT_APPROVED)


def test_for_a_superuser_only_superusers_decide():
    boss = UserFactory(staff=True, phone=ANN)
    asked = ManualRequestFactory(verification=opened(boss, Method.MANUAL))

    with pytest.raises(PermissionDenied):
        manual.decide(asked, UserFactory(is_staff=True), approve=True)


def test_an_approved_row_pays_for_no_reset(asked):
    manual.decide(asked, UserFactory(staff=True), approve=True)
    Verification.objects.update(purpose=Purpose.PASSWORD_RESET)
    row = Verification.objects.get()

    assert flow.find_receipt(proof_of(row)) is None


# How it ends


def test_declined_is_refused_and_told_on_the_page(client, asked):
    manual.decide(asked, UserFactory(staff=True), approve=False)

    row = asked.verification
    assert state_of(row) == (Status.REFUSED, Reason.NOT_APPROVED)
    assert flow.find_receipt(proof_of(row)) is None
    client.cookies["nv_binding"] = BINDING
    assert "could not confirm that it is you" in client.get(f"/verify/{row.pk}/").text


@pytest.mark.parametrize("first", [True, False])
def test_what_is_decided_stays(asked, first):
    manual.decide(asked, UserFactory(staff=True), approve=first)
    was = state_of(asked.verification)

    with pytest.raises(VerificationNotUsable):
        manual.decide(asked, UserFactory(staff=True), approve=not first)
    assert state_of(asked.verification) == was


def test_after_a_day_nobody_decides_any_more(asked):
    with later(hours=24, seconds=1), pytest.raises(VerificationNotUsable):
        manual.decide(asked, UserFactory(staff=True), approve=True)

    asked.refresh_from_db()
    assert asked.decided_at is None
    assert state_of(asked.verification) == (Status.PENDING, "")


def test_after_a_day_nobody_asks_any_more(waiting):
    with later(hours=24, seconds=1), pytest.raises(VerificationNotUsable):
        manual.ask(waiting, UserFactory(staff=True), **WORDS)


def test_the_approval_waits_an_hour_for_the_person(asked):
    manual.decide(asked, UserFactory(staff=True), approve=True)
    proof = proof_of(asked.verification)

    with later(minutes=59):
        assert flow.find_receipt(proof)
    with later(minutes=60, seconds=1):
        assert flow.find_receipt(proof) is None


def test_an_hour_is_for_what_staff_approved_alone(ann):
    row = opened(ann, Method.SMS)
    Verification.objects.filter(pk=row.pk).settle(
        Status.VERIFIED, now=row.created_at + timedelta(seconds=1)
    )

    with later(minutes=6):
        assert flow.find_receipt(proof_of(row)) is None


def test_the_person_is_told_at_once(asked, run_on_commit):
    manual.decide(asked, UserFactory(staff=True), approve=True)
    mail.wait()

    (told,) = outbox.outbox
    assert told.to == ["ann@example.com"]
    assert "Two members of our staff confirmed that it is you" in told.body


def test_of_a_decision_that_came_to_nothing_nobody_is_told(asked, run_on_commit):
    with later(hours=25), pytest.raises(VerificationNotUsable):
        manual.decide(asked, UserFactory(staff=True), approve=True)
    mail.wait()

    assert outbox.outbox == []


@pytest.mark.django_db(transaction=True)
def test_of_two_deciders_at_once_one_decides(asked):
    deciders = [UserFactory(staff=True) for _ in range(4)]

    def decide(staff, approve) -> bool:
        try:
            manual.decide(
                ManualRequest.objects.select_related("verification__user").get(),
                staff,
                approve=approve,
            )
        except VerificationNotUsable:
            return False
        finally:
            connections.close_all()
        return True

    jobs = [
        lambda s=s, n=n: decide(s, approve=bool(n % 2)) for n, s in enumerate(deciders)
    ]
    done = at_once(jobs)

    asked.refresh_from_db()
    assert done.count(True) == 1
    assert asked.decided_by == deciders[done.index(True)]
    assert (state_of(asked.verification)[0] == Status.VERIFIED) is asked.approved


# In the admin


def test_staff_ask_with_a_reason_and_evidence(client, waiting):
    staff = staff_member(client, "ask_manual")

    empty = client.post(f"{PLACE}/ask/{waiting.pk}/", {"reason": "", "evidence": ""})
    client.post(f"{PLACE}/ask/{waiting.pk}/", WORDS)

    assert set(empty.context["form"].errors) == {"reason", "evidence"}
    asked = ManualRequest.objects.get()
    assert (asked.asked_by, asked.verification) == (staff, waiting)
    assert (asked.reason, asked.evidence) == tuple(WORDS.values())


@pytest.mark.parametrize(
    ("answer", "status"),
    [("approve", Status.VERIFIED), ("decline", Status.REFUSED)],
)
def test_another_decides(client, asked, answer, status):
    staff = staff_member(client, "decide_manual")

    client.post(f"{PLACE}/{asked.pk}/decide/", {answer: "1"})

    asked.refresh_from_db()
    assert asked.decided_by == staff
    assert state_of(asked.verification)[0] == status


@pytest.mark.parametrize(
    ("permissions", "path", "fields"),
    [
        (["decide_manual"], "ask/{row}/", WORDS),
        (["view_manualrequest"], "ask/{row}/", WORDS),
        (["ask_manual"], "{asked}/decide/", {"approve": "1"}),
        (["view_manualrequest"], "{asked}/decide/", {"approve": "1"}),
    ],
)
def test_each_step_takes_its_own_permission(client, asked, permissions, path, fields):
    staff_member(client, *permissions)
    address = path.format(row=asked.verification_id, asked=asked.pk)

    assert client.post(f"{PLACE}/{address}", fields).status_code == 403
    assert state_of(asked.verification) == (Status.PENDING, "")


def test_both_steps_take_a_fresh_proof(client, asked):
    staff_member(client, "ask_manual", "decide_manual", phone="+447700900456")
    session = client.session
    del session["nv_proofs"]
    session.save()

    for page in (f"ask/{asked.verification_id}/", f"{asked.pk}/decide/"):
        text = client.post(f"{PLACE}/{page}", WORDS | {"approve": "1"}).text
        assert "Confirm it's you to act as staff" in text
    assert state_of(asked.verification) == (Status.PENDING, "")


@pytest.mark.parametrize("about", ["who asked", "the person"])
def test_the_admin_lets_neither_decide(client, asked, about):
    staff = staff_member(client, "ask_manual", "decide_manual")
    if about == "who asked":
        ManualRequest.objects.update(asked_by=staff)
    else:
        Verification.objects.update(user=staff)

    page = client.get(f"{PLACE}/{asked.pk}/change/")
    answer = client.post(f"{PLACE}/{asked.pk}/decide/", {"approve": "1"})

    assert 'name="approve"' not in page.text
    assert answer.status_code == 403
    assert state_of(asked.verification) == (Status.PENDING, "")


def test_a_get_decides_nothing(client, asked):
    staff_member(client, "decide_manual")

    client.get(f"{PLACE}/{asked.pk}/decide/?approve=1")

    assert state_of(asked.verification) == (Status.PENDING, "")
