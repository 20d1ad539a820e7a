import re

import pytest
from django.contrib.auth.models import Permission
from django.core import mail as outbox

from accounts import mail
from accounts.models import Device, User
from tests.conftest import step_up
from tests.factories import ANN, DeviceFactory, UserFactory

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
