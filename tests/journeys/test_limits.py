"""Somebody types wrong passwords until no more are taken; the owner comes in."""

import pytest

from tests.factories import ANN, PASSWORD, UserFactory

pytestmark = pytest.mark.browser


def type_password(phone, password, status=200):
    phone.open("/accounts/login/")
    phone.fill(username="ann@example.com", password=password)
    phone.press("Log in", status=status)


def test_a_guesser_reads_when_to_come_back_and_the_owner_gets_in(
    phone, new_phone, settings
):
    settings.NV_LIMITS = "login_account_address=2/15m"
    UserFactory(email="ann@example.com", phone=ANN)
    type_password(phone, PASSWORD)
    assert phone.is_signed_in
    phone.press("Log out")

    guesser = new_phone()
    for n in range(2):
        type_password(guesser, f"wrong{n}")
    type_password(guesser, PASSWORD, status=429)

    assert "Too many wrong passwords" in guesser.main.inner_text()
    assert "Try again in 15 minutes." in guesser.main.inner_text()
    assert guesser.page.evaluate("document.documentElement.scrollWidth") <= 360
    guesser.follow("Set a new password by mail")
    assert guesser.at == "/accounts/password/reset/"

    type_password(phone, PASSWORD)
    assert phone.is_signed_in
