"""The button that shows a password while it is typed."""

import pytest
from playwright.sync_api import expect

from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.browser


@pytest.fixture
def login(phone):
    phone.user = UserFactory(email="ann@example.com")
    phone.open("/accounts/login/")
    phone.fill(username="ann@example.com", password=PASSWORD)
    return phone


def test_a_password_is_shown_and_hidden_by_keyboard_and_said_aloud(login):
    button, password = login.page.locator(".reveal"), login.field("password")
    status = login.page.locator(".secret [role=status]")
    expect(button).to_have_accessible_name("Show: Password")

    button.focus()
    login.page.keyboard.press("Space")
    expect(password).to_have_attribute("type", "text")
    expect(button).to_have_accessible_name("Hide: Password")
    expect(status).to_have_text("The password can be seen.")
    expect(button).to_be_focused()

    login.page.keyboard.press("Enter")
    expect(password).to_have_attribute("type", "password")
    expect(button).to_have_accessible_name("Show: Password")
    expect(status).to_have_text("The password is hidden.")


def test_a_shown_password_is_sent_hidden(login):
    login.page.locator(".reveal").click()
    # Held up, so that the page is there yet when the browser has what it sends.
    login.page.evaluate("""document.querySelector("main form").addEventListener(
        "submit", event => event.preventDefault())""")

    login.main.get_by_role("button", name="Log in", exact=True).click()

    expect(login.field("password")).to_have_attribute("type", "password")
    expect(login.field("password")).to_have_value(PASSWORD)


def test_a_shown_password_is_not_looked_at_by_a_spelling_checker(phone):
    phone.open("/accounts/signup/")

    for name in ("password1", "password2"):
        expect(phone.field(name)).to_have_attribute("spellcheck", "false")
        expect(phone.field(name)).to_have_attribute("autocapitalize", "none")
        expect(phone.field(name)).to_have_attribute("autocomplete", "new-password")


def test_without_scripts_there_is_no_button_that_does_nothing(new_phone):
    phone = new_phone(java_script_enabled=False)
    phone.open("/accounts/login/")

    expect(phone.page.locator(".reveal")).to_be_hidden()
