"""The language of the pages: by the browser, by choice, and kept in the profile."""

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from tests.accounts.steps import log_in
from tests.conftest import Browser
from tests.factories import ANN, DeviceFactory, UserFactory

pytestmark = pytest.mark.django_db
HERE = reverse("language")


def says(language: str) -> Browser:
    browser = Browser()
    browser.defaults |= {"HTTP_ACCEPT_LANGUAGE": language}
    return browser


def chooses(browser, language, page="/"):
    return browser.submit(HERE, page=HERE, language=language, next=page)


def speaks(browser, page="/") -> str:
    answer = browser.get(page)
    said = answer.text.partition('<html lang="')[2].partition('"')[0]
    assert answer["Content-Language"] == said
    return said


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=None, language="")


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.5", "de"),
        ("fr,de;q=0.8", "de"),
        ("en-US", "en-gb"),
        ("fr", "en-gb"),
        ("%%%;;q=x", "en-gb"),
        ("", "en-gb"),
    ],
)
def test_a_stranger_is_answered_in_the_language_that_the_browser_asks_for(asked, shown):
    assert speaks(says(asked)) == shown


def test_what_is_chosen_in_a_browser_wins_over_what_it_asks_for():
    browser = says("en")

    chosen = chooses(browser, "de", page="/accounts/login/?next=/x/")

    assert (chosen.status_code, chosen["Location"]) == (
        303,
        "/accounts/login/?next=/x/",
    )
    assert speaks(browser) == "de"
    kept = browser.cookies["nv_language"]
    assert (kept["httponly"], kept["samesite"], kept["path"]) == (True, "Lax", "/")
    assert kept["max-age"] > 365 * 24 * 60 * 60
    assert "sessionid" not in browser.cookies


def test_each_language_is_named_in_itself(browser):
    page = browser.get("/").text

    assert '<strong lang="en-gb" aria-current="true">English</strong>' in page
    assert f'<a href="{HERE}" lang="de" hreflang="de">Deutsch</a>' in page
    assert 'value="de" lang="de">Deutsch</button>' in browser.get(HERE).text


@pytest.mark.parametrize("language", ["", "fr", "../../x", "de\r\nSet-Cookie: a=b"])
def test_a_language_that_the_site_does_not_speak_is_not_kept(browser, language):
    answer = chooses(browser, language)

    assert answer.status_code == 303
    assert "nv_language" not in browser.cookies


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "javascript:alert(1)",
        "http://testserver@evil.example/",
        "",
        "/" + "x" * 3000,
    ],
)
def test_a_choice_leads_nowhere_else(browser, back):
    answer = browser.submit(HERE, page=HERE, language="de", next=back)

    assert answer["Location"] == "/"


def test_two_slashes_are_no_host(browser):
    back = "http://testserver//evil.example/"

    answer = browser.submit(HERE, page=HERE, language="de", next=back)

    assert answer["Location"] == "/evil.example/"


def test_a_choice_is_posted_and_by_a_form_of_ours(browser):
    browser.get(HERE)
    assert browser.post(HERE, {"language": "de"}).status_code == 403
    assert "nv_language" not in browser.cookies


@pytest.mark.parametrize(
    ("before", "back"),
    [
        ("http://testserver/accounts/login/?next=/x/", "/accounts/login/?next=/x/"),
        ("https://evil.example/", "/"),
        ("", "/"),
    ],
)
def test_the_page_of_languages_leads_back_to_the_page_before(browser, before, back):
    page = browser.get(HERE, headers={"Referer": before}).text

    assert f'name="next" value="{back}"' in page


def test_a_page_has_no_form_but_its_own(browser):
    """So that what looks for one finds it."""
    assert browser.get("/accounts/login/").text.count("<form") == 1
    assert "<form" not in browser.get("/").text


# In the profile


def test_who_has_nothing_to_prove_with_keeps_the_choice_in_the_profile(ann):
    browser = says("en")
    log_in(browser, ann)

    chooses(browser, "de", page="/accounts/profile/")

    assert User.objects.get().language == "de"
    assert speaks(browser, "/accounts/profile/") == "de"


def test_the_choice_is_there_in_a_new_browser(ann):
    User.objects.update(language="de")
    elsewhere = says("en")

    log_in(elsewhere, ann)

    assert speaks(elsewhere, "/accounts/profile/") == "de"
    assert elsewhere.cookies["nv_language"].value == "de"
    elsewhere.submit("/accounts/logout/", page="/")
    assert speaks(elsewhere) == "de"


def test_it_wins_over_what_somebody_else_chose_in_that_browser(ann):
    User.objects.update(language="en-gb")
    shared = says("de")
    chooses(shared, "de")

    log_in(shared, ann)

    assert speaks(shared, "/accounts/profile/") == "en-gb"
    assert User.objects.get().language == "en-gb"


@pytest.mark.parametrize("by_choice", [True, False])
def test_an_account_without_one_takes_over_the_browsers(ann, by_choice):
    browser = says("en" if by_choice else "de")
    if by_choice:
        chooses(browser, "de")

    log_in(browser, ann)

    assert User.objects.get().language == "de"


def test_a_proof_in_the_browser_lets_the_choice_be_kept(settings):
    settings.NV_LOGIN_POLICY = "never"
    ann = UserFactory(email="ann@example.com", phone=ANN, language="en-gb")
    browser = says("en")
    DeviceFactory(user=ann, token="known browser")
    browser.cookies["nv_known"] = "known browser"
    log_in(browser, ann)

    chooses(browser, "de")

    assert User.objects.get().language == "de"


def test_a_password_alone_changes_the_pages_and_not_the_mails(settings):
    """A stranger must not have the owner told in a language of theirs."""
    settings.NV_LOGIN_POLICY = "never"
    ann = UserFactory(email="ann@example.com", phone=ANN, language="en-gb")
    stranger = says("en")
    log_in(stranger, ann)

    chooses(stranger, "de")

    assert speaks(stranger, "/accounts/profile/") == "de"
    assert User.objects.get().language == "en-gb"


def test_staff_read_the_admin_in_their_language():
    staff = UserFactory(is_staff=True, is_superuser=True, language="de")
    browser = says("en")
    browser.force_login(staff)

    page = browser.get("/admin/")

    assert '<html lang="de"' in page.text
    assert "Website-Verwaltung" in page.text
    assert 'lang="en-gb" hreflang="en-gb">English</a>' in page.text


# What it costs, and what is kept by whom


def test_it_costs_no_statement(ann):
    User.objects.update(language="de")
    browser = says("en")
    log_in(browser, ann)
    browser.get("/")

    with CaptureQueriesContext(
        connection,
    ) as signed_in:
        assert speaks(browser) == "de"
    with CaptureQueriesContext(connection) as as_stranger:
        assert speaks(says("de")) == "de"

    assert len(signed_in) <= 2  # the session, where no cache has it, and the person
    assert len(as_stranger) == 0


@pytest.mark.parametrize("page", ["/", "/accounts/login/", "/nowhere/", "/admin/"])
def test_caches_keep_a_page_apart_for_each_language_and_browser(client, page):
    client.force_login(UserFactory(is_staff=True))

    varies = client.get(page)["Vary"]

    assert {"Accept-Language", "Cookie"} <= set(varies.split(", "))


@pytest.mark.parametrize(
    ("page", "headers", "status"),
    [
        ("/nowhere/", {}, 404),
        ("/", {"Host": "evil.example"}, 400),
        ("/admin/numberverify/verification/", {}, 403),
    ],
)
def test_an_error_is_told_in_the_language_and_kept_by_no_cache(page, headers, status):
    browser = says("de")
    if status == 403:
        browser.force_login(UserFactory(is_staff=True, language="de"))

    told = browser.get(page, headers=headers)

    assert told.status_code == status
    assert '<html lang="de">' in told.text
    assert "no-store" in told["Cache-Control"]
    assert "Accept-Language" in told["Vary"]


def test_an_old_form_is_told_in_the_language():
    told = says("de").post("/accounts/login/", {})

    assert told.status_code == 403
    assert '<html lang="de">' in told.text
    assert "no-store" in told["Cache-Control"]


@pytest.mark.parametrize(
    ("error", "status"), [(ZeroDivisionError(), 500), (OperationalError(), 503)]
)
def test_a_fault_is_told_in_the_language_though_nobody_can_be_looked_up(
    monkeypatch, error, status
):
    browser = says("de")
    browser.force_login(UserFactory())
    browser.raise_request_exception = False

    def fail(*args, **kwargs):
        raise error

    # Before the middleware knows who it is, and after it.
    for place in (
        "accounts.middleware.SessionMiddleware.__call__",
        "accounts.languages._of",
    ):
        with monkeypatch.context() as broken:
            broken.setattr(place, fail)
            told = browser.get("/")
        assert told.status_code == status
        assert '<html lang="de">' in told.text
        assert "no-store" in told["Cache-Control"]


def test_no_request_leaves_its_language_to_the_next(client):
    says("de").get("/")

    assert '<html lang="en-gb">' in client.get("/", headers={"Host": "evil.x"}).text


def test_what_is_no_page_says_nothing_of_languages(client):
    answer = client.get("/accounts/profile/")

    assert answer.status_code == 302
    assert "Content-Language" not in client.get("/livez")
