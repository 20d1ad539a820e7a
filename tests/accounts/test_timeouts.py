"""How long a session lives: idle and absolute, for staff and for people.

OWASP ASVS 5.0.0: 7.3.1, 7.3.2, 7.1.1; NIST SP 800-63B-4: 2.2.3, 5.2.
"""

from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Device, User
from tests.accounts.browsers import (
    BROWSERS,
    device_of,
    is_stored,
    key_of,
    later,
    opened,
)
from tests.accounts.steps import is_signed_in, log_in
from tests.factories import ANN, PASSWORD, DeviceFactory, UserFactory

pytestmark = pytest.mark.django_db
PROFILE = "/accounts/profile/"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
A_LITTLE = timedelta(minutes=6)  # more than "last seen" may be behind


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


@pytest.fixture
def sue():
    """Of the staff."""
    return UserFactory(email="sue@example.com", phone=ANN, is_staff=True)


def after(length):
    return later(seconds=length.total_seconds())


# Idle (7.3.1)


@pytest.mark.parametrize(
    ("columns", "length"),
    [
        pytest.param({}, 14 * DAY, id="people"),
        pytest.param({"is_staff": True}, HOUR, id="staff"),
    ],
)
def test_v5_0_0_7_3_1_a_session_that_is_not_used_runs_out(columns, length):
    user = UserFactory(phone=ANN, **columns)
    phone = opened(user, "phone")

    with after(length - A_LITTLE):
        assert is_signed_in(phone)
    with after(2 * length - A_LITTLE - timedelta(minutes=1)):
        assert is_signed_in(phone)  # since it was used in between
    with after(3 * length):
        assert not is_signed_in(phone)


@pytest.mark.parametrize("every", [timedelta(minutes=50), timedelta(seconds=50)])
def test_what_is_used_at_intervals_goes_on(sue, every):
    phone = opened(sue, "phone")

    for n in range(1, 5):
        with after(n * every):
            assert is_signed_in(phone)


def test_nist_5_2_an_idle_session_is_found_to_within_its_interval(sue):
    phone = opened(sue, "phone")

    with after(timedelta(seconds=59)):
        assert is_signed_in(phone)  # not written down: too soon
    with after(timedelta(seconds=59) + HOUR):
        assert not is_signed_in(phone)
    assert not is_stored(key_of(phone))


def test_the_person_reads_why_and_goes_on_where_it_was(sue, operator):
    phone = opened(sue, "phone")

    with after(HOUR):
        login = phone.get("/accounts/phone/")
        assert login["Location"] == "/accounts/login/?next=/accounts/phone/"
        page = phone.get(login["Location"])
        assert "You were signed out, since nothing happened for 60 minutes." in (
            page.text
        )
        assert "You were signed out" not in phone.get(login["Location"]).text
        gone_on = phone.submit(
            "/accounts/login/",
            page=login["Location"],
            username=sue.email,
            password=PASSWORD,
            next="/accounts/phone/",
        )
    assert gone_on["Location"] == "/accounts/phone/"


@pytest.mark.parametrize("length", [14 * DAY, 14 * DAY + timedelta(hours=23)])
def test_the_cookie_lives_a_day_longer_so_that_it_can_be_said(ann, length):
    phone = opened(ann, "phone")

    assert phone.cookies["sessionid"]["max-age"] == (15 * DAY).total_seconds()
    with after(length):
        assert "nothing happened for 14 days" in phone.follow(phone.get(PROFILE)).text


def test_the_cookie_of_staff_is_as_short_as_their_session(sue):
    phone = opened(sue, "phone")

    assert phone.cookies["sessionid"]["max-age"] == (HOUR + DAY).total_seconds()
    with after(HOUR + DAY):
        assert not is_signed_in(phone)


def test_the_cookie_is_renewed_while_the_session_is_used(ann):
    phone = opened(ann, "phone")

    with after(10 * DAY):
        assert is_signed_in(phone)
    with after(20 * DAY):
        assert is_signed_in(phone)


@pytest.mark.parametrize(
    ("url", "fields"),
    [
        pytest.param(BROWSERS, {"end": "other"}, id="a browser"),
        pytest.param("/accounts/sessions/end/", {"end": "1"}, id="sessions"),
        pytest.param("/accounts/email/resend/", {}, id="a mail"),
        pytest.param("/accounts/phone/", {"phone": ANN}, id="a number"),
        pytest.param("/accounts/password/change/", {}, id="a proof"),
    ],
)
def test_a_post_that_comes_too_late_is_not_carried_out(url, fields, mailoutbox):
    staff = UserFactory(is_staff=True)
    phone, laptop = opened(staff, "phone"), opened(staff, "laptop")
    phone.get(BROWSERS)
    token = phone.get(BROWSERS).text.partition('csrfmiddlewaretoken" value="')[2][:64]
    fields = fields | {"csrfmiddlewaretoken": token}
    if fields.get("end") == "other":
        fields["end"] = str(device_of("laptop").pk)

    with after(HOUR - timedelta(minutes=2)):
        assert is_signed_in(laptop)
    with after(HOUR + timedelta(minutes=1)):
        answer = phone.post(url, fields)
        assert answer.status_code == 303
        back_to = PROFILE if url == "/accounts/email/resend/" else url
        assert answer["Location"] == f"/accounts/login/?next={back_to}"
        assert is_signed_in(laptop)
    assert mailoutbox == []


def test_a_logout_that_comes_too_late_is_a_logout(sue):
    phone = opened(sue, "phone")
    token = phone.get(PROFILE).text.partition('csrfmiddlewaretoken" value="')[2][:64]

    with after(HOUR):
        answer = phone.post("/accounts/logout/", {"csrfmiddlewaretoken": token})

    assert (answer.status_code, answer["Location"]) == (303, "/")


def test_the_browser_is_signed_out_in_the_list(sue):
    phone = opened(sue, "phone")
    opened(sue, "laptop")

    with after(HOUR + A_LITTLE):
        phone.get(PROFILE)
        log_in(phone, sue)
        page = phone.get(BROWSERS).text

    assert page.count("Signed out") == 1
    assert 'name="end"' not in page


# Absolute (7.3.2)


def use_for(browser, length, every):
    """Use the browser all the time; return whether it is signed in at the end."""
    at = every
    while at < length:
        with after(at):
            assert is_signed_in(browser), at
        at += every
    with after(length):
        return is_signed_in(browser)


def test_v5_0_0_7_3_2_a_session_of_staff_ends_a_day_after_the_login(sue):
    phone = opened(sue, "phone")

    assert not use_for(phone, DAY, every=timedelta(minutes=45))


def test_the_person_reads_that_the_day_is_over(sue):
    phone = opened(sue, "phone")
    use_for(phone, DAY - timedelta(minutes=30), every=timedelta(minutes=45))

    with after(DAY):
        page = phone.follow(phone.get(PROFILE))

    assert "since you logged in 24 hours ago" in page.text


def test_a_session_of_people_has_no_such_end_unless_the_site_sets_one(ann, settings):
    phone = opened(ann, "phone")
    assert use_for(phone, 60 * DAY, every=10 * DAY)

    settings.NV_PEOPLE_ABSOLUTE = 30 * DAY
    with after(61 * DAY):
        assert not is_signed_in(phone)


def test_nist_5_2_a_login_starts_both_clocks_anew(sue):
    phone = opened(sue, "phone")
    use_for(phone, DAY - timedelta(minutes=30), every=timedelta(minutes=45))

    with after(DAY):
        log_in(phone, sue)
        assert is_signed_in(phone)
    with after(DAY + timedelta(minutes=50)):
        assert is_signed_in(phone)


def test_a_proof_does_not_prolong_the_day(sue, operator):
    phone = opened(sue, "phone")
    use_for(phone, DAY - timedelta(minutes=30), every=timedelta(minutes=45))

    with after(DAY - timedelta(minutes=1)):
        started = phone.submit("/accounts/sessions/end/")
        phone.follow(phone.come_back(operator, started))
        assert is_signed_in(phone)
    with after(DAY + timedelta(minutes=1)):
        assert not is_signed_in(phone)


# Staff and people


def test_who_becomes_staff_is_under_the_stricter_rule_at_once(ann):
    phone = opened(ann, "phone")
    with after(2 * HOUR):
        assert is_signed_in(phone)
        User.objects.update(is_staff=True)
    with after(2 * HOUR + timedelta(minutes=50)):
        assert is_signed_in(phone)
    with after(4 * HOUR):
        User.objects.update(is_staff=True)
        assert not is_signed_in(phone)


def test_who_becomes_staff_after_a_day_is_signed_out(ann):
    phone = opened(ann, "phone")
    with after(2 * DAY):
        assert is_signed_in(phone)
        User.objects.update(is_staff=True)
        assert not is_signed_in(phone)


@pytest.mark.parametrize(
    ("setting", "columns"),
    [("NV_STAFF_IDLE", {"is_staff": True}), ("NV_PEOPLE_IDLE", {})],
)
def test_the_settings_are_what_counts(settings, setting, columns):
    user = UserFactory(**columns)
    setattr(settings, setting, timedelta(minutes=10))
    phone = opened(user, "phone")

    with after(timedelta(minutes=9)):
        assert is_signed_in(phone)
    with after(timedelta(minutes=20)):
        assert not is_signed_in(phone)


# What it costs, and what is left behind


def costs(browser, url=PROFILE):
    with CaptureQueriesContext(connection) as captured:
        browser.get(url)
    return [query["sql"] for query in captured]


def test_a_request_writes_nothing_until_it_is_time(ann):
    phone = opened(ann, "phone")

    for wait in (timedelta(0), timedelta(minutes=4)):
        with after(wait):
            assert [sql for sql in costs(phone, "/") if "UPDATE" in sql] == []
    with after(timedelta(minutes=5)):
        wrote = [sql for sql in costs(phone, "/") if "UPDATE" in sql]
        assert len(wrote) == 2, wrote
        assert [sql for sql in costs(phone, "/") if "UPDATE" in sql] == []


def test_a_page_costs_the_session_and_the_user(ann):
    phone = opened(ann, "phone")

    assert len(costs(phone, "/")) == 2


def test_somebody_anonymous_costs_nothing(browser):
    assert costs(browser, "/") == []


def test_last_seen_follows_the_use_and_the_place(ann):
    phone = opened(ann, "phone", REMOTE_ADDR="81.2.69.142")
    before = device_of("phone")

    with after(timedelta(minutes=6)):
        phone.get("/", REMOTE_ADDR="2a00:1450:4009::1")

    now = device_of("phone")
    assert now.last_seen_at - before.last_seen_at >= timedelta(minutes=6)
    assert (before.country, now.country) == ("GB", "IE")


def test_a_session_of_before_gets_its_clocks_and_its_browser(client, ann):
    """One that was opened before sessions had any, or by other means."""
    DeviceFactory(user=ann, token="phone")
    client.force_login(ann)
    client.cookies["nv_known"] = "phone"

    assert client.get(PROFILE).status_code == 200
    assert device_of("phone").session_key == client.cookies["sessionid"].value
    with after(15 * DAY):
        assert client.get(PROFILE).status_code == 302


def test_housekeeping_clears_what_is_over(ann, capsys):
    opened(ann, "phone")
    DeviceFactory(
        user=ann, token="old", last_seen_at=timezone.now() - timedelta(days=401)
    )
    with after(16 * DAY):
        call_command("housekeeping")

    said = capsys.readouterr().out
    assert "purge_sessions 1" in said
    assert "purge_browsers 1" in said
    assert not Session.objects.exists()
    assert [*Device.objects.all()] == [device_of("phone")]


def test_the_clocks_come_after_the_person_is_known():
    order = django_settings.MIDDLEWARE
    auth = "django.contrib.auth.middleware.AuthenticationMiddleware"

    assert order.index(auth) < order.index("accounts.middleware.SessionMiddleware")
