"""A person's own account: its e-mail, its sessions, its data, its end."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from accounts.models import User
from tests.factories import ANN, UserFactory

from .manners import for_everybody

pytestmark = pytest.mark.browser
NEW = "ann.new@example.com"


@pytest.fixture
def ann(phone):
    user = UserFactory(email="ann@example.com", phone=ANN)
    phone.become(user)
    return user


def open_after_proof(phone, path):
    phone.open(path)
    phone.press("Check my number")


def ask_for_email(phone, email):
    open_after_proof(phone, "/accounts/email/change/")
    phone.fill(email=email)
    phone.press("Mail me a link")
    phone.reads("Open the link that we have mailed to the new address.")


@for_everybody
def test_an_e_mail_address_is_changed_and_both_are_told(phone, new_phone, ann, mails):
    ask_for_email(phone, NEW)
    by_address = {mail.to[0]: mail for mail in mails()}
    assert set(by_address) == {ann.email, NEW}
    phone.reads(ann.email)
    reader = new_phone()
    reader.become(ann)
    reader.open(by_address[NEW].links[0])
    reader.reads(NEW)
    ann.refresh_from_db()
    assert ann.email == "ann@example.com"  # opening a link is no act
    reader.press("Yes, change it")
    reader.open(by_address[NEW].links[0], status=410)
    reader.sees("This link does not work any more")

    ann.refresh_from_db()
    assert ann.email == NEW
    phone.open("/accounts/profile/")
    phone.reads(f"{NEW} (confirmed)")
    other = new_phone()
    other.log_in(ann)
    assert other.is_signed_in


def test_an_address_of_another_account_is_not_given_away(phone, ann, mails):
    UserFactory(email="ben@example.com")
    ask_for_email(phone, "ben@example.com")

    subjects = {mail.to[0]: mail.subject for mail in mails()}
    assert subjects["ben@example.com"] == "Somebody asked for your e-mail address"
    assert not any("email/change" in link for mail in mails() for link in mail.links)


@for_everybody
def test_a_person_downloads_their_data(phone, ann):
    phone.open("/accounts/profile/")
    phone.follow("Download your data")
    phone.press("Check my number")
    with phone.page.expect_download() as download:
        phone.page.get_by_role("button", name="Download the file").press("Enter")

    assert download.value.suggested_filename == "my-data.json"
    known = json.loads(Path(download.value.path()).read_text())
    assert (known["email"], known["phone"]) == (ann.email, ANN)
    assert len(known["verifications"]) == 1
    phone.page.reload()
    phone.sees("Confirm it's you to export your data")


@for_everybody
def test_ending_the_other_sessions_leaves_this_one(phone, new_phone, ann):
    other = new_phone()
    other.become(ann)
    open_after_proof(phone, "/accounts/sessions/end/")
    phone.press("End all other sessions")

    phone.reads("All your other sessions have ended.")
    assert phone.is_signed_in
    other.open("/accounts/profile/")
    assert not other.is_signed_in


@for_everybody
def test_an_account_is_closed_after_a_tick(phone, ann, mails):
    phone.open("/accounts/profile/")
    phone.follow("Close your account")
    phone.press("Check my number")
    phone.press("Close my account")
    phone.reads("Tick the box if you are sure")
    assert User.objects.filter(pk=ann.pk).exists()
    tick = phone.page.get_by_label("Yes, delete my account")
    words = phone.main.locator("label")
    assert tick.bounding_box()["x"] < words.bounding_box()["x"]
    phone.tick("sure")
    phone.press("Close my account")

    phone.sees("The account is closed")
    assert not phone.is_signed_in
    assert not User.objects.exists()
    assert [mail.to for mail in mails()] == [["ann@example.com"]]
    phone.sign_up()  # the number and the address are free again
    assert phone.is_signed_in


def test_staff_do_not_close_their_own_account(desk, site):
    desk.become(UserFactory(staff=True, phone=ANN))
    open_after_proof(desk, "/accounts/close/")
    desk.tick("sure")
    desk.press("Close my account")

    desk.reads("Accounts of staff are closed by other members of staff.")
    expect(desk.page).to_have_url(f"{desk.site}/accounts/profile/")
    assert User.objects.count() == 1
