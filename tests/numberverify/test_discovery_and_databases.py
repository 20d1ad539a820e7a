"""No transaction is open and no pooled connection is held while an operator is asked
where its pages are."""

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from numberverify import subscriber
from numberverify.msisdn import Msisdn
from numberverify.operators.registry import Line
from numberverify.stepup import step_up_required
from tests.factories import ANN, PASSWORD, UserFactory
from tests.fake_camara import FakeCamara

pytestmark = pytest.mark.django_db(transaction=True)
TYPED = {
    "email": "ann@example.com",
    "phone": ANN,
    "password1": PASSWORD,
    "password2": PASSWORD,
}


@pytest.fixture
def camara(settings):
    fake = FakeCamara()
    settings.NV_OPERATORS = {"fake": fake.with_siblings()}
    yield fake
    fake.close()


@pytest.fixture
def seen(monkeypatch):
    """What each call to an operator found: in a transaction, with a connection."""
    found = []
    run = Line.run

    def watched(self, ask, **patience):
        found.append((connection.in_atomic_block, connection.connection is not None))
        return run(self, ask, **patience)

    monkeypatch.setattr(Line, "run", watched)
    return found


@pytest.fixture
def atomic_requests(monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)


def holds_none(seen) -> bool:
    pooled = connection.settings_dict["OPTIONS"].get("pool")
    return not pooled or not any(held for _, held in seen)


def test_a_signup_holds_nothing_while_the_description_is_fetched(browser, camara, seen):
    browser.submit("/accounts/signup/", **TYPED)

    assert {atomic for atomic, _ in seen} == {False}
    assert holds_none(seen)


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/email/change/",
        "/accounts/password/change/",
        "/verify/recovery-codes/",
    ],
)
def test_a_guarded_view_holds_nothing_where_requests_are_atomic(
    browser, camara, seen, atomic_requests, path
):
    browser.force_login(UserFactory(phone=ANN))

    browser.submit(path)

    assert {atomic for atomic, _ in seen} == {False}
    assert holds_none(seen)


def test_the_choice_holds_nothing_where_requests_are_atomic(
    browser, camara, seen, atomic_requests, settings
):
    settings.NV_OPERATORS |= {"other": camara.table(label="Other")}
    browser.force_login(UserFactory(phone=ANN))
    asked = browser.submit("/accounts/email/change/")

    browser.submit(asked["Location"], operator="other")

    assert {atomic for atomic, _ in seen} == {False}
    assert holds_none(seen)


def test_facts_are_asked_for_without_a_connection(camara, seen):
    UserFactory()

    subscriber.recycled(Msisdn(ANN), since=timezone.now().date())

    assert holds_none(seen)


# The site's own part of a guarded view keeps what the site wants


@step_up_required("close_account", form_fields=("act",))
def guarded(request):
    return HttpResponse(str(connection.in_atomic_block))


def test_the_site_s_own_part_runs_in_its_transaction(atomic_requests, monkeypatch):
    monkeypatch.setattr(
        "numberverify.stepup.guard.Guard.page_before", lambda self, request: None
    )

    assert guarded(RequestFactory().get("/")).content == b"True"


def test_without_atomic_requests_it_runs_in_none(monkeypatch):
    monkeypatch.setattr(
        "numberverify.stepup.guard.Guard.page_before", lambda self, request: None
    )

    assert guarded(RequestFactory().get("/")).content == b"False"
