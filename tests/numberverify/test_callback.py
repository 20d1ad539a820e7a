"""Callbacks of every wrong kind."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from accounts.models import Pending
from numberverify import flow
from numberverify.choices import Reason, Status
from numberverify.models import Verification
from tests.factories import ANN, PASSWORD, UserFactory, VerificationFactory
from tests.fake_operator import TOKEN

pytestmark = pytest.mark.django_db
CALLBACK = "/verify/callback/fake/"
SIGNUP = "/accounts/signup/"
TYPED = {
    "email": "ann@example.com",
    "password1": PASSWORD,
    "password2": PASSWORD,
    "phone": ANN,
}


@pytest.fixture
def brought(browser, operator):
    """A signup is under way; what its device brings back from the operator."""
    return operator.authorize(browser.submit(SIGNUP, **TYPED)["Location"])


def callback(browser, brought, **changes):
    return browser.get(f"{CALLBACK}?{urlencode(brought | changes, doseq=True)}")


def test_the_answer_is_a_redirect_that_leaves_the_code_behind(browser, brought):
    answer = callback(browser, brought)

    assert answer.status_code == 303
    assert "code" not in answer["Location"]
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize(
    "state",
    [
        pytest.param("unknown", id="unknown"),
        pytest.param("", id="empty"),
        pytest.param(["a", "b"], id="doubled"),
        pytest.param("x" * 513, id="over-long"),
        pytest.param("\x00", id="a NUL"),
    ],
)
def test_a_state_that_names_nothing_is_a_400(browser, brought, operator, state):
    answer = callback(browser, brought, state=state)

    assert answer.status_code == 400
    assert "Start again" in answer.text
    assert Verification.objects.get().status == Status.PENDING
    assert operator.calls == []


def test_a_doubled_state_is_a_400_even_when_both_are_right(browser, brought, operator):
    answer = callback(browser, brought, state=[brought["state"]] * 2)

    assert answer.status_code == 400
    assert operator.calls == []


def test_no_state_at_all_is_a_400(browser, operator):
    assert browser.get(CALLBACK, {"code": "x"}).status_code == 400


def test_an_expired_state_is_a_400_and_the_row_expires(browser, brought, operator):
    Verification.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert callback(browser, brought).status_code == 400
    row = Verification.objects.get()
    assert (row.status, row.number, row.nonce) == (Status.EXPIRED, "", "")
    assert operator.calls == []


def test_an_expired_state_stays_a_400_after_the_sweep(browser, brought, operator):
    Verification.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    flow.sweep()

    assert callback(browser, brought).status_code == 400
    assert operator.calls == []


def test_another_browser_settles_it_unexchanged_and_raises_the_flag(
    browser, new_browser, brought, operator
):
    answer = callback(new_browser(), brought)

    row = Verification.objects.get()
    assert answer.status_code == 400
    assert str(row.pk) in answer.text  # the reference for support
    assert (row.status, row.reason) == (Status.UNAVAILABLE, Reason.OTHER_BROWSER)
    assert row.attention
    assert operator.calls == []
    assert callback(browser, brought)["Location"] == f"/verify/{row.pk}/"


def test_a_signed_in_stranger_is_another_browser_too(new_browser, brought, operator):
    stranger = new_browser()
    stranger.force_login(UserFactory())

    assert callback(stranger, brought).status_code == 400
    assert operator.calls == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"error": "access_denied"}, Reason.ACCESS_DENIED, id="refused"),
        pytest.param(
            {"error": "login_required"}, Reason.NOT_ON_MOBILE_NETWORK, id="Wi-Fi"
        ),
        pytest.param(
            {"error": "consent_required"}, Reason.CONSENT_REQUIRED, id="consent"
        ),
        pytest.param({"error": "server_error"}, Reason.OPERATOR_UNREACHABLE, id="down"),
        pytest.param({"error": "<script>"}, Reason.AUTHORIZATION_FAILED, id="strange"),
        pytest.param({"error": ""}, Reason.AUTHORIZATION_FAILED, id="nameless"),
        pytest.param(
            {"error": "login_required", "code": ""},
            Reason.NOT_ON_MOBILE_NETWORK,
            id="no code",
        ),
        pytest.param({"code": ""}, Reason.MALFORMED_CALLBACK, id="neither"),
        pytest.param({"code": ["a", "b"]}, Reason.MALFORMED_CALLBACK, id="two codes"),
        pytest.param({"code": "x" * 2049}, Reason.MALFORMED_CALLBACK, id="long code"),
        pytest.param({"code": "a\x00b"}, Reason.MALFORMED_CALLBACK, id="a NUL"),
        pytest.param({"code": "a\r\nb"}, Reason.MALFORMED_CALLBACK, id="two lines"),
        pytest.param({"code": "a\x7f"}, Reason.MALFORMED_CALLBACK, id="a DEL"),
        pytest.param({"code": "\u00e9"}, Reason.MALFORMED_CALLBACK, id="no ASCII"),
        pytest.param({"error": ["a", "b"]}, Reason.MALFORMED_CALLBACK, id="two errors"),
        pytest.param({"other": ["a", "b"]}, Reason.MALFORMED_CALLBACK, id="two others"),
        pytest.param({"other": "x" * 2049}, Reason.MALFORMED_CALLBACK, id="long other"),
        pytest.param(
            {"iss": "https://other.example"}, Reason.MALFORMED_CALLBACK, id="iss"
        ),
    ],
)
def test_a_callback_without_a_usable_code_is_could_not_tell(
    browser, brought, operator, changes, reason
):
    answer = callback(browser, brought, **changes)

    row = Verification.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, f"/verify/{row.pk}/")
    assert (row.status, row.reason) == (Status.UNAVAILABLE, reason)
    assert operator.calls == []


def test_a_match_signs_in_without_a_further_request(browser, brought):
    assert callback(browser, brought)["Location"] == "/accounts/profile/"

    assert browser.get("/accounts/profile/").status_code == 200


def test_no_page_of_the_journey_is_shown_at_the_address_with_the_code(browser, brought):
    Pending.objects.all().delete()

    returned = callback(browser, brought)

    assert returned.status_code == 303
    assert returned["Location"] == Verification.objects.get().next
    assert browser.get(returned["Location"]).status_code == 410


def test_a_match_leads_to_a_page_that_this_site_does_not_serve(browser, brought):
    Verification.objects.update(next="/below/a/prefix/?of=theirs")

    assert callback(browser, brought)["Location"] == "/below/a/prefix/?of=theirs"


@pytest.mark.usefixtures("one_step_a_request")
def test_a_second_equal_callback_is_shown_how_it_stands_and_goes_on(
    browser, brought, operator
):
    callback(browser, brought)

    again = callback(browser, brought)
    row = Verification.objects.get()
    assert again["Location"] == f"/verify/{row.pk}/"
    assert browser.get(again["Location"])["Location"] == row.next
    assert len(operator.calls_to(TOKEN)) == 1


def test_a_replay_after_the_signup_is_finished_is_shown_too(browser, brought, operator):
    browser.follow(callback(browser, brought))

    page = browser.follow(callback(browser, brought))

    assert "Your number was confirmed" in page.text
    assert len(operator.calls_to(TOKEN)) == 1


def test_a_replay_by_somebody_else_signed_in_is_another_browser(
    browser, new_browser, brought, operator
):
    browser.follow(callback(browser, brought))
    stranger = new_browser()
    stranger.force_login(UserFactory())

    assert callback(stranger, brought).status_code == 400
    assert not Verification.objects.get().attention


def test_a_late_callback_in_another_browser_is_late_and_no_attack(
    new_browser, brought, operator
):
    Verification.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert callback(new_browser(), brought).status_code == 400
    row = Verification.objects.get()
    assert (row.status, row.attention) == (Status.EXPIRED, False)


def test_another_operators_address_is_a_400_and_nothing_is_exchanged(
    browser, brought, operator, settings
):
    settings.NV_OPERATORS = settings.NV_OPERATORS | {"other": operator.table()}

    answer = browser.get(f"/verify/callback/other/?{urlencode(brought)}")

    row = Verification.objects.get()
    assert answer.status_code == 400
    assert (row.reason, row.attention) == (Reason.OTHER_OPERATOR, True)
    assert operator.calls == []


def test_an_operator_that_is_not_configured_is_a_404(browser, brought):
    assert browser.get("/verify/callback/nobody/?state=x").status_code == 404


@pytest.mark.parametrize("method", ["post", "head", "put"])
def test_a_callback_is_a_get(browser, brought, operator, method):
    sent = getattr(browser, method)(f"{CALLBACK}?{urlencode(brought)}")

    assert sent.status_code in (403, 405)
    assert Verification.objects.get().status == Status.PENDING


def test_the_number_is_bound_at_the_start(browser, brought, operator):
    operator.sim = "+447700900999"

    callback(browser, brought, phone="+447700900999", number="+447700900999")

    assert Verification.objects.get().status == Status.MISMATCHED


def test_settling_blanks_the_number_the_nonce_and_the_verifier(browser, brought):
    assert Verification.objects.get().number == ANN

    callback(browser, brought)

    row = Verification.objects.get()
    assert (row.number, row.nonce, row.code_verifier) == ("", "", "")
    assert row.operator_subject == "pcr-1"
    assert row.operator_ms is not None


def test_a_fault_of_our_own_is_no_answer_and_no_500(
    browser, brought, monkeypatch, caplog
):
    def break_down(*args):
        raise ZeroDivisionError(f"while asking about {ANN}")

    monkeypatch.setattr(
        "numberverify.operators.mobile_connect.MobileConnect.ask", break_down
    )

    assert callback(browser, brought).status_code == 303
    row = Verification.objects.get()
    assert (row.status, row.reason) == (Status.UNAVAILABLE, Reason.INTERRUPTED)
    assert "ZeroDivisionError" in caplog.text
    assert ANN not in caplog.text


def test_an_operator_that_left_the_settings_meanwhile_is_no_500(
    browser, settings, operator
):
    VerificationFactory(operator="gone", state="s", binding="b")
    settings.NV_OPERATORS = {"fake": operator.table()}
    browser.cookies["nv_binding"] = "b"

    assert browser.get("/verify/callback/gone/?state=s&code=c").status_code == 404
