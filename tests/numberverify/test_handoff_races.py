"""Two at once at one link: on SQLite in a file and on PostgreSQL."""

from collections import Counter

import pytest

from numberverify import handoff
from numberverify.browser import Browser as Device
from numberverify.choices import Reason, Status
from numberverify.handoff import Said
from numberverify.models import Ended, Handoff, Verification
from tests.numberverify import handed
from tests.numberverify.test_races import at_once, twin_of

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = "the phone's binding"


@pytest.fixture
def link(operator):
    """Waits for a phone."""
    handed.at_signup()
    return Handoff.objects.get()


@pytest.fixture
def claimed(link):
    handoff.claim(link, Device(PHONE))
    link.refresh_from_db()
    return link


def test_of_ten_phones_that_open_the_link_one_has_it(link):
    phones = [Device(f"phone {n}") for n in range(10)]

    took = at_once([lambda p=p: handoff.claim(link, p) for p in phones])

    assert Counter(took) == {True: 1, False: 9}
    winner = phones[took.index(True)]
    assert Handoff.objects.get().is_on(winner.binding)


def test_of_ten_yeses_one_is_taken(claimed):
    digits = claimed.digits

    said = at_once([lambda: handoff.say_yes(claimed, digits, PHONE)] * 10)

    assert Counter(said) == {Said.TAKEN: 1, Said.TOO_LATE: 9}
    assert Verification.objects.get().status == Status.PENDING


def test_of_two_yeses_on_the_pages_one_goes_to_the_operator(operator):
    signup = handed.at_signup()
    digits = signup.digits
    signup.open()
    twins = [twin_of(signup.phone) for _ in range(2)]
    for twin in twins:
        twin.defaults = signup.phone.defaults

    answers = at_once([lambda t=t: signup.say("yes", digits, phone=t) for t in twins])

    to = [answer.headers.get("Location", "") for answer in answers]
    assert sum(each.startswith(operator.base_url) for each in to) <= 1
    assert Verification.objects.get().state_digest is not None


def test_a_hundred_guesses_at_once_are_two(claimed):
    wrong = f"{(int(claimed.digits) + 1) % 100:02}"

    said = at_once([lambda: handoff.say_yes(claimed, wrong, PHONE)] * 20)

    assert Counter(said) == {Said.WRONG: 2, Said.TOO_LATE: 18}
    now = Handoff.objects.get()
    assert (now.tries, now.ended) == (2, Ended.WRONG_DIGITS)
    assert Verification.objects.get().reason == Reason.WRONG_DIGITS


@pytest.mark.parametrize("round", range(5))
def test_of_yes_and_no_at_once_no_stands(claimed, round):
    yes = lambda: handoff.say_yes(claimed, claimed.digits, PHONE)  # noqa: E731
    no = lambda: handoff.say_no(Handoff.objects.get(), PHONE)  # noqa: E731

    _, refused = at_once([yes, no])

    assert refused
    row = Verification.objects.get()
    assert (row.status, row.reason) == (Status.REFUSED, Reason.NOT_ME)
    assert Handoff.objects.get().ended == Ended.NOT_ME


def test_of_yes_and_another_way_at_the_desk_at_once_neither_is_left_open(claimed):
    yes = lambda: handoff.say_yes(claimed, claimed.digits, PHONE)  # noqa: E731
    cancel = lambda: handoff.cancel(Handoff.objects.get())  # noqa: E731

    at_once([yes, cancel])

    assert not Verification.objects.get().is_open
    assert Handoff.objects.get().ended_at
