"""The release of a number, and what happened to it."""

from datetime import timedelta

from django.utils import timezone

from accounts import numbers
from accounts.models import NumberEvent, NumberRelease
from tests.factories import (
    ANN,
    NumberReleaseFactory,
    UserFactory,
    VerificationFactory,
)

from .scenes import scene
from .step_up_scenes import confirmed, staff_at

RELEASES = "/admin/accounts/numberrelease/"


def lost(**columns) -> NumberRelease:
    """Asked for, for somebody with a history."""
    person = UserFactory(email="lost@example.com", phone="+447700900789")
    numbers.note(NumberEvent.What.ADDED, "+447700900789", person)
    row = {"user": person, "msisdn": "+447700900789"}
    # Before the request, so that they say nothing of who has the number now.
    row["settled_at"] = timezone.now() - timedelta(days=3)
    VerificationFactory(**row, verified=True, purpose="login")
    VerificationFactory(**row, mismatched=True, purpose="login")
    return NumberReleaseFactory(person=person, msisdn="+447700900789", **columns)


@scene
def admin_release_ask(phone, mails):
    person = UserFactory(email="lost@example.com", phone="+447700900789")
    staff_at(phone, f"{RELEASES}ask/{person.pk}/")
    phone.press("Check my number")


@scene
def admin_release_ask_errors(phone, mails):
    admin_release_ask(phone, mails)
    phone.press("Ask for the release")


@scene
def admin_release_asked(phone, mails):
    admin_release_ask(phone, mails)
    phone.field("reason").select_option("lost")
    phone.fill(evidence="Showed her passport in Leeds.")
    phone.press("Ask for the release")


@scene
def admin_release_early(phone, mails):
    asked = lost(asked_at=timezone.now())
    staff_at(phone, f"{RELEASES}{asked.pk}/change/")


@scene
def admin_release_decide(phone, mails):
    asked = lost()
    staff_at(phone, f"{RELEASES}{asked.pk}/change/")


@scene
def admin_release_decided(phone, mails):
    admin_release_decide(phone, mails)
    phone.press("Approve: release the number")
    phone.press("Check my number")
    phone.press("Approve: release the number")


@scene
def admin_release_list(phone, mails):
    admin_release_decided(phone, mails)
    phone.open(RELEASES)


@scene
def admin_number(phone, mails):
    admin_release_decided(phone, mails)
    phone.page.get_by_role("link", name="+44 •••• •••789").click()
    phone.page.wait_for_url("**/number/**")


@scene
def admin_number_events(phone, mails):
    admin_release_decided(phone, mails)
    phone.open("/admin/accounts/numberevent/")


@scene
def release_asked_profile(phone, mails):
    person = UserFactory(phone=ANN)
    NumberReleaseFactory(person=person)
    phone.become(person)
    phone.open("/accounts/profile/")


@scene
def release_stop(phone, mails):
    person = confirmed(phone, "/accounts/phone/release/")
    NumberReleaseFactory(person=person)
    phone.open("/accounts/phone/release/")


@scene
def release_stopped(phone, mails):
    release_stop(phone, mails)
    phone.press("Keep my number")


@scene
def release_stop_nothing(phone, mails):
    confirmed(phone, "/accounts/phone/release/")
