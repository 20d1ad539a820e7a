"""A number is released by two members of staff, with a reason; its owner may object."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.core import mail as outbox
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import IntegrityError
from django.utils import timezone

from accounts import account, claims, mail, notices, phone, releases
from accounts.models import Claim, NumberEvent, NumberRelease, Profile, User
from accounts.releases import Hindrance, Outcome
from numberverify.choices import Method, Purpose
from numberverify.errors import VerificationNotUsable
from numberverify.factors import sms
from numberverify.flow import Receipt
from tests.accounts.steps import (
    app_shows,
    by_network,
    is_signed_in,
    log_in,
    mailed,
    mailed_link,
    sign_in,
    texted_code,
)
from tests.conftest import step_up
from tests.factories import (
    ANN,
    PASSWORD,
    AuthenticatorFactory,
    NumberReleaseFactory,
    UserFactory,
    VerificationFactory,
)
from tests.numberverify.test_races import at_once

pytestmark = pytest.mark.django_db
BEN = "+447700900456"
WORDS = {"reason": "lost", "evidence": "Came to the branch with a passport"}
PLACE = "/admin/accounts/numberrelease/"
NEW_PASSWORD = "an entirely n3w one"


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


@pytest.fixture
def asked(ann):
    """Asked for a day ago, and not decided."""
    return NumberReleaseFactory(person=ann)


def boss():
    return UserFactory(staff=True)


def staff_member(client, *permissions, **columns):
    """Somebody of the staff with these permissions, who has just proved it."""
    person = UserFactory(is_staff=True, **columns)
    found = Permission.objects.filter(codename__in=permissions)
    person.user_permissions.set(found)
    client.force_login(person)
    step_up(client, person, "administer")
    return person


def fresh(release):
    return NumberRelease.objects.select_related("person").get(pk=release.pk)


def state_of(release):
    release.refresh_from_db()
    return Outcome(release.outcome)


def has(user, number=ANN):
    return phone.number_of(user) == number


def events(number_of=None):
    found = NumberEvent.objects.order_by("pk")
    return list(found.values_list("what", flat=True))


# Who (ASVS 2.3.5: what is of high value takes a second person)


@pytest.mark.parametrize("reason", NumberRelease.Reason.values)
def test_v5_0_0_2_3_5_one_asks_with_a_reason_and_another_releases(ann, reason):
    first, second = boss(), boss()
    release = releases.ask(ann, first, reason=reason, evidence="Passport")
    with time_machine.travel(timezone.now() + timedelta(hours=24, seconds=1)):
        releases.decide(fresh(release), second, approve=True)

    assert not has(ann)
    assert state_of(release) == Outcome.RELEASED
    assert (release.asked_by, release.decided_by) == (first, second)
    assert (release.reason, release.evidence) == (reason, "Passport")


@pytest.mark.parametrize("who", ["asked_by", "person"])
@pytest.mark.parametrize("approve", [True, False])
def test_v5_0_0_2_3_5_neither_who_asked_nor_the_person_decides(
    asked, ann, who, approve
):
    User.objects.filter(pk=ann.pk).update(is_staff=True, is_superuser=True)

    with pytest.raises(PermissionDenied):
        releases.decide(fresh(asked), getattr(fresh(asked), who), approve=approve)
    assert state_of(asked) == Outcome.OPEN
    assert has(ann)


def test_v5_0_0_2_3_5_nobody_asks_for_their_own_number():
    staff = UserFactory(staff=True, phone=ANN)

    with pytest.raises(VerificationNotUsable):
        releases.ask(staff, staff, **WORDS)
    assert not NumberRelease.objects.exists()


@pytest.mark.parametrize(
    ("columns", "constraint"),
    [
        ({"decided_by": "asked_by"}, "release_takes_two"),
        ({"decided_by": "person"}, "release_not_of_ones_own"),
        ({"decided_by": None}, "release_ended_whole"),
    ],
)
def test_v5_0_0_2_3_5_the_database_takes_two_different_people_as_well(
    asked, columns, constraint
):
    by = columns["decided_by"]
    decider = getattr(asked, by) if by else None

    with pytest.raises(IntegrityError, match=constraint):
        NumberRelease.objects.filter(pk=asked.pk).end(Outcome.RELEASED, by=decider)


def test_the_database_refuses_a_request_of_the_person(asked, ann):
    with pytest.raises(IntegrityError, match="release_not_of_ones_own"):
        NumberRelease.objects.update(asked_by=ann)


def test_an_end_without_an_outcome_is_refused_by_the_database(asked):
    with pytest.raises(IntegrityError, match="release_ended_whole"):
        NumberRelease.objects.update(ended_at=timezone.now())


def test_a_superusers_number_is_released_by_superusers_alone():
    person = UserFactory(staff=True, phone=ANN)
    helper = UserFactory(is_staff=True)

    with pytest.raises(VerificationNotUsable):
        releases.ask(person, helper, **WORDS)
    asked = NumberReleaseFactory(person=person)
    with pytest.raises(PermissionDenied):
        releases.decide(fresh(asked), helper, approve=True)
    releases.decide(fresh(asked), boss(), approve=True)
    assert not has(person)


@pytest.mark.parametrize(("more", "may"), [(True, False), (False, True)])
def test_nobody_releases_the_number_of_staff_who_may_do_more(more, may):
    one, other = UserFactory(is_staff=True, phone=ANN), UserFactory(is_staff=True)
    both = Permission.objects.filter(codename__in=["view_user", "change_user"])
    one.user_permissions.set(both)
    other.user_permissions.set(both[:1] if more else both)

    assert releases.is_within_reach(one, other) is may


@pytest.mark.parametrize("columns", [{"staff": True}, {"is_staff": True}])
def test_nor_that_of_staff_who_are_inactive_and_may_be_active_again(columns):
    one = UserFactory(is_active=False, phone=ANN, **columns)

    assert not releases.is_within_reach(one, UserFactory(is_staff=True))
    assert releases.is_within_reach(one, boss())


def test_a_superuser_is_out_of_reach_for_who_has_all_permissions_as_well():
    one, other = UserFactory(staff=True, phone=ANN), UserFactory(is_staff=True)
    other.user_permissions.set(Permission.objects.all())

    assert not releases.is_within_reach(one, other)


def test_it_is_asked_for_once(ann, asked):
    with pytest.raises(VerificationNotUsable):
        releases.ask(ann, boss(), **WORDS)
    with pytest.raises(IntegrityError, match=r"release_one_at_a_time|person_id"):
        NumberReleaseFactory(person=ann)


def test_without_a_number_there_is_nothing_to_ask_for():
    with pytest.raises(VerificationNotUsable):
        releases.ask(UserFactory(), boss(), **WORDS)


# When


def test_the_person_has_a_day_to_object(ann):
    release = releases.ask(ann, boss(), **WORDS)
    almost = release.asked_at + timedelta(hours=23, minutes=59)

    with time_machine.travel(almost), pytest.raises(VerificationNotUsable):
        releases.decide(fresh(release), boss(), approve=True)
    assert releases.hindrance(fresh(release)) == Hindrance.EARLY
    assert has(ann)
    assert state_of(release) == Outcome.OPEN


def test_it_may_be_declined_at_once(ann):
    release = releases.ask(ann, boss(), **WORDS)

    releases.decide(fresh(release), boss(), approve=False)

    assert state_of(release) == Outcome.DECLINED
    assert has(ann)


@pytest.mark.parametrize("approve", [True, False])
def test_after_seven_days_nobody_decides_any_more(ann, asked, approve):
    late = asked.asked_at + timedelta(days=7, seconds=1)

    with time_machine.travel(late):
        assert releases.hindrance(fresh(asked)) == Hindrance.OVER
        with pytest.raises(VerificationNotUsable):
            releases.decide(fresh(asked), boss(), approve=approve)
    assert has(ann)


def test_housekeeping_ends_what_nobody_decided(ann, asked):
    call_command("housekeeping", verbosity=0)
    assert state_of(asked) == Outcome.OPEN

    with time_machine.travel(asked.asked_at + timedelta(days=7, seconds=1)):
        call_command("housekeeping", verbosity=0)

    assert state_of(asked) == Outcome.EXPIRED
    assert has(ann)


def test_what_has_run_out_stands_in_no_new_requests_way(ann, asked):
    with time_machine.travel(asked.asked_at + timedelta(days=8)):
        again = releases.ask(ann, boss(), **WORDS)

    assert state_of(asked) == Outcome.EXPIRED
    assert state_of(again) == Outcome.OPEN


@pytest.mark.parametrize("first", [True, False])
def test_what_is_decided_stays(ann, asked, first):
    releases.decide(fresh(asked), boss(), approve=first)
    was = state_of(asked)

    with pytest.raises(VerificationNotUsable):
        releases.decide(fresh(asked), boss(), approve=not first)
    assert state_of(asked) == was


@pytest.mark.parametrize("method", [Method.NETWORK, Method.SMS])
def test_who_proves_the_number_meanwhile_keeps_it(ann, asked, method):
    VerificationFactory(user=ann, verified=True, method=method, purpose=Purpose.LOGIN)

    assert releases.hindrance(fresh(asked)) == Hindrance.IN_USE
    with pytest.raises(VerificationNotUsable):
        releases.decide(fresh(asked), boss(), approve=True)
    assert has(ann)


@pytest.mark.parametrize(
    "columns",
    [
        {"verified": True, "method": Method.TOTP},
        {"mismatched": True},
        {"unavailable": True},
        {"verified": True, "msisdn": BEN},
        {"verified": True, "user": None},
    ],
)
def test_nothing_else_shows_that_the_person_has_it(ann, asked, columns):
    VerificationFactory(**{"user": ann, "purpose": Purpose.LOGIN} | columns)

    assert releases.hindrance(fresh(asked)) is None


def test_a_proof_from_before_the_request_says_nothing(ann, asked):
    row = VerificationFactory(user=ann, verified=True)
    type(row).objects.update(settled_at=asked.asked_at - timedelta(minutes=1))

    assert releases.hindrance(fresh(asked)) is None


# A frozen account


def test_of_a_frozen_account_nothing_is_released(ann, asked):
    ann.freeze()

    with pytest.raises(VerificationNotUsable):
        releases.decide(fresh(asked), boss(), approve=True)
    assert has(ann)
    assert releases.hindrance(fresh(asked)) == Hindrance.FROZEN
    NumberRelease.objects.filter(pk=asked.pk).end(Outcome.EXPIRED)
    ann.refresh_from_db()
    with pytest.raises(VerificationNotUsable):
        releases.ask(ann, boss(), **WORDS)


def test_a_freeze_that_is_quicker_than_the_approval_wins(ann, asked):
    read_before = fresh(asked)
    User.objects.filter(pk=ann.pk).update(frozen_at=timezone.now())

    with pytest.raises(VerificationNotUsable):
        releases.decide(read_before, boss(), approve=True)
    assert has(ann)
    assert state_of(asked) == Outcome.OPEN


# What it does


def test_sessions_and_proofs_end_and_the_account_is_frozen(new_browser, ann, asked):
    hers = sign_in(new_browser(), ann)
    ann.refresh_from_db()
    before = ann.state_hash()

    releases.decide(fresh(asked), boss(), approve=True)

    ann.refresh_from_db()
    assert not is_signed_in(hers)
    assert ann.frozen_at
    assert ann.state_hash() != before


def test_the_password_alone_puts_no_other_number_on_file(browser, ann, asked):
    releases.decide(fresh(asked), boss(), approve=True)

    page = log_in(browser, ann)

    assert page.status_code == 403
    assert "Your account is frozen" in page.text
    assert not is_signed_in(browser)


@pytest.mark.usefixtures("run_on_commit")
def test_by_a_mailed_link_the_person_gets_in_and_adds_the_new_number(
    browser, operator, ann, asked
):
    releases.decide(fresh(asked), boss(), approve=True)
    browser.submit("/accounts/password/reset/", email=ann.email)
    link = mailed_link(r"/reset/\w+/")
    form = browser.submit(link)["Location"]
    browser.submit(form, new_password1=NEW_PASSWORD, new_password2=NEW_PASSWORD)
    log_in(browser, ann, NEW_PASSWORD)
    operator.sim = BEN

    by_network(browser, operator, "/accounts/phone/", phone=BEN, password=NEW_PASSWORD)

    assert has(ann, BEN)


@pytest.mark.usefixtures("run_on_commit")
def test_with_an_app_on_file_the_reset_takes_it_still(browser, ann, asked):
    AuthenticatorFactory(user=ann)
    releases.decide(fresh(asked), boss(), approve=True)
    browser.submit("/accounts/password/reset/", email=ann.email)

    page = browser.follow(browser.submit(mailed_link(r"/reset/\w+/")))

    assert "Authenticator app" in page.text
    assert "new_password1" not in page.text


@pytest.mark.usefixtures("run_on_commit")
def test_the_person_is_told_at_the_asking_and_at_the_release(ann):
    release = releases.ask(ann, boss(), **WORDS)
    with time_machine.travel(release.asked_at + timedelta(hours=25)):
        releases.decide(fresh(release), boss(), approve=True)

    assert mailed() == [
        (
            "ann@example.com",
            "Our support was asked to take your mobile number off your account",
        ),
        (
            "ann@example.com",
            "Our support took your mobile number off your account",
        ),
    ]
    first, second = (message.body for message in outbox.outbox)
    assert "/accounts/phone/release/" in first
    assert "/accounts/password/reset/" in second
    assert "900123" not in first + second


@pytest.mark.usefixtures("run_on_commit")
def test_nist_4_6_the_number_is_told_by_a_text_message_when_it_is_asked_for(ann):
    releases.ask(ann, boss(), **WORDS)

    mail.wait()
    (message,) = sms.outbox
    assert message.msisdn.e164 == ANN
    assert "Our support was asked to take your mobile number off" in message.text


@pytest.mark.usefixtures("run_on_commit")
def test_the_person_is_told_that_it_was_declined(ann, asked):
    releases.decide(fresh(asked), boss(), approve=False)

    mail.wait()
    (told,) = outbox.outbox
    assert told.subject == "Our support leaves your mobile number on your account"


@pytest.mark.usefixtures("run_on_commit")
def test_of_what_came_to_nothing_nobody_is_told(ann, asked):
    ann.freeze()
    with pytest.raises(VerificationNotUsable):
        releases.decide(fresh(asked), boss(), approve=True)
    mail.wait()

    assert outbox.outbox == []


@pytest.mark.usefixtures("run_on_commit")
def test_whoever_claims_it_has_it_at_once(ann, asked, settings):
    settings.NV_TAKEOVER = "challenge"
    claimant = UserFactory()
    claim_of(ann, claimant)

    releases.decide(fresh(asked), boss(), approve=True)

    assert has(claimant)
    assert Claim.objects.get().outcome == Claim.Outcome.MOVED


def test_a_released_number_opens_another_account(browser, operator, ann, asked):
    releases.decide(fresh(asked), boss(), approve=True)

    started = browser.submit(
        "/accounts/signup/",
        email="new@example.com",
        phone=ANN,
        password1=PASSWORD,
        password2=PASSWORD,
    )
    browser.follow(browser.come_back(operator, started))

    assert has(User.objects.get(email="new@example.com"))


def test_a_request_names_no_number(asked):
    stored = str(NumberRelease.objects.values().get()) + str(asked)

    assert "900123" not in stored


# What ends a request beside a decision


def test_a_person_who_removes_the_number_ends_the_request(
    browser, operator, ann, asked
):
    sign_in(browser, ann)
    by_network(browser, operator, "/accounts/phone/remove/")
    browser.submit("/accounts/phone/remove/", remove="1")

    assert state_of(asked) == Outcome.LAPSED


def test_a_closed_account_ends_the_request(ann, asked):
    account.delete(ann)

    assert state_of(asked) == Outcome.LAPSED
    assert asked.person is None
    with pytest.raises(VerificationNotUsable):
        releases.decide(fresh(asked), boss(), approve=True)


def test_a_number_on_file_that_is_another_is_not_released(ann, asked):
    Profile.objects.update(phone=BEN)

    assert releases.hindrance(fresh(asked)) == Hindrance.ELSEWHERE
    with pytest.raises(VerificationNotUsable):
        releases.decide(fresh(asked), boss(), approve=True)
    assert has(ann, BEN)


def test_a_key_that_has_rotated_meanwhile_makes_no_difference(ann, asked, settings):
    settings.NV_FINGERPRINT_KEYS = ["newer", *settings.NV_FINGERPRINT_KEYS]

    releases.decide(fresh(asked), boss(), approve=True)

    assert not has(ann)


def test_who_was_staff_and_asked_stays_on_record(ann):
    first = UserFactory(is_staff=True)
    asked = NumberReleaseFactory(person=ann, asked_by=first)
    User.objects.filter(pk=first.pk).update(is_staff=False)

    account.delete(first)

    first.refresh_from_db()
    assert not first.is_active
    assert fresh(asked).asked_by == first


# The person objects


def test_the_person_stops_it_by_the_network(browser, operator, ann, asked):
    sign_in(browser, ann)
    assert "take your mobile number off" in browser.get("/accounts/profile/").text

    page = by_network(browser, operator, "/accounts/phone/release/")
    assert "Keep my number" in page.text
    browser.follow(browser.submit("/accounts/phone/release/", keep="1"))

    assert state_of(asked) == Outcome.STOPPED
    assert events() == ["release_stopped"]
    assert "take your mobile number off" not in browser.get("/accounts/profile/").text


def test_or_by_a_text_message(browser, ann, asked):
    sign_in(browser, ann)
    here = "/accounts/phone/release/"
    page = browser.submit(here, page=f"{here}?nv_other=1", method="sms")
    browser.follow(browser.submit(page["Location"], code=texted_code()))

    browser.submit(here, keep="1")

    assert state_of(asked) == Outcome.STOPPED


def test_but_not_by_an_app_which_shows_nothing_of_the_number(browser, ann, asked):
    AuthenticatorFactory(user=ann)
    sign_in(browser, ann)
    here = "/accounts/phone/release/"

    page = browser.follow(browser.submit(here, method="totp", page=here))

    assert "not open" in page.text
    assert app_shows(ann)
    assert state_of(asked) == Outcome.OPEN


def test_where_nobody_asks_the_page_says_so(browser, operator, ann):
    sign_in(browser, ann)

    page = by_network(browser, operator, "/accounts/phone/release/")
    done = browser.follow(
        browser.post(
            "/accounts/phone/release/",
            {"keep": "1", "csrfmiddlewaretoken": str(page.context["csrf_token"])},
        )
    )

    assert "Nobody has asked us" in page.text
    assert "Nobody asks for your number to be released any more" in done.text
    assert not NumberEvent.objects.exists()


def test_nobody_stops_anothers(browser, operator, ann, asked):
    ben = UserFactory(phone=BEN)
    operator.sim = BEN
    sign_in(browser, ben, token="known to ben")
    by_network(browser, operator, "/accounts/phone/release/")

    browser.get("/accounts/phone/release/")

    assert releases.open_for(ben) is None
    assert state_of(asked) == Outcome.OPEN


# Races


def claim_of(holder, claimant):
    proof = VerificationFactory(verified=True, purpose=Purpose.PHONE_CHANGE)
    receipt = Receipt(proof.pk, Method.NETWORK, timezone.now())
    return claims.begin(claimant, ANN, holder.profile, receipt)


def deciding(release, staff, *, approve=True):
    def job():
        try:
            releases.decide(fresh(release), staff, approve=approve)
        except VerificationNotUsable:
            return False
        return True

    return job


@pytest.mark.django_db(transaction=True)
def test_v5_0_0_2_3_4_of_four_who_decide_at_once_one_does(ann, asked):
    staff = [boss() for _ in range(4)]

    done = at_once([deciding(asked, s, approve=n < 2) for n, s in enumerate(staff)])

    assert done.count(True) == 1
    state = state_of(asked)
    assert asked.decided_by == staff[done.index(True)]
    assert has(ann) is (state == Outcome.DECLINED)
    assert len(events()) == 1


@pytest.mark.django_db(transaction=True)
def test_v5_0_0_2_3_4_of_four_who_ask_at_once_one_does(ann):
    def job(staff):
        def ask():
            try:
                releases.ask(User.objects.get(pk=ann.pk), staff, **WORDS)
            except VerificationNotUsable:
                return False
            return True

        return ask

    done = at_once([job(boss()) for _ in range(4)])

    assert done.count(True) == 1
    assert NumberRelease.objects.count() == 1
    assert events() == ["release_asked"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("n", range(4))
def test_v5_0_0_2_3_4_of_a_release_and_a_change_at_once_one_happens(
    browser, operator, ann, asked, n
):
    """The proof of the new number is brought back while staff approve."""
    sign_in(browser, ann)
    by_network(browser, operator, "/accounts/phone/change/")
    operator.sim = BEN
    started = browser.submit("/accounts/phone/change/", phone=BEN)
    proved = browser.come_back(operator, started)
    type(asked).objects.update(asked_at=timezone.now() - releases.WAIT)
    # What has been proved on the way would hinder the release: let it be long ago.
    row = VerificationFactory._meta.model
    old = row.objects.exclude(redeemed_at=None)
    old.update(settled_at=timezone.now() - timedelta(days=2))

    released, _ = at_once(
        [deciding(asked, boss()), lambda: browser.get(proved["Location"])]
    )

    assert phone.number_of(ann) == (None if released else BEN)
    assert state_of(asked) == (Outcome.RELEASED if released else Outcome.LAPSED)
    left = [e for e in events() if e in ("released", "changed")]
    assert left == (["released"] if released else ["changed"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("n", range(4))
def test_v5_0_0_2_3_4_of_a_release_and_a_claim_at_once_one_frees_it(
    ann, asked, settings, n
):
    settings.NV_TAKEOVER = "challenge"
    claimant = UserFactory()
    claim = claim_of(ann, claimant)

    at_once([deciding(asked, boss()), lambda: claims.move(claim)])

    assert has(claimant)
    assert not has(ann)
    assert Profile.objects.filter(phone=ANN).count() == 1
    left = [event for event in events() if event in ("released", "lost")]
    assert left == [
        "released" if state_of(asked) == Outcome.RELEASED else "lost",
    ]
    assert events().count("moved") == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("n", range(4))
def test_v5_0_0_2_3_4_of_a_release_and_a_closing_at_once_neither_breaks(ann, asked, n):
    def close():
        account.delete(User.objects.get(pk=ann.pk))
        return True

    released, closed = at_once([deciding(asked, boss()), close])

    assert closed
    assert not Profile.objects.filter(phone=ANN).exists()
    assert state_of(asked) == (Outcome.RELEASED if released else Outcome.LAPSED)


@pytest.mark.django_db(transaction=True)
def test_v5_0_0_2_3_3_a_release_that_fails_half_way_leaves_all_as_it_was(
    ann, asked, monkeypatch
):
    def fails(*args, **options):
        raise RuntimeError

    monkeypatch.setattr(notices, "tell", fails)
    with pytest.raises(RuntimeError):
        releases.decide(fresh(asked), boss(), approve=True)

    ann.refresh_from_db()
    assert has(ann)
    assert ann.frozen_at is None
    assert state_of(asked) == Outcome.OPEN
    assert events() == []
