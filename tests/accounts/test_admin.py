import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.core import mail as outbox
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import mail
from accounts.models import Device, Pending, User
from numberverify.choices import Purpose, Reason
from numberverify.models import StaffRecord
from tests.accounts.steps import by_network, mailed
from tests.conftest import step_up
from tests.factories import (
    ANN,
    AuthenticatorFactory,
    DeviceFactory,
    PendingFactory,
    RecoveryCodeFactory,
    UserFactory,
    VerificationFactory,
)

pytestmark = pytest.mark.django_db
PEOPLE = "/admin/accounts/user/"


@pytest.fixture
def staff(client):
    user = UserFactory(staff=True)
    client.force_login(user)
    step_up(client, user, "administer")
    return client


@pytest.fixture
def helper(client):
    """Staff who may look at and change people, and no more."""
    user = UserFactory(is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(codename__in=["view_user", "change_user"])
    )
    client.force_login(user)
    step_up(client, user, "administer")
    return client


def act(client, action, *people):
    return client.post(
        PEOPLE,
        {"action": action, "_selected_action": [person.pk for person in people]},
        follow=True,
    )


def test_the_admins_login_is_the_sites(client):
    sent = client.get("/admin/", follow=True)

    assert sent.request["PATH_INFO"] == "/accounts/login/"
    assert sent.context["next"] == "/admin/"


def test_a_person_is_found_by_email_and_shown_with_a_masked_number(staff):
    UserFactory(email="ann@example.com", phone=ANN)
    UserFactory(email="annette@example.com")

    page = staff.get(PEOPLE, {"q": "ann@example.com"})

    assert "•••123" in page.text
    assert ANN not in page.text
    assert "annette" not in page.text


def test_staff_end_a_persons_sessions(staff, new_browser):
    ann = UserFactory()
    hers = new_browser()
    hers.force_login(ann)

    act(staff, "end_sessions", ann)

    assert hers.get("/accounts/profile/").status_code == 302


@pytest.mark.usefixtures("run_on_commit")
def test_staff_send_a_reset(staff):
    ann = UserFactory(email="ann@example.com")

    act(staff, "send_reset", ann)

    mail.wait()
    assert [message.to for message in outbox.outbox] == [["ann@example.com"]]


def test_nobody_sets_anothers_password_or_email(staff):
    ann = UserFactory(email="ann@example.com")
    password = ann.password

    page = staff.get(f"{PEOPLE}{ann.pk}/change/")
    staff.post(
        f"{PEOPLE}{ann.pk}/change/",
        {"email": "mine@example.com", "password": "x", "is_active": "on"},
    )

    ann.refresh_from_db()
    assert (ann.email, ann.password) == ("ann@example.com", password)
    assert 'name="password"' not in page.text
    assert staff.get(f"{PEOPLE}{ann.pk}/password/", follow=True).status_code == 200
    assert staff.get(f"{PEOPLE}add/").status_code == 403
    assert staff.get(f"{PEOPLE}{ann.pk}/delete/").status_code == 403


@pytest.mark.parametrize(
    ("place", "page"),
    [
        ("people", ""),
        ("people", "change/"),
        ("people", "delete/"),
        ("groups", ""),
        ("groups", "add/"),
        ("groups", "change/"),
        ("groups", "delete/"),
    ],
)
def test_who_may_change_nothing_is_refused_before_a_proof(client, place, page):
    ann = UserFactory()
    group = Group.objects.create(name="Helpers")
    client.force_login(UserFactory(is_staff=True))
    about = {"people": (PEOPLE, ann), "groups": ("/admin/auth/group/", group)}
    place, thing = about[place]
    address = f"{place}{thing.pk}/{page}" if page in ("change/", "delete/") else place

    answer = client.post(f"{address}{page if page == 'add/' else ''}", {"post": "y"})

    assert answer.status_code == 403
    assert StaffRecord.objects.get().kind == StaffRecord.Kind.REFUSED


def test_staff_cannot_raise_themselves(helper):
    me = User.objects.get()

    helper.post(f"{PEOPLE}{me.pk}/change/", {"is_superuser": "on", "is_active": "on"})

    me.refresh_from_db()
    assert not me.is_superuser


def test_staff_do_not_reach_a_superuser(helper):
    boss = UserFactory(staff=True)
    salt = boss.session_salt

    act(helper, "end_sessions", boss)
    page = helper.post(f"{PEOPLE}{boss.pk}/change/", {"is_active": ""})

    boss.refresh_from_db()
    assert page.status_code == 403
    assert boss.is_active
    assert boss.session_salt == salt


def test_a_visitor_who_is_not_staff_stays_outside(client):
    client.force_login(UserFactory())

    assert client.get(PEOPLE).status_code == 302


def test_the_number_of_queries_does_not_grow_with_the_people(
    staff, django_assert_max_num_queries
):
    for n in range(30):
        UserFactory(phone=f"+4477009002{n:02d}")

    with django_assert_max_num_queries(8):
        staff.get(PEOPLE)


@pytest.mark.parametrize(
    "lookup",
    [
        "password__startswith",
        "session_salt__startswith",
        "email__startswith",
        "last_login",
    ],
)
def test_no_column_can_be_guessed_by_the_address(helper, lookup):
    assert helper.get(PEOPLE, {lookup: "a"}).status_code == 400


def test_people_are_filtered_by_what_the_page_offers(staff):
    page = staff.get(PEOPLE, {"is_staff__exact": "1", "is_active__exact": "1"})

    assert page.status_code == 200


def test_ending_the_sessions_ends_what_could_open_one_again(
    staff, browser, run_on_commit
):
    ann = UserFactory(email="ann@example.com")
    DeviceFactory(user=ann)
    browser.submit("/accounts/password/reset/", email=ann.email)
    mail.wait()
    link = re.search(r"http://testserver(\S+)", outbox.outbox[0].body)[1]
    assert browser.get(link).status_code == 200

    act(staff, "end_sessions", ann)

    assert browser.get(link).status_code == 410
    assert not Device.objects.exists()


@pytest.mark.usefixtures("run_on_commit")
def test_nobody_is_said_to_have_got_a_reset_who_did_not(staff):
    ann = UserFactory()
    ann.set_unusable_password()
    ann.save()

    page = act(staff, "send_reset", ann)

    mail.wait()
    assert "Sent a reset to 0 people" in page.text
    assert outbox.outbox == []


# A fresh proof


@pytest.fixture
def unproved(client):
    """A member of staff without a proof."""
    client.force_login(UserFactory(staff=True, phone=ANN))
    return client


def change_of(person):
    return f"{PEOPLE}{person.pk}/change/"


@pytest.mark.parametrize("action", ["end_sessions", "send_reset", "freeze"])
@pytest.mark.usefixtures("run_on_commit")
def test_each_action_takes_a_fresh_proof(unproved, action):
    ann = UserFactory()
    salt = ann.session_salt

    page = act(unproved, action, ann)

    mail.wait()
    ann.refresh_from_db()
    assert "Confirm it's you to act as staff" in page.text
    assert (ann.session_salt, ann.frozen_at) == (salt, None)
    assert outbox.outbox == []


@pytest.mark.parametrize(
    "button", ["_save", "_continue", "_addanother", "_saveasnew", "none"]
)
def test_each_button_of_a_persons_page_takes_a_fresh_proof(unproved, button):
    ann = UserFactory()

    page = unproved.post(change_of(ann), {"is_staff": "on", button: "Save"})

    ann.refresh_from_db()
    assert page.status_code in (200, 303)
    assert (ann.is_active, ann.is_staff) == (True, False)


def test_looking_at_people_takes_none(unproved):
    ann = UserFactory(email="ann@example.com")

    assert "ann@example.com" in unproved.get(PEOPLE).text
    assert "ann@example.com" in unproved.get(change_of(ann)).text
    assert unproved.get(f"{PEOPLE}{ann.pk}/history/").status_code == 200


def test_a_proof_opens_the_admin_for_its_age(browser, operator):
    boss = UserFactory(staff=True, phone=ANN)
    browser.force_login(boss)
    ann, ben = UserFactory(), UserFactory()

    by_network(browser, operator, PEOPLE)
    for person in (ann, ben):
        pressed = {"action": "freeze", "_selected_action": str(person.pk)}
        browser.submit(PEOPLE, **pressed)

    assert User.objects.filter(frozen_at__isnull=False).count() == 2
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        page = browser.submit(PEOPLE, action="end_sessions", _selected_action=ben.pk)
        assert "Confirm it's you" in page.text


def test_the_action_that_was_intercepted_is_not_replayed(browser, operator):
    browser.force_login(UserFactory(staff=True, phone=ANN))
    ann = UserFactory()
    pressed = {"action": "freeze", "_selected_action": str(ann.pk)}

    asked = browser.submit(PEOPLE, **pressed)
    assert "Confirm it's you" in asked.text
    by_network(browser, operator, PEOPLE)

    ann.refresh_from_db()
    assert ann.frozen_at is None


def test_staff_without_any_way_to_prove_are_told_what_is_needed(client):
    client.force_login(UserFactory(staff=True))

    assert "Add a number first" in act(client, "freeze", UserFactory()).text


def test_a_frozen_member_of_staff_acts_on_nobody(staff):
    User.objects.filter(is_staff=True).update(frozen_at=timezone.now())
    ann = UserFactory()

    page = act(staff, "freeze", ann)

    ann.refresh_from_db()
    assert "Sensitive actions are frozen" in page.text
    assert ann.frozen_at is None


def test_a_person_who_is_not_staff_is_not_even_asked(client):
    user = UserFactory(phone=ANN)
    client.force_login(user)
    step_up(client, user, "administer")
    ann = UserFactory()

    assert act(client, "freeze", ann).status_code == 403
    ann.refresh_from_db()
    assert ann.frozen_at is None


@pytest.mark.parametrize("page", ["add/", "{pk}/change/", "{pk}/delete/"])
def test_groups_hand_out_privileges_and_take_a_fresh_proof(unproved, page):
    group = Group.objects.create(name="helpers")
    permission = Permission.objects.get(codename="decide_manual")
    address = f"/admin/auth/group/{page.format(pk=group.pk)}"

    unproved.post(
        address, {"name": "new", "permissions": [permission.pk], "post": "yes"}
    )

    assert list(Group.objects.values_list("name", "permissions")) == [("helpers", None)]


# Freezing


def test_staff_freeze_an_account(staff, new_browser):
    ann = UserFactory(phone=ANN)
    DeviceFactory(user=ann)
    hers = new_browser()
    hers.force_login(ann)

    page = act(staff, "freeze", ann)

    ann.refresh_from_db()
    assert "Froze 1 person." in page.text
    assert ann.frozen_at
    assert hers.get("/accounts/profile/").status_code == 302
    assert not Device.objects.exists()
    hers.force_login(ann)
    shut = hers.get("/accounts/password/change/")
    assert "Sensitive actions are frozen" in shut.text
    assert "/accounts/password/reset/" in shut.text


def test_a_freeze_is_shown_and_not_edited(staff):
    ann = UserFactory(frozen_at=timezone.now())

    page = staff.get(change_of(ann))
    staff.post(change_of(ann), {"is_active": "on", "frozen_at_0": "", "_save": "1"})

    ann.refresh_from_db()
    assert "Frozen" in page.text
    assert 'name="frozen_at' not in page.text
    assert ann.frozen_at


def test_staff_do_not_freeze_a_superuser(helper):
    boss = UserFactory(staff=True)

    page = act(helper, "freeze", boss)

    boss.refresh_from_db()
    assert "Froze 0 people" in page.text
    assert boss.frozen_at is None


def test_a_freeze_is_written_into_the_log_of_the_admin(staff):
    ann = UserFactory()

    act(staff, "freeze", ann)

    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.change_message) == (
        str(ann.pk),
        "Froze the account's step-up.",
    )


def test_who_may_only_look_freezes_nobody(client):
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_user"))
    client.force_login(user)
    step_up(client, user, "administer")
    ann = UserFactory()

    act(client, "freeze", ann)

    ann.refresh_from_db()
    assert ann.frozen_at is None


# The overview


def overview(client):
    return re.sub(r"\s+", " ", client.get("/admin/").text)


@pytest.fixture
def people():
    """Of each kind a number of its own: 1 app, 2 paper, 3 number, 4 nothing."""
    AuthenticatorFactory(user=UserFactory(phone="+447700900001"))
    for n in range(2):
        RecoveryCodeFactory(user=UserFactory(phone=f"+44770090001{n}"))
    for n in range(3):
        UserFactory(phone=f"+44770090002{n}")
    for _ in range(3):
        UserFactory()
    spent = UserFactory(phone="+447700900031")
    RecoveryCodeFactory(user=spent, used_at=timezone.now())
    unconfirmed = UserFactory(phone="+447700900032")
    AuthenticatorFactory(user=unconfirmed, confirmed=False)
    UserFactory(phone="+447700900033", is_active=False)
    UserFactory(is_active=False)


@pytest.mark.usefixtures("people")
def test_the_overview_counts_who_has_no_way_but_the_network(staff, settings):
    settings.SMS_BACKEND = ""

    said = overview(staff)

    assert "<strong>5</strong> accounts have no way but the network." in said
    # The member of staff who looks has nothing either.
    assert "<strong>4</strong> accounts have nothing but a password." in said
    assert "Text messages are on" not in said


@pytest.mark.usefixtures("people")
def test_with_text_messages_the_overview_says_that_they_need_the_number(staff):
    said = overview(staff)

    assert "<strong>0</strong> accounts have no way but the network." in said
    assert "<strong>5</strong> accounts have them and the network" in said
    assert "<strong>4</strong> accounts have nothing but a password." in said


def test_one_account_is_said_in_the_singular(staff, settings):
    settings.SMS_BACKEND = ""
    UserFactory(phone=ANN)

    said = overview(staff)

    assert "<strong>1</strong> account has no way but the network." in said
    assert "<strong>1</strong> account has nothing but a password." in said


def test_the_overview_is_for_who_may_see_people(client):
    client.force_login(UserFactory(is_staff=True))

    assert "Ways to prove" not in overview(client)


def test_the_overview_costs_the_same_for_many_people(
    staff, django_assert_max_num_queries
):
    with CaptureQueriesContext(connection) as few:
        staff.get("/admin/")
    for n in range(20):
        RecoveryCodeFactory(user=UserFactory(phone=f"+4477009002{n:02d}"))

    with django_assert_max_num_queries(len(few)):
        staff.get("/admin/")


# Rights


def told(person) -> list[str]:
    return [subject for to, subject in mailed() if to == person.email]


RIGHTS = "What your account may do for our staff was changed"


@pytest.mark.usefixtures("run_on_commit")
def test_v5_0_0_6_3_7_who_gets_rights_is_told(staff):
    ann, group = UserFactory(), Group.objects.create(name="support")
    change = change_of(ann)

    staff.post(change, {"is_active": "on", "is_staff": "on", "_save": "1"})
    staff.post(
        change,
        {"is_active": "on", "is_staff": "on", "groups": group.pk, "_save": "1"},
    )
    staff.post(change, {"is_active": "on", "_save": "1"})

    assert told(ann) == [RIGHTS] * 3


@pytest.mark.usefixtures("run_on_commit")
def test_who_is_only_saved_is_told_nothing(staff):
    ann = UserFactory()

    staff.post(change_of(ann), {"is_active": "on", "_save": "1"})

    assert told(ann) == []


@pytest.mark.parametrize("end", ["is_staff", "is_active"])
def test_v5_0_0_8_3_1_a_right_that_is_taken_is_gone_at_the_next_request(client, end):
    """Nothing of what a person may do is kept in the session."""
    boss = UserFactory(staff=True)
    client.force_login(boss)
    assert client.get(PEOPLE).status_code == 200

    User.objects.filter(pk=boss.pk).update(**{end: False})

    assert client.get(PEOPLE).status_code == 302


def test_v5_0_0_8_3_1_a_button_that_is_not_shown_does_nothing_either(client):
    """Who may look is refused by the server, whatever the page offers."""
    looker = UserFactory(is_staff=True)
    looker.user_permissions.set(Permission.objects.filter(codename="view_user"))
    client.force_login(looker)
    step_up(client, looker, "administer")
    ann = UserFactory()

    answer = client.post(change_of(ann), {"is_active": "", "_save": "1"})

    assert answer.status_code == 403
    ann.refresh_from_db()
    assert ann.is_active


def test_who_is_disabled_has_nothing_under_way_any_more(staff):
    ann = UserFactory()
    PendingFactory(user=ann, kind="login")
    row = VerificationFactory(user=ann, purpose=Purpose.LOGIN)

    staff.post(change_of(ann), {"_save": "1"})

    row.refresh_from_db()
    assert row.reason == Reason.WITHDRAWN
    assert not Pending.objects.exists()
