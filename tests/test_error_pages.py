"""The pages for what went wrong are ours too, and say what to do."""

import pytest

from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_an_address_that_is_none(client):
    page = client.get("/nowhere/")

    assert page.status_code == 404
    assert "Page not found" in page.text


def test_a_form_from_before_a_login(browser):
    page = browser.post("/accounts/signup/", {"email": "a@example.com"})

    assert page.status_code == 403
    assert "The form was too old" in page.text


def test_a_page_for_staff_alone(client):
    client.force_login(UserFactory(is_staff=True))
    page = client.get("/admin/numberverify/verification/")

    assert page.status_code == 403
    assert "You may not see this page" in page.text


def test_a_fault_of_ours_shows_nothing_of_it(client, monkeypatch):
    def fail(*args):
        raise ZeroDivisionError("+447700900123")

    client.raise_request_exception = False
    monkeypatch.setattr("accounts.signup.begin", fail)
    fields = {"email": "a@example.com", "phone": "07700 900123"}
    passwords = {"password1": "corr3ct horse", "password2": "corr3ct horse"}

    page = client.post("/accounts/signup/", fields | passwords)

    assert page.status_code == 500
    assert "Something went wrong on our side" in page.text
    assert "7700" not in page.text
