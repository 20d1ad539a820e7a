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

from numberverify.factors import recovery, sms
from numberverify.models import Verification
from numberverify.stepup import StepUpRequiredMixin, step_up_required
from tests.fake_operator import FakeOperator

pytestmark = pytest.mark.django_db
OPEN = {"combination": "1234"}
LETTER = {"to": "Ben", "stamp": "first class"}


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

    back = prove(browser, operator, "/safe/?box=7")["Location"]
    assert "box" not in back
    assert browser.get(back)["Location"] == "/safe/?box=7"
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
    with pytest.raises(ImproperlyConfigured, match="transfer"):
        type("Guarded", (StepUpRequiredMixin,), {"step_up_action": "transfer"})


def test_a_class_based_view_is_open_for_the_age_of_a_proof(browser, operator):
    asked = browser.get("/diary/")
    assert "Confirm it's you to read the diary" in asked.text
    assert "You won't be asked again for 15 minutes." in asked.text

    prove(browser, operator, "/diary/")

    assert "Dear diary" in browser.get("/diary/").text
    for page in "12":
        assert browser.post("/diary/", {"page": page}).text == f"page {page}"
    assert "combination" not in browser.get("/safe/").text


def grows_older(browser, person):
    session = browser.session
    held = session["nv_proofs"]["read_diary"]
    held[0] = (timezone.now() - timedelta(seconds=901)).isoformat()
    session["nv_proofs"] = {"read_diary": held}
    session.save()


def gets_codes(browser, person):
    recovery.make(person)


def gets_a_number(browser, person):
    person.first_name = "+447700900456"
    person.save()


def moves_browser(browser, person):
    browser.cookies["nv_binding"] = "another browser"


@pytest.mark.parametrize(
    "change", [grows_older, gets_codes, gets_a_number, moves_browser]
)
def test_the_proof_in_the_session_dies_with(browser, operator, person, change):
    prove(browser, operator, "/diary/")
    assert "Dear diary" in browser.get("/diary/").text

    change(browser, person)

    assert "Dear diary" not in browser.get("/diary/").text


def confirm(browser, operator, **letter):
    """Confirm the letter as the page shows it, by the network."""
    asked = browser.post("/letter/", letter)
    said = {"confirmed": asked.context["confirmed"]}
    brought = operator.authorize(browser.post("/letter/", said)["Location"])
    browser.get(f"/verify/callback/fake/?{urlencode(brought)}")
    return asked


def test_a_letter_is_sent_as_it_was_confirmed_once(browser, operator):
    asked = confirm(browser, operator, **LETTER)
    assert "<dt>To</dt><dd>Ben</dd><dt>Stamp</dt><dd>first class</dd>" in asked.text
    assert 'name="to" value="Ben"' in browser.get("/letter/").text

    assert browser.post("/letter/", LETTER).text == "sent to Ben"
    assert "Confirm it's you" in browser.post("/letter/", LETTER).text


@pytest.mark.parametrize("changed", [{"to": "Cat"}, {"stamp": "second class"}])
def test_a_letter_that_was_changed_is_confirmed_anew(browser, operator, changed):
    confirm(browser, operator, **LETTER)

    page = browser.post("/letter/", LETTER | changed)

    assert "Confirm it's you to send this letter" in page.text


def test_on_wifi_a_text_message_opens_it(browser, operator, person):
    page = browser.post("/diary/", {"method": "sms"})["Location"]
    code = sms.outbox[-1].text.rpartition("#")[2]

    assert browser.post(page, {"code": code})["Location"] == "/diary/"
    assert "Dear diary" in browser.get("/diary/").text
    assert Verification.objects.get().redeemed_at


def test_a_recovery_code_proves_a_person_without_a_number(browser, person):
    User.objects.filter(pk=person.pk).update(first_name="")
    code = recovery.make(person)[0]

    page = browser.post("/diary/", {"method": "recovery_code"})["Location"]
    browser.post(page, {"code": code.lower()})

    assert "Dear diary" in browser.get("/diary/").text


def test_an_action_takes_its_own_methods_alone(browser, operator, person):
    recovery.make(person)
    asked = browser.post("/letter/", LETTER)
    said = {"confirmed": asked.context["confirmed"], "method": "recovery_code"}

    page = browser.post("/letter/", said, follow=True)

    assert "That way is not open just now" in page.text
    assert [way["value"] for way in page.context["ways"]] == ["phone", "sms"]
