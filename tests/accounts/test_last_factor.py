"""Who takes the last way off file is told before, and told how to get back in."""

import pytest

from tests.conftest import step_up
from tests.factories import (
    ANN,
    AuthenticatorFactory,
    RecoveryCodeFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
WARNING = "It is your last way to prove that it is you."


def open_page(client, user, action, path) -> str:
    client.force_login(user)
    step_up(client, user, action)
    return client.get(path).text


@pytest.mark.parametrize(
    ("number", "paper", "warned"),
    [
        pytest.param("", False, True, id="nothing else"),
        pytest.param(ANN, False, False, id="a number"),
        pytest.param("", True, False, id="codes on paper"),
    ],
)
def test_removing_the_app_warns_where_it_is_the_last(client, number, paper, warned):
    user = UserFactory(phone=number)
    AuthenticatorFactory(user=user)
    if paper:
        RecoveryCodeFactory(user=user)

    page = open_page(client, user, "authenticator", "/verify/authenticator/")

    assert "Remove the app" in page
    assert (WARNING in page) is warned


@pytest.mark.parametrize(
    ("app", "paper", "warned"),
    [
        pytest.param(False, False, True, id="nothing else"),
        pytest.param(True, False, False, id="an app"),
        pytest.param(False, True, False, id="codes on paper"),
    ],
)
def test_removing_the_number_warns_where_it_is_the_last(client, app, paper, warned):
    user = UserFactory(phone=ANN)
    if app:
        AuthenticatorFactory(user=user)
    if paper:
        RecoveryCodeFactory(user=user)

    page = open_page(client, user, "remove_phone", "/accounts/phone/remove/")

    assert "Remove the number" in page
    assert (WARNING in page) is warned


def test_the_warning_says_how_to_get_back(client):
    page = open_page(
        client, UserFactory(phone=ANN), "remove_phone", "/accounts/phone/remove/"
    )

    assert "To get back to more, add a number or an authenticator app" in page
