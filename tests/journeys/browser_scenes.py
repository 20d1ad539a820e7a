"""The browsers of an account, and what a person reads when a session is over."""

from datetime import timedelta

from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import Device
from tests.accounts.browsers import AGENTS
from tests.factories import DeviceFactory

from .scenes import ann_on, scene

BROWSERS = "/accounts/browsers/"


def three_browsers(phone):
    user = ann_on(phone)
    now = timezone.now()
    DeviceFactory(
        user=user,
        token="laptop",
        user_agent=AGENTS["laptop"],
        country="GB",
        session_key="k" * 32,
        signed_in_at=now - timedelta(days=3),
        last_seen_at=now - timedelta(hours=2),
    )
    DeviceFactory(
        user=user,
        token="stranger",
        user_agent=AGENTS["stranger"],
        country="BO",
        last_seen_at=now - timedelta(days=9),
    )
    Device.objects.filter(country="GB").update(created_at=now - timedelta(days=40))
    return user


def let_run_out():
    """Let nothing have happened in the open sessions for a year."""
    for session in Session.objects.all():
        data = session.get_decoded() | {"nv_seen": 1}
        session.session_data = Session.objects.encode(data)
        session.save()


@scene
def browsers(phone, mails):
    three_browsers(phone)
    phone.open(BROWSERS)


@scene
def browser_ended(phone, mails):
    browsers(phone, mails)
    phone.press("Sign out Safari on macOS")


@scene
def browser_forget_this(phone, mails):
    browsers(phone, mails)
    phone.follow("Forget Chrome on Linux")


@scene
def browser_forget_other_asks(phone, mails):
    browsers(phone, mails)
    phone.follow("Forget Microsoft Edge on Windows")


@scene
def browser_forget_other(phone, mails):
    browser_forget_other_asks(phone, mails)
    phone.press("Check my number")


@scene
def session_ran_out(phone, mails):
    ann_on(phone)
    let_run_out()
    phone.open("/accounts/profile/")
