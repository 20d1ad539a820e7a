"""A SIM that was swapped recently closes what rests on the number, and says so."""

import pytest

from numberverify import conf, flow, swaps
from numberverify.browser import Browser, Way
from numberverify.choices import Method, Purpose, Reason, SimSwap, Status
from numberverify.errors import ConfigurationError
from numberverify.models import Verification
from numberverify.msisdn import Msisdn
from tests.factories import (
    ANN,
    BINDING,
    PASSWORD,
    AuthenticatorFactory,
    UserFactory,
)
from tests.fake_camara import SIM_SWAP, VERIFY, FakeCamara
from tests.fake_operator import Reply

pytestmark = pytest.mark.django_db
SMS_WORDS = "Text message"


@pytest.fixture
def operator(settings):
    fake = FakeCamara()
    settings.NV_OPERATORS = {"fake": fake.with_siblings()}
    yield fake
    fake.close()


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


def said(operator, answer) -> None:
    """Let the operator say yes, no, or nothing that counts."""
    if answer == SimSwap.UNKNOWN:
        operator.replies[SIM_SWAP] = Reply(503)
    operator.flags["swapped"] = answer == SimSwap.YES


def start(user, method=Method.NETWORK, *, action="", **way) -> Verification:
    flow.start(
        purpose=Purpose.STEP_UP if action else Purpose.LOGIN,
        action=action,
        msisdn=Msisdn(ANN),
        user=user,
        browser=Browser(BINDING),
        next="/accounts/profile/",
        way=Way(method, **way),
    )
    return Verification.objects.order_by("-id")[0]


def log_in_on_wifi(browser, operator, user):
    """Log in where the network does not see the device; return the ending."""
    left = browser.submit("/accounts/login/", username=user.email, password=PASSWORD)
    state = operator.authorize(left["Location"])["state"]
    query = f"error=login_required&state={state}&iss={operator.base_url}"
    return browser.follow(browser.get(f"/verify/callback/fake/?{query}"))


@pytest.mark.parametrize(
    ("answer", "offered"),
    [(SimSwap.YES, False), (SimSwap.NO, True), (SimSwap.UNKNOWN, True)],
)
def test_before_a_text_message_is_offered_the_operator_is_asked(
    browser, operator, ann, answer, offered
):
    said(operator, answer)

    page = log_in_on_wifi(browser, operator, ann)

    assert (SMS_WORDS in page.text) is offered
    row = Verification.objects.get()
    assert (row.sim_swap, row.reason) == (answer, Reason.NOT_ON_MOBILE_NETWORK)
    (asked,) = operator.calls_to(SIM_SWAP)
    assert (asked.json["phoneNumber"], asked.json["maxAge"]) == (ANN, 72)


@pytest.mark.parametrize("answer", SimSwap)
def test_who_is_not_on_the_phone_is_asked_about_as_well(operator, ann, answer):
    said(operator, answer)

    row = start(ann, not_on_phone=True)

    assert (row.reason, row.sim_swap) == (Reason.NOT_ON_PHONE, answer)


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        (SimSwap.YES, Status.UNAVAILABLE, Reason.SIM_SWAPPED),
        (SimSwap.NO, Status.PENDING, ""),
        (SimSwap.UNKNOWN, Status.PENDING, ""),
    ],
)
def test_a_message_that_nobody_offered_is_not_sent_after_a_swap(
    operator, ann, answer, status, reason
):
    said(operator, answer)

    row = start(ann, Method.SMS)

    assert (row.status, row.reason, row.sim_swap) == (status, reason, answer)


def test_a_swap_leaves_what_proves_the_person(browser, operator, ann):
    AuthenticatorFactory(user=ann)
    said(operator, SimSwap.YES)

    page = log_in_on_wifi(browser, operator, ann)

    assert SMS_WORDS not in page.text
    assert "Authenticator app" in page.text
    assert "Try again" in page.text


@pytest.mark.parametrize(
    ("answer", "network", "sms"),
    [
        (SimSwap.YES, False, False),
        (SimSwap.UNKNOWN, True, False),
        (SimSwap.NO, True, True),
    ],
)
def test_a_marked_action_demands_more(operator, ann, answer, network, sms):
    assert conf.is_marked("close_account")
    AuthenticatorFactory(user=ann)
    said(operator, answer)

    by_network = start(ann, action="close_account")
    by_message = start(ann, Method.SMS, action="close_account")

    assert (by_network.status == Status.PENDING) is network
    assert (by_message.status == Status.PENDING) is sms
    for row, is_open in ((by_network, network), (by_message, sms)):
        assert row.reason == ("" if is_open else Reason.SIM_SWAPPED)
        assert row.sim_swap == answer
    assert operator.calls_to(VERIFY) == []


def test_who_has_no_other_way_is_not_blocked_by_a_swap(operator, ann):
    said(operator, SimSwap.YES)

    by_network = start(ann, action="close_account")
    by_message = start(ann, Method.SMS, action="close_account")

    assert (by_network.status, by_network.sim_swap) == (Status.PENDING, SimSwap.YES)
    assert by_message.reason == Reason.SIM_SWAPPED


def test_a_marked_action_says_why_and_what_to_do(browser, operator, ann):
    AuthenticatorFactory(user=ann)
    said(operator, SimSwap.YES)
    browser.force_login(ann)

    page = browser.follow(browser.submit("/accounts/close/"))

    assert "The SIM of this number was changed" in page.text
    assert "Authenticator app" in page.text
    assert "Try again" not in page.text
    assert SMS_WORDS not in page.text


def test_an_action_that_is_not_marked_goes_by_the_network(operator, ann):
    said(operator, SimSwap.YES)

    row = start(ann, action="export_data")

    assert row.status == Status.PENDING
    assert operator.calls_to(SIM_SWAP) == []


def test_the_operator_is_not_asked_again_within_minutes(operator, ann):
    said(operator, SimSwap.NO)

    for _ in range(3):
        start(ann, not_on_phone=True)

    assert len(operator.calls_to(SIM_SWAP)) == 1


def test_what_was_said_closes_messages_in_another_tab_too(operator, ann, settings):
    said(operator, SimSwap.YES)
    start(ann, not_on_phone=True)
    operator.flags["swapped"] = False

    assert start(ann, Method.SMS).reason == Reason.SIM_SWAPPED


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"NV_SIM_SWAP_HOURS": 0}, id="switched off"),
        pytest.param({"SMS_BACKEND": ""}, id="no messages to offer"),
    ],
)
def test_where_it_makes_no_difference_nobody_is_asked(operator, ann, settings, changes):
    for name, value in changes.items():
        setattr(settings, name, value)
    said(operator, SimSwap.YES)

    row = start(ann, not_on_phone=True)

    assert row.sim_swap == ""
    assert operator.calls_to(SIM_SWAP) == []


def test_without_the_api_messages_are_offered_as_before(
    browser, operator, ann, settings
):
    settings.NV_OPERATORS = {"fake": operator.table()}

    page = log_in_on_wifi(browser, operator, ann)

    assert SMS_WORDS in page.text
    assert Verification.objects.get().sim_swap == ""


def test_a_slow_operator_holds_a_person_three_seconds_at_most(
    operator, ann, monkeypatch
):
    monkeypatch.setattr(swaps, "PATIENCE", 0.2)
    operator.replies[SIM_SWAP] = Reply(delay=2, body={"swapped": True})

    assert start(ann, not_on_phone=True).sim_swap == SimSwap.UNKNOWN


def test_at_signup_a_swap_closes_messages_as_well(browser, operator):
    said(operator, SimSwap.YES)
    typed = {
        "email": "new@example.com",
        "phone": ANN,
        "password1": PASSWORD,
        "password2": PASSWORD,
        "method": "other",
    }

    page = browser.follow(browser.submit("/accounts/signup/", **typed))

    assert SMS_WORDS not in page.text


@pytest.mark.parametrize("mark", ["yes", 1, None])
def test_a_mark_is_true_or_false(settings, mark):
    settings.NV_STEP_UP = {"pay": {"label": "pay", "sim_swap": mark}}

    with pytest.raises(ConfigurationError, match="sim_swap"):
        conf.actions()
