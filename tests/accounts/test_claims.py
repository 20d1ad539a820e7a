"""A number that is verified on one account and proved by the SIM of another."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.core import mail as django_mail
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from accounts import account, claims, mail
from accounts.models import Claim, Profile, User
from numberverify.choices import Method, Purpose
from numberverify.flow import Receipt
from tests.factories import ANN, PASSWORD, UserFactory, VerificationFactory
from tests.fake_camara import RECYCLING, FakeCamara
from tests.fake_operator import Reply

pytestmark = pytest.mark.django_db(transaction=True)
BEN = "+447700900456"
SIGNUP = {
    "email": "new@example.com",
    "phone": ANN,
    "password1": PASSWORD,
    "password2": PASSWORD,
}


@pytest.fixture
def holder(settings):
    """Ann, who has the number; the site lets a SIM challenge her."""
    settings.NV_TAKEOVER = "challenge"
    return UserFactory(email="ann@example.com", phone=ANN)


@pytest.fixture
def recycler(settings):
    """An operator with Number Recycling, and a policy that asks it."""
    fake = FakeCamara()
    settings.NV_OPERATORS = {"fake": fake.with_siblings()}
    settings.NV_TAKEOVER = "recycled"
    yield fake
    fake.close()


def sign_up(browser, operator):
    """Sign up with the holder's number, which the SIM in the device has."""
    started = browser.submit("/accounts/signup/", **SIGNUP)
    return browser.follow(browser.come_back(operator, started))


def newcomer() -> User:
    return User.objects.get(email="new@example.com")


def has(user, number=ANN) -> bool:
    return Profile.objects.filter(
        user=user, phone=number, phone_verified_at__isnull=False
    ).exists()


def mails_to(address) -> list[str]:
    mail.wait()
    return [m.subject for m in django_mail.outbox if m.to == [address]]


def week_later():
    return time_machine.travel(timezone.now() + timedelta(days=7, minutes=1))


def keep(browser, operator, user):
    """The holder proves the number again, on the phone that has it."""
    browser.force_login(user)
    page = browser.submit("/accounts/phone/claim/")
    opened = browser.follow(browser.come_back(operator, page))
    assert "Keep my number" in opened.text
    return browser.follow(browser.submit("/accounts/phone/claim/", keep="1"))


# refuse


def test_by_default_a_number_stays_where_it_is(browser, operator):
    holder = UserFactory(phone=ANN)

    page = sign_up(browser, operator)

    assert "already has an account" in page.text
    assert has(holder)
    assert not User.objects.filter(email="new@example.com").exists()
    assert not Claim.objects.exists()


# challenge


def test_a_matching_sim_opens_an_account_and_claims_the_number(
    browser, operator, holder
):
    page = sign_up(browser, operator)

    assert "It moves to yours on" in page.text
    assert has(holder)
    assert not has(newcomer())
    claim = Claim.objects.get()
    assert (claim.holder, claim.claimant) == (holder, newcomer())
    assert claim.due_at - claim.created_at >= timedelta(days=7) - timedelta(seconds=1)


def test_the_holder_is_told_by_mail_and_at_the_next_login(
    browser, new_browser, operator, holder, settings
):
    sign_up(browser, operator)

    assert mails_to(holder.email) == ["Somebody else has proved your mobile number"]
    assert not any(ANN in message.body for message in django_mail.outbox)
    settings.NV_LOGIN_POLICY = "never"
    ann = new_browser()
    typed = {"username": holder.email, "password": PASSWORD}
    page = ann.follow(ann.submit("/accounts/login/", **typed))
    assert "Somebody else has proved your mobile number" in page.text
    assert "/accounts/phone/claim/" in page.text


def test_after_seven_days_the_number_moves(browser, operator, holder):
    sign_up(browser, operator)
    assert claims.move_due() == 0

    with week_later():
        assert claims.move_due() == 1

    assert has(newcomer())
    assert not has(holder)
    claim = Claim.objects.get()
    assert (claim.outcome, claim.phone) == (Claim.Outcome.MOVED, "")
    assert any("is on another account" in said for said in mails_to(holder.email))
    assert mails_to("new@example.com")


def test_a_holder_who_proves_it_again_keeps_it(browser, new_browser, operator, holder):
    sign_up(browser, operator)

    page = keep(new_browser(), operator, holder)

    assert "You keep your number" in page.text
    with week_later():
        assert claims.move_due() == 0
    assert has(holder)
    assert not has(newcomer())
    assert Claim.objects.get().outcome == Claim.Outcome.KEPT


@pytest.mark.parametrize("method", ["sms", "totp", "recovery_code"])
def test_nothing_weaker_than_the_network_keeps_it(
    browser, new_browser, operator, holder, method
):
    sign_up(browser, operator)
    ann = new_browser()
    ann.force_login(holder)

    page = ann.follow(ann.submit("/accounts/phone/claim/", method=method))

    assert "not open" in page.text
    assert Claim.objects.get().ended_at is None


def test_a_text_message_claims_nothing(holder):
    receipt = Receipt(VerificationFactory().pk, Method.SMS, timezone.now())

    assert not claims.may_be_claimed(receipt, claims.holder_of(ANN))


def test_a_claim_while_another_runs_is_refused(browser, new_browser, operator, holder):
    sign_up(browser, operator)
    third = new_browser()
    started = third.submit(
        "/accounts/signup/", **SIGNUP | {"email": "third@example.com"}
    )

    page = third.follow(third.come_back(operator, started))

    assert "already has an account" in page.text
    assert not User.objects.filter(email="third@example.com").exists()
    assert Claim.objects.count() == 1


def test_somebody_signed_in_claims_a_number_in_place_of_the_old_one(
    browser, operator, holder
):
    claimant = UserFactory(phone=BEN)
    browser.force_login(claimant)
    operator.sim = BEN
    page = browser.submit("/accounts/phone/change/")
    browser.follow(browser.come_back(operator, page))
    operator.sim = ANN
    asked = browser.submit("/accounts/phone/change/", phone=ANN)

    page = browser.follow(browser.come_back(operator, asked))

    assert "It moves to yours on" in page.text
    assert has(claimant, BEN)
    with week_later():
        claims.move_due()
    assert has(claimant, ANN)
    assert not has(holder)


def test_a_claimant_whose_own_number_changed_meanwhile_gets_nothing(
    browser, operator, holder
):
    sign_up(browser, operator)
    Profile.objects.filter(user=newcomer()).update(
        phone=BEN, phone_verified_at=timezone.now()
    )

    with week_later():
        assert claims.move_due() == 0

    assert has(holder)
    assert has(newcomer(), BEN)
    assert Claim.objects.get().outcome == Claim.Outcome.LAPSED


def test_a_number_that_its_holder_removes_moves_at_once(
    browser, new_browser, operator, holder
):
    sign_up(browser, operator)
    ann = new_browser()
    ann.force_login(holder)
    page = ann.submit("/accounts/phone/remove/")
    ann.follow(ann.come_back(operator, page))

    removed = ann.follow(ann.submit("/accounts/phone/remove/", remove="1"))

    assert "Your number is removed" in removed.text
    assert has(newcomer())


def test_a_holder_who_closes_the_account_frees_the_number(browser, operator, holder):
    sign_up(browser, operator)
    account.delete(holder)

    assert has(newcomer())


def test_the_proofs_of_both_end_when_it_moves(browser, operator, holder):
    sign_up(browser, operator)
    before = {user.pk: user.state_hash() for user in User.objects.all()}

    with week_later():
        claims.move_due()

    assert all(user.state_hash() != before[user.pk] for user in User.objects.all())


def test_housekeeping_moves_what_is_due(browser, operator, holder):
    sign_up(browser, operator)
    with week_later():
        call_command("housekeeping", verbosity=0)

    assert has(newcomer())


# recycled


@pytest.fixture
def told(recycler):
    """Ann has the number since long ago."""
    user = UserFactory(email="ann@example.com", phone=ANN)
    long_ago = timezone.now() - timedelta(days=400)
    Profile.objects.filter(user=user).update(phone_verified_at=long_ago)
    return user


def test_a_recycled_number_moves_at_once(browser, recycler, told):
    recycler.flags["recycled"] = True

    page = sign_up(browser, recycler)

    assert has(newcomer())
    assert not has(told)
    assert "Your profile" in page.text
    (asked,) = recycler.calls_to(RECYCLING)
    since = (timezone.now() - timedelta(days=400)).date()
    assert asked.json["specifiedDate"] == since.isoformat()
    assert any("is on another account" in said for said in mails_to(told.email))


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(body={"phoneNumberRecycled": False}), id="no"),
        pytest.param(Reply(503), id="nobody could say"),
        pytest.param(Reply(body={"phoneNumberRecycled": "true"}), id="no boolean"),
        pytest.param(Reply(404, {"code": "IDENTIFIER_NOT_FOUND"}), id="not theirs"),
    ],
)
def test_anything_but_a_yes_is_a_challenge(browser, recycler, told, reply):
    recycler.replies[RECYCLING] = reply

    sign_up(browser, recycler)

    assert has(told)
    assert Claim.objects.get().outcome == Claim.Outcome.OPEN


def test_a_challenge_asks_no_operator_about_recycling(
    browser, recycler, settings, told
):
    settings.NV_TAKEOVER = "challenge"

    sign_up(browser, recycler)

    assert recycler.calls_to(RECYCLING) == []


# Races


def at_once(*jobs):
    def run(job):
        try:
            return job()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def a_claim(holder, claimant) -> Claim:
    receipt = Receipt(
        VerificationFactory(verified=True, purpose=Purpose.PHONE_CHANGE).pk,
        Method.NETWORK,
        timezone.now(),
    )
    return claims.begin(claimant, ANN, holder.profile, receipt)


def test_v5_0_0_2_3_4_of_four_claims_at_once_one_runs(holder):
    people = [UserFactory() for _ in range(4)]

    def begin(person):
        def job():
            try:
                return a_claim(holder, person)
            except claims.ClaimRuns:
                return None

        return job

    begun = at_once(*(begin(person) for person in people))

    assert len([claim for claim in begun if claim]) == 1
    assert Claim.objects.filter(ended_at=None).count() == 1


def test_a_number_moves_once_however_many_move_it(holder):
    claim = a_claim(holder, UserFactory())

    moved = at_once(*[lambda: claims.move(claim)] * 4)

    assert moved.count(True) == 1
    assert Profile.objects.filter(phone=ANN).count() == 1


def test_keeping_and_moving_at_once_leave_one_owner(holder):
    claimant = UserFactory()
    claim = a_claim(holder, claimant)
    mine = Claim.objects.filter(holder=holder)

    moved, kept = at_once(
        lambda: claims.move(claim), lambda: mine.end(Claim.Outcome.KEPT)
    )

    assert moved is not kept
    assert has(claimant) is moved
    assert has(holder) is kept
