"""The page that says what is asked of whom and kept; and its version, in each row."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from numberverify import privacy
from numberverify.models import Verification
from tests.factories import ANN, PASSWORD

pytestmark = pytest.mark.django_db


def table(**keys):
    return {
        "dialect": "mobile-connect",
        "label": "Vodafone UK",
        "base_url": "https://operator.example",
        "client_id": "id",
        "client_secret": "secret",
        "countries": ["GB"],
    } | keys


@pytest.fixture
def two_networks(settings):
    settings.NV_OPERATORS = {
        "vodafone-uk": table(),
        "orange-fr": table(label="Orange", countries=["FR"], send="plain"),
    }


def test_the_page_names_the_networks_and_what_each_is_sent(client, two_networks):
    text = " ".join(client.get("/privacy/").text.split())

    assert "Vodafone UK</strong> (GB): gets a hash of the number" in text
    assert "Orange</strong> (FR): gets the number." in text


def test_the_page_says_that_nobody_is_asked_where_no_network_is_connected(
    client, settings
):
    settings.NV_OPERATORS = {}

    assert "none is asked" in client.get("/privacy/").text


def test_the_page_says_how_long_checks_are_kept(client, settings):
    settings.NV_RETENTION_DAYS = 90
    assert "deleted after 90 days" in client.get("/privacy/").text

    settings.NV_RETENTION_DAYS = 0
    assert "no time after which" in client.get("/privacy/").text


def test_the_page_speaks_of_text_messages_where_they_are_sent(client, settings):
    said = "the number goes to whoever delivers it"
    assert said in client.get("/privacy/").text

    settings.SMS_BACKEND = ""
    assert said not in client.get("/privacy/").text


def test_the_page_leads_to_ones_copy_and_to_being_forgotten(client):
    text = client.get("/privacy/").text

    assert 'href="/accounts/export/"' in text
    assert 'href="/accounts/close/"' in text


def test_a_site_has_the_page_by_the_addresses_of_numberverify(client):
    assert client.get("/verify/privacy/").text.count("What is asked of whom")


def test_the_forms_that_ask_for_a_number_or_a_password_lead_to_the_page(client):
    for path in ("/accounts/signup/", "/accounts/login/"):
        form = client.get(path).text.partition("<main")[2].partition("</main>")[0]
        assert 'href="/privacy/"' in form, path


@pytest.mark.parametrize(
    "change",
    [
        {"NV_RETENTION_DAYS": 90},
        {"NV_OPERATORS": {"vodafone-uk": table()}},
        {"NV_OPERATORS": {"vodafone-uk": table(send="plain"), "orange-fr": table()}},
        {"SMS_BACKEND": ""},
        {"NV_SIM_SWAP_HOURS": 0},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_notice_has_another_version(settings, two_networks, change):
    before = privacy.version()

    for name, value in change.items():
        setattr(settings, name, value)

    assert privacy.version() != before


def test_other_words_are_another_version(settings, two_networks, monkeypatch):
    before = privacy.version()

    monkeypatch.setattr(privacy, "TEMPLATE", "home.html")
    monkeypatch.setattr(privacy, "_made", None)

    assert privacy.version() != before


def test_the_same_settings_have_the_same_version_and_ask_no_statement(
    two_networks, monkeypatch
):
    before = privacy.version()
    monkeypatch.setattr(privacy, "_made", None)  # as another process has it

    with CaptureQueriesContext(connection) as asked:
        assert privacy.version() == before
    assert len(asked) == 0


def test_a_row_carries_the_version_that_was_shown(browser, client, operator):
    browser.submit(
        "/accounts/signup/",
        email="ann@example.com",
        phone=ANN,
        password1=PASSWORD,
        password2=PASSWORD,
    )

    version = Verification.objects.get().notice_version
    assert version == privacy.version()
    assert len(version) == 12
    assert f"Version {version}" in client.get("/privacy/").text
