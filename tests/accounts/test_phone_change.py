"""Another number on file: who it is by the old one, then the new one by itself."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts import watch
from accounts.models import Pending, Profile, User
from numberverify.choices import Because, Event, Method, Purpose, Reason, Status
from numberverify.models import Verification
from tests.accounts.steps import (
    app_shows,
    by_app,
    by_network,
    chosen,
    is_signed_in,
    log_in,
    mailed,
    sign_in,
    texted_code,
)
from tests.factories import (
    ANN,
    PASSWORD,
    AuthenticatorFactory,
    RecoveryCodeFactory,
    UserFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("run_on_commit")]
PHONE = "/accounts/phone/"
CHANGE = "/accounts/phone/change/"
NEW = "+447700900456"
NOTICE = ("ann@example.com", "Your mobile number was changed")


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


@pytest.fixture
def signed_in(browser, ann):
    return sign_in(browser, ann)


@pytest.fixture
def with_app(browser):
    """Signed in, without a number, with an authenticator app."""
    user = UserFactory(email="ann@example.com")
    AuthenticatorFactory(user=user)
    return sign_in(browser, user)


def begin(browser, operator, number=NEW, **fields):
    """Prove the old number, name the new one; return where to prove that."""
    operator.sim = ANN
    by_network(browser, operator, CHANGE)
    operator.sim = number
    return browser.submit(CHANGE, phone=number, **fields)


def change(browser, operator, number=NEW):
    started = begin(browser, operator, number)
    return browser.follow(browser.come_back(operator, started))


def number_of(user):
    return Profile.objects.get(user=user).phone


def test_the_form_takes_a_proof_by_the_old_number_first(signed_in, operator):
    page = signed_in.get(CHANGE)

    assert "Confirm it's you to change your mobile number" in page.text
    assert 'name="phone"' not in page.text
    page = by_network(signed_in, operator, CHANGE)
    assert 'name="phone"' in page.text
    assert "stays on file until the new one is confirmed" in page.text


def test_the_new_number_is_proved_by_the_network(signed_in, operator, ann):
    page = change(signed_in, operator)

    profile = Profile.objects.get(user=ann)
    row = Verification.objects.get(purpose=Purpose.PHONE_CHANGE)
    assert "Your number is confirmed" in page.text
    assert (profile.phone, profile.phone_verification) == (NEW, row.pk)
    assert row.redeemed_at


def test_the_new_number_is_proved_by_a_text_message(signed_in, operator, ann):
    closed = signed_in.follow(begin(signed_in, operator, method="other"))
    row = closed.context["verification"]
    asked = chosen(signed_in, row, "sms")

    page = signed_in.follow(signed_in.submit(asked["Location"], code=texted_code()))

    assert "Your number is confirmed" in page.text
    assert number_of(ann) == NEW


@pytest.mark.parametrize("method", ["totp", "recovery_code", "manual"])
def test_what_proves_a_person_proves_no_new_number(signed_in, operator, ann, method):
    AuthenticatorFactory(user=ann)
    RecoveryCodeFactory(user=ann)

    ended = signed_in.follow(begin(signed_in, operator, method=method))

    assert ended.context["verification"].reason == Reason.METHOD_CLOSED
    assert [way["value"] for way in ended.context["ways"]] == ["sms"]
    assert number_of(ann) == ANN


def test_an_app_proves_who_it_is_where_the_old_number_is_lost(signed_in, operator, ann):
    AuthenticatorFactory(user=ann)
    by_app(signed_in, ann, CHANGE)
    operator.sim = NEW

    started = signed_in.submit(CHANGE, phone=NEW)
    signed_in.follow(signed_in.come_back(operator, started))

    assert number_of(ann) == NEW


def test_the_old_number_stays_until_then(signed_in, operator, ann):
    begin(signed_in, operator)

    assert number_of(ann) == ANN
    assert mailed() == []


def test_a_new_number_that_did_not_match_changes_nothing(signed_in, operator, ann):
    started = begin(signed_in, operator)
    operator.sim = "+447700900999"

    ended = signed_in.follow(signed_in.come_back(operator, started))
    journey = ended.context["verification"].next
    page = signed_in.get(journey)

    assert number_of(ann) == ANN
    assert f'value="{NEW}"' in page.text
    # Corrected in the same journey: who the person is has been proved.
    operator.sim = "+447700900777"
    again = signed_in.submit(journey, phone="07700 900777")
    signed_in.follow(signed_in.come_back(operator, again))
    assert number_of(ann) == "+447700900777"


def test_the_person_is_told_by_mail(signed_in, operator):
    change(signed_in, operator)

    assert mailed() == [NOTICE]


def test_the_proofs_that_sessions_hold_end(signed_in, operator, new_browser, ann):
    other = sign_in(new_browser(), ann, token="another known browser")
    by_network(other, operator, "/accounts/sessions/end/")
    assert 'name="end"' in other.get("/accounts/sessions/end/").text

    change(signed_in, operator)

    assert is_signed_in(other)
    assert "Confirm it's you" in other.get("/accounts/sessions/end/").text


def test_the_next_login_in_a_new_browser_asks_about_the_new_number(
    signed_in, operator, new_browser, ann
):
    change(signed_in, operator)
    other = new_browser()

    started = log_in(other, ann)
    page = other.follow(other.come_back(operator, started))

    row = Verification.objects.get(purpose=Purpose.LOGIN)
    assert row.asked_because == Because.NEW_BROWSER
    assert row.number_mask.endswith("456")
    assert page.context["user"] == ann


def test_the_old_number_does_not_log_in_any_more(signed_in, operator, new_browser, ann):
    change(signed_in, operator)
    other = new_browser()
    started = log_in(other, ann)
    operator.sim = ANN

    ended = other.follow(other.come_back(operator, started))

    assert ended.context["verification"].status == Status.MISMATCHED
    assert not is_signed_in(other)


def test_of_two_changes_that_race_one_wins(signed_in, operator, ann):
    first = begin(signed_in, operator)
    second = begin(signed_in, operator, number="+447700900789")
    operator.sim = NEW
    signed_in.follow(signed_in.come_back(operator, first))
    operator.sim = "+447700900789"

    returned = signed_in.come_back(operator, second)
    page = signed_in.get(returned["Location"])

    assert "Your number is confirmed" not in page.text
    assert number_of(ann) == NEW
    lost = Verification.objects.get(number_mask__endswith="789")
    assert (lost.status, lost.redeemed_at) == (Status.VERIFIED, None)


def test_one_proof_begins_one_change(signed_in, operator):
    begin(signed_in, operator)

    page = signed_in.submit(CHANGE, phone=NEW)

    assert "Confirm it's you" in page.text
    assert Pending.objects.count() == 1


def test_a_form_without_a_proof_begins_nothing(signed_in):
    page = signed_in.submit(CHANGE, phone=NEW)

    assert "Confirm it's you" in page.text
    assert not Pending.objects.exists()
    assert not Verification.objects.exists()


def test_a_taken_number_is_told_and_not_moved(signed_in, operator, ann):
    ben = UserFactory(phone=NEW)

    page = change(signed_in, operator)

    assert "already has an account" in page.text
    assert (number_of(ben), number_of(ann)) == (NEW, ANN)
    assert mailed() == []


def test_who_has_not_proved_it_learns_nothing_of_a_taken_number(signed_in, operator):
    UserFactory(phone=NEW)
    started = begin(signed_in, operator)
    operator.sim = "+447700900999"

    page = signed_in.follow(signed_in.come_back(operator, started))

    assert "already has an account" not in page.text


@pytest.mark.parametrize(
    ("typed", "said"),
    [("", "Enter a mobile"), ("077", "Enter a mobile"), ("020 7946 0000", "landline")],
)
def test_a_bad_number_is_named_and_costs_no_proof(signed_in, operator, typed, said):
    by_network(signed_in, operator, CHANGE)

    page = signed_in.submit(CHANGE, phone=typed)

    assert said in page.context["form"].errors["phone"][0]
    assert Verification.objects.get().redeemed_at is None


def test_a_frozen_account_changes_no_number(signed_in, operator, ann):
    by_network(signed_in, operator, CHANGE)
    token = signed_in.get(CHANGE).context["csrf_token"]
    User.objects.filter(pk=ann.pk).update(frozen_at=timezone.now())

    page = signed_in.post(CHANGE, {"phone": NEW, "csrfmiddlewaretoken": str(token)})

    assert "Sensitive actions are frozen" in page.text
    assert not Pending.objects.exists()


def test_a_freeze_ends_a_change_under_way(signed_in, operator, ann):
    started = begin(signed_in, operator)
    binding = signed_in.cookies["nv_binding"].value
    ann.freeze()
    signed_in.force_login(ann)
    signed_in.cookies["nv_binding"] = binding

    signed_in.follow(signed_in.come_back(operator, started))

    assert number_of(ann) == ANN


def test_a_change_is_for_the_browser_that_began_it(
    signed_in, operator, new_browser, ann
):
    started = begin(signed_in, operator)
    signed_in.come_back(operator, started)
    other = sign_in(new_browser(), ann, token="another known browser")

    other.get(Verification.objects.get(purpose=Purpose.PHONE_CHANGE).next)

    assert number_of(ann) == ANN


def test_a_change_lives_for_half_an_hour(signed_in, operator, ann):
    begin(signed_in, operator)
    row = Verification.objects.get(purpose=Purpose.PHONE_CHANGE)

    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        sent = signed_in.submit(row.next, page="/accounts/profile/")

    assert sent["Location"] == "/accounts/profile/"
    assert Verification.objects.filter(purpose=Purpose.PHONE_CHANGE).count() == 1


# Without a number


def test_an_app_is_asked_for_before_a_first_number(with_app, operator):
    page = with_app.follow(with_app.get(PHONE))

    assert page.request["PATH_INFO"] == CHANGE
    assert "Confirm it's you to change your mobile number" in page.text
    assert 'name="phone"' not in page.text


def test_a_post_without_that_adds_nothing(with_app, operator):
    sent = with_app.submit(PHONE, page="/accounts/profile/", phone=NEW)

    assert (sent.status_code, sent["Location"]) == (303, CHANGE)
    assert not Pending.objects.exists()


def test_after_the_app_the_first_number_goes_on_file(with_app, operator):
    user = User.objects.get()
    started = with_app.submit(CHANGE, page=CHANGE, method="totp")
    form = with_app.follow(with_app.submit(started["Location"], code=app_shows(user)))
    assert 'name="phone"' in form.text
    operator.sim = NEW

    started = with_app.submit(CHANGE, phone=NEW)
    page = with_app.follow(with_app.come_back(operator, started))

    assert "Your number is confirmed" in page.text
    assert number_of(user) == NEW


def test_recovery_codes_are_asked_for_as_well(browser):
    user = UserFactory()
    RecoveryCodeFactory(user=user)
    sign_in(browser, user)

    assert browser.get(PHONE)["Location"] == CHANGE


def test_a_number_begun_before_there_was_an_app_does_not_go_around_it(
    browser, operator
):
    user = UserFactory()
    sign_in(browser, user)
    operator.sim = NEW
    started = browser.submit(PHONE, phone=NEW, password=PASSWORD)
    AuthenticatorFactory(user=user)
    watch.hear(user, Event.TOTP_ADDED)

    browser.follow(browser.come_back(operator, started))

    assert not Profile.objects.filter(phone=NEW).exists()


def test_a_number_begun_before_another_came_on_file_and_went_is_not_put_there(
    signed_in, operator, ann
):
    first = begin(signed_in, operator)
    Profile.objects.filter(user=ann).update(phone="+447700900789")
    operator.sim = NEW

    signed_in.follow(signed_in.come_back(operator, first))

    assert number_of(ann) == "+447700900789"


def test_a_frozen_account_without_anything_adds_no_number(browser, operator):
    user = UserFactory(frozen_at=timezone.now())
    browser.force_login(user)
    operator.sim = NEW

    page = browser.follow(browser.get(PHONE))

    assert "Sensitive actions are frozen" in page.text


def test_a_frozen_account_without_anything_adds_no_app(browser):
    user = UserFactory(frozen_at=timezone.now())
    browser.force_login(user)

    page = browser.get("/verify/authenticator/")

    assert "Sensitive actions are frozen" in page.text


def signed_in_a_while_ago(browser, user):
    sign_in(browser, user)
    session = browser.session
    session["nv_password"] -= 10 * 60
    session.save()


def test_who_has_just_logged_in_is_not_asked_for_the_password_again(browser, operator):
    user = UserFactory()
    sign_in(browser, user)
    operator.sim = NEW
    assert "password" not in browser.get(PHONE).context["form"].fields

    browser.follow(browser.come_back(operator, browser.submit(PHONE, phone=NEW)))

    assert number_of(user) == NEW


def test_a_person_with_nothing_adds_a_number_by_the_password(browser, operator):
    user = UserFactory()
    signed_in_a_while_ago(browser, user)
    operator.sim = NEW

    started = browser.submit(PHONE, phone=NEW, password=PASSWORD)
    browser.follow(browser.come_back(operator, started))

    assert number_of(user) == NEW
    assert Verification.objects.get().method == Method.NETWORK


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        pytest.param({}, "Enter your password", id="none"),
        pytest.param({"password": ""}, "Enter your password", id="empty"),
        pytest.param({"password": "wrong"}, "That is not your password", id="wrong"),
    ],
)
def test_v5_0_0_7_5_1_a_session_alone_puts_no_first_number_on_file(
    browser, operator, typed, said
):
    signed_in_a_while_ago(browser, UserFactory())

    page = browser.submit(PHONE, phone="07700 900456", **typed)

    assert page.context["form"].errors == {"password": [said]}
    assert 'value="07700 900456"' in page.text
    assert "wrong" not in page.context["form"]["password"].as_widget()
    assert not Pending.objects.exists()
    assert not Verification.objects.exists()


def test_v5_0_0_7_2_4_the_password_before_a_first_number_brings_a_new_key(
    browser, operator
):
    signed_in_a_while_ago(browser, UserFactory())
    before = browser.cookies["sessionid"].value

    browser.submit(PHONE, phone=NEW, password=PASSWORD)

    assert browser.cookies["sessionid"].value != before


def test_the_passwords_before_a_first_number_are_limited(browser, settings):
    settings.NV_LIMITS = "password_account=2/h"
    signed_in_a_while_ago(browser, UserFactory())
    for _ in range(2):
        assert browser.submit(PHONE, phone=NEW, password="wrong").status_code == 200

    assert browser.submit(PHONE, phone=NEW, password=PASSWORD).status_code == 429
