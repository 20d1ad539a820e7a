from datetime import timedelta

import pytest
from django.contrib.auth import hashers
from django.contrib.sessions.models import Session

from accounts.models import Device
from numberverify import views
from numberverify.choices import Because, Purpose, Status
from numberverify.models import Verification
from tests.factories import ANN, PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


def log_in(browser, password=PASSWORD, **fields):
    return browser.submit(
        LOGIN, username="Ann@Example.com", password=password, **fields
    )


def is_signed_in(browser):
    return browser.get("/accounts/profile/").status_code == 200


def test_a_new_browser_is_confirmed_by_the_network(browser, operator, ann):
    started = log_in(browser)
    assert not Session.objects.exists()

    page = browser.follow(browser.come_back(operator, started))

    row = Verification.objects.get()
    assert page.context["user"] == ann
    assert (row.user, row.purpose, row.asked_because) == (
        ann,
        Purpose.LOGIN,
        Because.NEW_BROWSER,
    )


def test_a_known_browser_with_a_recent_proof_needs_no_check(browser, operator, ann):
    browser.follow(browser.come_back(operator, log_in(browser)))
    browser.submit("/accounts/logout/", page="/")

    assert log_in(browser)["Location"] == "/accounts/profile/"
    assert is_signed_in(browser)
    assert Verification.objects.count() == 1


def test_a_known_browser_with_an_old_proof_is_asked_again(browser, operator, ann):
    browser.follow(browser.come_back(operator, log_in(browser)))
    browser.submit("/accounts/logout/", page="/")
    device = Device.objects.get()
    Device.objects.update(last_proof_at=device.last_proof_at - timedelta(days=31))

    log_in(browser)

    assert not is_signed_in(browser)
    assert Verification.objects.order_by("id").last().asked_because == Because.STALE


def test_a_known_browser_is_known_to_its_own_account_alone(browser, operator, ann):
    browser.follow(browser.come_back(operator, log_in(browser)))
    browser.submit("/accounts/logout/", page="/")
    UserFactory(email="ben@example.com", phone="+447700900456")

    started = browser.submit(LOGIN, username="ben@example.com", password=PASSWORD)

    assert started["Location"].startswith(operator.base_url)


@pytest.mark.parametrize(
    ("login_policy", "asks"),
    [("always", True), ("new_device_or_stale", False), ("never", False)],
)
def test_the_policy_decides_in_a_known_browser(
    browser, operator, ann, settings, login_policy, asks
):
    browser.follow(browser.come_back(operator, log_in(browser)))
    browser.submit("/accounts/logout/", page="/")
    settings.NV_LOGIN_POLICY = login_policy

    assert log_in(browser)["Location"].startswith(operator.base_url) is asks


def test_without_a_number_the_password_is_enough(browser, operator):
    UserFactory(email="ann@example.com")

    log_in(browser)

    page = browser.get("/accounts/profile/")
    assert "Add a number" in page.text


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"password": "wrong"}, id="wrong password"),
        pytest.param({"username": "nobody@example.com"}, id="unknown e-mail"),
    ],
)
def test_wrong_is_one_message_and_one_run_of_the_hasher(
    browser, operator, ann, monkeypatch, settings, fields
):
    settings.PASSWORD_HASHERS = ["accounts.hashers.Argon2PasswordHasher"]
    ann.set_password(PASSWORD)
    ann.save()
    hasher = hashers.get_hasher()
    runs = []
    for verb in ("encode", "verify"):
        run = getattr(type(hasher), verb)
        monkeypatch.setattr(
            type(hasher),
            verb,
            lambda *args, run=run, **kwargs: runs.append(1) or run(*args, **kwargs),
        )

    typed = {"username": "ann@example.com", "password": PASSWORD} | fields
    page = browser.submit(LOGIN, **typed)

    assert page.status_code == 200
    assert page.context["form"].non_field_errors() == [
        "The e-mail address or the password is not right"
    ]
    assert len(runs) == 1
    assert not Verification.objects.exists()


def test_an_inactive_account_reads_like_a_wrong_password(browser, operator):
    UserFactory(email="ann@example.com", is_active=False)

    assert "is not right" in log_in(browser).text


@pytest.mark.parametrize("sim", ["+447700900999", ANN])
def test_a_login_that_nobody_confirmed_opens_nothing(browser, operator, ann, sim):
    operator.sim = sim
    if sim == ANN:
        operator.claims = {"nonce": "another"}

    browser.follow(browser.come_back(operator, log_in(browser)))

    row = Verification.objects.get()
    assert row.status == (Status.UNAVAILABLE if sim == ANN else Status.MISMATCHED)
    browser.get(row.next)
    assert not is_signed_in(browser)


def deactivated(user):
    user.is_active = False
    user.save()


def password_changed(user):
    user.set_password("another one")
    user.save()


def sessions_ended(user):
    user.end_sessions()


def number_changed(user):
    user.profile.phone = "+447700900456"
    user.profile.save()


CHANGES = [deactivated, password_changed, sessions_ended, number_changed]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.usefixtures("one_step_a_request")
def test_what_happened_to_the_account_meanwhile_ends_the_login(
    browser, operator, ann, change
):
    returned = browser.come_back(operator, log_in(browser))
    change(ann)

    assert browser.get(returned["Location"]).status_code == 410
    assert not is_signed_in(browser)
    assert Verification.objects.get().redeemed_at is None


@pytest.mark.parametrize("change", CHANGES)
def test_nor_does_the_receipt_pay_that_the_callback_hands_on(
    browser, operator, ann, change, monkeypatch
):
    go_on = views._go_on

    def once_changed(request, row):
        change(ann)
        return go_on(request, row)

    monkeypatch.setattr(views, "_go_on", once_changed)
    returned = browser.come_back(operator, log_in(browser))

    assert browser.get(returned["Location"]).status_code == 410
    assert not is_signed_in(browser)
    assert Verification.objects.get().redeemed_at is None


def test_trying_again_keeps_why_it_was_asked(browser, operator, ann):
    operator.sim = "+447700900999"
    ended = browser.follow(browser.come_back(operator, log_in(browser)))
    failed = ended.context["verification"]

    operator.sim = ANN
    again = browser.submit(
        failed.next, page=f"/verify/{failed.pk}/", previous=str(failed.pk)
    )
    browser.follow(browser.come_back(operator, again))

    row = Verification.objects.get(status=Status.VERIFIED)
    assert (row.previous, row.asked_because) == (failed.pk, Because.NEW_BROWSER)
    assert is_signed_in(browser)


def test_login_and_logout_give_the_browser_a_new_binding(browser, operator, ann):
    started = log_in(browser)
    before = browser.cookies["nv_binding"].value
    browser.follow(browser.come_back(operator, started))
    between = browser.cookies["nv_binding"].value
    out = browser.submit("/accounts/logout/", page="/")
    after = browser.cookies["nv_binding"].value

    assert len({before, between, after}) == 3
    assert (out.status_code, out["Location"]) == (303, "/")


def test_logout_is_a_post(browser, operator):
    assert browser.get("/accounts/logout/").status_code == 405


def test_the_session_key_is_new_after_login(browser, operator, ann):
    browser.follow(browser.come_back(operator, log_in(browser)))
    first = browser.cookies["sessionid"].value
    browser.submit("/accounts/logout/", page="/")
    log_in(browser)

    assert browser.cookies["sessionid"].value != first


def test_the_profile_of_a_stranger_goes_to_login_and_back(browser, operator):
    UserFactory(email="ann@example.com")
    sent = browser.get("/accounts/profile/")
    assert sent["Location"] == "/accounts/login/?next=/accounts/profile/"

    assert log_in(browser, next="/accounts/phone/")["Location"] == "/accounts/phone/"
