"""A new SECRET_KEY, with the old one in SECRET_KEY_FALLBACKS: nobody is signed out."""

import pytest
from django.contrib.sessions.models import Session

from accounts import sessions
from accounts.models import Device
from tests.accounts.browsers import BROWSERS, opened
from tests.accounts.steps import is_signed_in
from tests.factories import ANN, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


@pytest.fixture
def rotate(settings):
    def rotate(*, keep: bool) -> None:
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY] if keep else []
        settings.SECRET_KEY = "another-key-" * 5

    return rotate


def test_who_is_signed_in_stays_so_and_can_still_be_signed_out(
    ann, rotate, monkeypatch
):
    phone = opened(ann, "phone")
    rotate(keep=True)

    assert is_signed_in(phone)
    monkeypatch.setattr(sessions, "is_due", lambda *args: True)
    assert is_signed_in(phone)
    keys = set(Session.objects.values_list("session_key", flat=True))
    assert keys == set(Device.objects.values_list("session_key", flat=True))
    assert phone.get(BROWSERS).status_code == 200


def test_without_the_old_key_everybody_logs_in_again(ann, rotate):
    phone = opened(ann, "phone")
    rotate(keep=False)

    assert not is_signed_in(phone)
