"""A person is forgotten: nothing of this site's own rows leads to them any more."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from accounts import account, forgetting, numbers
from accounts.models import Claim, NumberEvent, Profile, User
from numberverify import conf, forget
from numberverify.choices import Purpose, Status
from numberverify.models import Seal, StaffRecord, Verification
from numberverify.msisdn import Msisdn
from tests.accounts.steps import PASSWORD
from tests.factories import (
    ANN,
    NumberReleaseFactory,
    UserFactory,
    VerificationFactory,
)
from tests.numberverify.seal.past import begun, findings
from tests.staff import at_desk

pytestmark = pytest.mark.django_db
BEN, BEFORE = "+447700900456", "+447700900789"
DAYS = timedelta(days=1)
WHO = {"by": "staff 7", "reason": "asked for"}
What = NumberEvent.What


@pytest.fixture
def ann():
    """She had another number before."""
    person = UserFactory(email="ann@example.com", phone=ANN)
    proved = begun(3 * DAYS, user=person, ip="192.0.2.7")
    numbers.note(What.ADDED, BEFORE, person, verification=proved.pk)
    numbers.note(What.CHANGED, BEFORE, person)
    numbers.note(What.ADDED, ANN, person, verification=proved.pk)
    Profile.objects.filter(user=person).update(phone_verification=proved.pk)
    return person


def mark(number):
    return conf.fingerprints(Msisdn(number))[0]


def events(number):
    """What is known of a number, and of whom."""
    found = NumberEvent.objects.filter(number_fingerprint=mark(number))
    return [(event.what, event.person) for event in found.order_by("pk")]


def claim_of(claimant, holder, **columns):
    return Claim.objects.create(
        claimant=claimant,
        holder=holder,
        number_mask="+44 •••• •••456",
        verification=VerificationFactory(verified=True, user=claimant).pk,
        due_at=timezone.now(),
        **{"outcome": "moved", "ended_at": timezone.now()} | columns,
    )


def exported(**filters):
    return StaffRecord.objects.create(
        staff=UserFactory(is_staff=True), kind="export", details={"filters": filters}
    )


def filters_of(record):
    record.refresh_from_db()
    return record.details["filters"]


def test_what_happened_to_the_numbers_of_the_person_stays_and_not_whose(ann):
    when = list(NumberEvent.objects.order_by("pk").values_list("what", "at"))

    forget.person(ann, **WHO)

    rows = NumberEvent.objects.order_by("pk")
    assert list(rows.values_list("what", "at")) == when
    for row in rows:
        assert (row.person, row.verification) == (None, None)
        assert (row.number_mask, bytes(row.number_fingerprint)) == ("", b"")
        assert row.fingerprint_key == ""


def test_rows_of_nobody_about_a_former_number_go_as_well(ann):
    tried = begun(9 * DAYS, msisdn=BEFORE)

    assert forget.outlook(ann).rows == 2
    assert forget.person(ann, **WHO).rows == 2

    tried.refresh_from_db()
    assert bytes(tried.number_fingerprint) == b""


def test_a_number_that_somebody_else_has_now_keeps_what_is_theirs(ann):
    ben = UserFactory(phone=BEFORE)
    theirs = begun(1 * DAYS, user=ben, msisdn=BEFORE)
    numbers.note(What.ADDED, BEFORE, ben, verification=theirs.pk)

    forget.person(ann, **WHO)

    theirs.refresh_from_db()
    assert (theirs.user, bytes(theirs.number_fingerprint)) == (ben, mark(BEFORE))
    assert events(BEFORE) == [("added", ben)]


def test_while_a_row_of_the_last_hour_stays_its_number_is_found_again(ann):
    """Else the next run would not know of the former number."""
    late = begun(timedelta(minutes=5), msisdn=BEFORE)

    assert forget.person(ann, **WHO).left == 1
    assert events(BEFORE) == [("added", ann), ("changed", ann)]
    assert events(ANN) == []
    Verification.objects.filter(pk=late.pk).update(
        settled_at=timezone.now() - timedelta(minutes=61)
    )

    assert forget.person(ann, **WHO).rows == 1
    assert events(BEFORE) == []


def test_releases_keep_who_decided_and_when_and_not_about_whom(ann):
    boss, other = UserFactory(is_staff=True), UserFactory(is_staff=True)
    release = NumberReleaseFactory(
        person=ann,
        asked_by=boss,
        decided_by=other,
        outcome="released",
        ended_at=timezone.now(),
    )
    still_open = NumberReleaseFactory(person=ann)

    forget.person(ann, **WHO)

    release.refresh_from_db()
    assert (release.person, release.number_mask, release.evidence) == (None, "", "")
    assert bytes(release.number_fingerprint) == b""
    assert (release.asked_by, release.decided_by) == (boss, other)
    assert (release.outcome, release.reason) == ("released", "lost")
    still_open.refresh_from_db()
    assert (still_open.person, still_open.evidence != "") == (ann, True)


def test_claims_that_are_over_lead_to_the_person_no_more(ann):
    ben = UserFactory()
    made, against = claim_of(ann, ben), claim_of(ben, ann)
    under_way = claim_of(ben, ann, outcome="open", ended_at=None, phone=ANN)

    forget.person(ann, **WHO)

    assert not Claim.objects.filter(pk=made.pk).exists()
    against.refresh_from_db()
    under_way.refresh_from_db()
    assert (against.claimant, against.holder) == (ben, None)
    assert under_way.holder == ann


def test_the_account_names_no_row_of_the_history(ann):
    forget.person(ann, **WHO)

    profile = Profile.objects.get(user=ann)
    assert profile.phone_verification is None
    assert (profile.phone, profile.phone_verified_at is None) == (ANN, False)


def test_the_log_of_the_admin_has_no_address(ann):
    entry = LogEntry.objects.create(
        user=UserFactory(is_staff=True),
        content_type=ContentType.objects.get_for_model(User),
        object_id=str(ann.pk),
        object_repr=str(ann),
        action_flag=2,
        change_message="Ended all sessions.",
    )

    forget.person(ann, **WHO)

    entry.refresh_from_db()
    assert entry.object_repr == f"account {ann.pk}"
    assert entry.change_message == "Ended all sessions."


def test_what_exports_were_filtered_by_leads_to_nobody(ann):
    by_number = exported(
        outcome="verified", fingerprint=f"{'ab' * 16}-{mark(ANN).hex()}"
    )
    by_address = exported(address="192.0.2.7")
    others = [exported(fingerprint=mark(BEN).hex()), exported(address="192.0.2.8")]
    begun(3 * DAYS, user=UserFactory(), msisdn=BEN, ip="192.0.2.8")

    forget.person(ann, **WHO)

    assert filters_of(by_number) == {"outcome": "verified", "fingerprint": "forgotten"}
    assert filters_of(by_address) == {"address": "forgotten"}
    assert "forgotten" not in str([filters_of(each) for each in others])


def test_what_other_people_s_rows_share_stays_in_the_records(ann):
    by_number = exported(fingerprint=mark(ANN).hex())
    by_address = exported(address="192.0.2.7")
    begun(3 * DAYS, user=UserFactory(), msisdn=ANN, ip="192.0.2.7")

    forget.person(ann, **WHO)

    assert filters_of(by_number)["fingerprint"] == mark(ANN).hex()
    assert filters_of(by_address)["address"] == "192.0.2.7"


def test_all_of_it_happens_or_nothing(ann, monkeypatch):
    def fails(*args):
        raise RuntimeError

    before = list(Verification.objects.values()), list(NumberEvent.objects.values())
    monkeypatch.setattr(forgetting, "_forget_name", fails)

    with pytest.raises(RuntimeError):
        forget.person(ann, **WHO)

    assert before == (
        list(Verification.objects.values()),
        list(NumberEvent.objects.values()),
    )
    assert not Seal.objects.exists()


def test_twice_is_once(ann):
    assert forget.person(ann, **WHO).rows == 1
    after = list(NumberEvent.objects.values())

    assert forget.person(ann, **WHO).rows == 0

    assert list(NumberEvent.objects.values()) == after
    assert Seal.objects.count() == 1
    assert findings() == []


def test_a_login_meanwhile_is_ended_and_the_next_one_works(browser, operator, ann):
    fields = {"username": ann.email, "password": PASSWORD}
    started = browser.submit("/accounts/login/", **fields)

    forget.person(ann, **WHO)
    page = browser.follow(browser.come_back(operator, started))

    assert "_auth_user_id" not in browser.session
    assert page.status_code in (200, 400)
    row = Verification.objects.get(purpose=Purpose.LOGIN, user=ann)
    assert row.status == Status.EXPIRED
    started = browser.submit("/accounts/login/", **fields)
    browser.follow(browser.come_back(operator, started))
    assert browser.session["_auth_user_id"] == str(ann.pk)


def test_of_a_closed_account_the_number_is_forgotten(ann):
    forget.person(ann, **WHO)
    account.delete(ann)
    assert events(ANN) == [("closed", None)]

    forget.number(Msisdn(ANN), **WHO)

    assert events(ANN) == []
    assert NumberEvent.objects.filter(what="closed").exists()


def test_what_is_forgotten_is_shown_as_that(browser, ann):
    release = NumberReleaseFactory(
        person=ann, outcome="expired", ended_at=timezone.now()
    )
    forget.person(ann, **WHO)
    at_desk(
        browser,
        "accounts.view_numberevent",
        "accounts.view_numberrelease",
        phone=None,
    )

    for page in (
        "numberevent/",
        "numberrelease/",
        f"numberrelease/{release.pk}/change/",
    ):
        answer = browser.get(f"/admin/accounts/{page}")
        assert answer.status_code == 200
        assert "forgotten" in answer.text
    assert browser.get("/admin/accounts/numberevent/number/-/").status_code == 404
