"""Every text that people read can be translated: pages, errors, mails."""

import re
from collections import deque
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core import mail as outbox
from django.core.management import call_command
from django.template.loader import render_to_string
from django.utils import timezone

from accounts import mail, notices
from accounts.models import Claim, NumberEvent
from accounts.notice import Kind
from numberverify import conf
from numberverify.browser import Browser as AsSeen
from numberverify.choices import Because, Method, Purpose, Reason, Status
from numberverify.limits import Limited
from numberverify.models import StaffRecord
from numberverify.uuid7 import uuid7
from tests.accounts.browsers import AGENTS
from tests.conftest import Browser
from tests.factories import (
    ANN,
    BINDING,
    AuthenticatorFactory,
    DeviceFactory,
    ManualRequestFactory,
    NumberReleaseFactory,
    RecoveryCodeFactory,
    UserFactory,
    VerificationFactory,
)
from tests.numberverify import handed
from tests.numberverify.sandbox import wire
from tests.wrapped import said_outside, wrap

pytestmark = pytest.mark.django_db
BEN = "+447700900456"
TAGS = re.compile(
    r"{% block (?:bodyclass|coltype|kind|again_every) %}.*?{% endblock %}"
    r"|{%\s*blocktranslate\b.*?{%\s*endblocktranslate\s*%}|{#.*?#}|{%.*?%}|{{.*?}}",
    re.DOTALL,
)
TEMPLATES = sorted(
    path
    for folder in ("templates", "accounts/templates")
    for path in (settings.BASE_DIR / folder).rglob("*.*")
)
SCRIPTS = sorted((settings.BASE_DIR / "static").rglob("*.js"))
# Names that stand in rows, and in the settings of a site.
CODES = {*settings.NV_STEP_UP, *conf.OWN_ACTIONS, *(f"({reason})" for reason in Reason)}
NOT_FOLLOWED = ("/accounts/logout/", "/admin/logout/", "/static/")


@pytest.fixture(autouse=True)
def _wrapped(monkeypatch):
    wrap(monkeypatch)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_says_nothing_of_its_own(path: Path):
    written = TAGS.sub("", path.read_text())

    assert said_outside(written) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_writes_no_date_in_an_order_of_its_own(path: Path):
    """Times of day and what machines read are alike everywhere."""
    alike = r"c|His-u|H:i(?::s)?|Y-m-d H:i:s(?:\.u)?|DATE_FORMAT"

    assert re.findall(rf'\|date:["\'](?!(?:{alike})["\'])', path.read_text()) == []


def links(page: str) -> set[str]:
    found = re.findall(r'(?:href|action)="(/[^"#]*)', page)
    return {one.replace("&amp;", "&") for one in found}


def alike(address: str) -> str:
    """Pages that differ by their data are one."""
    path, _, query = address.partition("?")
    names = sorted(part.partition("=")[0] for part in query.split("&"))
    kinds = [part for part in query.split("&") if part.startswith(("period", "format"))]
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+", "#", path) + str(names + kinds)


def crawl(browser: Browser, *starts: str) -> dict[str, str]:
    """Read every page that can be reached, and what each answers to an empty form."""
    wrong, waiting, seen = {}, deque(starts), {alike(start) for start in starts}
    while waiting:
        address = waiting.popleft()
        answers = [browser.get(address, follow=True)]
        if token := re.search(
            r'csrfmiddlewaretoken" value="(\w+)', text_of(answers[0])
        ):
            empty = {"csrfmiddlewaretoken": token[1]}
            if "logout" not in address:
                answers.append(browser.post(address, empty))
        for answer in answers:
            left = set(said_outside(text_of(answer))) - CODES
            wrong |= dict.fromkeys(left, address)
        for link in links(text_of(answers[0])):
            here = urlsplit(link).path
            if alike(link) not in seen and not here.startswith(NOT_FOLLOWED):
                seen.add(alike(link))
                waiting.append(link)
    assert len(seen) > 10
    return wrong


def text_of(answer) -> str:
    is_page = answer.get("Content-Type", "").startswith("text/html")
    return answer.text if is_page and not answer.streaming else ""


def a_history(ann, at=None):
    """Rows of every ending, reason, way and purpose."""
    at = at or timezone.now()
    whole = {"user": ann, "settled_at": at, "claimed_at": at, "number": "", "nonce": ""}
    states = [(status, "") for status in Status]
    states += [(Status.UNAVAILABLE, reason) for reason in Reason]
    ways, wanted = list(Method), list(Purpose)
    for nth, (status, reason) in enumerate(states):
        VerificationFactory(
            pk=uuid7(at.timestamp()),
            created_at=at,
            status=status,
            reason=reason,
            method=ways[nth % len(ways)],
            purpose=wanted[nth % len(wanted)],
            asked_because=list(Because)[nth % len(Because)],
            attention=nth % 3 == 0,
            operator_ms=300,
            tries=nth % 2,
            sends=nth % 2,
            **(whole if status not in (Status.PENDING, Status.EXCHANGING) else {}),
        )


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


def test_the_pages_of_strangers(browser):
    starts = ["/", "/accounts/signup/", "/accounts/login/", "/nowhere/"]
    starts += ["/accounts/password/reset/sent/", "/accounts/closed/"]
    starts += ["/accounts/signup/number-taken/", "/accounts/signup/email-taken/"]
    starts += [f"/accounts/{each}/nothing/" for each in ("not-me", "email/confirm")]
    starts += ["/accounts/email/close/nothing/", "/accounts/email/change/nothing/"]
    starts += [
        "/accounts/password/reset/MQ/nothing/",
        "/verify/callback/sandbox/?state=x",
    ]

    assert crawl(browser, *starts) == {}


@pytest.mark.parametrize(
    "typed",
    [
        {"email": "x", "phone": "07", "password1": "12345678", "password2": "2"},
        {"email": "a@example.com", "phone": "020 7946 0000", "password1": "password"},
    ],
)
def test_what_is_wrong_with_a_signup(browser, typed):
    page = browser.submit("/accounts/signup/", **typed)

    assert "error-summary" in page.text
    assert said_outside(page.text) == []


def test_a_wrong_password(browser, ann):
    page = browser.submit("/accounts/login/", username=ann.email, password="wrong")

    assert "error-summary" in page.text
    assert said_outside(page.text) == []


def test_the_pages_of_a_person(browser, ann):
    a_history(ann)
    AuthenticatorFactory(user=ann)
    RecoveryCodeFactory(user=ann)
    DeviceFactory(user=ann, user_agent=AGENTS["phone"], country="DE")
    NumberReleaseFactory(person=ann)
    Claim.objects.create(
        phone=ANN,
        number_mask="+44 •••• •••123",
        claimant=UserFactory(),
        holder=ann,
        verification=uuid7(timezone.now().timestamp()),
        due_at=timezone.now() + timedelta(days=7),
    )
    browser.force_login(ann)
    browser.cookies["nv_binding"] = BINDING

    assert crawl(browser, "/accounts/profile/") == {}


def test_a_person_with_nothing(browser):
    browser.force_login(UserFactory())

    assert crawl(browser, "/accounts/profile/", "/accounts/phone/") == {}


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("method", Method)
def test_how_a_verification_stands(browser, ann, status, method):
    is_open = status in (Status.PENDING, Status.EXCHANGING)
    row = VerificationFactory(
        user=ann,
        purpose=Purpose.LOGIN,
        status=status,
        method=method,
        **({} if is_open else {"settled": True}),
    )
    browser.cookies["nv_binding"] = BINDING

    assert said_outside(browser.get(f"/verify/{row.pk}/", follow=True).text) == []


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("status", [Status.UNAVAILABLE, Status.REFUSED, Status.EXPIRED])
def test_why_it_ended(browser, status, reason):
    row = VerificationFactory(settled=True, status=status, reason=reason)
    browser.cookies["nv_binding"] = BINDING

    assert said_outside(browser.get(f"/verify/{row.pk}/").text) == []


@pytest.mark.parametrize(
    "limit",
    ["login_account", "login_in_a_row", "code", "text", "mail", "staff", "no", "x"],
)
@pytest.mark.parametrize("seconds", [1, 600, 90_000, 10**9])
def test_a_limit(browser, monkeypatch, limit, seconds):
    def full(*args):
        raise Limited(limit, seconds)

    monkeypatch.setattr("accounts.views.render", full)

    page = browser.get("/")

    assert page.status_code == 429
    assert said_outside(page.text) == []


@pytest.mark.parametrize("template", ["500.html", "503.html", "403_csrf.html"])
def test_a_fault(template):
    assert said_outside(render_to_string(template)) == []


def test_the_pages_of_a_handoff(operator, ann):
    login = handed.at_login(ann)
    pages, address = [login.desktop.get(login.page)], login.address
    login.open()
    pages += [login.desktop.get(login.page), login.phone.get(login.phone_page)]
    pages += [who.get(address) for who in (login.desktop, handed.new_phone())]
    pages += [login.phone.get("/verify/phone/AAAAA-AAAAA/")]
    pages += [login.say("yes", login.wrong_digits), login.say("no")]
    pages += [login.phone.get(login.phone_page)]
    pages += [login.desktop.get(login.page, follow=True)]

    assert [said_outside(text_of(page)) for page in pages] == [[]] * len(pages)


@pytest.mark.parametrize(
    "handset",
    [
        {},
        {"sim": "fresh", "subscriber": "new", "fault": "malformed"},
        {"network": "wifi", "number": ""},
        {"number": ""},
        {"number": "x", "network": "x", "sim": "x", "subscriber": "x", "fault": "x"},
    ],
)
def test_the_sandbox(client, settings, handset):
    """With what went over the wire, of a match, and an answer that is none."""
    shop = {"secret": wire.SECRET, "redirect_uris": [wire.BACK]}
    settings.SANDBOX_CLIENTS = {wire.SHOP: shop}

    answer = client.post(wire.HANDSET, handset)
    if handset.get("number") is None:
        wire.ask(client, wire.token_of(client))
    pages = [answer, client.get(wire.HANDSET), client.get("/sandbox/")]

    assert ('class="flow"' in pages[1].text) == ("number" not in handset)
    assert [said_outside(text_of(page)) for page in pages] == [[], [], []]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_says_nothing_of_its_own(script: Path):
    """What it says stands in the page, in the language of the page."""
    own = re.findall(
        r"""(?:textContent|innerHTML|innerText|title|value)\s*[+]?=\s*["'`]"""
        r"""|setAttribute\(\s*["'](?:aria-label|title)["'],\s*["'`]"""
        r"""|\b(?:alert|confirm|prompt)\(""",
        script.read_text(),
    )

    assert own == []


def test_the_admin(browser, ann, settings):
    """With something in every list, and what has been counted and sealed."""
    a_history(ann, timezone.now() - timedelta(hours=3))
    call_command("housekeeping", verbosity=0)
    a_history(ann)
    waits = VerificationFactory(method=Method.MANUAL, operator="", user=ann)
    for what in NumberEvent.What:
        NumberEvent.objects.create(
            what=what, person=ann, number_mask="+44", at=timezone.now()
        )
    for kind in StaffRecord.Kind:
        StaffRecord.objects.create(kind=kind, staff=ann, reason="⟦why⟧")
    said = {"reason": "lost", "evidence": "⟦a passport⟧"}
    ManualRequestFactory(verification=waits, reason="⟦lost⟧", evidence="⟦a passport⟧")
    NumberReleaseFactory(person=UserFactory(phone=BEN), evidence=said["evidence"])
    browser.force_login(UserFactory(staff=True, phone="+447700900789"))

    history = "/admin/numberverify/verification/"
    assert crawl(browser, "/admin/", f"{history}?nonsense=1&at=x") == {}


@pytest.mark.parametrize("kind", Kind)
def test_news(ann, kind, run_on_commit):
    seen = AsSeen("", "200.87.100.1", AGENTS["phone"])
    there = DeviceFactory(user=ann, user_agent=AGENTS["laptop"])
    notices.tell(ann, kind, seen, about=there, due=ann.date_joined)

    mail.wait()

    (told,) = outbox.outbox
    assert said_outside(f"{told.subject}\n{told.body}") == []


def test_mails_with_links(ann, run_on_commit):
    mail.send_confirmation(ann)
    mail.send_email_taken(ann)
    mail.send_password_reset(ann)
    mail.send_email_change(ann, "new@example.com")
    mail.send_email_wanted(ann)
    mail.send_email_given_back(ann)
    mail.send_frozen(ann)
    mail.send_closed(ann)

    mail.wait()

    assert len(outbox.outbox) == 8
    for told in outbox.outbox:
        assert said_outside(f"{told.subject}\n{told.body}") == []
