import re

import pytest
from django.contrib.sessions.models import Session
from django.core import mail as outbox
from django.utils import timezone

from accounts import mail
from accounts.models import Device, Pending, Profile, User
from numberverify.choices import Purpose, Status
from numberverify.models import Verification
from tests.factories import ANN, PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
SIGNUP = "/accounts/signup/"
TYPED = {
    "email": "Ann@Example.com",
    "password1": PASSWORD,
    "password2": PASSWORD,
    "phone": "07700 900123",
}


def test_a_match_opens_the_account_and_signs_in(browser, operator):
    started = browser.submit(SIGNUP, **TYPED)
    returned = browser.come_back(operator, started)
    page = browser.follow(returned)

    user = User.objects.get(email="ann@example.com")
    assert page.request["PATH_INFO"] == "/accounts/profile/"
    assert page.context["user"] == user
    assert user.check_password(PASSWORD)


def test_the_profile_says_when_and_by_what_the_number_was_verified(browser, operator):
    browser.follow(browser.come_back(operator, browser.submit(SIGNUP, **TYPED)))

    profile = Profile.objects.get(user__email="ann@example.com")
    row = Verification.objects.get()
    assert (profile.phone, profile.phone_verification) == (ANN, row.pk)
    assert profile.phone_verified_at
    assert (row.user, row.status, row.purpose) == (
        profile.user,
        Status.VERIFIED,
        Purpose.SIGNUP,
    )
    assert row.redeemed_at


def test_the_browser_is_known_afterwards(browser, operator):
    browser.follow(browser.come_back(operator, browser.submit(SIGNUP, **TYPED)))

    assert Device.objects.get().last_proof_at
    assert not Pending.objects.exists()


def test_next_is_where_a_signup_ends(browser, operator):
    started = browser.submit(SIGNUP, next="/sandbox/", **TYPED)
    page = browser.follow(browser.come_back(operator, started))

    assert page.request["PATH_INFO"] == "/sandbox/"


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:1",
        "x" * 600,
    ],
)
def test_next_on_another_host_becomes_the_profile(browser, operator, address):
    started = browser.submit(SIGNUP, next=address, **TYPED)
    returned = browser.come_back(operator, started)

    assert returned["Location"] == "/accounts/profile/"


def test_nobody_has_a_session_before_the_match(browser, operator):
    browser.submit(SIGNUP, **TYPED)

    assert not Session.objects.exists()
    assert "sessionid" not in browser.cookies
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        pytest.param("phone", "", "Enter a mobile phone number", id="no number"),
        pytest.param("phone", "12", "Enter a mobile phone number, like", id="short"),
        pytest.param(
            "phone", "my number", "Enter a mobile phone number, like", id="letters"
        ),
        pytest.param(
            "phone", "7" * 40, "Enter a mobile phone number, like", id="40 digits"
        ),
        pytest.param("phone", "020 7946 0000", "landline", id="landline"),
        pytest.param("email", "", "Enter your e-mail address", id="no e-mail"),
        pytest.param(
            "email", "ann@", "Enter an e-mail address, like", id="half an e-mail"
        ),
        pytest.param("password1", "", "Enter a password", id="no password"),
        pytest.param(
            "password1", "short", "at least 8 characters", id="short password"
        ),
        pytest.param("password1", "password123", "too common", id="common password"),
        pytest.param("password1", "ann@example.com", "too similar", id="the e-mail"),
        pytest.param("password2", "another one", "not the same", id="two passwords"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_stored(
    browser, operator, field, value, words
):
    page = browser.submit(SIGNUP, **(TYPED | {field: value}))

    assert page.status_code == 200
    assert words in " ".join(page.context["form"].errors[field])
    assert "<title>Error:" in page.text
    assert not Pending.objects.exists()
    assert not Verification.objects.exists()


def test_what_was_typed_is_kept_beside_an_error_but_not_the_password(browser, operator):
    page = browser.submit(SIGNUP, **(TYPED | {"password2": "another one"}))

    assert 'value="07700 900123"' in page.text
    assert 'value="Ann@Example.com"' in page.text
    assert PASSWORD not in page.text


def test_an_empty_form_names_every_field(browser, operator):
    page = browser.submit(SIGNUP)

    assert set(page.context["form"].errors) == {
        "email",
        "phone",
        "password1",
        "password2",
    }


def test_a_post_without_the_csrf_token_is_refused(browser, operator):
    assert browser.post(SIGNUP, TYPED).status_code == 403


def taken_number():
    UserFactory(email="owner@example.com", phone=ANN)


def taken_email():
    UserFactory(email="ann@example.com")


@pytest.mark.parametrize("taken", [taken_number, taken_email])
def test_a_taken_number_or_email_changes_nothing_before_the_match(
    browser, new_browser, operator, taken
):
    fresh = browser.submit(
        SIGNUP, **(TYPED | {"email": "x@example.com", "phone": "+447700900777"})
    )
    taken()
    other = new_browser()
    started = other.submit(SIGNUP, **TYPED)

    operator.sim = "+447700900999"
    ended = other.follow(other.come_back(operator, started))
    assert started.status_code == fresh.status_code == 303
    assert started["Location"].split("?")[0] == fresh["Location"].split("?")[0]
    assert "does not match this SIM" in ended.text
    assert "already" not in ended.text


def test_a_matching_sim_learns_that_its_number_has_an_account(browser, operator):
    taken_number()

    page = browser.follow(browser.come_back(operator, browser.submit(SIGNUP, **TYPED)))

    assert "This number already has an account" in page.text
    assert "/accounts/login/" in page.text
    assert User.objects.count() == 1


def test_a_matching_sim_learns_that_the_email_has_an_account(
    browser, operator, run_on_commit
):
    taken_email()

    page = browser.follow(browser.come_back(operator, browser.submit(SIGNUP, **TYPED)))

    mail.wait()
    assert "already has an account" in page.text
    assert [(m.to, m.subject) for m in outbox.outbox] == [
        (["ann@example.com"], "Somebody tried to sign up with your address")
    ]
    assert not Profile.objects.exists()


def test_signing_up_again_with_ones_own_number_and_email_mails_nobody(
    browser, operator, run_on_commit
):
    UserFactory(email="ann@example.com", phone=ANN)

    page = browser.follow(browser.come_back(operator, browser.submit(SIGNUP, **TYPED)))

    mail.wait()
    assert "This number already has an account" in page.text
    assert outbox.outbox == []


@pytest.mark.usefixtures("one_step_a_request")
def test_learning_that_something_is_taken_spends_the_receipt(browser, operator):
    taken_number()
    returned = browser.come_back(operator, browser.submit(SIGNUP, **TYPED))
    browser.follow(returned)

    again = browser.get(returned["Location"])

    row = Verification.objects.get()
    assert again.status_code == 410
    assert str(row.pk) in again.text  # the reference for support
    assert row.redeemed_at


def test_without_a_receipt_the_journey_keeps_what_was_typed(browser, operator):
    operator.sim = "+447700900999"
    ended = browser.follow(browser.come_back(operator, browser.submit(SIGNUP, **TYPED)))

    page = browser.get(ended.context["verification"].next)

    assert 'value="ann@example.com"' in page.text
    assert 'value="07700 900123"' in page.text  # as it was typed
    assert PASSWORD not in page.text
    assert not User.objects.exists()


def test_without_a_receipt_nobody_learns_what_is_taken(browser, operator):
    taken_number()
    operator.sim = "+447700900999"
    ended = browser.follow(browser.come_back(operator, browser.submit(SIGNUP, **TYPED)))

    page = browser.get(ended.context["verification"].next)

    assert "already has an account" not in page.text


def test_trying_again_opens_the_account_with_the_same_password(browser, operator):
    operator.sim = "+447700900999"
    ended = browser.follow(browser.come_back(operator, browser.submit(SIGNUP, **TYPED)))
    failed = ended.context["verification"]

    operator.sim = ANN
    again = browser.submit(
        failed.next, page=f"/verify/{failed.pk}/", previous=str(failed.pk)
    )
    browser.follow(browser.come_back(operator, again))

    assert User.objects.get().check_password(PASSWORD)
    assert Verification.objects.get(status=Status.VERIFIED).previous == failed.pk


@pytest.mark.usefixtures("one_step_a_request")
def test_another_browser_cannot_go_on_with_a_signup(browser, new_browser, operator):
    returned = browser.come_back(operator, browser.submit(SIGNUP, **TYPED))

    elsewhere = new_browser().get(returned["Location"])

    assert elsewhere.status_code == 410
    assert str(Verification.objects.get().pk) not in elsewhere.text
    assert not User.objects.exists()


@pytest.mark.usefixtures("one_step_a_request")
def test_two_signups_in_two_tabs_do_not_lose_each_other(browser, operator):
    first = browser.submit(SIGNUP, **TYPED)
    second = browser.submit(
        SIGNUP, **(TYPED | {"email": "b@example.com", "phone": "+447700900456"})
    )
    operator.sim = "+447700900456"
    browser.come_back(operator, second)
    operator.sim = ANN
    page = browser.follow(browser.come_back(operator, first))

    assert page.context["user"].email == "ann@example.com"
    assert page.context["user"].profile.phone == ANN


@pytest.mark.parametrize("page", [SIGNUP, "/accounts/login/"])
def test_a_signed_in_person_goes_to_next_or_the_profile(client, page):
    client.force_login(UserFactory())

    assert client.get(page)["Location"] == "/accounts/profile/"
    assert client.get(page, {"next": "/sandbox/"})["Location"] == "/sandbox/"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"phone": " " * 60 + "07700 900123"}, id="blanks around"),
        pytest.param({"next": "/a\0b"}, id="NUL in next"),
        pytest.param({"next": "/a\nb"}, id="line end in next"),
        pytest.param(
            {"email": "a@" + ".".join(["x" * 60] * 4) + ".com"}, id="long e-mail"
        ),
    ],
)
def test_what_the_database_would_not_hold_is_no_500(browser, operator, changes):
    assert browser.submit(SIGNUP, **(TYPED | changes)).status_code in (200, 303)


def test_an_email_that_grows_when_lower_cased_is_named(browser):
    page = browser.submit(SIGNUP, **(TYPED | {"email": "a@" + "İ" * 200 + ".com"}))

    assert "email" in page.context["form"].errors


def test_an_empty_post_names_every_field_too(browser):
    browser.get(SIGNUP)
    token = browser.cookies["csrftoken"].value

    page = browser.post(SIGNUP, {}, headers={"X-CSRFToken": token})

    assert set(page.context["form"].errors) == {
        "email",
        "phone",
        "password1",
        "password2",
    }


def test_the_mail_about_an_unconfirmed_account_can_close_it(
    browser, operator, run_on_commit
):
    taken_email()
    browser.follow(browser.come_back(operator, browser.submit(SIGNUP, **TYPED)))
    mail.wait()
    link = re.search(r"testserver(/accounts/email/close/\S+)", outbox.outbox[0].body)[1]

    assert "account is closed" in browser.submit(link).text
    assert not User.objects.exists()


@pytest.mark.usefixtures("one_step_a_request")
def test_a_journey_lives_for_half_an_hour(browser, operator):
    returned = browser.come_back(operator, browser.submit(SIGNUP, **TYPED))
    Pending.objects.update(expires_at=timezone.now())

    assert browser.get(returned["Location"]).status_code == 410


@pytest.mark.usefixtures("one_step_a_request")
def test_a_journey_of_another_kind_is_none(browser, operator):
    returned = browser.come_back(operator, browser.submit(SIGNUP, **TYPED))

    other = returned["Location"].replace("signup", "password/reset/new")

    assert browser.get(other).status_code == 410


def test_another_browsers_verification_is_not_followed(browser, new_browser, operator):
    other = new_browser()
    other.submit(SIGNUP, **TYPED)
    theirs = Verification.objects.get()
    operator.sim = "+447700900999"
    ended = browser.follow(browser.come_back(operator, browser.submit(SIGNUP, **TYPED)))
    failed = ended.context["verification"]

    browser.submit(failed.next, page=f"/verify/{failed.pk}/", previous=str(theirs.pk))

    assert Verification.objects.order_by("id").last().previous is None
