import pytest
from django.core import signing
from django.test import Client
from django.utils.html import strip_tags

from numberverify.sandbox.handset import (
    Fault,
    Handset,
    Network,
    Sim,
    Subscriber,
    of,
)
from tests.numberverify.sandbox.wire import HANDSET, set_handset

COOKIE = "sandbox_handset"


def held(client, rf):
    """The handset that the client's cookie stands for."""
    request = rf.get("/")
    request.COOKIES = {name: morsel.value for name, morsel in client.cookies.items()}
    return of(request)


def test_a_fresh_handset_is_on_mobile_data_without_a_fault(client, rf):
    expected = Handset("+447700900123", Network.MOBILE, Fault.NONE)
    assert held(client, rf) == expected
    assert (expected.sim, expected.subscriber) == (Sim.OLD, Subscriber.SAME)


def test_looking_at_the_page_stores_nothing(client):
    answer = client.get(HANDSET)

    assert answer.status_code == 200
    assert b'value="+447700900123"' in answer.content
    assert COOKIE not in client.cookies


def test_what_is_posted_is_kept_in_a_cookie_that_scripts_cannot_read(client, rf):
    fields = {"number": "+49 155 0000001", "network": "wifi", "fault": "slow"}

    answer = client.post(HANDSET, fields)

    assert answer.status_code == 303
    assert answer["Location"] == HANDSET
    assert held(client, rf) == Handset("+491550000001", Network.WIFI, Fault.SLOW)
    cookie = answer.cookies[COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert not cookie["secure"]


def test_over_https_the_cookie_is_secure(client):
    answer = client.post(HANDSET, {"fault": "slow"}, secure=True)

    assert answer.cookies[COOKIE]["secure"]


def test_a_field_that_is_not_sent_stays_as_it_is(client, rf):
    set_handset(client, number="+491550000001", network="wifi", fault="503")

    set_handset(client, network="mobile")

    expected = Handset("+491550000001", Network.MOBILE, Fault.OVERLOADED)
    assert held(client, rf) == expected


def test_a_field_that_is_sent_empty_is_emptied(client, rf):
    set_handset(client, fault="503")

    set_handset(client, number="", fault="")

    assert held(client, rf) == Handset("", Network.MOBILE, Fault.NONE)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"number": "07700 900123"}, b"Enter a number with its country code"),
        ({"number": "+44"}, b"Enter a number with its country code"),
        ({"number": "+44 7700 900-123"}, b"Enter a number with its country code"),
        ({"number": "+4477009001٢3"}, b"Enter a number with its country code"),
        ({"number": "+44\0" + "7700900123"}, b"Null characters are not allowed"),
        ({"number": "+" + "1" * 60}, b"at most 40 characters"),
        ({"network": "5g"}, b"Choose mobile data or Wi-Fi"),
        ({"network": ""}, b"Choose mobile data or Wi-Fi"),
        ({"fault": "flood"}, b"Choose one of the faults"),
        ({"sim": "stolen"}, b"Choose how long the SIM has been in"),
        ({"sim": ""}, b"Choose how long the SIM has been in"),
        ({"subscriber": "none"}, b"Choose whether the customer is the same"),
        ({"subscriber": ""}, b"Choose whether the customer is the same"),
    ],
    ids=str,
)
def test_a_wrong_value_is_explained_and_nothing_is_stored(client, fields, words):
    good = {"number": "+491550000001", "network": "wifi", "fault": "slow"}

    answer = client.post(HANDSET, {**good, **fields})

    assert answer.status_code == 200
    assert words in answer.content
    assert b"<title>Error: " in answer.content
    assert COOKIE not in client.cookies


def test_the_age_of_the_sim_and_of_the_customer_are_kept_too(client, rf):
    set_handset(client, sim="fresh", subscriber="new")
    assert (held(client, rf).sim, held(client, rf).subscriber) == (
        Sim.FRESH,
        Subscriber.NEW,
    )

    set_handset(client, network="wifi")

    expected = Handset(network=Network.WIFI, sim=Sim.FRESH, subscriber=Subscriber.NEW)
    assert held(client, rf) == expected


def test_a_cookie_from_before_there_were_these_two_still_holds(rf):
    request = rf.get("/")
    request.COOKIES[COOKIE] = signing.dumps(
        {"number": "+491550000001", "network": "wifi", "fault": "slow"},
        salt="numberverify.sandbox.handset",
    )

    assert of(request) == Handset("+491550000001", Network.WIFI, Fault.SLOW)


@pytest.mark.parametrize("fault", Fault.values)
def test_every_fault_can_be_chosen(client, rf, fault):
    set_handset(client, fault=fault)

    assert held(client, rf).fault == fault
    assert f'value="{fault}"' in client.get(HANDSET).content.decode()


@pytest.mark.parametrize(
    ("goal", "location"),
    [
        ("/accounts/signup/", "/accounts/signup/"),
        ("/accounts/login/?next=/x", "/accounts/login/?next=/x"),
        ("http://testserver/x", "http://testserver/x"),
        ("https://evil.example/", HANDSET),
        ("//evil.example/", HANDSET),
        ("/\\evil.example/", HANDSET),
        ("javascript:alert(1)", HANDSET),
        ("", HANDSET),
    ],
)
def test_the_way_on_stays_on_this_host(client, goal, location):
    answer = client.post(HANDSET, {"fault": "slow", "next": goal})

    assert answer.status_code == 303
    assert answer["Location"] == location


def test_the_page_carries_the_way_on(client):
    answer = client.get(HANDSET, {"next": '/a/"><b>'})

    expected = 'name="next" value="/a/&quot;&gt;&lt;b&gt;"'
    assert expected in answer.content.decode()


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "garbage",
        "a:b:c",
        "é\udc80",
        signing.dumps({"number": "+491550000001"}),
        signing.dumps([1, 2], salt="numberverify.sandbox.handset"),
        signing.dumps({"number": "+49"}, salt="numberverify.sandbox.handset"),
        signing.dumps(
            {"number": "+491550000001", "network": "6g", "fault": ""},
            salt="numberverify.sandbox.handset",
        ),
        signing.dumps(
            {"number": "+49155", "network": "wifi", "fault": "", "sim": "stolen"},
            salt="numberverify.sandbox.handset",
        ),
    ],
    ids=range(9),
)
def test_a_cookie_that_does_not_hold_is_a_fresh_handset(rf, cookie):
    request = rf.get("/")
    request.COOKIES[COOKIE] = cookie

    assert of(request) == Handset()


def test_a_cookie_that_was_changed_is_a_fresh_handset(client, rf):
    set_handset(client, network="wifi")
    value = client.cookies[COOKIE].value
    client.cookies[COOKIE] = ("A" if value[0] != "A" else "B") + value[1:]

    assert held(client, rf) == Handset()


def test_the_handset_is_not_changed_from_another_site():
    browser = Client(enforce_csrf_checks=True)

    assert browser.post(HANDSET, {"fault": "slow"}).status_code == 403
    assert COOKIE not in browser.cookies


def test_the_form_of_the_page_carries_its_csrf_token():
    browser = Client(enforce_csrf_checks=True)
    token = str(browser.get(HANDSET).context["csrf_token"])

    answer = browser.post(HANDSET, {"fault": "slow", "csrfmiddlewaretoken": token})

    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, "holds +44 7700 900123 on mobile data."),
        ({"network": "wifi"}, "holds +44 7700 900123 on Wi-Fi."),
        ({"number": ""}, "has no SIM."),
        ({"number": "", "network": "wifi"}, "has no SIM on Wi-Fi."),
        ({"number": "+99012345678"}, "holds +99012345678 on mobile data."),
        (
            {"sim": "fresh", "subscriber": "new"},
            "holds +44 7700 900123 on mobile data; its SIM is fresh;"
            " the number has a new customer.",
        ),
        (
            {"fault": "503"},
            "holds +44 7700 900123 on mobile data; the operator is overloaded (503).",
        ),
    ],
    ids=str,
)
def test_the_banner_says_what_the_handset_holds(client, fields, line):
    if fields:
        set_handset(client, **fields)

    page = client.get("/sandbox/").content.decode()

    assert f"Sandbox: this browser's handset {line}" in " ".join(
        strip_tags(page).split()
    )
    assert 'href="/sandbox/handset/?next=/sandbox/"' in page


def test_the_home_page_names_every_fault_and_the_address_of_the_operator(client):
    page = client.get("/sandbox/").content.decode()

    assert "http://testserver/sandbox/mobile-connect" in page
    assert "http://testserver/sandbox/camara" in page
    assert "consent_required" in page
    assert "nothing goes wrong" not in page


@pytest.mark.parametrize("path", ["/sandbox/", HANDSET])
def test_the_pages_are_kept_by_nobody_and_hold_no_inline_script(client, path):
    answer = client.get(path)

    assert "no-store" in answer["Cache-Control"]
    page = answer.content.decode()
    assert "<script" not in page.partition("<main")[2]
    assert "style=" not in page
