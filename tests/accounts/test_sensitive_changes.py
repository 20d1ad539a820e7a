"""What changes how an account is opened asks first, can be taken back, and stands on
record (OWASP ASVS 5.0.0: 6.5.6, 7.5.1; NIST SP 800-63B-4: 3.1.3.1, 4.1)."""

import pytest
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import NumberEvent, User
from accounts.phone import number_of
from numberverify.choices import Method
from numberverify.models import RecoveryCode, Verification
from tests.accounts.steps import by_network, log_in, mailed_link, sign_in
from tests.factories import ANN, PASSWORD, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("run_on_commit")]
NEW = "an entirely n3w one"


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


@pytest.mark.parametrize(
    ("page", "fields"),
    [
        pytest.param(
            "/accounts/email/change/", {"email": "new@example.com"}, id="e-mail"
        ),
        pytest.param("/accounts/phone/change/", {"phone": "+447700900456"}, id="phone"),
        pytest.param("/accounts/phone/remove/", {"remove": "1"}, id="no phone"),
        pytest.param("/verify/authenticator/", {"code": "123456"}, id="app"),
        pytest.param("/verify/authenticator/", {"remove": "1"}, id="no app"),
        pytest.param("/verify/recovery-codes/", {"make": "1"}, id="codes"),
        pytest.param("/accounts/close/", {"close": "1", "sure": "on"}, id="closing"),
    ],
)
def test_v5_0_0_7_5_1_a_session_alone_changes_none_of_it(browser, ann, page, fields):
    sign_in(browser, ann)
    before = User.objects.values().get()

    assert "Confirm it's you" in browser.get(page).text
    assert "Confirm it's you" in browser.submit(page, **fields).text

    assert User.objects.values().get() == before
    assert number_of(ann) == ANN
    assert not TOTPDevice.objects.exists()
    assert not RecoveryCode.objects.exists()
    assert not Verification.objects.exists()


@pytest.mark.usefixtures("one_step_a_request")
def test_v5_0_0_6_5_6_a_number_that_is_removed_proves_nothing_any_more(
    browser, new_browser, operator, ann
):
    sign_in(browser, ann)
    other = new_browser()
    proved = other.come_back(operator, log_in(other, ann))
    by_network(browser, operator, "/accounts/phone/remove/")
    asked = Verification.objects.count()

    browser.submit("/accounts/phone/remove/", remove="1")

    assert number_of(ann) is None
    other.get(proved["Location"])  # a login by it, which was under way
    assert other.get("/accounts/profile/").status_code == 302
    assert "Add a number first" in browser.get("/accounts/password/change/").text
    assert Verification.objects.count() == asked


def test_nist_3_1_3_1_a_mailbox_is_no_way_to_prove_who_it_is(browser, ann):
    """It may ask for a reset; it takes the number all the same."""
    assert "email" not in Method.values
    browser.submit("/accounts/password/reset/", email=ann.email)
    link = mailed_link(r"password/reset/\w+/")
    started = browser.submit(link, method="other")
    journey = Verification.objects.get().next
    token = browser.get(link).context["csrf_token"]

    typed = {"new_password1": NEW, "new_password2": NEW}
    browser.post(journey, typed | {"csrfmiddlewaretoken": str(token)})

    page = browser.follow(started)
    assert "mail" not in " ".join(str(way) for way in page.context.get("ways") or [])
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)


def test_nist_4_1_a_number_stands_on_record_with_time_and_source(
    browser, operator, ann
):
    ben = UserFactory()
    sign_in(browser, ben)
    operator.sim = "+447700900456"

    by_network(
        browser, operator, "/accounts/phone/", phone=operator.sim, password=PASSWORD
    )

    event = NumberEvent.objects.get()
    row = Verification.objects.get(pk=event.verification)
    assert (event.what, event.person) == (NumberEvent.What.ADDED, ben)
    assert event.at >= row.settled_at
    assert (row.ip, row.user_agent) == ("127.0.0.1", "Tests/1.0")
    page = browser.get("/accounts/profile/").text
    assert f"Yes, on {ben.profile.phone_verified_at:%-d %B %Y}" in page
    assert str(row.pk) in page


def test_nist_4_1_an_app_and_codes_stand_on_record_with_their_time(
    browser, operator, ann
):
    sign_in(browser, ann)
    by_network(browser, operator, "/verify/recovery-codes/")
    browser.submit("/verify/recovery-codes/", make="1")

    codes = RecoveryCode.objects.filter(user=ann)
    assert codes.count() == 10
    paid = Verification.objects.get(action="recovery_codes")
    assert {code.created_at >= paid.settled_at for code in codes} == {True}
    assert paid.ip == "127.0.0.1"
