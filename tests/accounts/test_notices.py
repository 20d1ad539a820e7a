"""What people are told, where, in which words: never silently.

OWASP ASVS 5.0.0: 6.3.5, 6.3.7, 6.3.8; NIST SP 800-63B-4: 3.1.3.3, 4.1.2.1, 4.6.
"""

import base64
import hashlib
import logging
import re
import time
from datetime import timedelta

import pytest
from django.core import mail as outbox
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from django_otp.oath import totp

from accounts import account, claims, mail, notices, queues, watch
from accounts.models import Device, Notice, User
from accounts.notice import Kind
from numberverify.browser import Browser as AsSeen
from numberverify.choices import Event, Method
from numberverify.errors import SmsNotSent
from numberverify.factors import recovery, sms
from numberverify.flow import Receipt
from numberverify.msisdn import Msisdn
from tests.accounts.browsers import AGENTS, device_of, known, opened
from tests.accounts.steps import (
    by_app,
    by_network,
    log_in,
    mailed,
    mailed_link,
    sign_in,
)
from tests.conftest import Browser
from tests.factories import (
    ANN,
    PASSWORD,
    AuthenticatorFactory,
    DeviceFactory,
    ManualRequestFactory,
    RecoveryCodeFactory,
    UserFactory,
    VerificationFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("run_on_commit")]
BEN = "+447700900456"
NEW = "batt3ry staple"
PASSWORDS = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
RESET = "/accounts/password/reset/"


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


@pytest.fixture
def hers(browser, ann):
    return sign_in(browser, ann)


def news() -> list[str]:
    """The subjects of what Ann was told."""
    return [subject for to, subject in mailed() if to == "ann@example.com"]


def texted() -> list[tuple[str, str]]:
    mail.wait()
    return [(message.msisdn.e164, message.text) for message in sms.outbox]


# Each change, by its journey


def changes_the_password(browser, operator, ann):
    by_network(browser, operator, "/accounts/password/change/")
    browser.submit("/accounts/password/change/", **PASSWORDS)


def resets_the_password(browser, operator, ann):
    Browser().submit(RESET, email=ann.email)
    started = browser.submit(mailed_link(r"password/reset/\w+/"))
    form = browser.follow(browser.come_back(operator, started))
    journey = form.request["PATH_INFO"]
    browser.submit(journey, new_password1=NEW, new_password2=NEW)
    outbox.outbox.pop(0)  # the link itself is no news


def changes_the_number(browser, operator, ann):
    by_network(browser, operator, "/accounts/phone/change/")
    operator.sim = BEN
    started = browser.submit("/accounts/phone/change/", phone=BEN)
    browser.follow(browser.come_back(operator, started))


def removes_the_number(browser, operator, ann):
    by_network(browser, operator, "/accounts/phone/remove/")
    browser.submit("/accounts/phone/remove/", remove="1")


def asks_for_another_email(browser, operator, ann):
    by_network(browser, operator, "/accounts/email/change/")
    browser.submit("/accounts/email/change/", email="anne@example.com")


def changes_the_email(browser, operator, ann):
    asks_for_another_email(browser, operator, ann)
    browser.submit(mailed_link("email/change/"))


def adds_an_app(browser, operator, ann):
    page = by_network(browser, operator, "/verify/authenticator/")
    key = page.context["form"].initial["key"]
    code = app_of_the_page(page)
    browser.post(
        "/verify/authenticator/",
        {"key": key, "code": code, "csrfmiddlewaretoken": page.context["csrf_token"]},
    )


def app_of_the_page(page) -> str:
    key = base64.b32decode(page.context["typed_key"].replace(" ", ""))
    return f"{totp(key):06}"


def removes_the_app(browser, operator, ann):
    AuthenticatorFactory(user=ann)
    by_network(browser, operator, "/verify/authenticator/")
    browser.submit("/verify/authenticator/", remove="1")


def makes_codes(browser, operator, ann):
    by_network(browser, operator, "/verify/recovery-codes/")
    browser.submit("/verify/recovery-codes/", make="1")


def logs_in_elsewhere(browser, operator, ann):
    stranger = Browser()
    stranger.follow(stranger.come_back(operator, log_in(stranger, ann)))


def ends_the_others(browser, operator, ann):
    by_network(browser, operator, "/accounts/sessions/end/")
    browser.submit("/accounts/sessions/end/", end="1")


CHANGES = [
    (changes_the_password, "Your password was changed"),
    (resets_the_password, "Your password was changed"),
    (changes_the_number, "Your mobile number was changed"),
    (removes_the_number, "Your mobile number was removed"),
    (asks_for_another_email, "Somebody asked to change your e-mail address"),
    (changes_the_email, "Your e-mail address was changed"),
    (adds_an_app, "An authenticator app was added to your account"),
    (removes_the_app, "The authenticator app was removed"),
    (makes_codes, "New recovery codes were made"),
    (logs_in_elsewhere, "Your account was opened in a new browser"),
    (ends_the_others, "All other sessions of your account were ended"),
]
each_change = pytest.mark.parametrize(
    ("change", "said"), CHANGES, ids=[change.__name__ for change, _ in CHANGES]
)


@each_change
def test_v5_0_0_6_3_7_each_change_is_mailed_once_with_a_way_to_say_no(
    hers, operator, ann, change, said
):
    change(hers, operator, ann)

    assert news().count(said) == 1
    assert len([one for one in news() if one != said]) <= (change is changes_the_email)
    told = next(each for each in outbox.outbox if each.subject == said)
    link = re.search(r"http://testserver(/accounts/not-me/\S+)", told.body)[1]
    assert "freezes the account" in told.body
    assert said in Browser().get(link).text


def test_v5_0_0_6_3_7_the_mail_says_when_in_which_browser_and_in_which_country(
    ann, operator
):
    stranger = Browser()
    stranger.defaults |= {
        "HTTP_USER_AGENT": AGENTS["stranger"],
        "REMOTE_ADDR": "200.87.100.1",
    }
    stranger.follow(stranger.come_back(operator, log_in(stranger, ann)))

    mailed()
    body = outbox.outbox[-1].body
    assert "Microsoft Edge on Windows, by an address of Bolivia" in body
    assert re.search(r"at Number Verify on \d+ \w+ \d{4} at \d\d:\d\d UTC", body)
    assert "200.87" not in body


# A login


def test_a_login_by_password_alone_in_a_new_browser_is_mailed(settings, ann):
    settings.NV_LOGIN_POLICY = "never"

    log_in(Browser(), ann)

    assert news() == ["Your account was opened in a new browser"]


def test_a_login_in_a_known_browser_is_no_news(ann):
    log_in(known(ann, "phone"), ann)

    assert news() == []


def test_a_login_that_nobody_confirmed_is_none_yet(ann, operator):
    log_in(Browser(), ann)

    assert news() == []


def test_the_browser_of_the_signup_is_no_news(browser, operator):
    typed = {"password1": PASSWORD, "password2": PASSWORD, "phone": ANN}
    started = browser.submit("/accounts/signup/", email="ann@example.com", **typed)
    browser.follow(browser.come_back(operator, started))

    assert Device.objects.count() == 1
    assert news() == ["Confirm your e-mail address"]


def test_a_browser_that_is_signed_out_is_named(ann):
    phone = opened(ann, "phone")
    opened(ann, "laptop")

    phone.submit("/accounts/browsers/", end=str(device_of("laptop").pk))

    assert news() == ["You were signed out of your account in a browser"]
    assert "It was done in: Firefox on Android." in outbox.outbox[-1].body
    assert "done to: Safari on macOS." in outbox.outbox[-1].body


# Factors


def test_of_ten_codes_the_last_one_is_told_as_the_last(ann):
    first, last = (
        RecoveryCodeFactory(user=ann),
        RecoveryCodeFactory(user=ann, code="ZZZZ-4567-89AB-CDEF"),
    )

    recovery.spend(first)
    recovery.spend(last)

    last_one = "The last of your recovery codes was used"
    assert sorted(news()) == ["A recovery code was used", last_one]
    told = next(each for each in outbox.outbox if each.subject == last_one)
    assert "http://testserver/verify/recovery-codes/" in told.body


# Told of by what stands in rows: test_watch.py, test_handoff.py.
COUNTED = {Event.NO_MATCH, Event.NOT_ME}


@pytest.mark.parametrize("event", [each for each in Event if each not in COUNTED])
def test_every_event_of_numberverify_has_news(ann, event):
    watch.hear(ann, event)

    assert len(news()) == 1


def test_a_first_number_is_mailed_and_texted_to_nobody(browser, operator):
    user = UserFactory(email="ann@example.com")
    AuthenticatorFactory(user=user)
    sign_in(browser, user)
    by_app(browser, user, "/accounts/phone/change/")
    started = browser.submit("/accounts/phone/change/", phone=ANN)
    browser.follow(browser.come_back(operator, started))

    assert news() == ["A mobile number was put on your account"]
    assert texted() == []


# Text messages


def test_nist_3_1_3_3_another_number_takes_a_proof_and_the_old_one_is_texted(
    hers, operator, ann
):
    changes_the_number(hers, operator, ann)

    ((to, text),) = texted()
    assert to == ANN
    assert text.startswith("Number Verify: Your mobile number was changed. Was it not")
    assert "http" not in text
    assert len(text) <= 160


def test_nist_4_1_2_1_a_number_that_nobody_proved_tells_and_changes_nothing(
    hers, operator, ann
):
    hers.submit("/accounts/phone/change/", phone=BEN)

    assert (news(), texted()) == ([], [])
    assert ann.profile.phone == ANN


def test_nist_4_6_a_change_goes_to_the_mailbox_and_to_the_number(hers, operator, ann):
    removes_the_number(hers, operator, ann)

    assert news() == ["Your mobile number was removed"]
    assert [to for to, _ in texted()] == [ANN]


def test_nist_4_6_a_change_of_mailbox_goes_to_the_old_one_and_to_the_number(
    hers, operator, ann
):
    changes_the_email(hers, operator, ann)

    assert news()[-1] == "Your e-mail address was changed"
    assert [to for to, _ in texted()] == [ANN]


def test_a_closed_account_s_number_is_told(hers, operator, ann):
    by_network(hers, operator, "/accounts/close/")
    hers.submit("/accounts/close/", close="1", sure="on")

    assert [to for to, _ in texted()] == [ANN]
    assert "your account is closed" in texted()[0][1]


@pytest.mark.parametrize("backend", ["", "operator"])
def test_a_site_that_sends_no_words_of_its_own_changes_the_number_all_the_same(
    hers, operator, ann, settings, backend
):
    operators = "numberverify.factors.operator_sms.OperatorBackend"
    settings.SMS_BACKEND = backend and operators

    changes_the_number(hers, operator, ann)

    assert news() == ["Your mobile number was changed"]
    assert texted() == []


def test_a_text_message_that_cannot_leave_is_logged_without_the_number(
    hers, operator, ann, monkeypatch, caplog
):
    def refuse(self, msisdn, text):
        raise SmsNotSent(msisdn.e164)

    monkeypatch.setattr("numberverify.factors.sms.MemoryBackend.send", refuse)
    changes_the_number(hers, operator, ann)
    mail.wait()

    assert "a text message was not sent: SmsNotSent" in caplog.text
    assert "900123" not in caplog.text


def test_the_number_and_the_link_are_in_no_log(hers, operator, ann, caplog):
    caplog.set_level(logging.DEBUG)

    changes_the_number(hers, operator, ann)

    token = mailed_link("not-me").split("/")[-2]
    assert texted()
    assert token not in caplog.text
    assert "900123" not in caplog.text


# A number that another SIM claims


@pytest.fixture
def claim(ann, settings):
    settings.NV_TAKEOVER = "challenge"
    receipt = Receipt(VerificationFactory().pk, Method.NETWORK, ann.date_joined)
    ben = UserFactory(email="ben@example.com", phone=BEN)
    return claims.begin(ben, ANN, ann.profile, receipt, replaces=BEN)


def test_the_holder_of_a_claimed_number_is_mailed_and_its_sim_texted_nothing(claim):
    assert news() == ["Somebody else has proved your mobile number"]
    (body,) = [each.body for each in outbox.outbox if each.to == ["ann@example.com"]]
    assert "http://testserver/accounts/phone/claim/" in body
    assert f"{claim.due_at:%H:%M} UTC" in body
    assert ANN not in [to for to, _ in texted()]


def test_when_it_moves_both_are_mailed_and_the_number_that_it_replaces_is_texted(claim):
    before = len(mailed())
    claims.move(claim)

    assert sorted(mailed()[before:]) == [
        ("ann@example.com", "Your mobile number is on another account now"),
        ("ben@example.com", "The mobile number that you proved is yours now"),
    ]
    assert {to for to, _ in texted()} == {BEN}


# After the commit, outside the request


def test_nothing_leaves_of_what_is_rolled_back(transactional_db, monkeypatch):
    monkeypatch.undo()  # the real on_commit
    ann = UserFactory(email="ann@example.com")

    with transaction.atomic():
        notices.tell_of_number(ann, Kind.NUMBER_REMOVED, None, before=Msisdn(ANN))
        transaction.set_rollback(True)

    assert (mailed(), texted()) == ([], [])
    assert not Notice.objects.exists()


def test_v5_0_0_6_3_8_the_answer_does_not_wait_for_the_mail(ann, monkeypatch):
    """Nor does its time tell who has an account."""
    monkeypatch.setattr(queues, "AFTER_THE_ANSWER", 0.5)

    for email in (ann.email, "nobody@example.com"):
        began = time.monotonic()
        Browser().submit(RESET, email=email)
        assert time.monotonic() - began < 0.4

    assert [to for to, _ in mailed()] == [ann.email]


def test_v5_0_0_6_3_8_an_address_with_an_account_is_asked_for_like_any_other(
    hers, operator, ann
):
    UserFactory(email="ben@example.com")
    answers = []
    for email in ("ben@example.com", "nobody@example.com"):
        by_network(hers, operator, "/accounts/email/change/")
        page = hers.submit("/accounts/email/change/", email=email)
        answers.append((page.status_code, page["Location"]))

    assert answers[0] == answers[1]
    owner = [subject for to, subject in mailed() if to == "ben@example.com"]
    assert owner == ["Somebody asked for your e-mail address"]


# In the person's language


def says(language: str) -> Browser:
    browser = Browser()
    browser.defaults |= {"HTTP_ACCEPT_LANGUAGE": language}
    return browser


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", "de"),
        ("fr,de;q=0.8", "de"),
        ("en-US", "en-gb"),
        ("fr", "en-gb"),
        ("", ""),
        ("%%%;;q=x", "en-gb"),
    ],
)
def test_a_signup_notes_the_language_of_its_browser(operator, header, kept):
    browser = says(header)
    typed = {"password1": PASSWORD, "password2": PASSWORD, "phone": ANN}
    started = browser.submit("/accounts/signup/", email="ann@example.com", **typed)
    browser.follow(browser.come_back(operator, started))

    assert User.objects.get().language == kept
    german = "Bestätigen Sie Ihre E-Mail-Adresse"
    assert news() == [german if kept == "de" else "Confirm your e-mail address"]


def test_a_german_person_is_mailed_and_texted_in_german(hers, operator, ann):
    User.objects.update(language="de")

    changes_the_number(hers, operator, ann)

    assert news() == ["Ihre Mobilnummer wurde geändert"]
    assert "Das geschah mit Ihrem Konto bei Number Verify am" in outbox.outbox[-1].body
    assert texted()[0][1].startswith("Number Verify: Ihre Mobilnummer wurde geändert. ")


def test_a_stranger_does_not_have_the_owner_told_in_a_language_of_theirs(settings, ann):
    settings.NV_LOGIN_POLICY = "never"
    User.objects.update(language="de")

    log_in(says("en"), ann)

    assert news() == ["Ihr Konto wurde in einem neuen Browser geöffnet"]
    assert User.objects.get().language == "de"


def test_no_browser_undoes_what_is_on_file(ann, operator):
    here = says("de")
    DeviceFactory(user=ann, token="known browser")
    here.cookies["nv_known"] = "known browser"
    User.objects.update(language="en-gb")

    log_in(here, ann)

    assert User.objects.get().language == "en-gb"


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("language", ["en-gb", "de"])
def test_all_news_can_be_written_in_each_language(ann, kind, language):
    ann.language = language
    here = AsSeen("", "200.87.100.1", AGENTS["phone"])
    there = DeviceFactory(user=ann, user_agent=AGENTS["laptop"])

    notices.tell(ann, kind, here, about=there, due=ann.date_joined)

    mailed()
    (told,) = outbox.outbox
    said = f"{told.subject}\n{told.body}"
    assert str(kind.label) in said or language == "de"
    assert ("freezes the account" in said) is (language == "en-gb")
    assert ("das Konto ist gesperrt" in said) is (language == "de")
    assert "Firefox" in said
    assert "{" not in said
    assert "%(" not in said


# What is kept


def test_what_was_told_is_in_the_export_without_the_link(hers, operator, ann):
    notices.tell(ann, Kind.NO_MATCH)
    token = mailed_link("not-me").split("/")[-2]
    by_network(hers, operator, "/accounts/export/")

    known_of_her = hers.submit("/accounts/export/", export="1")

    assert known_of_her.json()["told"][0]["kind"] == "no_match"
    assert token not in known_of_her.text
    assert not Notice.objects.filter(token_digest=token.encode()).exists()


def test_an_account_that_is_emptied_keeps_no_news(ann):
    ManualRequestFactory(asked_by=ann)
    notices.tell(ann, Kind.NO_MATCH)

    account.delete(ann)

    assert User.objects.filter(pk=ann.pk).exists()
    assert not Notice.objects.exists()


def test_v5_0_0_11_5_1_the_token_of_a_link_is_random_and_only_its_digest_is_kept(ann):
    tokens = []
    for kind in (Kind.NO_MATCH, Kind.NUMBER_KEPT):
        notices.tell(ann, kind)
        tokens.append(mailed_link("not-me").split("/")[-2])

    sizes = {len(base64.urlsafe_b64decode(token + "==")) for token in tokens}
    assert sizes == {32}  # 256 bits of secrets.token_urlsafe; 128 would do
    assert len(set(tokens)) == 2
    kept = [bytes(row.token_digest) for row in Notice.objects.order_by("pk")]
    assert kept == [hashlib.sha256(token.encode()).digest() for token in tokens]


def test_v5_0_0_14_2_7_housekeeping_deletes_what_was_told_a_month_ago(ann):
    notices.tell(ann, Kind.NO_MATCH)
    notices.tell(ann, Kind.NUMBER_KEPT)
    old = timezone.now() - timedelta(days=30, minutes=1)
    Notice.objects.filter(kind=Kind.NO_MATCH).update(created_at=old)

    call_command("housekeeping", verbosity=0)

    assert [each.kind for each in Notice.objects.all()] == [Kind.NUMBER_KEPT]
