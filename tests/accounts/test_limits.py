"""Limits on passwords, signups and mails, as the people at the pages meet them.

OWASP ASVS 5.0.0: 2.3.2, 2.4.1, 4.1.3, 6.3.1; NIST SP 800-63B-4: 3.2.2.
"""

import re
import secrets
import socket
from datetime import UTC, datetime

import pytest
import time_machine
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail as outbox
from redis.connection import Connection

from accounts import account, mail
from numberverify import windows
from numberverify.errors import OperatorUnreachable
from numberverify.models import Verification
from tests.accounts.browsers import known
from tests.accounts.steps import (
    LOGIN,
    by_network,
    is_signed_in,
    log_in,
    mailed_link,
    sign_in,
)
from tests.conftest import REDIS_URL, Browser
from tests.factories import ANN, PASSWORD, DeviceFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("run_on_commit")]
RESET = "/accounts/password/reset/"
OWNERS, STRANGERS = "198.51.100.1", "203.0.113.66"
SIGNUP = {"phone": "07700 900123", "password1": PASSWORD, "password2": PASSWORD}


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


@pytest.fixture
def hashed(monkeypatch):
    """The passwords that have come to the hasher."""
    seen: list[str] = []
    encode = MD5PasswordHasher.encode

    def noted(self, password, salt):
        seen.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", noted)
    return seen


def at(address, **headers):
    """A browser at this address."""
    browser = Browser()
    browser.defaults |= {"REMOTE_ADDR": address} | headers
    return browser


def guess(browser, email, times, password="wrong"):
    """Type passwords for the e-mail; return the statuses."""
    page = browser.get(LOGIN).text
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)', page)[1]
    typed = {"username": email, "csrfmiddlewaretoken": token}
    return [
        browser.post(LOGIN, typed | {"password": f"{password}{n}"}).status_code
        for n in range(times)
    ]


def ask_for_mail(browser, email="ann@example.com"):
    return browser.submit(RESET, email=email)


# Passwords


def test_v5_0_0_6_3_1_after_ten_wrong_passwords_none_comes_to_the_hash(ann, hashed):
    stranger = at(STRANGERS)

    assert guess(stranger, ann.email, 15) == [200] * 10 + [429] * 5
    assert len(hashed) == 10


def test_the_right_password_is_not_looked_at_either(ann, hashed):
    stranger = at(STRANGERS)
    guess(stranger, ann.email, 10)
    hashed.clear()

    assert log_in(stranger, ann).status_code == 429
    assert hashed == []
    assert not Verification.objects.exists()


def test_an_email_without_an_account_is_limited_alike(ann):
    of_nobody = guess(at(STRANGERS), "nobody@example.com", 12)

    assert of_nobody == guess(at(OWNERS), ann.email, 12)


def test_capitals_make_no_other_account(ann):
    guess(at(STRANGERS), "Ann@Example.com", 5)

    assert guess(at(STRANGERS), "ANN@example.com", 6) == [200] * 5 + [429]


def test_right_passwords_do_not_count(ann):
    phone = known(ann, "phone")

    for _ in range(25):
        assert log_in(phone, ann)["Location"] == "/accounts/profile/"
        phone.submit("/accounts/logout/", page="/")


def test_right_passwords_in_a_new_browser_do_not_count(ann, operator, settings):
    settings.NV_LIMITS = "login_account_address=2/15m"

    for _ in range(6):
        assert log_in(Browser(), ann).status_code == 303


def test_a_right_one_hands_its_own_try_back_and_no_other(ann):
    phone = known(ann, "phone", REMOTE_ADDR=OWNERS)
    guess(at(OWNERS), ann.email, 9)

    assert log_in(phone, ann).status_code == 303
    phone.submit("/accounts/logout/", page="/")
    assert guess(at(OWNERS), ann.email, 2) == [200, 429]


def test_v5_0_0_6_3_1_one_address_tries_a_hundred_accounts_and_no_more(hashed):
    stranger = at(STRANGERS)

    statuses = [guess(stranger, f"p{n}@example.com", 1)[0] for n in range(103)]

    assert statuses == [200] * 100 + [429] * 3
    assert len(hashed) == 100
    assert guess(at(OWNERS), "p0@example.com", 1) == [200]


def test_v5_0_0_6_3_1_a_hundred_addresses_try_one_account_thirty_times(ann, hashed):
    statuses = [guess(at(f"203.0.113.{n}"), ann.email, 1)[0] for n in range(34)]

    assert statuses == [200] * 30 + [429] * 4
    assert len(hashed) == 30


def test_a_stranger_does_not_keep_the_owner_out_of_a_browser_of_theirs(ann):
    owners = sign_in(at(OWNERS), ann)
    owners.submit("/accounts/logout/", page="/")
    for n in range(34):
        guess(at(f"203.0.113.{n}"), ann.email, 1)

    assert log_in(at(OWNERS), ann).status_code == 429  # another browser of hers
    assert log_in(owners, ann)["Location"] == "/accounts/profile/"


def test_a_stranger_at_the_same_address_does_not_keep_the_owner_out(ann, settings):
    settings.NV_LIMITS = "login_address=3/h,start_address=1/h"
    owners = sign_in(at(OWNERS), ann)
    owners.submit("/accounts/logout/", page="/")
    assert guess(at(OWNERS), "other@example.com", 4)[-1] == 429

    assert log_in(owners, ann)["Location"] == "/accounts/profile/"


def test_in_a_browser_of_ones_own_passwords_run_out_as_well(ann):
    owners = sign_in(at(OWNERS), ann)
    owners.submit("/accounts/logout/", page="/")

    assert guess(owners, ann.email, 12) == [200] * 10 + [429] * 2


@pytest.mark.parametrize("cookie", ["nv_own", "nv_known"])
def test_a_browser_that_makes_up_the_cookie_is_a_strangers(ann, cookie):
    owners = sign_in(at(OWNERS), ann)
    for n in range(30):
        guess(at(f"203.0.113.{n}"), ann.email, 1)
    stranger = at(STRANGERS)
    stranger.cookies["nv_own"] = owners.cookies["nv_own"].value
    stranger.cookies["nv_known"] = owners.cookies["nv_known"].value
    stranger.cookies[cookie] = "0" * 32

    assert guess(stranger, ann.email, 1) == [429]


def test_ones_own_browser_is_no_better_at_other_accounts(ann):
    owners = sign_in(at(OWNERS), UserFactory(email="own@example.com"))
    owners.submit("/accounts/logout/", page="/")

    assert guess(owners, ann.email, 11) == [200] * 10 + [429]


def test_a_browser_of_many_people_knows_the_last_five(settings):
    family = at(OWNERS)
    people = [UserFactory() for _ in range(6)]
    for n, person in enumerate(people):
        DeviceFactory(user=person, token="family")
        family.cookies["nv_known"] = "family"
        log_in(family, person)
        family.submit("/accounts/logout/", page="/")
        assert family.cookies["nv_own"].value.count(".") == min(n, 4)
    settings.NV_LIMITS = "login_account=1/h"

    last = [guess(family, person.email, 2)[1] for person in people]

    assert last == [429] + [200] * 5


def test_nist_3_2_2_after_a_hundred_in_a_row_only_a_new_password_helps(
    ann, operator, settings
):
    """However many hours they take, and from however many addresses."""
    settings.NV_LIMITS = "login_account=1000/h"
    for n in range(100):
        assert guess(at(f"203.0.113.{n}"), ann.email, 1) == [200]
    owners = at(OWNERS)
    assert log_in(owners, ann).status_code == 429
    settings.NV_LIMITS = "login_account_address=1/d"
    guess(owners, ann.email, 1)

    ask_for_mail(owners)
    link = mailed_link("reset")
    settled = owners.come_back(operator, owners.submit(link))
    new = {"new_password1": "batt3ry staple", "new_password2": "batt3ry staple"}
    done = owners.submit(settled["Location"], **new)

    assert done["Location"] == LOGIN
    assert log_in(owners, ann, "batt3ry staple").status_code == 303


def test_nist_3_2_2_a_right_one_begins_the_row_anew(ann, settings):
    settings.NV_LIMITS = "login_in_a_row=3/365d"
    phone = known(ann, "phone", REMOTE_ADDR=OWNERS)
    for _ in range(3):
        guess(at(STRANGERS), ann.email, 2)
        assert log_in(phone, ann).status_code == 303
        phone.submit("/accounts/logout/", page="/")

    assert guess(at(STRANGERS), ann.email, 4) == [200] * 3 + [429]


def test_the_old_password_is_limited_in_an_open_session_too(ann, operator, hashed):
    phone = sign_in(at(OWNERS), ann)
    change = "/accounts/password/change/"
    by_network(phone, operator, change)
    new = {"new_password1": "batt3ry staple", "new_password2": "batt3ry staple"}
    hashed.clear()

    said = [
        phone.submit(change, old_password=f"wrong{n}", **new).status_code
        for n in range(12)
    ]

    assert said == [200] * 10 + [429] * 2
    assert len(hashed) == 10


def test_nist_3_2_2_old_passwords_have_a_row_of_their_own(ann, operator, settings):
    """A stranger at the login must not use up the tries of who is signed in."""
    phone = sign_in(at(OWNERS), ann)
    change = "/accounts/password/change/"
    settings.NV_LIMITS = "login_in_a_row=3/365d,password_in_a_row=2/365d"
    assert guess(at(STRANGERS), ann.email, 4)[-1] == 429
    new = {"new_password1": "batt3ry staple", "new_password2": "batt3ry staple"}

    by_network(phone, operator, change)
    assert phone.submit(change, old_password=PASSWORD, **new).status_code == 303
    assert guess(at(STRANGERS), ann.email, 2) == [200] * 2  # anew, after a right one
    by_network(phone, operator, change)
    said = [phone.submit(change, old_password="wrong", **new) for _ in range(3)]
    assert [page.status_code for page in said] == [200, 200, 429]
    assert "Set a new password." in said[2].text


def test_nobody_is_told_to_wait_for_a_year(ann, settings):
    settings.NV_LIMITS = "login_in_a_row=1/365d"
    guess(at(STRANGERS), ann.email, 1)

    page = log_in(at(OWNERS), ann)

    assert page.status_code == 429
    assert int(page["Retry-After"]) > 364 * 86_400
    assert "Try again in" not in page.text
    assert "a browser in which you have logged in before" in page.text
    assert f'href="{RESET}"' in page.text


def gathered(ann, times):
    """Browsers in which somebody has logged in with the password."""
    browsers = []
    for n in range(times):
        browsers.append(sign_in(at(STRANGERS), ann, f"gathered {n}"))
        browsers[-1].submit("/accounts/logout/", page="/")
    return browsers


def frozen(ann):
    account.freeze(ann)


def reset(ann):
    ann.set_password("batt3ry staple")
    ann.save()
    ann.forget_browsers()


def ended_all(ann):
    ann.end_sessions()


@pytest.mark.parametrize("done", [frozen, reset, ended_all])
def test_a_browser_of_ones_own_is_none_after(ann, done):
    browsers = gathered(ann, 4)

    done(ann)

    said = [status for each in browsers for status in guess(each, ann.email, 5)]
    assert said.count(200) == 10  # as from any one address


def test_a_browser_that_is_forgotten_is_a_strangers(ann):
    mine, other = gathered(ann, 2)
    ann.device_set.order_by("pk").first().delete()

    assert guess(at(STRANGERS), ann.email, 10)[-1] == 200
    assert guess(mine, ann.email, 1) == [429]
    assert guess(other, ann.email, 1) == [200]


def test_the_password_that_puts_an_app_on_file_is_limited(hashed):
    person = UserFactory(email="ben@example.com")
    phone = sign_in(at(OWNERS), person)
    app = "/verify/authenticator/"
    hashed.clear()

    said = [
        phone.submit(app, code="000000", password=f"wrong{n}").status_code
        for n in range(12)
    ]

    assert said == [200] * 10 + [429] * 2
    assert len(hashed) == 10


def test_v5_0_0_6_3_4_the_admins_login_is_the_same_door_with_the_same_limits(hashed):
    """No second way in with weaker rules: it has no form of its own."""
    staff = UserFactory(email="staff@example.com", staff=True)
    hashed.clear()
    stranger = at(STRANGERS)

    door = stranger.get("/admin/", follow=True)

    assert door.request["PATH_INFO"] == LOGIN
    assert stranger.post("/admin/login/", {"username": "x"}).status_code in (403, 405)
    assert guess(stranger, staff.email, 12) == [200] * 10 + [429] * 2
    assert len(hashed) == 10


# The address


def test_v5_0_0_4_1_3_a_spoofed_forwarded_for_moves_no_limit(ann):
    stranger = at(STRANGERS)
    said = []
    for n in range(12):
        stranger.defaults["HTTP_X_FORWARDED_FOR"] = f"198.51.100.{n}"
        said += guess(stranger, f"p{n}@example.com" if n < 2 else ann.email, 1)

    assert said == [200] * 12
    assert guess(stranger, ann.email, 1) == [429]


@pytest.mark.parametrize(
    "left",
    ["198.51.100.{}, ", "not an address {}, ", "::{}, ", "{},,,", "x" * 4000 + "{}, "],
)
def test_v5_0_0_4_1_3_behind_a_proxy_only_its_own_word_counts(ann, settings, left):
    settings.TRUSTED_PROXY_COUNT = 1
    said = []
    for n in range(11):
        spoofed = left.format(n) + STRANGERS
        said += guess(at("10.0.0.1", HTTP_X_FORWARDED_FOR=spoofed), ann.email, 1)

    assert said == [200] * 10 + [429]
    other = at("10.0.0.1", HTTP_X_FORWARDED_FOR=OWNERS)
    assert guess(other, ann.email, 1) == [200]


@pytest.mark.parametrize(
    "forwarded",
    ["", "nonsense", "999.1.1.1", "\x00", "203.0.113.9%0a", "[::1", "a,b,c"],
)
def test_v5_0_0_4_1_3_a_malformed_one_gets_a_page_and_a_limit(ann, settings, forwarded):
    settings.TRUSTED_PROXY_COUNT = 1
    settings.NV_LIMITS = "login_account_address=3/h"
    around = at(STRANGERS, HTTP_X_FORWARDED_FOR=forwarded)

    assert guess(around, ann.email, 4) == [200] * 3 + [429]
    assert guess(at(OWNERS, HTTP_X_FORWARDED_FOR=""), ann.email, 1) == [200]


def test_all_of_a_customers_ipv6_addresses_count_as_one(ann):
    said = [guess(at(f"2001:db8:1:1::{n:x}"), ann.email, 1)[0] for n in range(11)]

    assert said == [200] * 10 + [429]
    assert guess(at("2001:db8:1:2::1"), ann.email, 1) == [200]


def test_rfc9700_4_13_a_header_that_names_a_number_or_a_person_changes_nothing(
    operator,
):
    """What a mobile network's proxy adds, or an attacker: it is never read."""
    names = ["X_MSISDN", "X_NOKIA_MSISDN", "X_UP_CALLING_LINE_ID", "MSISDN"]
    names += ["X_WAP_MSISDN", "REMOTE_USER", "X_REMOTE_USER", "X_REAL_IP", "FORWARDED"]
    names += ["CLIENT_IP", "TRUE_CLIENT_IP", "X_FORWARDED_FOR"]
    lies = {f"HTTP_{name}": "+447700900999" for name in names}
    lies |= {"HTTP_X_REAL_IP": OWNERS, "HTTP_X_FORWARDED_FOR": OWNERS}
    phone = at(STRANGERS, **lies)

    started = phone.submit("/accounts/signup/", email="a@example.com", **SIGNUP)
    page = phone.follow(phone.come_back(operator, started))

    row = Verification.objects.get()
    assert page.context["user"].profile.phone == ANN
    assert row.ip == STRANGERS
    assert operator.calls_to("/premiuminfo/v1/")[-1].json != {}
    assert row.number_mask == "+44 •••• •••123"


def test_without_an_address_nobody_shares_one(settings):
    """As on a unix socket: or one stranger would shut out the site. Accounts count."""
    settings.NV_LIMITS = "login_address=2/15m,login_account=3/h"

    assert guess(at(""), "a@example.com", 4) == [200] * 3 + [429]
    assert guess(at(""), "b@example.com", 1) == [200]


# Signups and mails


def test_v5_0_0_2_4_1_signups_are_limited_before_the_hash(operator, settings, hashed):
    settings.NV_LIMITS = "signup_address=3/h"
    page = "/accounts/signup/"

    said = [
        at(STRANGERS).submit(page, email=f"p{n}@example.com", **SIGNUP).status_code
        for n in range(5)
    ]

    assert said == [303] * 3 + [429] * 2
    assert len(hashed) == 3
    assert Verification.objects.count() == 3
    elsewhere = at(OWNERS).submit(page, email="a@example.com", **SIGNUP)
    assert elsewhere.status_code == 303


@pytest.mark.parametrize("email", ["ann@example.com", "nobody@example.com"])
def test_v5_0_0_2_4_1_mails_are_limited_alike_with_and_without_an_account(ann, email):
    said = [ask_for_mail(at(STRANGERS), email).status_code for _ in range(5)]

    assert said == [303] * 3 + [429] * 2
    mail.wait()
    assert len(outbox.outbox) == (3 if email == ann.email else 0)


def test_a_stranger_does_not_use_up_the_mails_of_the_owners_browser(ann):
    owners = sign_in(at(OWNERS), ann)
    owners.submit("/accounts/logout/", page="/")
    for n in range(4):
        for _ in range(4):
            last = ask_for_mail(at(f"203.0.113.{n}"))

    assert last.status_code == 429
    assert ask_for_mail(owners).status_code == 303


def test_strangers_do_not_close_the_reset_in_a_new_browser(ann, settings):
    """Whom they have locked out, or frozen, has no other door."""
    for n in range(3):
        guess(at(f"2001:db8:0:{n}::1"), ann.email, 10)
    for n in range(5):
        for _ in range(3):
            ask_for_mail(at(f"2001:db8:0:{n}::1"))
    new = at(OWNERS)

    locked = log_in(new, ann)

    assert locked.status_code == 429
    assert f'href="{RESET}"' in locked.text
    assert [ask_for_mail(new).status_code for _ in range(3)] == [303, 303, 429]


def test_a_frozen_persons_reset_is_open_to_them(ann):
    for n in range(5):
        for _ in range(3):
            ask_for_mail(at(f"203.0.113.{n}"))
    account.freeze(ann)

    assert ask_for_mail(at(OWNERS)).status_code == 303


def test_asking_for_the_confirmation_again_is_limited(ann):
    phone = sign_in(at(OWNERS), ann)
    again = "/accounts/email/resend/"

    said = [phone.submit(again, page="/").status_code for _ in range(4)]

    assert said == [303] * 3 + [429]


# The page


def test_the_page_says_when_and_what_to_do(ann):
    stranger = at(STRANGERS)
    with time_machine.travel(datetime(2026, 3, 1, 13, 52, tzinfo=UTC), tick=False):
        guess(stranger, ann.email, 10)
        page = log_in(stranger, ann)

    assert page.status_code == 429
    assert page["Retry-After"] == "900"
    assert "no-store" in page["Cache-Control"]
    assert "Too many wrong passwords" in page.text
    assert "Try again in 15 minutes." in page.text
    assert "That is at 14:07 UTC." in page.text
    assert f'href="{RESET}"' in page.text
    assert ann.email not in page.text


def test_where_a_new_password_would_not_help_none_is_offered(settings):
    settings.NV_LIMITS = "login_address=1/h"
    guess(at(STRANGERS), "a@example.com", 1)
    page = at(STRANGERS).submit(LOGIN, username="b@example.com", password="wrong")

    assert page.status_code == 429
    assert f'href="{RESET}"' not in page.text


def test_trying_sooner_makes_it_no_longer(ann, stores_in_process):
    stranger = at(STRANGERS)
    start = datetime(2026, 3, 1, 13, 52, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        guess(stranger, ann.email, 15)
        clock.shift(840)
        page = log_in(stranger, ann)
        assert page["Retry-After"] == "60"
        assert "Try again in 60 seconds." in page.text
        clock.shift(0.5)
        assert log_in(stranger, ann)["Retry-After"] == "60"  # never too early
        clock.shift(59.5)
        assert guess(stranger, ann.email, 1) == [200]


def test_a_wait_of_days_names_the_day(ann, settings):
    settings.NV_LIMITS = "login_account=1/3d"
    with time_machine.travel(datetime(2026, 3, 1, 13, 52, tzinfo=UTC), tick=False):
        guess(at(STRANGERS), ann.email, 1)
        page = log_in(at(OWNERS), ann)

    assert "Try again in 3 days." in page.text
    assert "That is on 4 March at 13:52 UTC." in page.text


def test_the_log_names_the_limit_and_nobody(ann, caplog):
    guess(at(STRANGERS), ann.email, 11)

    assert "the limit login_account_address is reached" in caplog.text
    assert "ann@" not in caplog.text
    assert STRANGERS not in caplog.text


def test_off_lets_everything_through(ann, settings):
    settings.NV_LIMITS = "off"

    assert guess(at(STRANGERS), ann.email, 40) == [200] * 40


# The store


class Counted:
    """A store that counts the round trips of a test."""

    def __init__(self, of):
        self.of, self.trips = of, 0

    def move(self, *args, **kwargs):
        self.trips += 1
        return self.of.move(*args, **kwargs)


def redis_at(settings, address, prefix=""):
    backend = "django.core.cache.backends.redis.RedisCache"
    cache = {"BACKEND": backend, "LOCATION": address, "KEY_PREFIX": prefix}
    settings.CACHES = {"default": cache}


@pytest.fixture
def shared(settings):
    """The limits in Redis, under a prefix of the test's own."""
    prefix = f"test-{secrets.token_hex(8)}-"
    redis_at(settings, REDIS_URL, prefix)
    store = windows.shared(REDIS_URL, prefix + windows.PREFIX)
    yield store.storage.get_connection()
    store.storage.reset()


@pytest.fixture
def away(settings):
    """A Redis that nobody answers at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        redis_at(settings, f"redis://127.0.0.1:{free.getsockname()[1]}/0")
        yield


@pytest.mark.redis
def test_the_store_learns_no_email_number_or_address(ann, operator, shared):
    guess(at(STRANGERS), ann.email, 2)
    log_in(at(STRANGERS), ann)
    ask_for_mail(at(STRANGERS))
    fields = SIGNUP | {"email": "a@example.com", "method": "sms"}
    at(STRANGERS).submit("/accounts/signup/", **fields)

    keys = b" ".join(shared.keys("test-*")).decode()
    names = set(re.findall(r"nv/(\w+)/[0-9a-f]{32}/", keys))
    assert {"login_account", "start_account", "mail_email", "text_number"} <= names
    for secret in ("ann", "@", "7700", "900123", STRANGERS, "203.0"):
        assert secret not in keys


@pytest.mark.redis
def test_a_whole_login_costs_two_round_trips(ann, operator, shared, monkeypatch):
    """Seen at the connection: what is sent at once is one trip."""
    log_in(Browser(), ann)  # connected, and the script loaded, by now
    trips = []
    send = Connection.send_packed_command

    def counted(self, command, *args, **kwargs):
        if windows.PREFIX.encode() in b"".join(command):  # not those of sessions
            trips.append(command)
        return send(self, command, *args, **kwargs)

    monkeypatch.setattr(Connection, "send_packed_command", counted)
    phone = Browser()

    started = log_in(phone, ann)
    phone.follow(phone.come_back(operator, started))

    assert len(trips) == 2
    assert is_signed_in(phone)


class Broken:
    makes_codes = False

    def send(self, msisdn, text):
        raise OSError


def unreachable(name):
    raise OperatorUnreachable


def test_what_is_owed_comes_back_with_the_next_try(ann, operator, monkeypatch):
    """A check that is over at once is handed back, and costs no round trip for it."""
    monkeypatch.setattr("numberverify.network._prepared", unreachable)

    said = [log_in(Browser(), ann).status_code for _ in range(25)]

    assert said == [303] * 25


@pytest.mark.parametrize(
    "journey",
    [
        "login",
        "login by text message",
        "login not on the phone",
        "login that nobody can check",
        "login whose message nobody takes",
        "wrong password",
        "signup",
        "signup that nobody can check",
        "old password",
        "reset",
        "known",
    ],
)
def test_no_request_costs_more_than_two_round_trips(
    ann, operator, monkeypatch, settings, journey
):
    phone = sign_in(Browser(), ann) if journey == "known" else Browser()
    if journey == "known":
        phone.submit("/accounts/logout/", page="/")
    signup = SIGNUP | {"email": "a@example.com"}
    if "nobody can check" in journey:
        monkeypatch.setattr("numberverify.network._prepared", unreachable)
    if "nobody takes" in journey:
        settings.SMS_BACKEND = f"{__name__}.Broken"
    if journey == "old password":
        change = "/accounts/password/change/"
        by_network(sign_in(phone, ann), operator, change)
        new = {"new_password1": "batt3ry staple", "new_password2": "batt3ry staple"}
    counted = Counted(windows.in_process)
    monkeypatch.setattr("numberverify.limits.store", lambda: counted)
    do = {
        "login": lambda: log_in(phone, ann),
        "login by text message": lambda: log_in(phone, ann, method="sms"),
        "login not on the phone": lambda: log_in(phone, ann, method="other"),
        "login that nobody can check": lambda: log_in(phone, ann),
        "login whose message nobody takes": lambda: log_in(phone, ann, method="sms"),
        "wrong password": lambda: log_in(phone, ann, "wrong"),
        "signup that nobody can check": lambda: phone.submit(
            "/accounts/signup/", **signup
        ),
        "old password": lambda: phone.submit(change, old_password=PASSWORD, **new),
        "signup": lambda: phone.submit("/accounts/signup/", **signup, method="sms"),
        "reset": lambda: ask_for_mail(phone),
        "known": lambda: log_in(phone, ann),
    }

    do[journey]()

    assert 1 <= counted.trips <= 2


@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
def test_with_the_store_away_no_password_is_looked_at(ann, away, hashed, password):
    page = log_in(at(OWNERS), ann, password)

    assert page.status_code == 503
    assert page["Retry-After"] == "60"
    assert "Try again in a minute." in page.text
    assert hashed == []


def test_with_the_store_away_no_mail_leaves(ann, away):
    assert ask_for_mail(at(OWNERS)).status_code == 503
    mail.wait()
    assert outbox.outbox == []


def test_with_the_store_away_the_network_is_asked_all_the_same(away, operator, caplog):
    phone = at(OWNERS)
    started = phone.submit("/accounts/signup/", email="a@example.com", **SIGNUP)
    page = phone.follow(phone.come_back(operator, started))

    assert page.context["user"].email == "a@example.com"
    assert "limits cannot be counted, ConnectionError: let through" in caplog.text


def test_with_the_store_away_who_is_signed_in_stays_so(ann, settings):
    phone = sign_in(at(OWNERS), ann)
    redis_at(settings, "redis://127.0.0.1:1/0")

    assert is_signed_in(phone)
