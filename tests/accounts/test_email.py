import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail as outbox
from django.utils import timezone

from accounts import mail
from accounts.models import User
from numberverify.factors import sms
from tests.factories import ANN, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("run_on_commit")]


@pytest.fixture
def user():
    return UserFactory(email="ann@example.com", phone=ANN)


@pytest.fixture
def links(user):
    """The two links of the mail to a new account: (confirm, close)."""
    mail.send_confirmation(user)
    mail.wait()
    return re.findall(r"http://testserver(\S+)", outbox.outbox[0].body)


def test_a_get_of_either_link_changes_nothing(browser, user, links):
    for link in links:
        assert browser.get(link).status_code == 200

    user.refresh_from_db()
    assert user.email_confirmed_at is None


def test_the_button_confirms_the_address(browser, user, links):
    page = browser.submit(links[0])

    user.refresh_from_db()
    assert "is confirmed" in page.text
    assert user.email_confirmed_at


def test_the_other_button_closes_the_account_and_frees_number_and_address(
    browser, client, user, links
):
    client.force_login(user)

    page = browser.submit(links[1])

    assert "account is closed" in page.text
    assert not User.objects.exists()
    assert client.get("/accounts/profile/").status_code == 302
    UserFactory(email="ann@example.com", phone=ANN)


def test_a_confirmed_account_is_not_closed_by_an_old_mail(browser, user, links):
    browser.submit(links[0])

    assert browser.get(links[1]).status_code == 410
    assert browser.post(links[1]).status_code == 403
    assert User.objects.exists()


@pytest.mark.parametrize("link", [0, 1], ids=["confirm", "close"])
@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"frozen_at": timezone.now()}, id="frozen"),
        pytest.param({"is_active": False}, id="disabled"),
    ],
)
def test_of_an_account_that_is_shut_neither_link_does_anything(
    browser, user, links, link, columns
):
    """A freeze leaves a reset alone, and staff keep what they have disabled."""
    page = browser.get(links[link])
    token = page.context["csrf_token"]
    User.objects.filter(pk=user.pk).update(**columns)

    assert browser.get(links[link]).status_code == 410
    sent = browser.post(links[link], {"csrfmiddlewaretoken": str(token)})

    assert sent.status_code == 410
    user.refresh_from_db()
    assert user.email_confirmed_at is None


def test_nist_4_6_the_number_is_told_when_the_mailed_link_closes_the_account(
    browser, user, links
):
    browser.submit(links[1])

    mail.wait()
    (text,) = sms.outbox
    assert text.msisdn.e164 == ANN
    assert "your account is closed" in text.text


def test_what_a_mailed_link_closes_needs_no_mail_about_it(browser, user, links):
    """Whoever reads the mailbox has just pressed the button."""
    browser.submit(links[1])

    mail.wait()
    assert len(outbox.outbox) == 1


def test_the_links_work_for_a_week(browser, links):
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1)):
        assert browser.get(links[0]).status_code == 410


def test_a_link_for_an_address_that_changed_is_over(browser, user, links):
    user.email = "other@example.com"
    user.save()

    assert browser.get(links[0]).status_code == 410


def test_a_made_up_token_is_a_plain_page(browser):
    assert browser.get("/accounts/email/close/abc:def:ghi/").status_code == 410


def test_a_mail_that_cannot_leave_is_logged_without_the_address(
    user, monkeypatch, caplog
):
    def refuse(self):
        raise ConnectionRefusedError("ann@example.com")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    mail.send_confirmation(user)
    mail.wait()

    assert "confirmation was not sent" in caplog.text
    assert "ann@example.com" not in caplog.text


def test_a_signed_in_person_gets_the_mail_again(client, user):
    client.force_login(user)

    client.post("/accounts/email/resend/")

    mail.wait()
    assert [message.to for message in outbox.outbox] == [["ann@example.com"]]


def test_a_confirmed_person_gets_no_second_mail(client, user):
    user.email_confirmed_at = timezone.now()
    user.save()
    client.force_login(user)

    client.post("/accounts/email/resend/")

    mail.wait()
    assert outbox.outbox == []
