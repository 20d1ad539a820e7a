"""Where several operators serve a number, the person says which network it is on."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import connections
from django.utils import timezone

from accounts import phone
from accounts.models import Pending, Profile
from numberverify import flow, network, routing
from numberverify.browser import Browser, Way
from numberverify.choices import Method, Purpose, Reason, Status
from numberverify.models import Verification
from numberverify.msisdn import Msisdn
from tests.factories import (
    ANN,
    BINDING,
    PASSWORD,
    PendingFactory,
    UserFactory,
    VerificationFactory,
)
from tests.fake_camara import DISCOVERY, FakeCamara
from tests.fake_operator import Reply

pytestmark = pytest.mark.django_db
QUESTION = "Which network is your SIM on?"
BEN = "+447700900456"
JERSEY = "+447797900123"  # in the United Kingdom's calling code
SIGNUP = {
    "email": "ann@example.com",
    "phone": ANN,
    "password1": PASSWORD,
    "password2": PASSWORD,
}


@pytest.fixture
def other(operator, settings):
    """A second operator for the same numbers, `other`, which speaks CAMARA."""
    camara = FakeCamara()
    settings.NV_OPERATORS = {
        "fake": operator.table(label="Alpha"),
        "other": camara.table(label="Beta"),
        "french": operator.table(countries=["FR"], label="Gamma"),
    }
    yield camara
    camara.close()


def sign_up(browser, **changes):
    return browser.submit("/accounts/signup/", **SIGNUP | changes)


def choose(browser, page, name):
    return browser.submit(page["Location"], operator=name)


def come_back(browser, operator, response, name):
    brought = operator.authorize(response["Location"])
    return browser.get(f"/verify/callback/{name}/?{urlencode(brought)}")


def the_row() -> Verification:
    return Verification.objects.order_by("-id")[0]


def log_in(browser, user):
    return browser.submit("/accounts/login/", username=user.email, password=PASSWORD)


# The page


def test_two_operators_for_a_number_are_one_plain_page(browser, operator, other):
    page = browser.get(sign_up(browser)["Location"])

    assert page.status_code == 200
    assert QUESTION in page.text
    assert "Alpha" in page.text
    assert "Beta" in page.text
    assert "Gamma" not in page.text
    assert ANN not in page.text
    assert operator.calls == other.calls == []
    assert the_row().status == Status.PENDING


def test_the_only_operator_for_a_number_is_asked_without_a_question(
    browser, operator, other
):
    started = sign_up(browser, phone="+33 6 39 98 12 34")

    assert started["Location"].startswith(operator.base_url)
    assert the_row().operator == "french"
    assert the_row().operator_chosen is False


@pytest.mark.parametrize("name", ["fake", "other"])
def test_the_chosen_operator_is_asked_at_its_own_redirect_uri(
    browser, operator, other, name
):
    chosen = {"fake": operator, "other": other}[name]
    leaves = choose(browser, sign_up(browser), name)

    assert leaves.status_code == 303
    assert leaves["Location"].startswith(chosen.base_url)
    assert f"callback%2F{name}%2F" in leaves["Location"]

    page = browser.follow(come_back(browser, chosen, leaves, name))

    assert "Your profile" in page.text
    row = the_row()
    assert (row.operator, row.status, row.operator_chosen) == (
        name,
        Status.VERIFIED,
        True,
    )
    assert Verification.objects.count() == 1


def test_the_profile_remembers_what_was_chosen(browser, operator, other):
    leaves = choose(browser, sign_up(browser), "other")
    browser.follow(come_back(browser, other, leaves, "other"))

    assert Profile.objects.get().operator == "other"


@pytest.mark.parametrize(
    ("posted", "words"),
    [
        pytest.param({}, "Choose the network", id="nothing"),
        pytest.param({"operator": ""}, "Choose the network", id="empty"),
        pytest.param({"operator": "french"}, "one of these", id="of another country"),
        pytest.param({"operator": "nobody"}, "one of these", id="unknown"),
        pytest.param({"operator": "\0"}, "one of these", id="a NUL"),
        pytest.param({"operator": "x" * 5000}, "one of these", id="over-long"),
    ],
)
def test_a_network_that_is_not_offered_is_an_error_and_asks_nobody(
    browser, operator, other, posted, words
):
    page = browser.submit(sign_up(browser)["Location"], **posted)

    assert page.status_code == 200
    assert "Error:" in page.text
    assert words in page.text
    assert (the_row().operator, the_row().status) == ("", Status.PENDING)
    assert operator.calls == other.calls == []


def test_a_network_is_chosen_once(browser, operator, other):
    asked = sign_up(browser)
    choose(browser, asked, "fake")
    again = browser.post(
        asked["Location"],
        {
            "operator": "other",
            "csrfmiddlewaretoken": browser.cookies["csrftoken"].value,
        },
    )

    assert again.status_code == 303
    assert again["Location"] == asked["Location"]
    assert the_row().operator == "fake"
    assert "not finished" in browser.get(asked["Location"]).text


def test_another_browser_neither_sees_the_question_nor_answers_it(
    browser, new_browser, operator, other
):
    address = sign_up(browser)["Location"]
    stranger = new_browser()
    stranger.submit("/accounts/signup/", **SIGNUP)
    token = stranger.cookies["csrftoken"].value

    assert stranger.get(address).status_code == 404
    posted = {"operator": "fake", "csrfmiddlewaretoken": token}
    assert stranger.post(address, posted).status_code == 404
    assert Verification.objects.filter(operator="").count() == 2


def test_the_owner_elsewhere_is_shown_no_question(browser, new_browser, other):
    user = UserFactory(phone=ANN)
    address = log_in(browser, user)["Location"]
    elsewhere = new_browser()
    elsewhere.force_login(user)

    assert QUESTION not in elsewhere.get(address).text
    assert elsewhere.post(address, {"operator": "fake"}).status_code in (303, 403)
    assert the_row().operator == ""


def test_a_choice_that_comes_too_late_asks_nobody(browser, operator, other):
    asked = sign_up(browser)
    Verification.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    late = browser.get(asked["Location"])

    assert "has run out" in late.text
    assert the_row().status == Status.EXPIRED
    assert the_row().number == ""


def test_who_finds_no_network_of_theirs_goes_on_by_another_way(browser, other):
    asked = sign_up(browser)
    row = the_row()

    page = browser.follow(
        browser.submit(
            row.next, asked["Location"], method="other", previous=str(row.pk)
        )
    )

    assert "Text message" in page.text
    assert the_row().previous == row.pk


# An operator that cannot be found


def test_an_operator_whose_description_is_away_could_not_tell(browser, other):
    other.replies[DISCOVERY] = Reply(503)

    page = browser.follow(choose(browser, sign_up(browser), "other"))

    row = the_row()
    assert (row.status, row.reason) == (
        Status.UNAVAILABLE,
        Reason.OPERATOR_UNREACHABLE,
    )
    assert (row.operator, row.operator_chosen, row.number) == ("other", True, "")
    assert "We could not check your number" in page.text
    assert "My SIM is on another network" in page.text


def test_the_only_operator_s_lost_description_could_not_tell(browser, other, settings):
    settings.NV_OPERATORS = {"other": other.table(deadline=0.3)}
    other.replies[DISCOVERY] = Reply(delay=2)

    page = browser.follow(sign_up(browser))

    assert (the_row().status, the_row().reason) == (
        Status.UNAVAILABLE,
        Reason.OPERATOR_TIMEOUT,
    )
    assert "Text message" in page.text


# Another network, after all


def not_seen(browser, operator, leaves, name):
    """Come back from an operator that does not see the device."""
    state = operator.authorize(leaves["Location"])["state"]
    query = urlencode({"error": "login_required", "state": state})
    return browser.get(f"/verify/callback/{name}/?{query}")


def test_after_could_not_tell_the_question_can_be_asked_again(browser, operator, other):
    leaves = choose(browser, sign_up(browser), "fake")
    ending = not_seen(browser, operator, leaves, "fake")["Location"]
    first = the_row()
    assert "My SIM is on another network" in browser.get(ending).text

    asked = browser.submit(
        first.next, ending, method="other_network", previous=str(first.pk)
    )

    assert QUESTION in browser.get(asked["Location"]).text
    assert the_row().previous == first.pk
    leaves = choose(browser, asked, "other")
    browser.follow(come_back(browser, other, leaves, "other"))
    assert Profile.objects.get().operator == "other"


def test_trying_again_asks_the_chosen_network_without_a_question(
    browser, operator, other
):
    leaves = choose(browser, sign_up(browser), "other")
    ending = not_seen(browser, other, leaves, "other")["Location"]
    first = the_row()

    again = browser.submit(first.next, ending, previous=str(first.pk))

    assert again["Location"].startswith(other.base_url)
    assert (the_row().operator, the_row().operator_chosen) == ("other", True)


def test_a_corrected_number_of_another_country_does_not_go_to_the_chosen_network(
    browser, operator, other
):
    leaves = choose(browser, sign_up(browser), "other")
    ending = not_seen(browser, other, leaves, "other")["Location"]
    browser.get(ending)

    typed = SIGNUP | {"phone": "+33 6 39 98 12 34", "previous": str(the_row().pk)}
    started = browser.submit("/accounts/signup/", **typed)

    assert the_row().operator == "french"
    assert started["Location"].startswith(operator.base_url)


def test_another_number_of_the_same_country_is_asked_about_anew(browser, other):
    leaves = choose(browser, sign_up(browser), "other")
    not_seen(browser, other, leaves, "other")

    typed = SIGNUP | {"phone": "07700 900456", "previous": str(the_row().pk)}
    page = browser.get(browser.submit("/accounts/signup/", **typed)["Location"])

    assert QUESTION in page.text


def test_where_one_operator_serves_nobody_is_offered_another(browser, operator):
    leaves = sign_up(browser)

    page = browser.follow(not_seen(browser, operator, leaves, "fake"))

    assert "another network" not in page.text.replace("another operator's network", "")


def test_a_no_match_offers_no_other_network(browser, operator, other):
    operator.sim = "+447700900907"
    leaves = choose(browser, sign_up(browser), "fake")

    page = browser.follow(come_back(browser, operator, leaves, "fake"))

    assert "does not match" in page.text
    assert "another network" not in page.text
    assert the_row().status == Status.MISMATCHED


def test_a_region_beside_the_main_one_is_offered_the_same_networks(
    browser, operator, other
):
    leaves = choose(browser, sign_up(browser, phone=JERSEY), "fake")
    page = browser.follow(not_seen(browser, operator, leaves, "fake"))

    assert the_row().country == "JE"
    assert "My SIM is on another network" in page.text


# Who is remembered, and where nobody is


def remembering(name, **changes):
    user = UserFactory(phone=ANN, **changes)
    Profile.objects.update(operator=name)
    return user


def test_a_login_asks_the_network_that_the_profile_remembers(browser, other):
    leaves = log_in(browser, remembering("other"))

    assert leaves["Location"].startswith(other.base_url)
    assert the_row().operator_chosen is False


@pytest.mark.parametrize("name", ["", "french", "gone", "Other"])
def test_a_memory_that_does_not_serve_the_number_is_asked_anew(browser, other, name):
    page = browser.get(log_in(browser, remembering(name))["Location"])

    assert QUESTION in page.text


def test_a_network_that_nobody_chose_is_not_remembered(browser, operator):
    user = UserFactory(phone=ANN)
    browser.follow(come_back(browser, operator, log_in(browser, user), "fake"))

    assert Verification.objects.get().status == Status.VERIFIED
    assert Profile.objects.get().operator == ""


def test_a_number_that_is_taken_leaves_the_memory_as_it_is(browser, operator, other):
    UserFactory(phone=BEN)
    user = remembering("fake")
    columns = {"purpose": Purpose.PHONE_CHANGE, "user": user, "msisdn": BEN}
    VerificationFactory(
        verified=True, operator="other", operator_chosen=True, **columns
    )
    pending = PendingFactory(
        kind=Pending.Kind.PHONE_CHANGE, user=user, phone=BEN, replaces=ANN
    )

    with pytest.raises(phone.NumberTaken):
        phone.resume(pending, Browser(BINDING))

    assert Profile.objects.get(user=user).operator == "fake"


def test_a_login_by_another_network_is_remembered_instead(browser, operator, other):
    user = remembering("fake")
    ending = not_seen(browser, operator, log_in(browser, user), "fake")["Location"]
    first = the_row()
    asked = browser.submit(
        first.next, ending, method="other_network", previous=str(first.pk)
    )

    leaves = choose(browser, asked, "other")
    browser.follow(come_back(browser, other, leaves, "other"))

    assert Profile.objects.get().operator == "other"


def test_what_was_chosen_in_vain_is_not_remembered(browser, operator, other):
    leaves = choose(browser, log_in(browser, remembering("")), "fake")
    not_seen(browser, operator, leaves, "fake")

    assert Profile.objects.get().operator == ""


def test_a_signup_shows_nothing_of_what_another_account_remembers(
    browser, operator, other
):
    remembering("other")

    page = browser.get(sign_up(browser)["Location"])

    assert QUESTION in page.text
    assert "checked" not in page.text


@pytest.mark.parametrize(
    ("purpose", "remembers"),
    [
        (Purpose.SIGNUP, False),
        (Purpose.LOGIN, True),
        (Purpose.PASSWORD_CHANGE, True),
        (Purpose.PASSWORD_RESET, False),
        (Purpose.PHONE_CHANGE, False),
        (Purpose.STEP_UP, True),
    ],
)
def test_only_who_has_shown_the_password_is_remembered(other, purpose, remembers):
    user = remembering("other")

    found = routing.operator_for(
        Msisdn(ANN),
        routing.serving(("GB",)),
        purpose=purpose,
        user=user,
    )

    assert (found.name if found else None) == ("other" if remembers else None)


def test_a_new_number_by_text_message_forgets_the_old_one_s_network(other):
    user = remembering("other")
    columns = {"purpose": Purpose.PHONE_CHANGE, "user": user, "msisdn": BEN}
    VerificationFactory(verified=True, method=Method.SMS, operator="", **columns)
    pending = PendingFactory(
        kind=Pending.Kind.PHONE_CHANGE, user=user, phone=BEN, replaces=ANN
    )

    phone.resume(pending, Browser(BINDING))

    assert (Profile.objects.get().phone, Profile.objects.get().operator) == (BEN, "")


# A choice of the site's own


def always_other(msisdn, candidates, remembered):
    assert candidates == ["fake", "other"]
    return "other"


def nonsense(msisdn, candidates, remembered):
    return "french"


def test_a_site_may_choose_by_a_function_of_its_own(browser, other, settings):
    settings.NV_CHOOSE_OPERATOR = f"{__name__}.always_other"

    assert sign_up(browser)["Location"].startswith(other.base_url)


def test_what_the_site_s_function_makes_up_is_asked_instead(browser, other, settings):
    settings.NV_CHOOSE_OPERATOR = f"{__name__}.nonsense"

    assert QUESTION in browser.get(sign_up(browser)["Location"]).text


# Where it is asked, and what the row says


@pytest.mark.parametrize("path", ["/accounts/email/change/", "/accounts/export/"])
def test_a_step_up_asks_the_question_too(browser, operator, other, path):
    user = UserFactory(phone=ANN)
    browser.force_login(user)
    asked = browser.submit(path)
    assert QUESTION in browser.get(asked["Location"]).text
    leaves = choose(browser, asked, "fake")
    ending = not_seen(browser, operator, leaves, "fake")["Location"]
    first = the_row()

    asked = browser.submit(
        first.next, ending, method="other_network", previous=str(first.pk)
    )

    assert QUESTION in browser.get(asked["Location"]).text


def a_waiting_row(**columns) -> Verification:
    return VerificationFactory(operator="", state_digest=None, nonce="", **columns)


def sends(row, **changes) -> bool:
    asked = {"operator": "fake", "device": BINDING, "now": timezone.now()} | changes
    return Verification.objects.filter(pk=row.pk).send_to_operator(**asked)


def test_only_its_own_browser_sends_a_row_to_an_operator():
    row = a_waiting_row()

    assert not sends(row, device="another browser")
    assert sends(row)


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"operator": "other"}, id="of another operator"),
        pytest.param({"state_digest": b"x" * 32}, id="that was sent"),
        pytest.param({"method": Method.SMS}, id="of another method"),
        pytest.param({"status": Status.EXCHANGING}, id="that came back"),
        pytest.param({"expires_at": timezone.now()}, id="that is late"),
    ],
)
def test_no_row_is_sent(columns):
    row = a_waiting_row()
    Verification.objects.filter(pk=row.pk).update(**columns)

    assert not sends(row)


def test_who_has_chosen_has_five_minutes_from_then(browser, operator, other):
    asked = sign_up(browser)
    soon = timezone.now() + timedelta(seconds=10)
    Verification.objects.update(expires_at=soon)

    choose(browser, asked, "fake")

    assert the_row().expires_at > timezone.now() + timedelta(minutes=4)


# Two at once


@pytest.mark.django_db(transaction=True)
def test_of_two_equal_choices_at_once_one_counts(other, operator):
    user = UserFactory(phone=ANN)
    flow.start(
        purpose=Purpose.LOGIN,
        msisdn=Msisdn(ANN),
        user=user,
        browser=Browser(BINDING),
        next="/accounts/profile/",
        way=Way(),
    )
    row = the_row()

    def choice(name):
        try:
            return network.send(row, name, device=BINDING, operator_chosen=True)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        urls = list(pool.map(choice, ["fake", "other"]))

    assert [url.startswith("/verify/") for url in urls].count(True) == 1
    (sent,) = [url for url in urls if not url.startswith("/verify/")]
    chosen = {"fake": operator, "other": other}[the_row().operator]
    assert sent.startswith(chosen.base_url)
