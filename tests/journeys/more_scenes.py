"""The endings of a check, the sandbox's answers and the admin."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.management.commands.seed_demo import PASSWORD as DEMO_PASSWORD
from accounts.models import Claim, User
from numberverify.choices import Reason, Status
from numberverify.models import Verification
from numberverify.sandbox import inbox
from tests.factories import ANN, BINDING, UserFactory, VerificationFactory

from .phone import Phone
from .scenes import failed_signup, scene

HISTORY = "/admin/numberverify/verification/"


@scene
def ending_no_match(phone, mails):
    failed_signup(phone, number="+447700900456")


@scene
def ending_no_match_at_login(phone, mails):
    phone.hold(number="+447700900456")
    phone.log_in(UserFactory(phone=ANN))


@scene
def ending_wifi(phone, mails):
    failed_signup(phone, network="wifi")


@scene
def ending_access_denied(phone, mails):
    failed_signup(phone, fault="refused")


@scene
def ending_consent(phone, mails):
    failed_signup(phone, fault="consent")


@scene
def ending_service_problem(phone, mails):
    failed_signup(phone, fault="503")


@scene
def ending_no_operator(phone, mails):
    phone.sign_up(phone="+33 6 39 98 12 34")


@scene
def ending_no_operator_at_login(phone, mails):
    phone.log_in(UserFactory(phone="+33639981234"))


def row_of(phone: Phone, **columns) -> None:
    """The page of a row in a state that no journey stops at."""
    row = VerificationFactory(**columns)
    cookie = {"name": "nv_binding", "value": BINDING, "url": phone.site}
    phone.context.add_cookies([cookie])
    phone.open(f"/verify/{row.pk}/")


@scene
def ending_waiting(phone, mails):
    row_of(phone)


@scene
def ending_checking(phone, mails):
    row_of(phone, exchanging=True)


@scene
def ending_still_checking(phone, mails):
    since = timezone.now() - timedelta(seconds=6)
    row_of(phone, exchanging=True, claimed_at=since)


@scene
def ending_checking_for_long(phone, mails):
    since = timezone.now() - timedelta(seconds=16)
    row_of(phone, exchanging=True, claimed_at=since)


@scene
def ending_refused(phone, mails):
    row_of(phone, settled=True, status=Status.REFUSED)


@scene
def ending_expired(phone, mails):
    row_of(phone, expires_at=timezone.now() - timedelta(seconds=1))


@scene
def ending_match(phone, mails):
    row_of(phone, verified=True, redeemed_at=timezone.now())


@scene
def sandbox_handset_error(phone, mails):
    phone.hold(number="07700")


@scene
def sandbox_handset_changed(phone, mails):
    phone.hold(network="wifi", fault="wrong_sub")


@scene
def sandbox_handset_after_checks(phone, mails):
    """With the exchanges of a no match and of a match, and a text message."""
    inbox.deliver(ANN, "123456 is your code to sign up.")
    phone.hold(number="+447700900456")
    phone.sign_up()
    phone.hold(number=ANN)
    phone.sign_up()
    phone.open("/sandbox/handset/")
    for closed in phone.page.locator(".flow li details").all()[3:]:
        closed.evaluate("details => details.open = true")


@scene
def csrf_failure(phone, mails):
    phone.open("/accounts/login/")
    phone.context.clear_cookies()
    phone.press("Log in", status=403)


@scene
def server_error(phone, mails):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("accounts.views.SignupForm", None)
        phone.open("/accounts/signup/", status=500)


def demo_admin(phone: Phone, path: str) -> None:
    # DEBUG for the two commands alone, which want it.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.DEBUG", True)
        call_command("seed_demo", verbosity=0)
    phone.log_in(User.objects.get(is_staff=True), DEMO_PASSWORD, next=path)


@scene
def admin_history_overview(phone, mails):
    demo_admin(phone, "/admin/numberverify/verification/overview/")


@scene
def admin_index(phone, mails):
    demo_admin(phone, "/admin/")


@scene
def admin_history(phone, mails):
    demo_admin(phone, HISTORY)


@scene
def admin_searched(phone, mails):
    admin_history(phone, mails)
    phone.page.locator("#searchbar").fill("07700 900123")
    phone.press("Search")


@scene
def admin_nothing_found(phone, mails):
    admin_history(phone, mails)
    phone.page.locator("#searchbar").fill("nonsense")
    phone.press("Search")


@scene
def admin_filtered(phone, mails):
    admin_history(phone, mails)
    phone.open(f"{HISTORY}?outcome=unavailable&purpose=login&test=yes&flag=yes")


@scene
def admin_wrong_filter(phone, mails):
    admin_history(phone, mails)
    phone.open(f"{HISTORY}?outcome=won&since=2026-05-02&until=2026-05-01&p=2")


@scene
def admin_row_in_a_journey(phone, mails):
    admin_history(phone, mails)
    row = Verification.objects.exclude(previous=None).first()
    phone.open(f"{HISTORY}{row.previous}/change/")


@scene
def admin_row(phone, mails):
    admin_history(phone, mails)
    row = Verification.objects.filter(status=Status.VERIFIED).first()
    phone.open(f"{HISTORY}{row.pk}/change/")


@scene
def admin_row_with_attention(phone, mails):
    admin_history(phone, mails)
    row = Verification.objects.filter(reason=Reason.OTHER_BROWSER).first()
    phone.open(f"{HISTORY}{row.pk}/change/")


@scene
def admin_people(phone, mails):
    demo_admin(phone, "/admin/accounts/user/")


@scene
def admin_person(phone, mails):
    demo_admin(phone, "/admin/accounts/user/")
    ann = User.objects.get(email="ann@example.com")
    phone.open(f"/admin/accounts/user/{ann.pk}/change/")


def claimed_by_a_stranger(phone) -> User:
    ann = UserFactory(email="ann@example.com", phone=ANN)
    claimant = UserFactory(email="new@example.com")
    Claim.objects.create(
        claimant=claimant,
        holder=ann,
        phone=ANN,
        number_mask="+44 •••• •••123",
        verification=VerificationFactory(verified=True).pk,
        due_at=timezone.now() + timedelta(days=7),
    )
    return ann


@scene
def profile_claimed(phone, mails):
    phone.become(claimed_by_a_stranger(phone))
    phone.open("/accounts/profile/")


@scene
def profile_claims(phone, mails):
    claimed_by_a_stranger(phone)
    phone.become(User.objects.get(email="new@example.com"))
    phone.open("/accounts/profile/")


@scene
def claim_keep(phone, mails):
    phone.become(claimed_by_a_stranger(phone))
    phone.open("/accounts/phone/claim/")
    phone.press("Check my number")


@scene
def phone_remove(phone, mails):
    phone.become(UserFactory(phone=ANN))
    phone.open("/accounts/phone/remove/")
    phone.press("Check my number")


@scene
def admin_claims(phone, mails):
    claimed_by_a_stranger(phone)
    phone.become(UserFactory(staff=True))
    phone.open("/admin/accounts/claim/")
