"""The mailed link "This wasn't me", and what its button does.

OWASP ASVS 5.0.0: 6.4.3, 7.4.1, 7.4.2, 7.4.3, 7.5.1; NIST SP 800-63B-4: 4.6.
"""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.core import mail as outbox
from django.core.management import call_command
from django.db import IntegrityError
from django.utils import timezone

from accounts import account, mail, not_me, notices
from accounts.models import Claim, Device, Notice, Pending, User
from accounts.notice import Kind
from numberverify import manual
from numberverify.choices import Method, Purpose, Reason, Status
from numberverify.errors import VerificationNotUsable
from numberverify.models import Verification, digest
from tests.accounts.browsers import opened
from tests.accounts.steps import (
    LOGIN,
    by_network,
    is_signed_in,
    log_in,
    mailed,
    mailed_link,
    sign_in,
)
from tests.conftest import Browser, step_up
from tests.factories import (
    ANN,
    BINDING,
    PASSWORD,
    ManualRequestFactory,
    PendingFactory,
    UserFactory,
    VerificationFactory,
)
from tests.numberverify.test_races import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("run_on_commit")]
NEW = "batt3ry staple"
OLD_EMAIL, THIEF_S = "ann@example.com", "thief@example.com"
RESET = "/accounts/password/reset/"


@pytest.fixture
def ann():
    return UserFactory(email=OLD_EMAIL, phone=ANN)


@pytest.fixture
def link(ann):
    """The link in the mail about a new browser."""
    notices.tell(ann, Kind.NEW_BROWSER)
    return mailed_link("not-me")


def is_frozen(ann) -> bool:
    return User.objects.get(pk=ann.pk).frozen_at is not None


def reset(browser, operator, ann) -> None:
    Browser().submit(RESET, email=ann.email)
    started = browser.submit(mailed_link(r"password/reset/\w+/"))
    form = browser.follow(browser.come_back(operator, started))
    page = form.request["PATH_INFO"]
    browser.submit(page, new_password1=NEW, new_password2=NEW)


# The page


@pytest.mark.parametrize("method", ["get", "head"])
def test_a_scanner_that_opens_the_link_does_nothing(browser, ann, link, method):
    hers = opened(ann, "phone")

    for _ in range(3):
        assert getattr(browser, method)(link).status_code == 200

    assert not is_frozen(ann)
    assert is_signed_in(hers)
    assert Notice.objects.get().acted_at is None


def test_a_post_without_our_page_does_nothing(browser, ann, link):
    assert browser.post(link).status_code == 403
    assert not is_frozen(ann)


def test_the_page_says_what_happened_and_what_the_button_does(browser, ann, link):
    page = browser.get(link)

    assert "Your account was opened in a new browser" in page.text
    assert "everybody is signed out" in page.text
    assert "e-mail address back" not in page.text
    assert ann.email not in page.text
    assert page["Cache-Control"].count("no-store")


def test_v5_0_0_7_4_2_the_button_ends_every_session_at_once(browser, ann, link):
    three = [opened(ann, name) for name in ("phone", "laptop", "stranger")]

    done = browser.submit(link)

    assert "Your account is frozen" in done.text
    assert not any(is_signed_in(one) for one in three)
    assert not Device.objects.exists()
    assert not Session.objects.exists()
    assert is_frozen(ann)


def test_the_owner_who_presses_it_while_signed_in_is_signed_out(ann, link):
    hers = opened(ann, "phone")

    done = hers.submit(link)

    assert done.status_code == 200
    assert "Log out" not in done.text
    assert not is_signed_in(hers)


def test_somebody_else_who_is_signed_in_there_stays_so(browser, link):
    browser.force_login(UserFactory())

    browser.submit(link)

    assert is_signed_in(browser)


def test_the_person_is_mailed_how_to_go_on(browser, ann, link):
    browser.submit(link)

    assert mailed()[-1] == (ann.email, "Your account is frozen")
    assert "/accounts/password/reset/" in outbox.outbox[-1].body


# Used twice, late, made up


def test_a_second_press_says_that_it_was_done_already(browser, new_browser, ann, link):
    other = new_browser()
    token = other.get(link).text.partition('csrfmiddlewaretoken" value="')[2][:64]
    browser.submit(link)
    frozen_at = User.objects.get().frozen_at

    second = other.post(link, {"csrfmiddlewaretoken": token})

    for page in (second, browser.get(link)):
        assert page.status_code == 200
        assert "This was done already" in page.text
        assert "Choose a new password" in page.text
        assert "<form" not in page.text.partition("<main")[2]
    assert User.objects.get().frozen_at == frozen_at


def test_after_the_reset_there_is_nothing_left_to_do(browser, operator, ann, link):
    browser.submit(link)
    reset(browser, operator, ann)

    assert "There is nothing left to do." in browser.get(link).text


def test_of_eight_presses_at_once_one_counts(transactional_db):
    ann = UserFactory(email=OLD_EMAIL)
    notices.tell(ann, Kind.NEW_BROWSER)
    mail.wait()

    def press():
        try:
            return not_me.say(Notice.objects.select_related("user").get()) is None
        except not_me.SaidAlready:
            return False

    assert at_once([press] * 8).count(True) == 1


def test_the_link_works_for_seven_days(browser, ann, link):
    with time_machine.travel(timezone.now() + timedelta(days=6, hours=23)):
        assert browser.get(link).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1)):
        late = browser.get(link)
        assert late.status_code == 410
        assert "This link does not work any more" in late.text
        assert browser.post(link).status_code in (403, 410)
    assert not is_frozen(ann)


@pytest.mark.parametrize("token", ["x", "a" * 43, "%00", "a" * 900, "ü"])
def test_a_made_up_link_is_a_plain_page(browser, token):
    assert browser.get(f"/accounts/not-me/{token}/").status_code == 410


def test_the_token_is_kept_as_a_digest_alone(ann, link):
    token = link.split("/")[-2]

    assert len(token) == 43  # of 64 characters: 256 bits
    assert bytes(Notice.objects.get().token_digest) == digest(token)


def test_housekeeping_deletes_old_news(ann, link):
    with time_machine.travel(timezone.now() + timedelta(days=29)):
        call_command("housekeeping")
        assert Notice.objects.exists()
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        call_command("housekeeping")
        assert not Notice.objects.exists()


# A frozen account can do nothing but reset its password


def test_the_password_alone_opens_it_no_more(browser, ann, link):
    browser.submit(link)

    page = browser.submit(LOGIN, username=ann.email, password=PASSWORD)

    assert page.status_code == 403
    assert "Your account is frozen" in page.text
    assert not Pending.objects.exists()
    assert not is_signed_in(browser)


def test_v5_0_0_6_3_8_a_wrong_password_does_not_tell_of_the_freeze(browser, ann, link):
    browser.submit(link)

    page = browser.submit(LOGIN, username=ann.email, password="wrong")

    assert page.status_code == 200
    assert "frozen" not in page.text


def test_v5_0_0_6_4_3_the_reset_takes_the_proof_of_ever_and_ends_the_freeze(
    browser, new_browser, operator, ann, link
):
    browser.submit(link)
    thief = new_browser()
    operator.sim = "+447700900999"
    thief.submit(RESET, email=ann.email)
    reset_link = mailed_link(r"password/reset/\w+/")
    ended = thief.follow(thief.come_back(operator, thief.submit(reset_link)))
    assert ended.context["verification"].status == Status.MISMATCHED
    assert is_frozen(ann)

    operator.sim = ANN
    reset(browser, operator, ann)

    assert not is_frozen(ann)
    assert browser.submit(LOGIN, username=ann.email, password=NEW).status_code == 303


def test_links_to_a_reset_from_before_are_dead(browser, ann, link):
    browser.submit(RESET, email=ann.email)
    before = mailed_link(r"password/reset/\w+/")

    browser.submit(link)

    assert browser.get(before).status_code == 410


# What is under way


def test_what_a_thief_has_open_is_withdrawn_and_flagged(browser, ann, link):
    rows = [
        VerificationFactory(user=ann, purpose=Purpose.LOGIN),
        VerificationFactory(user=ann, purpose=Purpose.STEP_UP, exchanging=True),
    ]
    receipt = VerificationFactory(user=ann, purpose=Purpose.STEP_UP, verified=True)
    spent = VerificationFactory(
        user=ann, verified=True, redeemed_at=timezone.now() - timedelta(minutes=1)
    )
    of_others = VerificationFactory(user=UserFactory(), verified=True)
    PendingFactory(kind="login", user=ann)
    PendingFactory(kind="phone_change", user=ann)

    browser.submit(link)

    for row in rows:
        row.refresh_from_db()
        said = (row.status, row.reason, row.attention, row.number)
        assert said == (Status.REFUSED, Reason.WITHDRAWN, True, "")
    receipt.refresh_from_db()
    assert (receipt.status, receipt.reason) == (Status.VERIFIED, Reason.WITHDRAWN)
    assert receipt.redeemed_at
    assert receipt.attention
    for untouched in (spent, of_others):
        was = (untouched.reason, untouched.redeemed_at)
        untouched.refresh_from_db()
        assert (untouched.reason, untouched.redeemed_at) == was
    assert not Pending.objects.exists()


def test_an_answer_of_the_operator_that_comes_after_it_opens_nothing(
    browser, operator, ann, link
):
    thief = Browser()
    started = log_in(thief, ann)
    brought = operator.authorize(started["Location"])

    browser.submit(link)
    ended = thief.follow(
        thief.get(
            "/verify/callback/fake/",
            {"code": brought["code"], "state": brought["state"]},
        )
    )

    assert operator.calls_to("/deviceinitiated/v1/token") == []
    assert not is_signed_in(thief)
    assert ended.context["verification"].reason == Reason.WITHDRAWN


def test_what_staff_have_approved_is_worth_nothing_after_it(browser, ann, link):
    row = VerificationFactory(
        user=ann,
        method=Method.MANUAL,
        purpose=Purpose.LOGIN,
        verified=True,
        settled_at=timezone.now() - timedelta(minutes=50),
        operator="",
    )

    browser.submit(link)

    row.refresh_from_db()
    assert row.redeemed_at


def test_what_staff_have_yet_to_approve_they_approve_no_more(browser, ann, link):
    row = VerificationFactory(
        user=ann,
        method=Method.MANUAL,
        purpose=Purpose.LOGIN,
        operator="",
        number="",
        nonce="",
        expires_at=timezone.now() + timedelta(hours=20),
    )
    asked = ManualRequestFactory(verification=row)

    browser.submit(link)

    asked.refresh_from_db()
    with pytest.raises(VerificationNotUsable):
        manual.decide(asked, UserFactory(staff=True), approve=True)


def test_a_proof_in_a_thief_s_session_pays_for_nothing(operator, browser, ann, link):
    thief = sign_in(Browser(), ann)
    page = by_network(thief, operator, "/accounts/phone/remove/")
    token = page.context["csrf_token"]

    browser.submit(link)
    thief.post("/accounts/phone/remove/", {"remove": "1", "csrfmiddlewaretoken": token})

    ann.profile.refresh_from_db()
    assert ann.profile.phone == ANN


# The e-mail address


@pytest.fixture
def stolen(browser, operator, ann):
    """The link that the old address was mailed after somebody changed it."""
    thief = sign_in(Browser(), ann)
    by_network(thief, operator, "/accounts/email/change/")
    thief.submit("/accounts/email/change/", email=THIEF_S)
    thief.submit(mailed_link("email/change/"))
    ann.refresh_from_db()
    assert ann.email == THIEF_S
    return link_to(OLD_EMAIL, "Your e-mail address was changed")


def link_to(address: str, subject: str) -> str:
    mailed()
    found = [m for m in outbox.outbox if (m.to, m.subject) == ([address], subject)]
    return found[-1].body.partition("http://testserver")[2].split()[0]


def test_the_old_address_gives_itself_back(browser, ann, stolen):
    assert "gets the e-mail address back" in browser.get(stolen).text

    done = browser.submit(stolen)

    ann.refresh_from_db()
    assert "has its former e-mail address again" in done.text
    assert (ann.email, is_frozen(ann)) == (OLD_EMAIL, True)
    assert ann.email_confirmed_at
    # So that a reset is mailed to its owner.
    assert (OLD_EMAIL, "Your account is frozen") in mailed()
    assert mailed()[-2:].count((THIEF_S, "Your account is frozen")) == 0
    assert (THIEF_S, "Your e-mail address was taken off an account") in mailed()
    browser.submit(RESET, email=OLD_EMAIL)
    assert mailed()[-1] == (OLD_EMAIL, "Choose a new password")


def test_an_address_that_is_back_already_stays(browser, ann, stolen):
    account.change_email(ann, OLD_EMAIL)

    done = browser.submit(stolen)

    assert "could not be given back" not in done.text
    assert (OLD_EMAIL, "Your account is frozen") in mailed()


def test_a_thief_who_changes_it_twice_does_not_give_it_back_to_themselves(
    browser, ann, stolen
):
    account.change_email(ann, "thief2@example.com")
    theirs = link_to(THIEF_S, "Your e-mail address was changed")

    browser.submit(stolen)
    page = browser.get(theirs)

    ann.refresh_from_db()
    assert "This was done already" in page.text
    assert ann.email == OLD_EMAIL


def test_a_thief_who_is_quicker_does_not_keep_the_owner_out(browser, ann, stolen):
    account.change_email(ann, "thief2@example.com")
    theirs = link_to(THIEF_S, "Your e-mail address was changed")

    Browser().submit(theirs)
    browser.submit(stolen)

    ann.refresh_from_db()
    assert ann.email == OLD_EMAIL


def test_an_old_address_that_has_an_account_now_is_not_given_back(browser, ann, stolen):
    other = UserFactory(email=OLD_EMAIL)

    done = browser.submit(stolen)

    ann.refresh_from_db()
    assert "could not be given back" in done.text
    assert (ann.email, is_frozen(ann)) == (THIEF_S, True)
    assert not is_frozen(other)
    assert (THIEF_S, "Your account is frozen") not in mailed()


def test_an_old_address_that_gets_an_account_at_that_moment_is_not_given_back(
    browser, ann, stolen, monkeypatch
):
    UserFactory(email=OLD_EMAIL)
    monkeypatch.setattr("django.db.models.query.QuerySet.exists", lambda self: False)

    assert not_me.say(Notice.objects.select_related("user").latest("pk")) is False

    monkeypatch.undo()
    ann.refresh_from_db()
    assert (ann.email, is_frozen(ann)) == (THIEF_S, True)
    with pytest.raises(IntegrityError):
        User.objects.filter(pk=ann.pk).update(email=OLD_EMAIL)


def test_a_change_that_is_only_asked_for_is_stopped(browser, operator, ann):
    thief = sign_in(Browser(), ann)
    by_network(thief, operator, "/accounts/email/change/")
    thief.submit("/accounts/email/change/", email=THIEF_S)
    theirs = mailed_link("email/change/")

    browser.submit(link_to(OLD_EMAIL, "Somebody asked to change your e-mail address"))

    thief.force_login(User.objects.get(pk=ann.pk))
    assert thief.get(theirs).status_code == 410
    assert not account.change_email(ann, THIEF_S)


# Ending, disabling and freezing, all at once


def by_the_link(ann):
    notices.tell(ann, Kind.PASSWORD_CHANGED)
    Browser().submit(mailed_link("not-me"))


def by_staff(ann, change):
    staff = UserFactory(staff=True)
    client = Browser()
    client.force_login(staff)
    step_up(client, staff, "administer")
    change(client, ann)


def staff_freeze(client, ann):
    client.submit("/admin/accounts/user/", action="freeze", _selected_action=ann.pk)


def staff_disable(client, ann):
    client.submit(f"/admin/accounts/user/{ann.pk}/change/", _save="Save")


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(by_the_link, id="this was not me"),
        pytest.param(lambda ann: by_staff(ann, staff_freeze), id="frozen by staff"),
        pytest.param(lambda ann: by_staff(ann, staff_disable), id="disabled"),
        pytest.param(lambda ann: ann.end_sessions(), id="ended"),
        pytest.param(account.delete, id="closed"),
    ],
)
def test_v5_0_0_7_4_1_whatever_ends_an_account_ends_all_that_is_open_at_once(ann, end):
    three = [opened(ann, name) for name in ("phone", "laptop", "stranger")]

    end(User.objects.get(pk=ann.pk))

    assert not any(is_signed_in(one) for one in three)
    assert not Device.objects.filter(user=ann.pk).exists()


def test_staff_who_freeze_withdraw_what_is_under_way_and_tell_the_person(ann):
    row = VerificationFactory(user=ann, purpose=Purpose.LOGIN)

    by_staff(ann, staff_freeze)

    row.refresh_from_db()
    assert row.reason == Reason.WITHDRAWN
    assert (OLD_EMAIL, "Your account is frozen") in mailed()


def test_v5_0_0_7_4_3_after_a_change_of_password_the_others_are_out(ann, operator):
    hers, other = opened(ann, "phone"), opened(ann, "laptop")
    by_network(hers, operator, "/accounts/password/change/")
    typed = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}

    hers.submit("/accounts/password/change/", **typed)

    assert (is_signed_in(hers), is_signed_in(other)) == (True, False)


def test_v5_0_0_7_4_3_after_another_number_the_page_offers_to_end_the_others(
    ann, operator
):
    hers = opened(ann, "phone")
    by_network(hers, operator, "/accounts/phone/change/")
    operator.sim = "+447700900456"
    started = hers.submit("/accounts/phone/change/", phone=operator.sim)

    page = hers.follow(hers.come_back(operator, started))

    assert "Your number is confirmed." in page.text
    assert 'href="/accounts/sessions/end/"' in page.text


def test_v5_0_0_7_5_1_a_frozen_account_changes_nothing_from_a_session(ann, operator):
    """There is none after a freeze; one that is opened all the same is of no use."""
    account.freeze(ann)
    hers = Browser()
    hers.force_login(User.objects.get(pk=ann.pk))

    for address in (
        "/accounts/phone/change/",
        "/accounts/phone/remove/",
        "/accounts/phone/claim/",
        "/accounts/email/change/",
        "/accounts/password/change/",
        "/accounts/close/",
        "/verify/authenticator/",
        "/verify/recovery-codes/",
    ):
        assert "Sensitive actions are frozen" in hers.get(address).text, address
    assert not Claim.objects.exists()
    assert Verification.objects.filter(holder_digest=digest(BINDING)).count() == 0
