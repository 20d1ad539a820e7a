"""The pages of what goes wrong, which few people meet."""

from collections.abc import Callable

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError

from numberverify.errors import Limited, StoreAway

from .phone import Phone
from .scenes import scene


def signup_raises(phone: Phone, error: Exception, status: int) -> None:
    def raises(*args: object) -> Callable[..., object]:
        raise error

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("accounts.views.SignupForm", raises)
        phone.open("/accounts/signup/", status=status)


@scene
def bad_request(phone, mails):
    signup_raises(phone, SuspiciousOperation(), 400)


@scene
def not_allowed(phone, mails):
    signup_raises(phone, PermissionDenied(), 403)


@scene
def limited(phone, mails):
    signup_raises(phone, Limited("login_account", 900), 429)


@scene
def limited_for_good(phone, mails):
    signup_raises(phone, Limited("login_in_a_row", 10**9), 429)


@scene
def store_away(phone, mails):
    signup_raises(phone, StoreAway(), 503)


@scene
def database_away(phone, mails):
    signup_raises(phone, OperationalError("server closed the connection"), 503)
