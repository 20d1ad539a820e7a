"""The whole number shown, and a person forgotten, by staff with a reason."""

from datetime import timedelta

import pytest
from django.utils import timezone

from numberverify.models import Seal, StaffRecord, Verification
from tests.factories import UserFactory, VerificationFactory
from tests.numberverify.history import row_of
from tests.staff import at_desk, confirmed, done, permitted

pytestmark = pytest.mark.django_db
BEN = "+447700900456"
SEE = "accounts.view_user"
SHOW, FORGET = "accounts.show_number", "accounts.forget_person"
WHY = "request 2026-114"


@pytest.fixture
def ben():
    return UserFactory(email="ben@example.com", phone=BEN)


@pytest.fixture
def shows(browser):
    return at_desk(browser, SEE, SHOW)


@pytest.fixture
def forgets(browser):
    return at_desk(browser, SEE, FORGET)


def person_page(person):
    return f"/admin/accounts/user/{person.pk}/change/"


def number_page(person):
    return f"/admin/accounts/user/{person.pk}/number/"


def forget_page(person):
    return f"/admin/accounts/user/{person.pk}/forget/"


def done_things():
    return list(StaffRecord.objects.exclude(kind="refused"))


# The whole number


def test_the_number_is_shown_once_with_a_reason_and_a_proof(
    browser, operator, shows, ben
):
    assert number_page(ben) in browser.get(person_page(ben)).text

    page = done(browser, operator, number_page(ben), reason=WHY)

    assert '<p class="whole-number">+447700900456</p>' in page.text
    assert "no-store" in page["Cache-Control"]
    again = browser.submit(number_page(ben), reason=WHY)
    assert "900456" not in again.text
    assert "Confirm it's you to see the whole number of a person" in again.text


def test_v5_0_0_16_2_1_that_it_was_shown_is_recorded_with_the_reason(
    browser, operator, shows, ben
):
    done(browser, operator, number_page(ben), reason=WHY)

    (found,) = done_things()
    assert (found.staff, found.kind, found.reason) == (shows, "number_shown", WHY)
    assert found.details == {"person": ben.pk}
    assert found.address == "127.0.0.1"
    assert found.complete
    assert "900456" not in str(vars(found))


def test_v5_0_0_14_2_6_no_page_before_it_holds_more_than_the_mask(
    browser, operator, shows, ben
):
    asked = browser.submit(number_page(ben), reason=WHY)
    pages = [
        browser.get(person_page(ben)),
        browser.get(number_page(ben)),
        asked,
        confirmed(browser, operator, number_page(ben), reason=WHY),
    ]

    assert [page.status_code for page in pages] == [200] * 4
    assert [page for page in pages if "900456" in page.text] == []
    assert WHY in pages[-1].text
    assert done_things() == []


def test_v5_0_0_8_4_2_the_proof_is_for_this_person_and_this_reason(
    browser, operator, shows, ben
):
    carl = UserFactory(phone="+447700900789")
    asked = browser.submit(number_page(ben), reason=WHY)
    assert "ben@example.com" in asked.text
    assert WHY in asked.text
    confirmed(browser, operator, number_page(ben), reason=WHY)

    for person, reason in ((carl, WHY), (ben, "another")):
        page = browser.submit(number_page(person), reason=reason)
        assert "Confirm it's you" in page.text
    assert done_things() == []


@pytest.mark.parametrize(
    "reason", ["", " ", "x" * 201, "for ann@example.com", "called 07700 900456"]
)
def test_a_reason_that_must_not_be_kept_is_said(browser, ben, reason):
    at_desk(browser, SEE, SHOW, FORGET)
    for page in (number_page(ben), forget_page(ben)):
        answer = browser.submit(page, reason=reason)
        assert answer.status_code == 200
        assert set(answer.context["form"].errors) == {"reason"}
    assert not Verification.objects.exists()


def test_where_there_is_no_number_there_is_no_button(browser, shows):
    nobody = UserFactory()

    assert number_page(nobody) not in browser.get(person_page(nobody)).text
    answer = browser.get(number_page(nobody), follow=True)
    assert "There is no number on file." in answer.text


def test_not_many_are_shown_within_an_hour(browser, operator, shows, ben, settings):
    settings.NV_LIMITS = "staff_numbers=1/h"
    carl = UserFactory(phone="+447700900789")
    done(browser, operator, number_page(ben), reason=WHY)

    page = done(browser, operator, number_page(carl), reason=WHY)

    assert page.status_code == 429
    assert "900789" not in page.text
    assert len(done_things()) == 1


# Forgetting


def test_a_person_is_forgotten_with_a_reason_and_a_proof(
    browser, operator, forgets, ben
):
    old = row_of(timezone.now() - timedelta(days=3), verified=True, user=ben)
    Verification.objects.update(settled_at=timezone.now() - timedelta(days=3))
    assert forget_page(ben) in browser.get(person_page(ben)).text

    page = browser.follow(done(browser, operator, forget_page(ben), reason=WHY))

    assert "Erased from 1 row." in page.text
    old.refresh_from_db()
    assert (old.user, old.number_mask, old.ip) == (None, "", None)
    (found,) = done_things()
    assert (found.staff, found.kind, found.reason) == (forgets, "forgotten", WHY)
    assert (found.rows, found.complete) == (1, True)
    assert found.details == {"person": ben.pk}
    link = Seal.objects.get(kind="forgotten")
    assert (link.by, link.reason) == (f"staff {forgets.pk}", WHY)
    assert type(ben).objects.filter(pk=ben.pk).exists()


def test_the_page_says_what_is_erased_what_stays_and_until_when(browser, forgets, ben):
    now = timezone.now()
    for hours in (3, 2):
        row_of(now, verified=True, user=ben, settled_at=now - timedelta(hours=hours))
    late = row_of(now, verified=True, user=ben)

    page = browser.get(forget_page(ben))

    assert "From 2 verifications" in page.text
    assert "1 verification of the last hour" in page.text
    until = late.settled_at + timedelta(hours=1)
    assert f"Come again after {until:%H:%M:%S} UTC" in page.text
    assert late.user == ben
    assert Verification.objects.filter(user=ben).count() == 3


def test_what_is_open_is_ended_by_it_and_stays_for_an_hour(browser, forgets, ben):
    VerificationFactory(user=ben)

    assert browser.get(forget_page(ben)).context["outlook"].left == 1


def test_what_stays_of_the_last_hour_is_said_afterwards(
    browser, operator, forgets, ben
):
    row_of(verified=True, user=ben)

    page = browser.follow(done(browser, operator, forget_page(ben), reason=WHY))

    assert "Erased from 0 rows." in page.text
    assert "1 of the last hour stay" in page.text


@pytest.mark.parametrize("page", [number_page, forget_page])
def test_v5_0_0_8_4_2_both_take_a_fresh_proof(browser, operator, ben, page):
    at_desk(browser, SEE, SHOW, FORGET)
    row = row_of(verified=True, user=ben)

    asked = browser.submit(page(ben), reason=WHY)

    assert "Confirm it's you" in asked.text
    row.refresh_from_db()
    assert row.user == ben
    assert done_things() == []


@pytest.mark.parametrize("page", [number_page, forget_page])
@pytest.mark.parametrize("names", [(), (SEE,), (SHOW, FORGET)])
def test_v5_0_0_8_2_1_without_the_permissions_it_is_403_and_a_record(
    browser, ben, page, names
):
    staff = at_desk(browser, *names)

    assert browser.get(page(ben)).status_code == 403

    found = StaffRecord.objects.get()
    assert (found.staff, found.details["page"]) == (staff, page(ben))


@pytest.mark.parametrize("page", [number_page, forget_page])
@pytest.mark.parametrize("who", ["oneself", "a superuser", "staff who may do more"])
def test_v5_0_0_8_2_2_nobody_does_it_to_who_is_out_of_reach(browser, page, who):
    staff = at_desk(browser, SEE, SHOW, FORGET)
    person = {
        "oneself": lambda: staff,
        "a superuser": lambda: UserFactory(staff=True, phone=BEN),
        "staff who may do more": lambda: _more(BEN),
    }[who]()

    assert page(person) not in browser.get(person_page(person)).text
    assert browser.get(page(person)).status_code == 403


def _more(number):
    return permitted(UserFactory(is_staff=True, phone=number), "accounts.change_user")


@pytest.mark.parametrize("page", [number_page, forget_page])
def test_nobody_is_there(browser, page):
    at_desk(browser, SEE, SHOW, FORGET)
    gone = UserFactory()
    address = page(gone)
    gone.delete()

    assert browser.get(address).status_code == 404
