"""The mail after a signup. Scanners open its links, so that only a press acts."""

import pytest

from accounts.models import User

from .manners import for_everybody

pytestmark = pytest.mark.browser


def confirm_and_close(mails):
    """The mail's two links, in its order."""
    return mails()[0].links


@for_everybody
def test_a_press_confirms_the_address_and_opening_the_link_does_not(phone, mails):
    phone.sign_up()
    confirm, _close = confirm_and_close(mails)
    phone.open(confirm)
    assert User.objects.get().email_confirmed_at is None
    phone.press("Yes, this is my address")

    phone.sees("Your e-mail address is confirmed")
    assert User.objects.get().email_confirmed_at is not None
    phone.open("/accounts/profile/")
    phone.reads("ann@example.com (confirmed)")


@for_everybody
def test_a_press_closes_the_account_and_opening_the_link_does_not(
    phone, new_phone, mails
):
    phone.sign_up()
    _confirm, close = confirm_and_close(mails)
    owner = new_phone()
    owner.open(close)
    assert User.objects.exists()
    owner.press("It was not me: close the account")

    owner.sees("The account is closed")
    assert not User.objects.exists()
    phone.open("/accounts/profile/")
    assert phone.at == "/accounts/login/?next=/accounts/profile/"


def test_a_confirmed_account_is_closed_by_no_old_mail(phone, mails):
    phone.sign_up()
    confirm, close = confirm_and_close(mails)
    phone.open(confirm)
    phone.press("Yes, this is my address")
    phone.open(close, status=410)

    phone.sees("This link does not work any more")
    assert User.objects.exists()
