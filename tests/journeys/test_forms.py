"""Forms by keyboard and by screen reader, and errors in them."""

import pytest
from playwright.sync_api import expect

from tests.factories import UserFactory

pytestmark = pytest.mark.browser
UNLABELLED = """fields => fields.filter(
  field => !field.labels.length || !field.labels[0].innerText.trim()
).map(field => field.name)"""
DESCRIPTION = """field => (field.getAttribute("aria-describedby") || "").split(" ")
  .map(id => document.getElementById(id)?.innerText ?? `nothing has the id ${id}`)
  .join(" ")"""
FORMS = [
    "/accounts/signup/",
    "/accounts/login/",
    "/accounts/password/reset/",
    "/sandbox/handset/",
]


def test_each_field_has_a_label(phone):
    for path in FORMS:
        phone.open(path)
        fields = phone.main.locator("input:not([type=hidden])")

        assert fields.count(), path
        assert fields.evaluate_all(UNLABELLED) == [], path


def tab_through(phone, count):
    """What has the focus after each press of the tab key, by name or words."""
    said = "document.activeElement.name || document.activeElement.innerText"
    reached = []
    for _ in range(count):
        phone.page.keyboard.press("Tab")
        reached.append(phone.page.evaluate(said))
    return reached


def test_the_tab_key_goes_through_the_signup_form_in_order(phone):
    phone.open("/accounts/signup/")
    phone.field("email").focus()

    assert tab_through(phone, 7) == [
        "phone",
        "password1",
        "Show",
        "password2",
        "Show",
        "What is asked of whom, and what is kept",
        "Check my number and sign up",
    ]


def test_the_login_form_starts_in_its_first_field(phone):
    phone.open("/accounts/login/")
    expect(phone.field("username")).to_be_focused()

    assert tab_through(phone, 4) == [
        "password",
        "Show",
        "What is asked of whom, and what is kept",
        "Log in",
    ]


def test_the_first_tab_offers_to_skip_to_the_content(phone):
    phone.open("/")

    assert tab_through(phone, 1) == ["Skip to the content"]


def test_an_empty_signup_takes_the_focus_to_what_is_missing(phone):
    phone.open("/accounts/signup/")
    phone.press("Check my number and sign up")

    expect(phone.page.locator(".error-summary")).to_be_focused()
    assert phone.page.title() == "Error: Sign up"
    summary = phone.page.locator(".error-summary")
    expect(summary.get_by_role("heading")).to_have_text("There is a problem")
    assert summary.get_by_role("link").all_inner_texts() == [
        "Enter your e-mail address",
        "Enter a mobile phone number",
        "Enter a password",
        "Enter a password",
    ]
    summary.get_by_role("link", name="Enter a mobile phone number").click()
    expect(phone.field("phone")).to_be_focused()


def test_a_wrong_field_is_described_by_its_hint_and_its_error(phone):
    phone.sign_up(phone="020 7946 0000")

    field = phone.field("phone")
    expect(field).to_have_attribute("aria-invalid", "true")
    described = field.evaluate(DESCRIPTION)
    assert "We'll check it with your mobile network" in described
    assert "this one is a landline" in described
    expect(phone.field("email")).to_have_value("ann@example.com")
    expect(field).to_have_value("020 7946 0000")


def test_a_wrong_login_takes_the_focus_to_its_summary(phone):
    phone.log_in(UserFactory(), "wrong")

    expect(phone.page.locator(".error-summary")).to_be_focused()
    assert phone.page.title() == "Error: Log in"


def test_the_handset_page_says_what_is_wrong_with_a_number(phone):
    phone.hold(number="07700")

    assert phone.page.title() == "Error: The handset"
    assert "Enter a number with its country code" in phone.field("number").evaluate(
        DESCRIPTION
    )
