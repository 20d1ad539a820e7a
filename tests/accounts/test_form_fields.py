"""What browsers, keyboards on glass and password managers are told of a field."""

from html.parser import HTMLParser

import pytest
from django.conf import settings

from numberverify.choices import Method, Purpose
from tests.factories import ANN, BINDING, UserFactory, VerificationFactory

pytestmark = pytest.mark.django_db
EMAIL = {"type": "email", "autocomplete": "email", "spellcheck": "false"}
PHONE = {
    "type": "tel",
    "autocomplete": "tel",
    "inputmode": "tel",
    "spellcheck": "false",
}
QUIET = {"type": "password", "spellcheck": "false", "autocapitalize": "none"}
NEW = QUIET | {"autocomplete": "new-password"}
CURRENT = QUIET | {"autocomplete": "current-password"}
CODE = {
    "type": "text",
    "inputmode": "numeric",
    "autocomplete": "one-time-code",
    "spellcheck": "false",
}


class Inputs(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.found = {}
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "input":
            attributes = dict(attrs)
            self.found[attributes["name"]] = attributes


def check(page, fields):
    found = Inputs(page.text).found
    for name, told in fields.items():
        field = found[name]
        assert {key: field.get(key) for key in told} == told, name
        assert "placeholder" not in field
        assert "pattern" not in field


def test_the_signup_form(client):
    check(
        client.get("/accounts/signup/"),
        {"email": EMAIL, "phone": PHONE, "password1": NEW, "password2": NEW},
    )


def test_the_login_form(client):
    name = EMAIL | {"autocomplete": "username"}
    page = client.get("/accounts/login/")
    check(page, {"username": name, "password": CURRENT})


def test_the_form_for_a_first_number(client):
    client.force_login(UserFactory())
    page = client.get("/accounts/phone/")
    check(page, {"phone": PHONE, "password": CURRENT})


def test_the_form_for_a_code(client):
    user = UserFactory(phone=ANN)
    row = VerificationFactory(user=user, method=Method.SMS, purpose=Purpose.LOGIN)
    client.cookies["nv_binding"] = BINDING
    check(client.get(f"/verify/{row.pk}/"), {"code": CODE})


def test_what_a_password_must_be_like_is_said_before_it_is_typed(client):
    page = client.get("/accounts/signup/").text

    assert "At least 8 characters" in page
    described = Inputs(page).found["password1"]["aria-describedby"]
    assert f'id="{described}"' in page


def test_each_page_with_a_form_says_what_is_wrong_before_its_heading():
    pages = [
        page
        for page in (settings.BASE_DIR / "templates").rglob("*.html")
        if '{% include "form.html" %}' in page.read_text()
    ]

    assert pages
    for page in pages:
        before = page.read_text().partition("<h1")[0]
        assert '{% include "error_summary.html" %}' in before, page.name
