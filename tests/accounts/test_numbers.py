"""Everything that happened to a number stays readable, and nobody changes it."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts import account, claims, numbers, releases
from accounts.models import NumberEvent, Profile, User
from numberverify import history
from numberverify.choices import Method, Purpose
from numberverify.flow import Receipt
from numberverify.models import Verification
from numberverify.msisdn import Msisdn
from tests.accounts.steps import by_network, sign_in
from tests.factories import (
    ANN,
    PASSWORD,
    NumberReleaseFactory,
    UserFactory,
    VerificationFactory,
)
from tests.numberverify.test_races import at_once

pytestmark = pytest.mark.django_db
BEN = "+447700900456"
CHANGE = "/accounts/phone/change/"


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


def marks(number=ANN):
    return history.marks_of(Msisdn(number))


def story(number=ANN):
    """What happened to the number, oldest first, and to whom."""
    found = NumberEvent.objects.filter(number_fingerprint__in=marks(number))
    return [(e.what, e.person and e.person.email) for e in found.order_by("pk")]


def claim(holder, claimant, **options):
    proof = VerificationFactory(verified=True, purpose=Purpose.PHONE_CHANGE)
    receipt = Receipt(proof.pk, Method.NETWORK, timezone.now())
    return claims.begin(claimant, ANN, holder.profile, receipt, **options)


def sign_up(browser, operator):
    started = browser.submit(
        "/accounts/signup/",
        email="new@example.com",
        phone=ANN,
        password1=PASSWORD,
        password2=PASSWORD,
    )
    return browser.follow(browser.come_back(operator, started))


# Each effect leaves its line


def test_a_signup(browser, operator):
    sign_up(browser, operator)

    assert story() == [("added", "new@example.com")]
    event = NumberEvent.objects.get()
    assert event.verification == Verification.objects.get().pk
    assert event.number_mask == "+44 •••• •••123"


def test_a_number_added(browser, operator):
    ben = UserFactory(email="ben@example.com")
    sign_in(browser, ben)

    by_network(browser, operator, "/accounts/phone/", phone=ANN, password=PASSWORD)

    assert story() == [("added", "ben@example.com")]


def test_a_change_stands_with_both_numbers(browser, operator, ann):
    sign_in(browser, ann)
    by_network(browser, operator, CHANGE)
    operator.sim = BEN
    started = browser.submit(CHANGE, phone=BEN)
    browser.follow(browser.come_back(operator, started))

    assert story(ANN) == [("changed", ann.email)]
    assert story(BEN) == [("added", ann.email)]


def test_a_removal(browser, operator, ann):
    sign_in(browser, ann)
    by_network(browser, operator, "/accounts/phone/remove/")
    browser.submit("/accounts/phone/remove/", remove="1")

    assert story() == [("removed", ann.email)]


def test_a_closed_account_stays_without_its_person(ann):
    account.delete(ann)

    assert story() == [("closed", None)]


def test_an_account_without_a_number_leaves_nothing():
    account.delete(UserFactory())

    assert not NumberEvent.objects.exists()


def test_a_claim_that_moves(ann):
    ben = UserFactory(email="ben@example.com", phone=BEN)
    made = claim(ann, ben, replaces=BEN)

    claims.move(made)

    assert story(ANN) == [
        ("claimed", ben.email),
        ("lost", ann.email),
        ("moved", ben.email),
    ]
    assert story(BEN) == [("changed", ben.email)]


def test_a_claim_that_comes_to_nothing(ann):
    ben = UserFactory(email="ben@example.com")
    made = claim(ann, ben)
    now = timezone.now()
    Profile.objects.create(user=ben, phone=BEN, phone_verified_at=now)

    claims.move(made)

    assert story() == [("claimed", ben.email), ("lapsed", ben.email)]


def test_a_number_that_is_kept(browser, operator, ann, settings):
    settings.NV_TAKEOVER = "challenge"
    ben = UserFactory(email="ben@example.com")
    claim(ann, ben)
    sign_in(browser, ann)
    by_network(browser, operator, "/accounts/phone/claim/")

    browser.submit("/accounts/phone/claim/", keep="1")

    assert story() == [("claimed", ben.email), ("kept", ann.email)]


def test_a_release_names_who_did_it(ann):
    first, second = UserFactory(staff=True), UserFactory(staff=True)
    release = releases.ask(ann, first, reason="given_up", evidence="Bill of sale")
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        release.refresh_from_db()
        releases.decide(release, second, approve=True)

    assert story() == [("release_asked", ann.email), ("released", ann.email)]
    assert [e.by for e in NumberEvent.objects.order_by("pk")] == [first, second]


def test_a_declined_release(ann):
    asked = NumberReleaseFactory(person=ann)

    releases.decide(asked, UserFactory(staff=True), approve=False)

    assert story() == [("release_declined", ann.email)]


def test_what_does_not_happen_is_not_noted(browser, operator, ann):
    sign_up(browser, operator)

    assert not User.objects.filter(email="new@example.com").exists()
    assert story() == []


# Nobody changes it


def test_v5_0_0_16_4_2_no_code_changes_or_deletes_what_happened(ann):
    numbers.note(NumberEvent.What.ADDED, ANN, ann)
    event = NumberEvent.objects.get()
    event.what = NumberEvent.What.REMOVED

    for act in (
        event.save,
        event.delete,
        NumberEvent.objects.all().delete,
        lambda: NumberEvent.objects.update(what="removed"),
    ):
        with pytest.raises(TypeError):
            act()
    assert story() == [("added", ann.email)]


def test_no_plain_number_is_in_it(ann):
    numbers.note(NumberEvent.What.ADDED, ANN, ann)

    assert "900123" not in str(list(NumberEvent.objects.values()))
    assert "900123" not in str(NumberEvent.objects.get())


# Reading it


def test_events_and_verifications_stand_together_newest_first(ann):
    old = VerificationFactory(verified=True, user=ann, purpose=Purpose.LOGIN)
    at = timezone.now() - timedelta(days=2)
    Verification.objects.filter(pk=old.pk).update(settled_at=at)
    numbers.note(NumberEvent.What.ADDED, ANN, ann)
    VerificationFactory(mismatched=True)
    VerificationFactory(verified=True, msisdn=BEN)
    VerificationFactory()  # has not settled

    told = numbers.happened(marks(), verifications=True)

    assert [entry.what for entry in told] == [
        "Signup: Mobile network",
        "Put on file",
        "Login: Mobile network",
    ]
    assert [entry.outcome for entry in told] == ["No match", "", "Match"]
    assert told[2].verification == old.pk


def test_the_list_has_an_end(ann, monkeypatch):
    monkeypatch.setattr(numbers, "SHOWN", 3)
    for _ in range(5):
        numbers.note(NumberEvent.What.ADDED, ANN, ann)
        VerificationFactory(verified=True)

    told = numbers.happened(marks(), verifications=True)

    assert len(told) == 6
    newest = NumberEvent.objects.order_by("-pk")[:3]
    assert {e.at for e in newest} == {e.at for e in told if not e.outcome}


def test_under_older_keys_it_is_found_too(ann, settings):
    numbers.note(NumberEvent.What.ADDED, ANN, ann)
    settings.NV_FINGERPRINT_KEYS = ["newer", *settings.NV_FINGERPRINT_KEYS]
    numbers.note(NumberEvent.What.REMOVED, ANN, ann)

    told = numbers.happened(marks(), verifications=False)

    assert [entry.what for entry in told] == ["Removed by the person", "Put on file"]


def test_its_holder_is_found_by_one_of_its_fingerprints(ann, settings):
    numbers.note(NumberEvent.What.CLAIMED, ANN, UserFactory(phone=BEN))
    numbers.note(NumberEvent.What.ADDED, ANN, ann)
    (old,) = marks()
    settings.NV_FINGERPRINT_KEYS = ["newer", *settings.NV_FINGERPRINT_KEYS]

    assert numbers.holder_by([old]).user == ann
    assert numbers.holder_by(marks(BEN)) is None


def test_the_export_has_what_happened_to_the_persons_numbers(ann):
    numbers.note(NumberEvent.What.ADDED, ANN, ann)
    numbers.note(NumberEvent.What.ADDED, BEN, UserFactory())

    (told,) = numbers.all_of_person(ann)

    assert (told["what"], told["number_mask"]) == ("added", "+44 •••• •••123")


# Once (ASVS 2.3.3, 2.3.4)


def test_v5_0_0_2_3_3_an_account_and_its_number_are_made_together_or_not_at_all(
    browser, operator, monkeypatch
):
    def fails(*args, **options):
        raise RuntimeError

    monkeypatch.setattr(numbers, "note", fails)
    with pytest.raises(RuntimeError):
        sign_up(browser, operator)

    assert not User.objects.exists()
    assert not Profile.objects.exists()
    assert Verification.objects.get().redeemed_at is None


def test_v5_0_0_2_3_3_a_claim_and_its_account_are_made_together_or_not_at_all(
    browser, operator, ann, settings, monkeypatch
):
    settings.NV_TAKEOVER = "challenge"

    def fails(*args, **options):
        raise RuntimeError

    monkeypatch.setattr(numbers, "note", fails)
    with pytest.raises(RuntimeError):
        sign_up(browser, operator)

    assert list(User.objects.all()) == [ann]
    assert Verification.objects.get().redeemed_at is None


def test_v5_0_0_2_3_3_what_cannot_be_noted_does_not_happen(
    browser, operator, ann, monkeypatch
):
    def fails(*args, **options):
        raise RuntimeError

    sign_in(browser, ann)
    by_network(browser, operator, "/accounts/phone/remove/")
    monkeypatch.setattr(numbers, "note", fails)
    with pytest.raises(RuntimeError):
        browser.submit("/accounts/phone/remove/", remove="1")

    assert Profile.objects.get(user=ann).phone == ANN


@pytest.mark.django_db(transaction=True)
def test_v5_0_0_2_3_4_of_four_who_sign_up_with_one_number_at_once_one_has_it(
    new_browser, operator
):
    browsers = [new_browser() for _ in range(4)]
    brought = []
    for n, browser in enumerate(browsers):
        started = browser.submit(
            "/accounts/signup/",
            email=f"person{n}@example.com",
            phone=ANN,
            password1=PASSWORD,
            password2=PASSWORD,
        )
        brought.append(browser.come_back(operator, started)["Location"])

    at_once(
        [
            lambda browser=browser, page=page: browser.get(page)
            for browser, page in zip(browsers, brought, strict=True)
        ]
    )

    user = User.objects.get()
    assert story() == [("added", user.email)]
    assert Profile.objects.get().user == user
