"""What a login costs in statements of SQL, BEGIN and COMMIT counted.

At most 13 by the password alone or with the network. A code, which takes rows that
count its tries and messages, costs more; the ceilings are what was measured, where
nobody is asked about SIM swaps.
"""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from numberverify.choices import Method
from numberverify.models import Verification
from tests.accounts.browsers import known, opened
from tests.accounts.steps import app_shows, by_network, log_in, texted_code
from tests.conftest import Browser
from tests.factories import ANN, AuthenticatorFactory, DeviceFactory, UserFactory
from tests.numberverify.typed import way_for

# For the transactions to be the site's own, and not points within the test's.
pytestmark = pytest.mark.django_db(transaction=True)
MOST = 13
OF_TRANSACTIONS = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


class Bill:
    """The statements of some requests, printed one by one."""

    def __init__(self, of: str) -> None:
        self.of = of
        self.statements: list[str] = []

    def ask(self, what: str, request):
        """Make one request; `what` says which."""
        with CaptureQueriesContext(connection) as captured:
            response = request()
        self.statements += [f"{what:9} {query['sql']}" for query in captured]
        return response

    def settle(self) -> int:
        print(f"\n{self.of}: {len(self.statements)} statements")
        for n, statement in enumerate(self.statements, 1):
            print(f"{n:4}  {statement[:100]}")
        return len(self.statements)


@pytest.fixture
def ann():
    return UserFactory(email="ann@example.com", phone=ANN)


def opened_form(browser, url="/accounts/login/"):
    """Open the form before the count: a GET of it is no login."""
    with CaptureQueriesContext(connection) as captured:
        page = browser.get(url).text
    assert captured.captured_queries == []
    return page.partition('csrfmiddlewaretoken" value="')[2][:64]


def pressed(browser, user, token, **fields):
    typed = {"username": user.email, "password": "corr3ct horse"} | fields
    return browser.post("/accounts/login/", typed | {"csrfmiddlewaretoken": token})


def by_the_network(bill, browser, operator, user):
    """Log in with a check: begin, callback and all that follows within it."""
    token = opened_form(browser)
    started = bill.ask("begin", lambda: pressed(browser, user, token))
    settled = bill.ask("callback", lambda: browser.come_back(operator, started))
    assert settled["Location"] == "/accounts/profile/"


def test_transactions_are_counted():
    with CaptureQueriesContext(connection) as captured:
        DeviceFactory()
        with pytest.raises(RuntimeError):
            rolled_back()

    verbs = {query["sql"].split()[0] for query in captured}
    assert {"BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK"} <= verbs


def rolled_back():
    with transaction.atomic():
        with transaction.atomic():
            DeviceFactory(token="another")
        raise RuntimeError


def test_a_login_by_password_alone_in_a_known_browser(ann):
    phone = known(ann, "phone")
    bill, token = Bill("a login by password alone"), opened_form(phone)

    answer = bill.ask("begin", lambda: pressed(phone, ann, token))

    assert answer["Location"] == "/accounts/profile/"
    assert bill.settle() <= MOST


def test_a_whole_login_with_the_network_in_a_new_browser(ann, operator):
    bill = Bill("a login with the network, new browser")

    by_the_network(bill, Browser(), operator, ann)

    assert bill.settle() <= MOST


def test_a_whole_login_with_the_network_in_a_browser_known_too_long_ago(ann, operator):
    """The dearest: an old binding may have a receipt of staff's."""
    phone = opened(ann, "phone")
    phone.submit("/accounts/logout/", page="/")
    ann.device_set.update(last_proof_at=ann.date_joined.replace(year=2020))
    bill = Bill("a login with the network, known browser")

    by_the_network(bill, phone, operator, ann)

    assert bill.settle() <= MOST


def test_a_whole_login_with_the_network_and_another_language(ann, operator):
    bill, phone = Bill("a login with the network, another language"), Browser()
    phone.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"

    by_the_network(bill, phone, operator, ann)

    assert any('SET "language"' in each for each in bill.statements)
    assert bill.settle() <= MOST


def by_a_code(bill, browser, started, code):
    """Go on from the page that asks for a code: code, resume."""
    page = started["Location"]
    token = browser.get(page).text.partition('csrfmiddlewaretoken" value="')[2][:64]
    typed = {"code": code(), "csrfmiddlewaretoken": token}
    settled = bill.ask("code", lambda: browser.post(page, typed))
    resumed = bill.ask("resume", lambda: browser.get(settled["Location"]))
    assert resumed["Location"] == "/accounts/profile/"


def test_a_whole_login_by_a_text_message(ann, operator):
    bill, phone = Bill("a login by a text message"), Browser()
    token = opened_form(phone)

    started = bill.ask("begin", lambda: pressed(phone, ann, token, method="sms"))
    by_a_code(bill, phone, started, texted_code)

    assert bill.settle() <= 26


def test_a_whole_login_by_an_app(ann):
    AuthenticatorFactory(user=ann)
    bill, phone = Bill("a login by an app"), Browser()
    token = opened_form(phone)

    started = bill.ask("begin", lambda: pressed(phone, ann, token, method="totp"))
    by_a_code(bill, phone, started, lambda: app_shows(ann))

    assert bill.settle() <= 28


def test_a_whole_login_by_a_recovery_code(ann):
    right = way_for(ann, Method.RECOVERY_CODE)
    bill, phone = Bill("a login by a recovery code"), Browser()
    token, method = opened_form(phone), Method.RECOVERY_CODE.value

    started = bill.ask("begin", lambda: pressed(phone, ann, token, method=method))
    by_a_code(bill, phone, started, right)

    assert bill.settle() <= 28


def test_a_whole_login_that_the_network_could_not_tell_and_a_text_did(ann, operator):
    bill, phone = Bill("a login, no answer, then a text message"), Browser()
    token = opened_form(phone)
    started = bill.ask("begin", lambda: pressed(phone, ann, token))
    error = {"error": "server_error", "code": ""}

    ended = bill.ask("callback", lambda: phone.come_back(operator, started, **error))
    row = Verification.objects.get()
    token = phone.get(ended["Location"]).text.partition('token" value="')[2][:64]
    fields = {"previous": str(row.pk), "method": "sms", "csrfmiddlewaretoken": token}
    again = bill.ask("again", lambda: phone.post(row.next, fields))
    by_a_code(bill, phone, again, texted_code)

    assert bill.settle() <= 32


def test_a_proof_in_the_session_costs_no_transaction(ann, operator, stores_in_process):
    """The new key that it brings is one row written and one deleted."""
    phone = opened(ann, "phone")
    started = phone.submit("/accounts/sessions/end/")
    settled = phone.come_back(operator, started)
    bill = Bill("taking a proof into the session")

    bill.ask("look", lambda: phone.get(settled["Location"]))

    bill.settle()
    of_session = [each for each in bill.statements if "django_session" in each]
    assert [each.split()[1] for each in of_session] == ["SELECT", "DELETE", "INSERT"]
    assert not any(each.split()[1] in OF_TRANSACTIONS for each in bill.statements)
    # Stored before the browser's row says so: who ends it there must find it.
    assert "INSERT INTO" in bill.statements[-2]
    assert 'UPDATE "accounts_device"' in bill.statements[-1]


def test_looking_again_writes_nothing(ann, operator, stores_in_process):
    phone = opened(ann, "phone")
    by_network(phone, operator, "/accounts/password/change/")
    bill = Bill("looking at an open page")

    for _ in range(3):
        bill.ask("look", lambda: phone.get("/accounts/password/change/"))

    assert bill.settle() == 6  # the session and the user, each time


def test_a_wrong_password_costs_one_look(ann):
    bill, phone = Bill("a wrong password"), Browser()
    phone.get("/accounts/login/")

    bill.ask("begin", lambda: log_in(phone, ann, "wrong"))

    assert bill.settle() == 1
