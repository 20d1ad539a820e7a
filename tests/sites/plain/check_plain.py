"""Run by test_plain.py in a process and with settings of its own."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from numberverify.models import Verification
from numberverify.stepup import step_up_required
from tests.fake_operator import FakeOperator

pytestmark = pytest.mark.django_db
OPEN = {"combination": "1234"}


@pytest.fixture
def operator(settings):
    fake = FakeOperator()
    settings.NV_OPERATORS = {"fake": fake.table()}
    yield fake
    fake.close()


@pytest.fixture
def person():
    return User.objects.create_user("ann", first_name="+447700900123")


@pytest.fixture
def browser(person):
    client = Client()
    client.force_login(person)
    return client


def prove(browser, operator, page="/safe/"):
    brought = operator.authorize(browser.post(page)["Location"])
    return browser.get(f"/verify/callback/fake/?{urlencode(brought)}")


def test_our_accounts_are_not_here():
    assert not apps.is_installed("accounts")


def test_a_stranger_is_sent_to_the_sites_login(client):
    assert client.get("/safe/")["Location"] == "/admin/login/?next=/safe/"


def test_a_proof_opens_the_page_once(browser, operator):
    asked = browser.get("/safe/")
    assert "Confirm it's you to open the safe" in asked.text

    assert prove(browser, operator, "/safe/?box=7")["Location"] == "/safe/?box=7"
    assert "combination" in browser.get("/safe/").text
    assert browser.post("/safe/", OPEN).text == "the safe is open"
    assert "Confirm it's you" in browser.post("/safe/", OPEN).text


def test_a_form_without_fields_reaches_its_effect_once(browser, operator):
    prove(browser, operator, "/bell/")

    assert browser.get("/bell/").text == "press to ring"
    assert browser.post("/bell/").text == "the bell rang"
    assert browser.post("/bell/")["Location"].startswith(operator.base_url)


def test_no_match_leaves_it_shut(browser, operator):
    operator.sim = "+447700900999"

    ended = browser.get(prove(browser, operator)["Location"])

    assert "does not match this SIM" in ended.text
    assert "combination" not in browser.get("/safe/").text


def test_a_proof_older_than_the_action_allows_is_none(browser, operator):
    prove(browser, operator)
    Verification.objects.update(settled_at=timezone.now() - timedelta(seconds=61))

    assert "combination" not in browser.get("/safe/").text


def test_an_operators_row_names_the_action(browser, operator, person):
    prove(browser, operator)

    row = Verification.objects.get()
    assert (row.purpose, row.action, row.user) == ("step_up", "open_safe", person)


def test_a_person_without_a_number_is_told(browser, person):
    person.first_name = ""
    person.save()

    assert "Add a number first" in browser.get("/safe/").text


def test_staff_read_the_history(browser, operator, person):
    prove(browser, operator)
    User.objects.update(is_staff=True, is_superuser=True)
    page = "/admin/numberverify/verification/"

    assert "•••123" in browser.get(page).text
    found = browser.post(page, {"q": "07700 900123"})
    assert "fingerprint=" in found["Location"]


def test_housekeeping_runs():
    call_command("housekeeping")


def test_an_action_that_the_table_does_not_list_stops_the_start():
    with pytest.raises(ImproperlyConfigured, match="transfer"):
        step_up_required("transfer")
