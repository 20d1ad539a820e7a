"""After a "no match" SMS is closed: decided by rows, so that nothing reopens it."""

import pytest

from numberverify import codes, flow, ways
from numberverify.browser import Browser
from numberverify.choices import Method, Purpose, Reason, Status
from numberverify.models import Verification
from tests.factories import (
    ANN,
    PASSWORD,
    DeviceFactory,
    UserFactory,
    VerificationFactory,
)
from tests.numberverify.typed import (
    later,
    opened,
    proof_of,
    texted,
    tries,
    way_for,
)

pytestmark = pytest.mark.django_db
BEN = "+447700900456"
LOGIN = "/accounts/login/"


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


def said_no(user=None, purpose=Purpose.LOGIN, **columns):
    return VerificationFactory(mismatched=True, user=user, purpose=purpose, **columns)


def at_signup(**columns):
    return opened(None, Method.SMS, purpose=Purpose.SIGNUP, **columns)


def is_closed(row):
    return (row.status, row.reason) == (Status.UNAVAILABLE, Reason.METHOD_CLOSED)


# An account


@pytest.mark.parametrize(
    "row",
    [
        pytest.param({}, id="the same"),
        pytest.param({"binding": "another browser"}, id="another browser"),
        pytest.param({"purpose": Purpose.PASSWORD_RESET}, id="another purpose"),
        pytest.param({"msisdn": BEN, "purpose": "phone_change"}, id="another number"),
        pytest.param(
            {"purpose": Purpose.STEP_UP, "action": "export_data"}, id="an action"
        ),
    ],
)
def test_in_browsers_that_the_account_does_not_know_sms_is_closed(ann, row):
    said_no(ann)

    assert is_closed(opened(ann, Method.SMS, **row))


def test_after_an_hour_it_is_open_again(ann):
    said_no(ann)

    with later(minutes=59):
        assert is_closed(opened(ann, Method.SMS))
    with later(minutes=61):
        assert tries(opened(ann, Method.SMS), texted()).right


def test_a_known_browser_keeps_sms(ann):
    said_no(ann, browser_known=True)

    assert tries(opened(ann, Method.SMS, known=True), texted()).right


def test_somebody_else_keeps_sms(ann):
    said_no(ann)

    assert tries(opened(UserFactory(phone=BEN), Method.SMS, msisdn=BEN), texted()).right


@pytest.mark.parametrize("method", [Method.TOTP, Method.RECOVERY_CODE])
def test_an_app_and_codes_stay(ann, method):
    said_no(ann)
    right = way_for(ann, method)

    assert tries(opened(ann, method), right()).right


@pytest.mark.parametrize(
    "since",
    [
        pytest.param({"unavailable": True}, id="Wi-Fi"),
        pytest.param(
            {"unavailable": True, "reason": Reason.NOT_ON_PHONE}, id="a computer"
        ),
        pytest.param({"verified": True}, id="a match for something else"),
        pytest.param({"settled": True, "status": Status.EXPIRED}, id="run out"),
    ],
)
def test_what_comes_after_the_no_match_does_not_reopen_it(ann, since):
    said_no(ann)
    VerificationFactory(user=ann, purpose=Purpose.PASSWORD_CHANGE, **since)

    assert is_closed(opened(ann, Method.SMS))


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"method": Method.SMS}, id="no match of SMS"),
        pytest.param({"status": Status.UNAVAILABLE}, id="could not tell"),
        pytest.param({"status": Status.EXPIRED}, id="run out"),
        pytest.param({"status": Status.REFUSED}, id="refused"),
    ],
)
def test_nothing_but_a_no_match_of_the_network_closes_it(ann, columns):
    said_no(ann, **columns)

    assert tries(opened(ann, Method.SMS), texted()).right


def test_a_message_of_before_the_no_match_counts_no_more(ann):
    row = opened(ann, Method.SMS)
    said_no(ann)

    tried = tries(row, texted())

    row.refresh_from_db()
    assert (tried.right, tried.left) == (False, 0)
    assert is_closed(row)


def test_a_receipt_of_before_the_no_match_pays_no_more(ann):
    row = opened(ann, Method.SMS)
    tries(row, texted())
    assert flow.find_receipt(proof_of(row))

    said_no(ann, binding="another tab or browser")

    assert flow.find_receipt(proof_of(row)) is None


def test_no_new_message_goes_out_after_the_no_match(ann):
    row = opened(ann, Method.SMS)
    said_no(ann)

    with later(seconds=31):
        assert codes.resend(row, Browser("")) == -1


# Somebody without an account


def test_at_signup_it_is_closed_for_that_number_in_that_browser():
    said_no(purpose=Purpose.SIGNUP)

    assert is_closed(at_signup())
    with later(minutes=61):
        assert not is_closed(at_signup())


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"msisdn": BEN}, id="another number"),
        pytest.param({"binding": "another browser"}, id="another browser"),
    ],
)
def test_at_signup_another_number_or_browser_keeps_it(columns):
    said_no(purpose=Purpose.SIGNUP)

    assert tries(at_signup(**columns), texted()).right


def test_at_signup_an_older_message_and_receipt_count_no_more():
    row = at_signup()
    other = at_signup(binding="another browser")
    assert tries(other, texted()).right
    said_no(purpose=Purpose.SIGNUP)
    said_no(purpose=Purpose.SIGNUP, binding="another browser")

    tries(row, texted())

    row.refresh_from_db()
    assert is_closed(row)
    assert flow.find_receipt(proof_of(other, "another browser", user=None)) is None


def test_a_no_match_at_a_login_closes_no_signup(ann):
    said_no(ann)

    assert not is_closed(at_signup())


# Through the pages


def log_in(browser):
    return browser.submit(LOGIN, username="ann@example.com", password=PASSWORD)


def choose(browser, row, method):
    """Go on from the row's page by another way; return the page that it leads to."""
    fields = {"method": method, "previous": str(row.pk)}
    return browser.follow(browser.submit(row.next, f"/verify/{row.pk}/", **fields))


def last_row():
    return Verification.objects.first()


def test_a_login_with_another_sim_has_no_sms_and_no_staff(browser, operator, ann):
    way_for(ann, Method.TOTP)
    operator.sim = BEN

    page = browser.follow(browser.come_back(operator, log_in(browser)))

    assert "does not match this SIM" in page.text
    assert [way["value"] for way in page.context["ways"]] == ["totp"]


def test_posted_all_the_same_sms_is_closed(browser, operator, ann):
    operator.sim = BEN
    browser.follow(browser.come_back(operator, log_in(browser)))

    page = choose(browser, last_row(), "sms")

    assert "That way is not open just now" in page.text
    assert is_closed(last_row())


def test_a_second_tab_with_a_message_is_closed_by_the_first(browser, operator, ann):
    started = log_in(browser)
    with_message = choose_at_once(browser, last_row())
    operator.sim = BEN
    browser.come_back(operator, started)

    code = texted()
    page = browser.submit(with_message.request["PATH_INFO"], code=code)
    page = browser.follow(page)

    assert "That way is not open just now" in page.text
    assert browser.get("/accounts/profile/").status_code == 302


def choose_at_once(browser, row):
    """Choose SMS at a check that has not come back yet, as a second tab does."""
    page = choose(browser, row, "other")
    return choose(browser, page.context["verification"], "sms")


def test_a_known_browser_with_two_sims_gets_in_by_sms(browser, operator, ann, settings):
    settings.NV_LOGIN_POLICY = "always"
    DeviceFactory(user=ann, token="known browser")
    browser.cookies["nv_known"] = "known browser"
    operator.sim = BEN
    browser.follow(browser.come_back(operator, log_in(browser)))

    page = choose(browser, last_row(), "sms")
    done = browser.submit(page.request["PATH_INFO"], code=texted())

    assert browser.follow(done).request["PATH_INFO"] == "/accounts/profile/"


def test_signup_with_a_number_of_another_sim_is_closed_on_wifi_too(browser, operator):
    operator.sim = BEN
    fields = {"password1": PASSWORD, "password2": PASSWORD, "email": "a@example.com"}
    started = browser.submit("/accounts/signup/", phone=ANN, **fields)
    browser.follow(browser.come_back(operator, started))
    started = browser.submit("/accounts/signup/", phone=ANN, **fields)
    page = browser.follow(browser.come_back(operator, started, error="on_wifi"))

    assert last_row().status == Status.UNAVAILABLE
    assert page.context["ways"] == []
    choose(browser, last_row(), "sms")
    assert is_closed(last_row())


def test_the_rules_are_those_of_the_row_that_is_saved(ann):
    """A row that is only described, as the chooser's, is judged alike."""
    said_no(ann)
    described = Verification(
        purpose=Purpose.LOGIN, user=ann, number_fingerprint=b"x", browser_known=False
    )

    assert Method.SMS not in ways.open_to(described)
    described.browser_known = True
    assert Method.SMS in ways.open_to(described)
