"""Releases and what happened to a number in the admin: who may do and see what."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import numbers, phone
from accounts.models import NumberEvent, NumberRelease
from numberverify import history
from numberverify.models import StaffRecord, Verification
from numberverify.msisdn import Msisdn
from tests.conftest import step_up
from tests.factories import (
    ANN,
    NumberReleaseFactory,
    UserFactory,
    VerificationFactory,
)

pytestmark = pytest.mark.django_db
BEN = "+447700900456"
PLACE = "/admin/accounts/numberrelease/"
EVENTS = "/admin/accounts/numberevent/"
WORDS = {"reason": "given_up", "evidence": "Came to the branch with a passport"}
ASKS, DECIDES = ("ask_release", "view_user"), ("decide_release",)


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


@pytest.fixture
def asked(ann):
    return NumberReleaseFactory(person=ann)


def staff_member(client, *permissions, **columns):
    """Somebody of the staff with these permissions, who has just proved it."""
    person = UserFactory(is_staff=True, **columns)
    found = Permission.objects.filter(codename__in=permissions)
    assert len(found) == len(permissions)
    person.user_permissions.set(found)
    client.force_login(person)
    step_up(client, person, "administer")
    return person


def is_open(release):
    release.refresh_from_db()
    return release.ended_at is None


def page_of(number=ANN):
    marks = "-".join(m.hex() for m in history.marks_of(Msisdn(number)))
    return f"{EVENTS}number/{marks}/"


# Asking


def test_staff_ask_from_the_persons_page(client, ann):
    staff = staff_member(client, *ASKS)
    person_page = client.get(f"/admin/accounts/user/{ann.pk}/change/")
    assert f'href="{PLACE}ask/{ann.pk}/"' in person_page.text

    page = client.get(f"{PLACE}ask/{ann.pk}/")
    done = client.post(f"{PLACE}ask/{ann.pk}/", WORDS, follow=True)

    assert "ann@example.com" in page.text
    assert "Another member of staff has to decide, after a day." in done.text
    asked = NumberRelease.objects.get()
    assert (asked.person, asked.asked_by) == (ann, staff)
    assert (asked.reason, asked.evidence) == tuple(WORDS.values())
    assert f"{PLACE}{asked.pk}/change/" in done.text
    assert f"{PLACE}ask/" not in done.text


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": "because"}, "reason"),
        ({"evidence": ""}, "evidence"),
        ({"evidence": "x" * 1001}, "evidence"),
        ({"evidence": "She had +44 7700 900123"}, "evidence"),
        ({"evidence": "Passport 533380006"}, "evidence"),
        ({"evidence": "(0161) 4960000"}, "evidence"),
    ],
)
def test_what_is_missing_or_must_not_be_kept_is_said(client, ann, fields, wrong):
    staff_member(client, *ASKS)

    page = client.post(f"{PLACE}ask/{ann.pk}/", WORDS | fields)

    assert set(page.context["form"].errors) == {wrong}
    assert not NumberRelease.objects.exists()


def test_a_date_is_no_long_number(client, ann):
    staff_member(client, *ASKS)
    words = WORDS | {"evidence": "Letter of 2026-11-26, 12:30, page 3 of 14"}

    client.post(f"{PLACE}ask/{ann.pk}/", words)

    assert NumberRelease.objects.exists()


@pytest.mark.parametrize("state", ["no number", "frozen", "asked already"])
def test_where_nothing_can_be_asked_for_the_page_says_so(client, ann, state):
    staff_member(client, *ASKS)
    person = ann
    if state == "no number":
        person = UserFactory()
    elif state == "frozen":
        ann.freeze()
    else:
        NumberReleaseFactory(person=ann)

    page = client.get(f"/admin/accounts/user/{person.pk}/change/")
    answer = client.post(f"{PLACE}ask/{person.pk}/", WORDS, follow=True)

    assert f"{PLACE}ask/" not in page.text
    assert "The number cannot be released" in answer.text
    assert NumberRelease.objects.count() == (state == "asked already")


def test_nobody_is_asked_for_who_is_not_there(client):
    staff_member(client, *ASKS)

    assert client.get(f"{PLACE}ask/4711/").status_code == 404


# Deciding


@pytest.mark.parametrize(
    ("answer", "outcome"), [("approve", "released"), ("decline", "declined")]
)
def test_another_decides(client, ann, asked, answer, outcome):
    staff = staff_member(client, *DECIDES)
    page = client.get(f"{PLACE}{asked.pk}/change/")
    assert 'name="approve"' in page.text
    assert asked.evidence in page.text

    done = client.post(f"{PLACE}{asked.pk}/decide/", {answer: "1"}, follow=True)

    asked.refresh_from_db()
    assert (asked.decided_by, asked.outcome) == (staff, outcome)
    assert (phone.number_of(ann) is None) is (answer == "approve")
    assert "Decided." in done.text
    assert 'name="approve"' not in done.text


def test_too_early_the_page_says_when(client, ann):
    asked = NumberReleaseFactory(person=ann, asked_at=timezone.now())
    staff_member(client, *DECIDES)

    page = client.get(f"{PLACE}{asked.pk}/change/")
    answer = client.post(f"{PLACE}{asked.pk}/decide/", {"approve": "1"}, follow=True)

    at = asked.asked_at + timedelta(hours=24)
    assert f"It can be approved from {at:%-d %B %Y, %H:%M} UTC" in page.text
    assert 'name="approve"' not in page.text
    assert 'name="decline"' in page.text
    assert "may not be approved now" in answer.text
    assert phone.number_of(ann)


@pytest.mark.parametrize("about", ["who asked", "the person"])
def test_the_admin_lets_neither_decide(client, asked, about):
    staff = staff_member(client, *ASKS, *DECIDES, phone=BEN)
    if about == "who asked":
        NumberRelease.objects.update(asked_by=staff)
    else:
        NumberRelease.objects.update(person=staff)

    page = client.get(f"{PLACE}{asked.pk}/change/")
    answer = client.post(f"{PLACE}{asked.pk}/decide/", {"approve": "1"})

    assert 'name="approve"' not in page.text
    assert answer.status_code == 403
    assert is_open(asked)


@pytest.mark.parametrize("send", [Client.get, Client.post])
@pytest.mark.parametrize("page", ["ask", "decide"])
def test_who_may_not_is_refused_before_a_proof_and_it_is_recorded(
    client, asked, ann, page, send
):
    one = UserFactory(is_staff=True)
    client.force_login(one)
    addresses = {"ask": f"{PLACE}ask/{ann.pk}/", "decide": f"{PLACE}{asked.pk}/decide/"}

    answer = send(client, addresses[page])

    assert answer.status_code == 403
    assert StaffRecord.objects.get().kind == StaffRecord.Kind.REFUSED


@pytest.mark.parametrize("fields", [{}, {"other": "1"}])
def test_what_says_neither_decides_nothing(client, asked, fields):
    staff_member(client, *DECIDES)

    client.get(f"{PLACE}{asked.pk}/decide/?approve=1")
    client.post(f"{PLACE}{asked.pk}/decide/", fields)

    assert is_open(asked)


def test_nobody_adds_changes_or_deletes_one(client, asked):
    boss = UserFactory(staff=True)
    client.force_login(boss)
    step_up(client, boss, "administer")

    for page in ("add/", f"{asked.pk}/delete/"):
        assert client.get(f"{PLACE}{page}").status_code == 403
    answer = client.post(f"{PLACE}{asked.pk}/change/", {"outcome": "released"})
    assert answer.status_code == 403
    assert is_open(asked)


# The role matrix


ROLES = {
    "nobody": None,
    "a person": (),
    "staff": (),
    "sees people": ("view_user",),
    "sees releases": ("view_numberrelease",),
    "sees events": ("view_numberevent",),
    "sees verifications": ("view_verification",),
    "asks": ASKS,
    "asks without seeing people": ("ask_release",),
    "decides": DECIDES,
}
MATRIX = {
    "ask": {"asks"},
    "decide": {"decides"},
    "list of releases": {
        "sees releases",
        "asks",
        "asks without seeing people",
        "decides",
    },
    "list of events": {"sees events"},
    "number": {"sees events", "sees verifications"},
}


def answer_of(client, page, asked):
    ben = UserFactory(phone=BEN)
    if page == "ask":
        client.post(f"{PLACE}ask/{ben.pk}/", WORDS)
        return NumberRelease.objects.filter(person=ben).exists()
    if page == "decide":
        client.post(f"{PLACE}{asked.pk}/decide/", {"decline": "1"})
        return not is_open(asked)
    address = {
        "list of releases": PLACE,
        "list of events": EVENTS,
        "number": page_of(),
    }[page]
    return client.get(address).status_code == 200


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("page", MATRIX)
def test_v5_0_0_8_2_1_each_role_does_and_sees_its_own_alone(client, asked, role, page):
    permissions = ROLES[role]
    if permissions is not None:
        staff_member(client, *permissions)
        if role == "a person":
            person = UserFactory(phone="+447700900789")
            client.force_login(person)
            step_up(client, person, "administer")

    assert answer_of(client, page, asked) is (role in MATRIX[page])


def test_v5_0_0_8_2_3_no_role_sees_a_full_number(client):
    boss = UserFactory(staff=True)
    client.force_login(boss)
    step_up(client, boss, "administer")
    ben = UserFactory(phone=BEN)
    numbers.note(NumberEvent.What.ADDED, BEN, ben)
    ask = client.get(f"{PLACE}ask/{ben.pk}/")
    asked = NumberReleaseFactory(person=ben, msisdn=BEN)

    pages = (f"{PLACE}{asked.pk}/change/", PLACE, EVENTS, page_of(BEN))
    person = f"/admin/accounts/user/{ben.pk}/change/"
    for answer in (ask, *map(client.get, (*pages, person))):
        assert answer.status_code == 200
        assert "•••456" in answer.text or answer is ask
        assert "900456" not in answer.text


def test_v5_0_0_7_5_3_both_steps_take_a_fresh_proof(client, ann, asked):
    staff_member(client, *ASKS, *DECIDES, phone=BEN)
    session = client.session
    del session["nv_proofs"]
    session.save()
    ben = UserFactory(phone="+447700900789")

    for page in (f"ask/{ben.pk}/", f"{asked.pk}/decide/"):
        text = client.post(f"{PLACE}{page}", WORDS | {"approve": "1"}).text
        assert "Confirm it's you to act as staff" in text
    assert is_open(asked)
    assert NumberRelease.objects.count() == 1


# What happened to a number


def test_staff_read_what_happened_to_a_number(client, ann):
    staff_member(client, "view_numberevent", "view_verification", "view_user")
    row = VerificationFactory(verified=True, user=ann)
    numbers.note(NumberEvent.What.ADDED, ANN, ann, verification=row.pk)
    NumberReleaseFactory(person=ann)

    person = client.get(f"/admin/accounts/user/{ann.pk}/change/")
    assert page_of() in person.text
    page = client.get(page_of())

    assert "is on the account of ann@example.com" in page.text
    assert "Put on file" in page.text
    assert "Signup" in page.text
    assert f"/admin/numberverify/verification/{row.pk}/change/" in page.text


def test_from_a_verification_and_under_all_keys(client, ann, settings):
    numbers.note(NumberEvent.What.CLAIMED, ANN, ann)
    row = VerificationFactory(verified=True, user=ann)
    settings.NV_FINGERPRINT_KEYS = ["newer", *settings.NV_FINGERPRINT_KEYS]
    numbers.note(NumberEvent.What.KEPT, ANN, ann)
    staff_member(client, "view_numberevent", "view_verification")

    history_page = client.get(f"/admin/numberverify/verification/{row.pk}/change/")
    link = f"{EVENTS}number/{bytes(row.number_fingerprint).hex()}/"
    assert link in history_page.text
    page = client.get(link)

    assert "Claimed by the SIM" in page.text
    assert "Kept: proved again" in page.text


def test_without_the_permission_verifications_are_left_out(client, ann):
    staff_member(client, "view_numberevent")
    VerificationFactory(verified=True, user=ann)
    numbers.note(NumberEvent.What.ADDED, ANN, ann)

    page = client.get(page_of())

    assert "Put on file" in page.text
    assert "Signup" not in page.text


def test_a_row_without_a_number_leads_nowhere(client):
    staff_member(client, "view_verification")
    row = VerificationFactory(
        verified=True, number_mask="", number_fingerprint=b"", fingerprint_key=""
    )

    page = client.get(f"/admin/numberverify/verification/{row.pk}/change/")

    assert "What happened to this number" not in page.text


@pytest.mark.parametrize("typed", ["07700 900123", "+447700900123"])
def test_v5_0_0_14_2_1_a_number_is_searched_for_by_post_and_gets_into_no_url(
    client, ann, typed
):
    staff_member(client, "view_numberevent")
    numbers.note(NumberEvent.What.ADDED, ANN, ann)

    answer = client.post(EVENTS, {"q": typed})

    assert answer["Location"] == page_of()
    assert "900123" not in answer["Location"]


@pytest.mark.parametrize("typed", ["", "nonsense", "12", "\0", "ann@example.com"])
def test_a_search_for_no_number_says_so(client, typed):
    staff_member(client, "view_numberevent")

    page = client.post(EVENTS, {"q": typed}, follow=True)

    assert "Nothing found" in page.text


def test_a_search_takes_the_permission(client):
    staff_member(client, "view_user")

    assert client.post(EVENTS, {"q": ANN}).status_code == 403


@pytest.mark.parametrize(
    ("marks", "status"), [("00", 200), ("nothex", 404), ("0", 404), ("-", 404)]
)
def test_marks_edited_by_hand_are_no_500(client, marks, status):
    staff_member(client, "view_numberevent")

    page = client.get(f"{EVENTS}number/{marks}/")

    assert page.status_code == status
    if status == 200:
        assert "Nothing is known of this number." in page.text


def test_the_persons_numbers_are_listed(client, ann):
    staff_member(client, "view_numberevent", "view_user")
    numbers.note(NumberEvent.What.REMOVED, BEN, ann)
    numbers.note(NumberEvent.What.ADDED, ANN, UserFactory())
    person = client.get(f"/admin/accounts/user/{ann.pk}/change/")
    link = f"{EVENTS}?person__id__exact={ann.pk}"
    assert link in person.text

    page = client.get(link)

    assert "•••456" in page.text
    assert "•••123" not in page.text
    assert page_of(BEN) in page.text


@pytest.mark.parametrize("place", [EVENTS, PLACE])
@pytest.mark.parametrize(
    "lookup", ["person__password__startswith", "number_fingerprint__startswith"]
)
def test_no_column_can_be_guessed_by_the_address(client, place, lookup):
    client.force_login(UserFactory(staff=True))

    assert client.get(f"{place}?{lookup}=a").status_code == 400


def test_the_page_of_one_event_shows_neither_fingerprint_nor_key(client, ann):
    staff_member(client, "view_numberevent")
    numbers.note(NumberEvent.What.ADDED, ANN, ann)
    event = NumberEvent.objects.get()

    page = client.get(f"{EVENTS}{event.pk}/change/")

    assert "Put on file" in page.text
    assert event.fingerprint_key not in page.text
    assert bytes(event.number_fingerprint).hex() not in page.text


@pytest.mark.parametrize("page", ["add/", "{pk}/delete/", "{pk}/change/"])
def test_v5_0_0_16_4_2_nobody_changes_what_happened_in_the_admin(client, ann, page):
    boss = UserFactory(staff=True)
    client.force_login(boss)
    step_up(client, boss, "administer")
    numbers.note(NumberEvent.What.ADDED, ANN, ann)
    event = NumberEvent.objects.get()

    answer = client.post(
        EVENTS + page.format(pk=event.pk), {"what": "removed", "post": "yes"}
    )

    assert answer.status_code == 403
    assert NumberEvent.objects.get().what == "added"


def test_the_pages_cost_the_same_for_many_rows(
    client, ann, django_assert_max_num_queries
):
    staff_member(client, "view_numberevent", "view_verification")
    numbers.note(NumberEvent.What.ADDED, ANN, ann)
    VerificationFactory(verified=True, user=ann)
    pages = (EVENTS, page_of())
    with CaptureQueriesContext(connection) as few:
        for page in pages:
            client.get(page)
    for _ in range(20):
        numbers.note(NumberEvent.What.KEPT, ANN, UserFactory())
        VerificationFactory(verified=True, user=UserFactory())

    with django_assert_max_num_queries(len(few)):
        for page in pages:
            client.get(page)
    counts = [q["sql"] for q in few if "COUNT(" in q["sql"] and "LIMIT" not in q["sql"]]
    assert counts == []
    assert Verification.objects.count() == 21
