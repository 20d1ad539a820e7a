"""A new session key at each proof; the end of an account's sessions, all at once.

OWASP ASVS 5.0.0: 7.2.4, 7.4.1, 7.4.2, 7.4.3, 7.4.5; NIST SP 800-63B-4: 5.1.
"""

import re

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import Device, Pending, User
from tests.accounts.browsers import (
    BROWSERS,
    device_of,
    is_stored,
    key_of,
    known,
    opened,
)
from tests.accounts.steps import (
    by_app,
    by_network,
    is_signed_in,
    log_in,
    mailed_link,
)
from tests.conftest import Browser, step_up
from tests.factories import (
    ANN,
    BINDING,
    PASSWORD,
    AuthenticatorFactory,
    PendingFactory,
    UserFactory,
    VerificationFactory,
)

pytestmark = pytest.mark.django_db
END = "/accounts/sessions/end/"
CHANGE = "/accounts/password/change/"
NEW = "batt3ry staple"


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


@pytest.fixture
def phone(ann):
    return opened(ann, "phone")


def with_the_old_key(key):
    """Whoever has stolen a session's key, in a browser of their own."""
    thief = Browser()
    thief.cookies["sessionid"] = key
    return thief


def is_new_and_in_step(browser, before, name="phone"):
    """Whether the old key opens nothing, and the Device has the new one."""
    return (
        key_of(browser) != before
        and not is_stored(before)
        and not is_signed_in(with_the_old_key(before))
        and device_of(name).session_key == key_of(browser)
        and is_signed_in(browser)
    )


# A new key (7.2.4)


def test_v5_0_0_7_2_4_a_login_has_a_new_key(ann):
    phone = known(ann, "phone")
    phone.cookies["sessionid"] = "planted" * 4

    log_in(phone, ann)

    assert is_new_and_in_step(phone, "planted" * 4)


def test_v5_0_0_7_2_4_a_login_while_signed_in_has_a_new_key(ann, phone, operator):
    """A journey that was begun in another tab before."""
    before = key_of(phone)
    phone.cookies["nv_binding"] = BINDING
    journey = PendingFactory(kind="login", user=ann, phone="")
    VerificationFactory(verified=True, purpose="login", user=ann)

    assert phone.get(f"/accounts/login/{journey.pk}/").status_code == 303

    assert is_new_and_in_step(phone, before)
    assert Session.objects.count() == 1


def test_v5_0_0_7_2_4_a_login_by_the_network_has_a_new_key(ann, operator):
    phone = Browser()
    phone.follow(phone.come_back(operator, log_in(phone, ann)))

    assert Device.objects.get().session_key == key_of(phone)
    assert is_signed_in(phone)


def test_v5_0_0_7_2_4_a_signup_has_a_new_key(operator):
    phone = Browser()
    typed = {"email": "new@example.com", "phone": ANN}
    signup = phone.submit(
        "/accounts/signup/", **typed, password1=PASSWORD, password2=PASSWORD
    )
    phone.follow(phone.come_back(operator, signup))

    assert Device.objects.get().session_key == key_of(phone)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(END, id="for its age"),
        pytest.param(CHANGE, id="once"),
        pytest.param("/verify/recovery-codes/", id="of numberverify"),
    ],
)
def test_v5_0_0_7_2_4_a_proof_by_the_network_has_a_new_key(phone, operator, url):
    before = key_of(phone)

    by_network(phone, operator, url)

    assert is_new_and_in_step(phone, before)


def test_v5_0_0_7_2_4_a_proof_by_an_app_has_a_new_key():
    ben = UserFactory()
    AuthenticatorFactory(user=ben)
    phone = opened(ben, "phone")
    before = key_of(phone)

    by_app(phone, ben, END)

    assert is_new_and_in_step(phone, before)


def test_v5_0_0_7_2_4_a_proof_of_details_has_a_new_key(ann, phone, operator):
    before = key_of(phone)
    payment = {"payee": "Ben", "amount": "10.00"}
    confirm = phone.submit("/sandbox/send-money/", **payment)
    token = confirm.text.partition('csrfmiddlewaretoken" value="')[2][:64]
    said = confirm.text.partition('name="confirmed" value="')[2].partition('"')[0]
    form = {"csrfmiddlewaretoken": token, "confirmed": said}
    asked = phone.post("/sandbox/send-money/?nv_confirm=1", form)
    phone.follow(phone.come_back(operator, asked))
    assert key_of(phone) == before  # nothing is done yet

    phone.submit("/sandbox/send-money/", **payment)

    assert is_new_and_in_step(phone, before)


def test_v5_0_0_7_2_4_a_new_number_has_a_new_key(operator):
    ben = UserFactory()
    phone = opened(ben, "phone")
    before = key_of(phone)

    by_network(phone, operator, "/accounts/phone/", phone=ANN, password=PASSWORD)

    assert is_new_and_in_step(phone, before)


def test_v5_0_0_7_2_4_a_password_change_has_a_new_key(phone, operator):
    by_network(phone, operator, CHANGE)
    before = key_of(phone)

    change_password(phone)

    assert is_new_and_in_step(phone, before)


def test_v5_0_0_7_2_4_the_password_for_a_first_app_has_a_new_key(monkeypatch):
    ben = UserFactory()
    phone = opened(ben, "phone")
    before = key_of(phone)
    monkeypatch.setattr("numberverify.factors.totp.enrol", lambda *args: True)
    url = "/verify/authenticator/"

    phone.submit(url, code="123456", password=PASSWORD)

    assert is_new_and_in_step(phone, before)


def test_a_look_at_an_open_page_keeps_the_key(phone, operator):
    by_network(phone, operator, END)
    before = key_of(phone)

    for url in (END, "/accounts/profile/", BROWSERS):
        phone.get(url)

    assert key_of(phone) == before


def test_a_form_in_another_tab_goes_on_working(phone, operator):
    opened_before = phone.get("/accounts/email/change/")  # any page with a form
    token = opened_before.text.partition('csrfmiddlewaretoken" value="')[2][:64]

    by_network(phone, operator, END)
    sent = phone.post("/accounts/email/resend/", {"csrfmiddlewaretoken": token})

    assert (sent.status_code, sent["Location"]) == (303, "/accounts/profile/")


def test_an_effect_that_fails_leaves_the_person_signed_in(ann, phone, operator):
    by_network(phone, operator, CHANGE)

    again = phone.submit(
        CHANGE, old_password="wrong", new_password1=NEW, new_password2=NEW
    )

    assert "not your old password" in again.text
    assert is_signed_in(phone)


def test_nist_5_1_the_key_has_160_bits_and_lies_in_a_cookie_for_the_server(phone):
    cookie = phone.cookies["sessionid"]

    assert re.fullmatch("[0-9a-f]{40}", cookie.value)
    assert cookie["httponly"]
    assert (cookie["samesite"], cookie["path"]) == ("Lax", "/")


# The end of all


def change_password(browser):
    browser.submit(CHANGE, old_password=PASSWORD, new_password1=NEW, new_password2=NEW)


def by_staff(ann, change):
    staff = UserFactory(staff=True, email="staff@example.com")
    client = Browser()
    client.force_login(staff)
    step_up(client, staff, "administer")
    return change(client, ann)


def admin_action(name):
    def act(client, ann):
        chosen = {"action": name, "_selected_action": str(ann.pk)}
        assert client.submit("/admin/accounts/user/", **chosen).status_code == 302

    return act


def admin_makes_inactive(client, ann):
    url = f"/admin/accounts/user/{ann.pk}/change/"
    assert client.submit(url, _save="Save").status_code == 302


ENDS = [
    pytest.param(lambda ann: ann.end_sessions(), id="ended"),
    pytest.param(lambda ann: ann.freeze(), id="frozen"),
    pytest.param(
        lambda ann: by_staff(ann, admin_action("end_sessions")), id="ended by staff"
    ),
    pytest.param(lambda ann: by_staff(ann, admin_action("freeze")), id="by staff too"),
    pytest.param(lambda ann: by_staff(ann, admin_makes_inactive), id="made inactive"),
]


@pytest.mark.parametrize("end", ENDS)
def test_v5_0_0_7_4_2_every_session_of_every_browser_ends(ann, end):
    bens = Browser()
    bens.force_login(UserFactory())
    three = [opened(ann, name) for name in ("phone", "laptop", "stranger")]
    keys = [key_of(one) for one in three]

    end(User.objects.get(pk=ann.pk))

    assert not any(is_stored(key) for key in keys)
    assert not any(is_signed_in(one) for one in three)
    assert not Device.objects.filter(user=ann).exists()
    assert is_signed_in(bens)


@pytest.mark.parametrize("end", ENDS)
def test_v5_0_0_7_4_2_what_could_open_one_ends_with_them(
    ann, operator, run_on_commit, end
):
    journeys = [
        PendingFactory(kind=kind, user=ann)
        for kind in ("login", "password_reset", "phone_change")
    ]
    VerificationFactory(verified=True, purpose="login", user=ann)
    other = Browser()
    other.cookies["nv_binding"] = BINDING
    Browser().submit("/accounts/password/reset/", email=ann.email)
    link = mailed_link(r"password/reset/\w+/")
    phone = opened(ann, "phone")
    by_network(phone, operator, END)

    end(User.objects.get(pk=ann.pk))
    User.objects.filter(pk=ann.pk).update(is_active=True)

    left = Pending.objects.filter(pk__in=[one.pk for one in journeys])
    assert not any(one.still_holds() for one in left)
    assert other.get(f"/accounts/login/{journeys[0].pk}/").status_code == 410
    assert other.get(link).status_code == 410
    page = phone.get(END)
    assert page.status_code == 302
    assert 'name="end"' not in page.text


def test_v5_0_0_7_4_2_who_is_active_again_stays_signed_out(ann, phone):
    by_staff(ann, admin_makes_inactive)
    User.objects.filter(pk=ann.pk).update(is_active=True)

    assert not is_signed_in(phone)


def test_v5_0_0_7_4_1_a_logout_leaves_nothing_to_go_on_with(phone):
    key = key_of(phone)

    phone.submit("/accounts/logout/", page="/")

    assert not is_signed_in(with_the_old_key(key))
    assert not is_stored(key)


def test_v5_0_0_7_4_3_a_password_change_signs_the_others_out(ann, phone, operator):
    laptop = opened(ann, "laptop")
    key = key_of(laptop)
    by_network(phone, operator, CHANGE)

    change_password(phone)

    assert is_signed_in(phone)
    assert not is_stored(key)
    assert not is_signed_in(laptop)
    assert device_of("laptop").session_key == ""
    assert phone.get(BROWSERS).text.count("Signed out") == 1


def test_v5_0_0_7_4_3_ending_all_others_keeps_this_one(ann, phone, operator):
    first_seen = device_of("phone").created_at
    laptop = opened(ann, "laptop")
    key = key_of(laptop)
    by_network(phone, operator, END)

    phone.submit(END, end="1")

    assert is_signed_in(phone)
    assert not is_stored(key)
    assert not is_signed_in(laptop)
    left = Device.objects.get()
    assert (left.session_key, left.created_at) == (key_of(phone), first_seen)


def test_a_reset_ends_all(ann, phone):
    key = key_of(phone)
    ann.set_password(NEW)
    ann.save()
    ann.forget_browsers()

    assert not is_stored(key)
    assert not is_signed_in(phone)


def test_a_closed_account_leaves_no_session(ann, phone, operator):
    laptop = opened(ann, "laptop")
    by_network(phone, operator, "/accounts/close/")

    phone.submit("/accounts/close/", close="1", sure="on")

    assert not Session.objects.exists()
    assert not is_signed_in(laptop)


def test_a_session_whose_browser_is_gone_ends_when_it_is_next_noted(ann, phone):
    """Whatever else fails: a session that nobody could end does not go on."""
    Device.objects.all().delete()
    session = Session.objects.get()
    data = session.get_decoded() | {"nv_seen": int(timezone.now().timestamp()) - 301}
    Session.objects.update(session_data=Session.objects.encode(data))

    assert not is_signed_in(phone)
    assert not Session.objects.exists()
