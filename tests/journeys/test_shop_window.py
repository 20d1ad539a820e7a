"""The sandbox as a visitor meets it."""

import pytest
from playwright.sync_api import expect

from tests.factories import PASSWORD

pytestmark = pytest.mark.browser


def test_a_visitor_sees_the_three_legs_beside_the_site(desk):
    desk.open("/sandbox/")
    assert desk.page.evaluate("document.documentElement.scrollHeight") <= 800
    card = desk.main.get_by_role("listitem").first
    number = card.locator(".number").inner_text()
    with desk.context.expect_page() as opened:
        desk.main.get_by_role("link", name="Open it beside this window").click()
    beside = opened.value
    expect(beside.locator("#wire")).to_contain_text("Nothing so far")

    desk.press("Sign up: The right number")
    desk.fill(
        email="ann@example.com", phone=number, password1=PASSWORD, password2=PASSWORD
    )
    desk.press("Check my number and sign up")

    assert desk.is_signed_in
    # By itself: nobody touches that window.
    expect(beside.locator(".flow > summary")).to_contain_text(": match")
    expect(beside.locator(".flow .line")).to_have_count(5)
    beside.locator(".flow li summary").last.click()
    expect(beside.locator(".flow dd").last).to_have_text("true")
    assert beside.evaluate("document.documentElement.scrollWidth") <= 420


def test_the_handset_works_by_the_keyboard_alone(phone):
    phone.open("/sandbox/handset/")
    phone.field("number").focus()
    for key in ["Tab", "ArrowDown", "Tab", "ArrowDown"]:
        phone.page.keyboard.press(key)
    expect(phone.page.locator(":focus")).to_have_attribute("name", "fault")
    for _ in range(3):
        phone.page.keyboard.press("Tab")
    with phone.page.expect_navigation():
        phone.page.keyboard.press("Enter")

    banner = phone.page.locator(".banner")
    expect(banner).to_contain_text("on Wi-Fi; the answer about the number")
