"""What every answer says about itself."""

import pytest
from django.conf import settings as site

from accounts.models import Device
from numberverify.browser import client_ip
from tests.factories import ANN, UserFactory

pytestmark = pytest.mark.django_db
LEAVES = [
    "/accounts/signup/",
    "/accounts/login/",
    "/accounts/password/change/",
    "/accounts/phone/",
]
STAYS = ["/", "/accounts/profile/", "/accounts/password/reset/", "/sandbox/handset/"]


def directives(answer):
    header = answer["Content-Security-Policy"]
    return dict(part.strip().partition(" ")[::2] for part in header.split(";"))


@pytest.mark.parametrize("page", [*LEAVES, *STAYS, "/admin/", "/nowhere/"])
def test_every_page_carries_the_security_headers(client, page):
    answer = client.get(page)

    csp = directives(answer)
    assert csp["default-src"] == "'self'"
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert csp["object-src"] == csp["base-uri"] == csp["frame-ancestors"] == "'none'"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("page", LEAVES)
def test_a_form_that_leaves_for_an_operator_may_follow_its_redirects(client, page):
    if "phone" in page or "password" in page:
        client.force_login(UserFactory(phone=None if "phone" in page else ANN))

    answer = client.get(page)

    assert answer.status_code == 200
    assert directives(answer)["form-action"] == "'self' https: http:"
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("page", STAYS)
def test_every_other_form_stays_here(client, page):
    client.force_login(UserFactory())

    assert directives(client.get(page))["form-action"] == "'self'"


def test_with_operators_on_https_alone_no_form_leaves_over_http(client, settings):
    table = site.NV_OPERATORS["sandbox"] | {"base_url": "https://operator.example"}
    settings.NV_OPERATORS = {"real": table}

    assert directives(client.get(LEAVES[0]))["form-action"] == "'self' https:"


def test_personal_pages_are_not_stored(client):
    client.force_login(UserFactory())

    for page in ("/", "/accounts/profile/", "/accounts/signup/number-taken/"):
        assert "no-store" in client.get(page)["Cache-Control"]


@pytest.mark.parametrize(
    "cookie", ["nv_binding", "nv_known", "nv_own", "csrftoken", "sessionid"]
)
def test_cookies_are_for_this_site_and_no_script(browser, operator, cookie):
    typed = {"password1": "corr3ct horse", "password2": "corr3ct horse", "phone": ANN}
    started = browser.submit("/accounts/signup/", email="a@example.com", **typed)
    browser.follow(browser.come_back(operator, started))

    morsel = browser.cookies[cookie]
    assert morsel["httponly"]
    assert morsel["samesite"] == "Lax"
    assert morsel["path"] == "/"


def test_another_host_name_of_the_site_is_sent_to_its_own(client):
    sent = client.get("/accounts/signup/?next=/x/", headers={"Host": "localhost"})

    assert sent.status_code == 302
    assert sent["Location"] == "http://testserver/accounts/signup/?next=/x/"


def test_the_schemes_own_port_is_no_other_host(client):
    assert client.get("/", headers={"Host": "testserver:80"}).status_code == 200


def test_a_host_name_of_somebody_else_is_refused(client):
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "203.0.113.9", "127.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "192.0.2.66, 203.0.113.9", "203.0.113.9"),
        (2, "192.0.2.66, 203.0.113.9, 198.51.100.1", "203.0.113.9"),
        (2, "203.0.113.9", None),
        (1, "203.0.113.9:4711", "203.0.113.9"),
        (1, "[2001:db8::9]:4711", "2001:db8::9"),
        (1, "[2001:db8::9]", "2001:db8::9"),
        (1, "203.0.113.9:x", None),
        (1, "not an address", None),
        (1, "", None),
    ],
)
def test_the_clients_address_counts_trusted_proxies_from_the_right(
    rf, settings, proxies, forwarded, address
):
    settings.TRUSTED_PROXY_COUNT = proxies

    assert client_ip(rf.get("/", headers={"X-Forwarded-For": forwarded})) == address


CLEARED = '"cache", "storage"'


def test_v5_0_0_14_3_1_a_logout_leaves_nothing_but_that_the_browser_is_known(
    browser, operator
):
    typed = {"password1": "corr3ct horse", "password2": "corr3ct horse", "phone": ANN}
    started = browser.submit("/accounts/signup/", email="a@example.com", **typed)
    browser.follow(browser.come_back(operator, started))

    answer = browser.submit("/accounts/logout/", page="/")

    assert answer["Clear-Site-Data"] == CLEARED
    assert browser.cookies["nv_known"].value
    assert browser.get("/").headers.get("Clear-Site-Data") is None


def test_so_does_forgetting_this_browser(browser, operator):
    typed = {"password1": "corr3ct horse", "password2": "corr3ct horse", "phone": ANN}
    started = browser.submit("/accounts/signup/", email="a@example.com", **typed)
    browser.follow(browser.come_back(operator, started))
    page = f"/accounts/browsers/{Device.objects.get().pk}/forget/"

    assert browser.submit(page, forget="1")["Clear-Site-Data"] == CLEARED


@pytest.mark.parametrize("page", ["/admin/", "/admin/accounts/user/"])
def test_the_admin_s_pages_need_no_exception_and_are_not_stored(client, page):
    client.force_login(UserFactory(is_staff=True, is_superuser=True))

    answer = client.get(page)

    assert answer.status_code == 200
    policy = directives(answer)
    assert policy["default-src"] == policy["form-action"] == "'self'"
    assert "script-src" not in policy
    assert "no-store" in answer["Cache-Control"]
