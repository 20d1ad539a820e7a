import re
from datetime import timedelta

import pytest
from django.utils import timezone

from numberverify.choices import Purpose, Reason, Status
from numberverify.models import Verification
from tests.factories import BINDING, UserFactory, VerificationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def holder(client):
    client.cookies["nv_binding"] = BINDING
    return client


def page_of(client, row):
    return client.get(f"/verify/{row.pk}/")


@pytest.mark.parametrize(
    ("state", "headline"),
    [
        pytest.param({}, "The check is not finished", id="pending"),
        pytest.param(
            {"exchanging": True}, "Checking with your mobile network", id="exchanging"
        ),
        pytest.param({"mismatched": True}, "does not match this SIM", id="mismatched"),
        pytest.param(
            {"unavailable": True}, "We could not check your number", id="unavailable"
        ),
        pytest.param(
            {"settled": True, "status": Status.EXPIRED}, "has run out", id="expired"
        ),
        pytest.param(
            {"settled": True, "status": Status.REFUSED}, "was refused", id="refused"
        ),
    ],
)
def test_each_ending_has_its_own_page_with_a_reference(holder, state, headline):
    row = VerificationFactory(**state)

    page = page_of(holder, row)

    assert page.status_code == 200
    assert headline in page.text
    assert str(row.pk) in page.text.split("<main")[1]
    assert "no-store" in page["Cache-Control"]


@pytest.mark.parametrize("reason", sorted({*Reason} - {Reason.NOT_ON_PHONE}))
def test_could_not_tell_never_reads_like_a_no_match_or_a_failure(holder, reason):
    row = VerificationFactory(settled=True, status=Status.UNAVAILABLE, reason=reason)

    text = page_of(holder, row).text.split("<main")[1]

    assert "We could not check your number" in text
    assert "Try again" in text
    for word in ("does not match", "failed", "wrong number", "invalid"):
        assert word not in text


def test_on_wifi_the_page_says_to_turn_it_off(holder):
    row = VerificationFactory(unavailable=True, reason=Reason.NOT_ON_MOBILE_NETWORK)

    assert "Turn Wi-Fi" in page_of(holder, row).text


def test_no_match_has_the_dual_sim_hint_and_shows_the_given_number_masked(holder):
    page = page_of(holder, VerificationFactory(mismatched=True))
    text = page.text.split("<main")[1]

    assert "Two SIMs" in text
    assert "•••123" in text
    assert "900123" not in text.replace("•••123", "")


@pytest.mark.parametrize(
    ("purpose", "may"),
    [
        (Purpose.SIGNUP, True),
        (Purpose.PHONE_CHANGE, True),
        (Purpose.LOGIN, False),
        (Purpose.PASSWORD_RESET, False),
    ],
)
def test_only_a_number_that_was_typed_may_be_corrected(holder, purpose, may):
    row = VerificationFactory(mismatched=True, purpose=purpose)

    assert ("Correct the number" in page_of(holder, row).text) is may


def test_a_receipt_goes_on_by_itself(holder):
    row = VerificationFactory(verified=True, next="/accounts/signup/x/")

    assert page_of(holder, row)["Location"] == "/accounts/signup/x/"


def test_a_receipt_that_ran_out_says_so(holder):
    old = timezone.now() - timedelta(minutes=6)
    row = VerificationFactory(verified=True, settled_at=old)

    assert "has run out" in page_of(holder, row).text


def test_what_is_still_being_asked_refreshes_by_itself(holder):
    page = page_of(holder, VerificationFactory(exchanging=True))

    assert '<meta http-equiv="refresh"' in page.text
    assert "Try again" not in page.text


def asked_for(seconds: float, **columns):
    """A row whose operator has been asked for so long."""
    since = timezone.now() - timedelta(seconds=seconds)
    return VerificationFactory(exchanging=True, claimed_at=since, **columns)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "Checking with your mobile network…"),
        (4, "Checking with your mobile network…"),
        (6, "Still checking…"),
        (14, "Still checking…"),
        (16, "has not answered yet"),
        (60, "has not answered yet"),
    ],
)
def test_the_page_says_how_long_the_network_has_been_asked(holder, seconds, words):
    text = page_of(holder, asked_for(seconds)).text

    said = re.search(r'<div role="status" aria-atomic="true"[^>]*>(.*?)</div>', text)
    assert words in said[1]


@pytest.mark.parametrize("seconds", [0, 14])
def test_no_other_way_is_offered_at_once(holder, seconds):
    page = page_of(holder, asked_for(seconds))

    assert "<form" not in page.text.split("<main")[1]
    assert page.context["ways"] == []  # nobody has looked for any
    assert 'content="2"' in page.text


def test_later_the_other_ways_are_and_loading_anew_leaves_time_to_choose(holder):
    page = page_of(holder, asked_for(16, next="/accounts/signup/x/")).text

    assert 'action="/accounts/signup/x/"' in page
    assert 'value="sms"' in page
    assert "go on another way" in page
    assert 'content="20"' in page


def test_where_there_is_no_other_way_the_network_may_be_asked_anew(holder, settings):
    settings.SMS_BACKEND, settings.NV_HANDOFF = "", []

    page = page_of(holder, asked_for(16)).text

    assert 'value="sms"' not in page
    assert "Ask my mobile network anew" in page


def test_after_a_no_match_text_messages_are_not_offered_there_either(holder):
    VerificationFactory(mismatched=True)

    assert 'value="sms"' not in page_of(holder, asked_for(16)).text


def test_the_owner_in_another_browser_only_looks_on(client):
    row = asked_for(16, user=UserFactory())
    client.force_login(row.user)

    text = page_of(client, row).text.split("<main")[1]
    assert "has not answered yet" in text
    assert "<form" not in text
    assert "another way" not in text


@pytest.mark.parametrize("outsider", ["stranger", "another browser", "other owner"])
def test_others_are_told_that_there_is_nothing(client, outsider):
    row = VerificationFactory(mismatched=True, user=UserFactory())
    if outsider == "another browser":
        client.cookies["nv_binding"] = "another"
    if outsider == "other owner":
        client.force_login(UserFactory())

    assert page_of(client, row).status_code == 404


def test_the_signed_in_owner_sees_it_from_any_browser(client):
    row = VerificationFactory(mismatched=True, user=UserFactory())
    client.force_login(row.user)

    assert page_of(client, row).status_code == 200


def test_the_owner_in_another_browser_does_not_go_on_with_a_receipt(client):
    row = VerificationFactory(verified=True, user=UserFactory())
    client.force_login(row.user)

    assert page_of(client, row).status_code == 200


def test_an_unknown_id_is_a_404(client):
    assert (
        client.get("/verify/01890000-0000-7000-8000-000000000000/").status_code == 404
    )


def test_looking_at_a_late_row_settles_it(holder):
    row = VerificationFactory(expires_at=timezone.now() - timedelta(seconds=1))

    assert "has run out" in page_of(holder, row).text
    assert Verification.objects.get().status == Status.EXPIRED


def test_looking_at_a_dead_exchange_settles_it_as_could_not_tell(holder):
    dead = timezone.now() - timedelta(minutes=3)
    row = VerificationFactory(exchanging=True, claimed_at=dead)

    assert "We could not check your number" in page_of(holder, row).text
    assert Verification.objects.get().reason == Reason.INTERRUPTED


def test_where_no_operator_serves_the_country_it_says_so_at_once(browser, operator):
    typed = {
        "email": "a@example.com",
        "password1": "corr3ct horse",
        "password2": "corr3ct horse",
    }
    started = browser.submit("/accounts/signup/", phone="+33 6 39 98 12 34", **typed)

    row = Verification.objects.get()
    assert started["Location"] == f"/verify/{row.pk}/"
    assert (row.status, row.reason, row.number) == (
        Status.UNAVAILABLE,
        Reason.NO_OPERATOR,
        "",
    )
    assert "numbers of that country" in browser.get(started["Location"]).text
