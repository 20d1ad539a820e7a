"""The phone's way to its network: which one, one that is away, and how often."""

import pytest

from numberverify import network
from numberverify.choices import Reason, Status
from numberverify.errors import OperatorUnreachable
from numberverify.models import Verification
from tests.accounts.steps import is_signed_in
from tests.factories import ANN, UserFactory
from tests.numberverify import handed
from tests.numberverify.test_handoff import brought

pytestmark = pytest.mark.django_db
ON_WIFI = {"code": "", "error": "login_required"}


@pytest.fixture
def two(operator, settings):
    """Two operators serve British numbers; the second is the first by another name."""
    other = operator.table(label="Other")
    settings.NV_OPERATORS = {"fake": operator.table(), "other": other}
    return operator


def test_where_several_networks_serve_the_phone_is_asked_for_its_own(two):
    signup = handed.at_signup()

    asked = signup.yes()
    assert asked["Location"] == signup.phone_page
    page = signup.phone.get(signup.phone_page)
    assert "Which network is your SIM on?" in page.text
    assert signup.row.state_digest is None
    wrong = signup.phone.submit(signup.phone_page)
    assert "Choose the network that your SIM is on" in wrong.text
    started = signup.phone.submit(signup.phone_page, operator="fake")
    signup.phone.follow(signup.phone.come_back(two, started))

    row = Verification.objects.get()
    assert (row.operator, row.operator_chosen) == ("fake", True)
    signup.desktop.follow(signup.desktop.get(signup.page))
    assert is_signed_in(signup.desktop)


def test_the_desktop_cannot_name_the_network(two):
    signup = handed.at_signup()
    signup.yes()

    signup.desktop.submit(signup.page, operator="fake")

    assert signup.row.operator == ""


def test_a_further_try_may_ask_the_other_network(two):
    signup = handed.at_signup()
    signup.yes()
    started = signup.phone.submit(signup.phone_page, operator="fake")
    signup.phone.get(brought(two, started, **ON_WIFI))

    page = signup.phone.get(signup.phone_page).text
    assert 'value="fake" required id="id_operator_0" checked' in page or (
        page.index("checked") < page.index("Other")
    )
    signup.phone.submit(signup.phone_page, operator="other")

    assert signup.row.operator == "other"


def test_a_network_that_is_away_can_be_asked_again(operator, monkeypatch):
    def away(name):
        raise OperatorUnreachable

    login = handed.at_login(UserFactory(phone=ANN))
    with monkeypatch.context() as patched:
        patched.setattr(network, "_prepared", away)
        page = login.phone.follow(login.yes())

    assert "We could not check your number" in page.text
    first = Verification.objects.get(pk=login.link.pk)
    assert (first.status, first.reason) == (
        Status.UNAVAILABLE,
        Reason.OPERATOR_UNREACHABLE,
    )
    started = login.phone.submit(login.phone_page)
    assert started["Location"].startswith(operator.base_url)


def test_further_tries_are_limited_like_any_start(operator, settings):
    settings.NV_LIMITS = "start_address=2/10m,start_address_spare=1/10m"
    signup = handed.at_signup()
    started = signup.yes()
    for _ in range(4):
        signup.phone.get(brought(operator, started, **ON_WIFI))
        started = signup.phone.submit(signup.phone_page)
        if started.status_code == 429:
            break

    assert started.status_code == 429
    assert signup.row.state_digest is None, "it can be tried later"


def test_the_phone_may_stop_it_instead_of_a_further_try(operator):
    signup = handed.at_signup()
    signup.phone.get(brought(operator, signup.yes(), **ON_WIFI))

    said = signup.phone.follow(signup.phone.submit(signup.phone_page, answer="no"))

    assert "You said no" in said.text
    assert signup.row.reason == Reason.NOT_ME
    assert signup.polled() == "over"


def test_a_link_that_was_not_used_again_runs_out_and_says_so(operator):
    signup = handed.at_signup()
    signup.phone.get(brought(operator, signup.yes(), **ON_WIFI))
    Verification.objects.filter(pk=signup.row.pk).update(
        expires_at=signup.row.created_at
    )

    desktop = signup.desktop.follow(signup.desktop.get(signup.page))

    assert "This check has run out" in desktop.text
    assert "This link has run out" in signup.phone.get(signup.phone_page).text
