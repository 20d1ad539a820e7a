import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail as outbox
from django.utils import timezone

from accounts import mail
from accounts.models import Device, Pending, Profile
from numberverify.choices import Purpose, Status
from numberverify.models import Verification
from tests.factories import ANN, PASSWORD, DeviceFactory, UserFactory

pytestmark = pytest.mark.django_db
CHANGE = "/accounts/password/change/"
RESET = "/accounts/password/reset/"
NEW = {"new_password1": "batt3ry staple", "new_password2": "batt3ry staple"}


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


@pytest.fixture
def signed_in(browser, ann):
    """Ann's browser, known and with a recent proof: no check just now."""
    DeviceFactory(user=ann, token="known browser")
    browser.cookies["nv_known"] = "known browser"
    browser.submit("/accounts/login/", username=ann.email, password=PASSWORD)
    return browser


def prove(browser, operator):
    return browser.follow(browser.come_back(operator, browser.submit(CHANGE)))


def test_the_page_asks_for_a_confirmation_first(signed_in, operator):
    page = signed_in.get(CHANGE)

    assert "Confirm it's you to change your password" in page.text
    fields = re.findall(r'name="(\w+)"', page.text.split("<main")[1])
    assert fields == ["csrfmiddlewaretoken"]
    assert not Verification.objects.exists()


def test_a_match_comes_back_to_the_form_and_the_password_changes(
    signed_in, operator, ann
):
    page = prove(signed_in, operator)
    assert page.request["PATH_INFO"] == CHANGE

    done = signed_in.submit(CHANGE, old_password=PASSWORD, **NEW)

    ann.refresh_from_db()
    assert done["Location"] == "/accounts/profile/"
    assert ann.check_password(NEW["new_password1"])
    assert signed_in.get("/accounts/profile/").status_code == 200


def test_a_login_or_signup_just_now_does_not_count(browser, operator, ann):
    started = browser.submit("/accounts/login/", username=ann.email, password=PASSWORD)
    browser.follow(browser.come_back(operator, started))

    assert "old_password" not in browser.get(CHANGE).text


def test_a_wrong_old_password_keeps_the_proof(signed_in, operator, ann):
    prove(signed_in, operator)

    page = signed_in.submit(CHANGE, old_password="wrong", **NEW)
    assert "old_password" in page.context["form"].errors

    signed_in.submit(CHANGE, old_password=PASSWORD, **NEW)
    ann.refresh_from_db()
    assert ann.check_password(NEW["new_password1"])


def test_one_proof_changes_one_password(signed_in, operator):
    prove(signed_in, operator)
    signed_in.submit(CHANGE, old_password=PASSWORD, **NEW)

    assert "Confirm it's you" in signed_in.get(CHANGE).text


def test_changing_the_password_ends_the_other_sessions(
    signed_in, client, operator, ann
):
    client.force_login(ann)
    prove(signed_in, operator)

    signed_in.submit(CHANGE, old_password=PASSWORD, **NEW)

    assert client.get("/accounts/profile/").status_code == 302


@pytest.mark.parametrize(
    "state",
    [
        pytest.param({"sim": "+447700900999"}, id="no match"),
        pytest.param({"claims": {"aud": "somebody else"}}, id="could not tell"),
    ],
)
def test_without_a_match_there_is_no_form(signed_in, operator, ann, state):
    vars(operator).update(state)

    prove(signed_in, operator)
    page = signed_in.post(CHANGE, {"old_password": PASSWORD, **NEW})

    assert "old_password" not in signed_in.get(CHANGE).text
    assert page.status_code in (200, 403)
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)


def test_a_form_that_comes_too_late_is_never_replayed(signed_in, operator, ann):
    prove(signed_in, operator)
    token = signed_in.get(CHANGE).context["csrf_token"]
    Verification.objects.update(settled_at=timezone.now() - timedelta(minutes=6))

    page = signed_in.post(
        CHANGE, {"old_password": PASSWORD, "csrfmiddlewaretoken": str(token), **NEW}
    )

    assert "Confirm it's you" in page.text
    assert Verification.objects.count() == 1
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)


def test_another_browser_of_the_same_person_cannot_use_the_proof(
    signed_in, client, operator, ann
):
    prove(signed_in, operator)
    client.force_login(ann)

    assert "old_password" not in client.get(CHANGE).text


def test_without_a_number_the_page_says_what_is_needed(client, operator):
    client.force_login(UserFactory())

    page = client.get(CHANGE)

    assert "Add a number first" in page.text
    assert "/accounts/phone/" in page.text


# Reset


def mailed_link(browser, email="ann@example.com"):
    outbox.outbox.clear()
    browser.submit(RESET, email=email)
    mail.wait()
    return re.search(r"http://testserver(\S+)", outbox.outbox[0].body)[1]


@pytest.mark.parametrize(
    "email", ["ann@example.com", "ANN@example.com", "nobody@x.example"]
)
def test_the_answer_to_a_reset_is_always_the_same(browser, run_on_commit, ann, email):
    asked = browser.submit(RESET, email=email)

    mail.wait()
    assert (asked.status_code, asked["Location"]) == (303, RESET + "sent/")
    assert len(outbox.outbox) == (email.lower() == ann.email)


def test_a_reset_for_nobody_does_the_same_work(
    browser, run_on_commit, monkeypatch, ann
):
    written = []
    write = mail.render_to_string
    monkeypatch.setattr(
        mail,
        "render_to_string",
        lambda *args: written.append(args[0][0]) or write(*args),
    )

    for email in (ann.email, "nobody@x.example"):
        browser.submit(RESET, email=email)

    mail.wait()
    assert written == ["accounts/mail/password_reset.txt"] * 2
    assert len(outbox.outbox) == 1


def test_a_get_of_the_mailed_link_changes_nothing(
    browser, operator, run_on_commit, ann
):
    link = mailed_link(browser)

    for _ in range(2):
        page = browser.get(link)
        assert page.status_code == 200
        assert "•••123" in page.text
    assert not Verification.objects.exists()


def test_a_reset_asks_the_network_and_then_for_the_password(
    browser, operator, run_on_commit, ann
):
    page = browser.follow(
        browser.come_back(operator, browser.submit(mailed_link(browser)))
    )

    done = browser.submit(page.request["PATH_INFO"], **NEW)

    ann.refresh_from_db()
    assert ann.check_password(NEW["new_password1"])
    assert done["Location"] == "/accounts/login/"
    assert browser.get("/accounts/profile/").status_code == 302
    row = Verification.objects.get()
    assert (row.purpose, row.user) == (Purpose.PASSWORD_RESET, ann)
    assert row.redeemed_at


def test_a_reset_ends_all_sessions(browser, client, operator, run_on_commit, ann):
    client.force_login(ann)
    page = browser.follow(
        browser.come_back(operator, browser.submit(mailed_link(browser)))
    )

    browser.submit(page.request["PATH_INFO"], **NEW)

    assert client.get("/accounts/profile/").status_code == 302


def test_a_reset_link_works_once(browser, operator, run_on_commit, ann):
    link = mailed_link(browser)
    page = browser.follow(browser.come_back(operator, browser.submit(link)))
    browser.submit(page.request["PATH_INFO"], **NEW)

    assert browser.get(link).status_code == 410
    assert browser.get(page.request["PATH_INFO"]).status_code == 410


def test_a_reset_link_works_for_an_hour(browser, run_on_commit, ann):
    link = mailed_link(browser)

    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert browser.get(link).status_code == 410


@pytest.mark.parametrize("sim", ["+447700900999", None])
def test_without_a_match_a_reset_stays_shut(browser, operator, run_on_commit, ann, sim):
    operator.sim = sim or ANN
    changes = {} if sim else {"error": "login_required"}
    link = mailed_link(browser)
    ended = browser.follow(browser.come_back(operator, browser.submit(link), **changes))
    here = ended.context["verification"].next

    page = browser.submit(here, **NEW)

    assert "new_password1" not in browser.get(here).text
    assert page.status_code == 303  # asked again, nothing set
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)


def test_a_reset_is_for_the_browser_that_opened_the_link(
    browser, new_browser, operator, run_on_commit, ann
):
    page = browser.follow(
        browser.come_back(operator, browser.submit(mailed_link(browser)))
    )

    assert new_browser().get(page.request["PATH_INFO"]).status_code == 410


def test_without_a_number_on_file_the_mailed_link_is_enough(browser, run_on_commit):
    user = UserFactory(email="ann@example.com")
    sent = browser.submit(mailed_link(browser))

    browser.submit(sent["Location"], **NEW)

    user.refresh_from_db()
    assert user.check_password(NEW["new_password1"])
    assert not Verification.objects.exists()


def test_a_number_that_came_on_file_meanwhile_is_asked_for(
    browser, operator, run_on_commit
):
    user = UserFactory(email="ann@example.com")
    sent = browser.submit(mailed_link(browser))
    Profile.objects.create(user=user, phone=ANN, phone_verified_at=timezone.now())

    assert "new_password1" not in browser.get(sent["Location"]).text


def test_a_weak_new_password_is_named_and_the_proof_kept(
    browser, operator, run_on_commit, ann
):
    page = browser.follow(
        browser.come_back(operator, browser.submit(mailed_link(browser)))
    )
    here = page.request["PATH_INFO"]

    wrong = browser.submit(here, new_password1="short", new_password2="short")

    assert "new_password1" in wrong.context["form"].errors
    assert browser.submit(here, **NEW)["Location"] == "/accounts/login/"


@pytest.mark.parametrize("link", ["MQ/abc-def", "%00/abc", "zzzz/abc-123", "MTIzNDU/x"])
def test_a_made_up_link_is_a_plain_page(browser, link):
    assert browser.get(f"{RESET}{link}/").status_code == 410


def test_an_expired_verification_of_a_reset_is_not_a_receipt(
    browser, operator, run_on_commit, ann
):
    page = browser.follow(
        browser.come_back(operator, browser.submit(mailed_link(browser)))
    )
    Verification.objects.update(settled_at=timezone.now() - timedelta(minutes=6))

    assert "new_password1" not in browser.get(page.request["PATH_INFO"]).text
    assert Verification.objects.get().status == Status.VERIFIED


def test_unknown_fields_beside_the_token_are_ignored(signed_in, operator):
    assert signed_in.submit(CHANGE, foo="1")["Location"].startswith(operator.base_url)


def test_the_confirm_button_pressed_twice_shows_the_form_without_errors(
    signed_in, operator
):
    prove(signed_in, operator)

    page = signed_in.submit(CHANGE)

    assert not page.context["form"].errors


def test_a_proof_for_a_change_spares_the_next_login_in_this_browser(
    signed_in, operator, ann
):
    Device.objects.update(last_proof_at=timezone.now() - timedelta(days=29))
    prove(signed_in, operator)
    signed_in.submit(CHANGE, old_password=PASSWORD, **NEW)

    assert Device.objects.get().last_proof_at > timezone.now() - timedelta(minutes=1)


def test_a_reset_forgets_the_known_browsers(browser, operator, run_on_commit, ann):
    DeviceFactory(user=ann)
    page = browser.follow(
        browser.come_back(operator, browser.submit(mailed_link(browser)))
    )

    browser.submit(page.request["PATH_INFO"], **NEW)

    assert not Device.objects.exists()


def test_an_inactive_account_is_not_reset(browser, run_on_commit, ann):
    link = mailed_link(browser)
    ann.is_active = False
    ann.save()

    assert browser.get(link).status_code == 410


def test_without_a_number_a_reset_is_finished_once(browser, run_on_commit):
    UserFactory(email="ann@example.com")
    here = browser.submit(mailed_link(browser))["Location"]
    browser.submit(here, **NEW)

    assert browser.get(here).status_code == 410
    assert not Pending.objects.exists()
