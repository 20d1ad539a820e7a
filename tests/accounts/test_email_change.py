"""A new e-mail address: a fresh proof, then a link that only its owner gets."""

from datetime import timedelta
from urllib.parse import quote

import pytest
import time_machine
from django.core import mail as outbox
from django.utils import timezone

from accounts import account, mail
from accounts.models import User
from accounts.models import digest as bind
from numberverify.choices import Purpose
from numberverify.models import Verification
from tests.accounts.steps import (
    by_app,
    by_network,
    is_signed_in,
    log_in,
    mailed,
    mailed_link,
    sign_in,
)
from tests.conftest import Browser
from tests.factories import (
    ANN,
    AuthenticatorFactory,
    PendingFactory,
    UserFactory,
    VerificationFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("run_on_commit")]
CHANGE = "/accounts/email/change/"
NEW = "anne@example.com"
CONFIRM = "Confirm your new e-mail address"
NOTICE = "Somebody asked to change your e-mail address"


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


@pytest.fixture
def new_browser(ann):
    """Another browser of Ann's, signed in: the link is for her alone."""

    def new() -> Browser:
        browser = Browser()
        browser.force_login(ann)
        return browser

    return new


@pytest.fixture
def signed_in(browser, ann):
    return sign_in(browser, ann)


@pytest.fixture
def link(signed_in, operator):
    """The link in the mail to the new address."""
    return ask(signed_in, operator)


def ask(browser, operator, email=NEW):
    by_network(browser, operator, CHANGE)
    browser.submit(CHANGE, email=email)
    return mailed_link("email/change/")


def test_the_form_takes_a_proof_first(signed_in, operator):
    page = signed_in.get(CHANGE)

    assert "Confirm it's you to change your e-mail address" in page.text
    assert 'name="email"' not in page.text
    assert 'name="email"' in by_network(signed_in, operator, CHANGE).text


def test_a_form_sent_without_a_proof_mails_nothing_and_keeps_the_address(
    signed_in, operator
):
    page = signed_in.submit(CHANGE, email=NEW)
    assert "Confirm it's you" in page.text

    fields = {"confirmed": page.context["confirmed"]}
    started = signed_in.submit(CHANGE, **fields)
    page = signed_in.follow(signed_in.come_back(operator, started))

    assert f'value="{NEW}"' in page.text
    assert mailed() == []


def test_the_new_address_gets_a_link_and_the_old_one_is_told(signed_in, operator, ann):
    by_network(signed_in, operator, CHANGE)

    done = signed_in.submit(CHANGE, email="Anne@Example.com")

    assert done["Location"] == "/accounts/profile/"
    assert sorted(mailed()) == [(ann.email, NOTICE), (NEW, CONFIRM)]
    ann.refresh_from_db()
    assert ann.email == "ann@example.com"


def test_one_proof_mails_one_link(signed_in, operator):
    ask(signed_in, operator)

    page = signed_in.submit(CHANGE, email="third@example.com")

    assert "Confirm it's you" in page.text
    assert len(mailed()) == 2


def test_an_app_proves_it_as_well(browser):
    ann = UserFactory(email="ann@example.com")
    AuthenticatorFactory(user=ann)
    sign_in(browser, ann)

    assert 'name="email"' in by_app(browser, ann, CHANGE).text


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("", id="nothing"),
        pytest.param("anne", id="no address"),
        pytest.param("anne@", id="no host"),
        pytest.param("a" * 250 + "@example.com", id="too long"),
    ],
)
def test_a_bad_address_is_named_and_costs_no_proof(signed_in, operator, typed):
    by_network(signed_in, operator, CHANGE)

    page = signed_in.submit(CHANGE, email=typed)

    assert page.context["form"].errors["email"]
    assert Verification.objects.get().redeemed_at is None
    assert mailed() == []


@pytest.mark.parametrize("taken", [True, False], ids=["taken", "free"])
def test_who_asks_learns_nothing_of_an_account_with_that_address(
    signed_in, operator, taken
):
    if taken:
        UserFactory(email=NEW, email_confirmed_at=timezone.now())
    by_network(signed_in, operator, CHANGE)

    page = signed_in.follow(signed_in.submit(CHANGE, email=NEW))

    assert "Open the link that we have mailed to the new address." in page.text
    assert NEW not in page.text
    assert len(mailed()) == 2


def test_the_owner_of_a_taken_address_is_told_and_gets_no_link(signed_in, operator):
    UserFactory(email=NEW, email_confirmed_at=timezone.now())
    by_network(signed_in, operator, CHANGE)

    signed_in.submit(CHANGE, email=NEW)

    assert NEW in [to for to, _ in mailed()]
    assert not any("email/change/" in message.body for message in outbox.outbox)


def test_the_address_that_is_on_file_already_gets_no_link(signed_in, operator, ann):
    by_network(signed_in, operator, CHANGE)

    page = signed_in.submit(CHANGE, email=ann.email)

    assert "That is your address already" in page.text
    assert mailed() == []


def test_opening_the_link_changes_nothing(link, new_browser, ann):
    for _ in range(2):
        page = new_browser().get(link)

    ann.refresh_from_db()
    assert page.status_code == 200
    assert ann.email == "ann@example.com"


def test_its_button_changes_the_address_which_is_confirmed_then(link, new_browser, ann):
    new_browser().submit(link)

    ann.refresh_from_db()
    assert ann.email == NEW
    assert ann.email_confirmed_at
    assert mailed()[-1] == ("ann@example.com", "Your e-mail address was changed")


def test_one_logs_in_by_the_new_address_and_no_more_by_the_old(
    link, new_browser, signed_in, ann
):
    signed_in.submit("/accounts/logout/", page="/")
    new_browser().submit(link)

    assert "is not right" in log_in(signed_in, ann).text
    ann.refresh_from_db()
    assert log_in(signed_in, ann)["Location"] == "/accounts/profile/"


def test_the_proofs_that_a_session_holds_end_with_the_old_address(
    signed_in, operator, new_browser
):
    link = ask(signed_in, operator)
    by_network(signed_in, operator, CHANGE)
    by_network(signed_in, operator, "/accounts/sessions/end/")

    new_browser().submit(link)

    assert "Confirm it's you" in signed_in.get("/accounts/sessions/end/").text


def used(ann, browser, link):
    browser.submit(link)


def late(ann, browser, link):
    pass


def sessions_ended(ann, browser, link):
    ann.end_sessions()


def password_changed(ann, browser, link):
    ann.set_password("another one")
    ann.save()


def frozen(ann, browser, link):
    ann.freeze()


def changed_elsewhere(ann, browser, link):
    account.change_email(ann, "third@example.com")


@pytest.mark.parametrize(
    "event",
    [
        used,
        late,
        sessions_ended,
        password_changed,
        frozen,
        changed_elsewhere,
    ],
)
def test_the_link_is_dead_after(link, new_browser, ann, event):
    event(ann, new_browser(), link)
    after = timedelta(days=1, seconds=1) if event is late else timedelta()

    with time_machine.travel(timezone.now() + after):
        other = new_browser()
        assert other.get(link).status_code == 410
        other.handler.enforce_csrf_checks = False
        assert other.post(link).status_code == 410
    assert User.objects.filter(email=NEW).exists() is (event is used)


def test_nobody_else_changes_it_by_the_link(link, browser, ann):
    stranger = Browser()
    assert stranger.get(link)["Location"] == f"/accounts/login/?next={quote(link)}"

    stranger.force_login(UserFactory())

    assert stranger.get(link).status_code == 410
    assert ann.email not in stranger.get(link).text


def test_the_link_lives_for_a_day(link, new_browser):
    with time_machine.travel(timezone.now() + timedelta(hours=23, minutes=59)):
        assert new_browser().get(link).status_code == 200


def test_a_used_link_is_not_revived_by_going_back_to_the_old_address(
    signed_in, operator, new_browser, ann
):
    there = ask(signed_in, operator)
    new_browser().submit(there)
    back = ask(signed_in, operator, email="ann@example.com")
    new_browser().submit(back)

    assert new_browser().get(there).status_code == 410


def test_of_two_links_to_two_addresses_the_first_used_wins(
    signed_in, operator, new_browser, ann
):
    first = ask(signed_in, operator)
    second = ask(signed_in, operator, email="third@example.com")
    assert first != second

    new_browser().submit(second)

    assert new_browser().get(first).status_code == 410
    ann.refresh_from_db()
    assert ann.email == "third@example.com"


def test_of_two_links_pressed_at_once_one_wins(signed_in, operator, ann):
    tokens = [
        ask(signed_in, operator, email=email).split("/")[-2]
        for email in (NEW, "third@example.com")
    ]
    both = [mail.change_of(token) for token in tokens]

    assert [account.change_email(*change) for change in both] == [True, False]
    ann.refresh_from_db()
    assert ann.email == NEW


@pytest.mark.parametrize("token", ["x", "a:b:c", "%00", "a" * 900])
def test_a_made_up_link_is_a_plain_page(signed_in, token):
    assert signed_in.get(f"{CHANGE}{token}/").status_code == 410


def test_another_mails_token_is_no_link_of_a_change(signed_in, ann):
    mail.send_confirmation(ann)
    token = mailed_link("email/confirm/").split("/")[-2]

    assert signed_in.get(f"{CHANGE}{token}/").status_code == 410


def test_a_reset_mailed_to_the_old_address_is_dead(link, new_browser, ann):
    hers = new_browser()  # a login ends such links too
    ann.refresh_from_db()
    mail.send_password_reset(ann)
    reset = mailed_link(r"password/reset/\w+/")
    assert Browser().get(reset).status_code == 200

    hers.submit(link)

    assert Browser().get(reset).status_code == 410


def test_who_signs_up_with_the_address_meanwhile_keeps_it(link, new_browser, ann):
    other = new_browser()
    other.get(link)
    UserFactory(email=NEW)

    page = other.submit(link)

    assert page.status_code == 410
    ann.refresh_from_db()
    assert ann.email == "ann@example.com"
    assert len(mailed()) == 2  # no third one that says it was changed


def test_a_signup_under_way_finds_the_address_taken(link, new_browser, ann):
    other = Browser()
    other.cookies["nv_binding"] = "another binding"
    journey = PendingFactory(
        email=NEW,
        phone="+447700900456",
        holder_digest=bind("another binding"),
    )
    VerificationFactory(
        verified=True,
        msisdn="+447700900456",
        purpose=Purpose.SIGNUP,
        binding="another binding",
    )
    new_browser().submit(link)

    page = other.follow(other.get(f"/accounts/signup/{journey.pk}/"))

    assert page.request["PATH_INFO"] == "/accounts/signup/email-taken/"
    assert User.objects.get(email=NEW) == ann
    assert not is_signed_in(other)


def test_a_frozen_account_asks_for_no_link(signed_in, ann):
    User.objects.filter(pk=ann.pk).update(frozen_at=timezone.now())

    page = signed_in.get(CHANGE)

    assert "Sensitive actions are frozen" in page.text


def test_a_stranger_is_sent_to_login(browser):
    assert browser.get(CHANGE)["Location"] == f"/accounts/login/?next={CHANGE}"


@pytest.mark.parametrize("verb", ["put", "delete", "patch"])
def test_other_verbs_are_refused(signed_in, operator, verb):
    by_network(signed_in, operator, CHANGE)
    signed_in.handler.enforce_csrf_checks = False

    assert getattr(signed_in, verb)(CHANGE).status_code == 405


def test_the_profile_leads_here(signed_in):
    assert f'href="{CHANGE}"' in signed_in.get("/accounts/profile/").text
