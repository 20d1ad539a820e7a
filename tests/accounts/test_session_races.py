"""Ending a session while it is used, and logins that race: none goes on unseen."""

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts import browsers
from accounts.models import Device
from tests.accounts.browsers import BROWSERS, device_of, known, opened
from tests.accounts.steps import is_signed_in
from tests.conftest import Browser
from tests.factories import ANN, PASSWORD, UserFactory
from tests.numberverify.test_races import at_once, twin_of

pytestmark = pytest.mark.django_db(transaction=True)
END = "/accounts/sessions/end/"
ROUNDS = range(5)


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


def press(browser: Browser, page: str, url: str, **fields: str):
    """Open the page now; return what presses its button later."""
    token = browser.get(page).text.partition('csrfmiddlewaretoken" value="')[2][:64]
    return lambda: browser.post(url, fields | {"csrfmiddlewaretoken": token})


def let_it_be_time_to_note():
    for session in Session.objects.all():
        data = session.get_decoded()
        data["nv_seen"] = int(timezone.now().timestamp()) - 301
        session.session_data = Session.objects.encode(data)
        session.save()


def all_are_tracked() -> bool:
    """Whether each stored session can be ended from the list."""
    keys = set(Session.objects.values_list("session_key", flat=True))
    return keys == set(Device.objects.signed_in_keys())


@pytest.mark.parametrize("round", ROUNDS)
def test_a_session_that_is_ended_while_it_takes_a_new_key_ends(ann, operator, round):
    owner, stranger = opened(ann, "phone"), opened(ann, "stranger")
    started = stranger.submit(END)
    settled = stranger.come_back(operator, started)
    end = press(owner, BROWSERS, BROWSERS, end=str(device_of("stranger").pk))

    at_once([lambda: stranger.get(settled["Location"]), end])

    assert not is_signed_in(stranger)
    assert is_signed_in(owner)
    assert all_are_tracked()
    assert Session.objects.count() == 1


@pytest.mark.parametrize("round", ROUNDS)
def test_a_session_that_is_ended_while_it_is_noted_ends(ann, round):
    owner, stranger = opened(ann, "phone"), opened(ann, "stranger")
    end = press(owner, BROWSERS, BROWSERS, end=str(device_of("stranger").pk))
    let_it_be_time_to_note()
    twins = [twin_of(stranger) for _ in range(3)]

    answers = at_once([*[lambda one=one: one.get("/") for one in twins], end])

    assert {answer.status_code for answer in answers} <= {200, 303, 400}
    assert not is_signed_in(stranger)
    assert is_signed_in(owner)
    assert all_are_tracked()


@pytest.mark.parametrize("round", ROUNDS)
@pytest.mark.parametrize("is_known", [True, False])
def test_of_logins_at_once_in_one_browser_one_session_is_left(ann, is_known, round):
    """Whoever gives several the same cookie has not one that nobody can end."""
    first = known(ann, "stranger")
    if not is_known:
        Device.objects.all().delete()
        ann.profile.delete()  # so that the password is enough
    twins = [twin_of(first) for _ in range(4)]
    typed = {"username": ann.email, "password": PASSWORD}
    login = "/accounts/login/"
    presses = [press(one, login, login, **typed) for one in twins]

    answers = at_once(presses)

    assert {answer.status_code for answer in answers} <= {303, 400}
    assert Device.objects.count() == 1
    assert all_are_tracked()
    assert [is_signed_in(one) for one in twins].count(True) == 1
    browsers.sign_out(Device.objects.get())
    assert not any(is_signed_in(one) for one in twins)


@pytest.mark.parametrize("round", ROUNDS)
def test_a_browser_that_is_forgotten_while_it_logs_in_has_no_session_of_its_own(
    ann, round
):
    stranger = known(ann, "stranger")
    device = device_of("stranger")
    login = "/accounts/login/"
    typed = {"username": ann.email, "password": PASSWORD}
    log_in = press(stranger, login, login, **typed)

    at_once([log_in, lambda: browsers.forget(device)])

    assert all_are_tracked()


@pytest.mark.parametrize("round", ROUNDS)
def test_two_who_end_each_other_are_both_signed_out(ann, round):
    one, other = opened(ann, "phone"), opened(ann, "stranger")
    presses = [
        press(one, BROWSERS, BROWSERS, end=str(device_of("stranger").pk)),
        press(other, BROWSERS, BROWSERS, end=str(device_of("phone").pk)),
    ]

    answers = at_once(presses)

    assert {answer.status_code for answer in answers} <= {303, 400}
    assert all_are_tracked()
    assert Session.objects.count() < 2
