"""manage.py check_operator: each step told in a line, and nothing secret."""

import re
import threading
import time
from io import StringIO

import pytest
import requests
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import connections

from numberverify import flow, policy, trial
from numberverify.choices import Purpose, Reason, Status
from numberverify.management.commands import check_operator
from numberverify.models import Verification
from numberverify.msisdn import Msisdn
from tests.factories import ANN
from tests.fake_camara import (
    AUTHORIZE,
    DISCOVERY,
    JWKS,
    TOKEN,
    VERIFY,
    FakeCamara,
)
from tests.fake_operator import Reply

pytestmark = pytest.mark.django_db
SECRET = "s3cret: 100%+"
NO_PHONE = "http://testserver/verify/callback/fake/?error=login_required&state=x"


def set_right(fake, authorize, token, match) -> None:
    """Let the fake refuse what was made up, as an operator does."""
    fake.replies[authorize] = Reply(302, headers={"Location": NO_PHONE})
    fake.replies[match] = Reply(401, {"code": "UNAUTHENTICATED"})


@pytest.fixture
def camara(settings):
    fake = FakeCamara()
    settings.NV_OPERATORS = {"fake": fake.with_siblings()}
    set_right(fake, AUTHORIZE, TOKEN, VERIFY)
    yield fake
    fake.close()


@pytest.fixture
def mobile_connect(operator):
    set_right(
        operator,
        "/deviceinitiated/v1/authorize",
        "/deviceinitiated/v1/token",
        "/premiuminfo/v1/",
    )
    return operator


def told(*arguments: str) -> tuple[str, str]:
    """What the command prints, and what it fails with, or ""."""
    out = StringIO()
    try:
        call_command("check_operator", "fake", *arguments, stdout=out)
    except CommandError as error:
        return out.getvalue(), str(error)
    return out.getvalue(), ""


def line(said: str, step: str) -> str:
    return next(each for each in said.splitlines() if step in each)


def test_a_good_operator_passes_each_step(camara):
    said, failed = told()

    assert failed == ""
    assert said.count("ok  ") == 6
    assert "FAIL" not in said
    assert "Redirect URI to register: http://testserver/verify/callback/fake/" in said
    assert "we are known" in line(said, "Client authentication")
    assert "sim-swap:check" in line(said, "Neighbouring")


def test_an_operator_that_speaks_mobile_connect_passes_too(mobile_connect):
    said, failed = told()

    assert failed == ""
    assert said.count("ok  ") == 6


def test_an_operator_without_published_keys_is_told_so(mobile_connect, settings):
    settings.NV_OPERATORS = {"fake": mobile_connect.table(jwks_uri=None)}

    said, failed = told()

    assert failed == ""
    assert "signatures will not be checked" in line(said, "Signing keys")


@pytest.mark.parametrize(
    ("path", "reply", "step", "words"),
    [
        pytest.param(DISCOVERY, Reply(404), "Description", "status 404", id="404"),
        pytest.param(
            DISCOVERY,
            Reply(body={"issuer": "https://evil.example"}),
            "Description",
            "bad_discovery",
            id="another issuer",
        ),
        pytest.param(JWKS, Reply(500), "Signing keys", "unreachable", id="no keys"),
        pytest.param(
            JWKS, Reply(body={"keys": []}), "Signing keys", "no RSA", id="empty"
        ),
        pytest.param(
            AUTHORIZE,
            Reply(400),
            "Authorization",
            "not registered",
            id="not registered",
        ),
        pytest.param(
            AUTHORIZE,
            Reply(
                302,
                headers={
                    "Location": NO_PHONE.replace("login_required", "invalid_scope")
                },
            ),
            "Authorization",
            "refused: invalid_scope",
            id="scope",
        ),
        pytest.param(
            AUTHORIZE,
            Reply(302, headers={"Location": "/error?error=unauthorized_client"}),
            "Authorization",
            "refused: unauthorized_client",
            id="refused on a page of its own",
        ),
        pytest.param(
            TOKEN,
            Reply(401, {"error": "invalid_client"}),
            "Client authentication",
            "invalid_client",
            id="credentials",
        ),
        pytest.param(
            TOKEN,
            Reply(
                body={"access_token": "x", "token_type": "Bearer", "id_token": "a.b.c"}
            ),
            "Client authentication",
            "made up",
            id="sells to anybody",
        ),
        pytest.param(
            VERIFY,
            Reply(body={"devicePhoneNumberVerified": True}),
            "Error handling",
            "answers",
            id="answers anybody",
        ),
        pytest.param(VERIFY, Reply(404), "Error handling", "404", id="elsewhere"),
    ],
)
def test_a_step_that_fails_says_why_and_the_rest_still_tells(
    camara, path, reply, step, words
):
    camara.replies[path] = reply

    said, failed = told()

    assert "failed" in failed
    assert line(said, step).startswith("FAIL")
    assert words in line(said, step)
    assert len(re.findall("^(ok  |FAIL)", said, re.MULTILINE)) == 6


def test_an_authentication_that_the_operator_does_not_take_is_told(camara):
    camara.described = {
        "token_endpoint_auth_methods_supported": ["client_secret_basic"]
    }

    said, _ = told()

    assert "takes no private_key_jwt" in line(said, "Description")


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("https://login.operator.example/", id="another host"),
        pytest.param("/authorize", id="round and round"),
        pytest.param("/nowhere", id="a page"),
    ],
)
def test_what_only_a_phone_can_tell_is_said_to_be_that(camara, location):
    camara.replies[AUTHORIZE] = Reply(302, headers={"Location": location})

    said, failed = told()

    assert failed == ""
    assert "only a phone can tell" in line(said, "Authorization")


@pytest.mark.parametrize("host", ["login..operator.example", "a" * 64 + ".example"])
def test_a_host_that_cannot_be_one_is_refused_at_the_start(camara, settings, host):
    settings.NV_OPERATORS = {"fake": camara.table(issuer=f"https://{host}")}

    found = [each.id for each in run_checks()]

    assert "numberverify.E016" in found


def test_an_operator_that_is_away_fails_each_step_that_asks(camara):
    camara.close()

    said, failed = told()

    assert "failed" in failed
    assert said.count("operator_unreachable") >= 4


def test_nothing_secret_is_printed(camara):
    camara.replies[TOKEN] = Reply(400, {"error": "invalid_grant", "x": SECRET})
    before = len(camara.calls)

    said, _ = told()

    sent = [call.body.decode() for call in camara.calls[before:]]
    sent += [call.headers.get("Authorization", "") for call in camara.calls]
    for text in sent:
        for word in re.findall(r"[A-Za-z0-9_.-]{30,}", text):
            assert word not in said
    assert SECRET not in said
    assert "PRIVATE KEY" not in said


def test_an_unknown_name_lists_those_there_are(camara):
    with pytest.raises(CommandError, match="There are: fake"):
        call_command("check_operator", "vodafone", stdout=StringIO())


@pytest.mark.parametrize("number", ["nonsense", "020 7946 0000"])
def test_what_is_no_mobile_number_is_refused(camara, number):
    assert "no mobile number" in told("--number", number)[1]


# With a phone


@pytest.fixture
def ready(settings, live_server, monkeypatch):
    """An operator that passes, whose phone comes back to the live site."""
    fake = FakeCamara()
    fake.replies[VERIFY] = Reply(401, {"code": "UNAUTHENTICATED"})
    settings.SITE_URL = live_server.url.replace("localhost", "127.0.0.1")
    settings.NV_OPERATORS = {"fake": fake.with_siblings()}
    monkeypatch.setattr(check_operator, "LOOK_EVERY", 0.05)
    yield fake
    fake.close()


class Phone(threading.Thread):
    """Opens the address as soon as it is printed, and presses the button."""

    def __init__(self, out: StringIO, operator: FakeCamara) -> None:
        super().__init__()
        self.out, self.operator = out, operator
        self.pages: list[str] = []
        self.after: dict[str, Reply] = {}

    def run(self) -> None:
        found = None
        for _ in range(500):
            if found := re.search(r"http\S+/verify/try/\S+", self.out.getvalue()):
                break
            time.sleep(0.02)
        self.address = found[0]
        self.operator.replies = dict(self.after)
        browser = requests.Session()
        page = browser.get(self.address)
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
        posted = {"csrfmiddlewaretoken": token}
        ending = browser.post(self.address, posted)
        again = browser.post(self.address, posted)
        self.pages = [page.text, ending.text, str(again.status_code)]


def with_a_phone(operator, out=None, phone=None) -> tuple[str, str, Phone]:
    out = out or StringIO()
    phone = phone or Phone(out, operator)
    phone.start()
    failed = ""
    try:
        call_command("check_operator", "fake", "--number", ANN, stdout=out)
    except CommandError as error:
        failed = str(error)
    phone.join(10)
    connections.close_all()
    return out.getvalue(), failed, phone


@pytest.mark.django_db(transaction=True)
def test_a_phone_with_that_sim_is_a_match(ready):
    ready.flags["swapped"] = True

    said, failed, phone = with_a_phone(ready)

    assert failed == ""
    assert "Match; " in said
    assert "SIM swapped within ten days: yes" in said
    assert re.search(r"Another subscriber since \S+: no", said)
    assert ANN not in said
    assert "Check the number" in phone.pages[0]
    assert "Your mobile network confirmed" in phone.pages[1]
    assert phone.pages[2] == "404"  # the address is good once


@pytest.mark.django_db(transaction=True)
def test_a_phone_with_another_sim_is_a_no_match(ready):
    ready.sim = "+447700900907"

    said, failed, phone = with_a_phone(ready)

    assert "no match" in failed
    assert "No match; " in said
    assert "does not match" in phone.pages[1]


@pytest.mark.django_db(transaction=True)
def test_a_phone_that_the_network_does_not_see_is_no_mismatch(ready):
    code = "NUMBER_VERIFICATION.USER_NOT_AUTHENTICATED_BY_MOBILE_NETWORK"
    out = StringIO()
    phone = Phone(out, ready)
    phone.after = {VERIFY: Reply(403, {"code": code})}
    said, failed, _ = with_a_phone(ready, out, phone)

    assert "Could not tell: not on the mobile network" in said
    assert "could not tell" in failed
    assert "That was no match" not in failed


@pytest.mark.django_db(transaction=True)
def test_the_facts_are_those_of_the_operator_that_is_tried(ready, settings):
    other = FakeCamara()
    tables = {"other": other.with_siblings(), "fake": ready.with_siblings()}
    settings.NV_OPERATORS = tables
    ready.flags["swapped"] = True

    said, _, _ = with_a_phone(ready)

    assert "SIM swapped within ten days: yes" in said
    assert other.calls == []
    other.close()


@pytest.mark.django_db(transaction=True)
def test_the_receipt_of_a_trial_opens_nothing(ready):
    with_a_phone(ready)

    row = Verification.objects.get()
    assert (row.status, row.purpose, row.action) == (
        Status.VERIFIED,
        Purpose.STEP_UP,
        "check_operator",
    )
    assert (row.user, row.next) == (None, "")


def test_nobody_comes_and_the_trial_runs_out(ready, monkeypatch, settings):
    monkeypatch.setattr(policy, "PENDING_FOR", policy.PENDING_FOR * 0)
    settings.SITE_URL = "http://testserver"
    set_right(ready, AUTHORIZE, TOKEN, VERIFY)

    said, failed = told("--number", ANN)

    assert failed == "Nobody came in time."
    assert "Expired" in said
    assert Verification.objects.get().status == Status.EXPIRED


@pytest.mark.parametrize("secret", ["x", "made-up-made-up-made-up-made-up"])
def test_who_does_not_have_the_address_finds_no_page(client, camara, secret):
    row, _ = trial.begin("fake", Msisdn(ANN))

    assert client.get(f"/verify/try/{row.pk}/{secret}/").status_code == 404
    assert client.post(f"/verify/try/{row.pk}/{secret}/").status_code == 404
    assert client.get(f"/verify/{row.pk}/").status_code == 404
    assert Verification.objects.get().status == Status.PENDING


def test_opening_the_address_starts_nothing(client, camara):
    row, secret = trial.begin("fake", Msisdn(ANN))
    for _ in range(2):
        assert client.get(f"/verify/try/{row.pk}/{secret}/").status_code == 200

    assert Verification.objects.get().state_digest is None
    assert camara.calls == []


def test_an_operator_that_cannot_be_found_settles_the_trial(client, camara):
    camara.replies[DISCOVERY] = Reply(503)
    row, secret = trial.begin("fake", Msisdn(ANN))

    client.post(f"/verify/try/{row.pk}/{secret}/")

    found = flow.look(row.pk)
    assert (found.status, found.reason) == (
        Status.UNAVAILABLE,
        Reason.OPERATOR_UNREACHABLE,
    )
