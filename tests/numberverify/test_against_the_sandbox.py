"""Our client against the sandbox's strict CAMARA operator, over real HTTP: what no
browser walks through."""

import re
from datetime import timedelta

import pytest
import requests
from django.utils import timezone

from config.sandbox import sandbox
from numberverify import codes, flow, subscriber
from numberverify.browser import Browser
from numberverify.choices import Method, Purpose, Status
from numberverify.models import Verification
from numberverify.msisdn import Msisdn
from numberverify.operators.base import OperatorToken, Told
from tests.factories import UserFactory
from tests.numberverify.typed import opened

pytestmark = pytest.mark.django_db(transaction=True)
SWEDISH = "+46701740605"
DAY = timedelta(days=1)
OLD_SCOPE = "openid dpv:FraudPreventionAndDetection#number-verification:verify"


class Handset:
    """A browser that plays a phone, on the sandbox's own page."""

    def __init__(self, site: str) -> None:
        self.site, self.browser = site, requests.Session()

    def hold(self, **fields: str) -> None:
        page = self.browser.get(f"{self.site}/sandbox/handset/")
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
        fields |= {"csrfmiddlewaretoken": token}
        self.browser.post(f"{self.site}/sandbox/handset/", fields).raise_for_status()

    def operator_token(self) -> OperatorToken:
        answer = self.browser.post(f"{self.site}/sandbox/handset/operator-token/")
        return OperatorToken(answer.json()["operator_token"])

    def texts(self) -> str:
        return self.browser.get(f"{self.site}/sandbox/handset/").text


@pytest.fixture(params=["", OLD_SCOPE], ids=["scope", "old scope"])
def site(request, live_server, settings) -> str:
    address = live_server.url.replace("localhost", "127.0.0.1")
    settings.SITE_URL = address
    clients, tables = sandbox(address, settings.SECRET_KEY)
    if request.param:
        tables["sandbox-camara"]["scope"] = request.param
        clients["sandbox-camara-client"]["old_scopes"] = True
    settings.SANDBOX_CLIENTS, settings.NV_OPERATORS = clients, tables
    settings.SMS_BACKEND = "numberverify.factors.operator_sms.OperatorBackend"
    return address


@pytest.fixture
def handset(site) -> Handset:
    handset = Handset(site)
    handset.hold(number=SWEDISH, network="mobile")
    return handset


def begun() -> Verification:
    user = UserFactory(phone=SWEDISH)
    url = flow.start(
        purpose=Purpose.LOGIN,
        msisdn=Msisdn(SWEDISH),
        user=user,
        browser=Browser("the app"),
        next="/",
    )
    state = re.search(r"[?&]state=([^&]+)", url)[1]
    row, _ = flow.claim(
        state=state, operator="sandbox-camara", device="the app", viewer=lambda: None
    )
    return row


def ends(row, token) -> str:
    flow.exchange_and_settle(row, token)
    row.refresh_from_db()
    return row.status


def test_a_token_of_the_sim_is_a_match_on_wifi(handset):
    handset.hold(network="wifi")

    assert ends(begun(), handset.operator_token()) == Status.VERIFIED


def test_a_token_of_another_sim_is_a_no_match(handset):
    handset.hold(number="+46701740699")

    assert ends(begun(), handset.operator_token()) == Status.MISMATCHED


def test_a_token_of_the_sim_is_good_once(handset):
    token = handset.operator_token()
    row = begun()
    assert ends(row, token) == Status.VERIFIED
    row.user.delete()

    assert ends(begun(), token) == Status.UNAVAILABLE


@pytest.mark.parametrize(("sim", "told"), [("fresh", Told.YES), ("old", Told.NO)])
def test_a_fresh_sim_is_told(handset, sim, told):
    handset.hold(sim=sim)

    assert subscriber.sim_swapped(Msisdn(SWEDISH), within=DAY) is told


@pytest.mark.parametrize(("customer", "told"), [("new", Told.YES), ("same", Told.NO)])
def test_a_new_customer_is_told(handset, customer, told):
    handset.hold(subscriber=customer)
    since = (timezone.now() - 30 * DAY).date()

    assert subscriber.recycled(Msisdn(SWEDISH), since=since) is told


def test_the_operator_s_code_arrives_and_is_checked(handset):
    row = opened(UserFactory(phone=SWEDISH), Method.SMS, msisdn=SWEDISH)
    row.refresh_from_db()
    code = re.search(r"#(\d{6})", handset.texts())[1]
    wrong = str((int(code) + 1) % 10**6).zfill(6)

    assert not codes.try_code(row, wrong).right
    assert codes.try_code(row, code).right
    row.refresh_from_db()
    assert (row.status, row.tries) == (Status.VERIFIED, 1)


def test_an_older_code_is_over_once_a_newer_one_was_sent(handset):
    row = opened(UserFactory(phone=SWEDISH), Method.SMS, msisdn=SWEDISH)
    row.refresh_from_db()
    older = re.search(r"#(\d{6})", handset.texts())[1]
    later = opened(None, Method.SMS, msisdn=SWEDISH, purpose=Purpose.SIGNUP)

    assert not codes.try_code(row, older).right
    row.refresh_from_db()
    later.refresh_from_db()
    assert (row.status, row.tries) == (Status.EXPIRED, 0)
    assert later.status == Status.PENDING
