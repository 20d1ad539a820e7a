import re

import pytest

from numberverify.sandbox.handset import Handset, Network, of
from tests.numberverify.sandbox.wire import HANDSET, set_handset

HOME = "/sandbox/"
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="(.*?)">')


def tries(client):
    """The fields of each form of the home page, and the number that is to be typed."""
    page = client.get(HOME).content.decode()
    cards = page.partition('<ul class="tries">')[2].partition("</ul>")[0].split("<li>")
    return [
        (dict(HIDDEN.findall(card)), re.search(r'class="number">(.*?)<', card)[1])
        for card in cards[1:]
    ]


def held(client, rf):
    request = rf.get("/")
    request.COOKIES = {name: morsel.value for name, morsel in client.cookies.items()}
    return of(request)


@pytest.mark.parametrize("nth", range(4))
def test_each_try_prepares_a_sound_handset_and_leads_to_signing_up(client, rf, nth):
    set_handset(client, sim="fresh", subscriber="new", fault="503", number="")
    fields, typed = tries(client)[nth]

    answer = client.post(HANDSET, fields)

    assert answer.status_code == 303
    assert answer["Location"] == "/accounts/signup/"
    network = Network.WIFI if nth == 2 else Network.MOBILE
    assert held(client, rf) == Handset(fields["number"], network)
    is_own = typed == held(client, rf).number_in_groups
    assert is_own is (nth != 1)


def test_the_numbers_are_nobody_s_and_new_each_time(client):
    numbers = {fields["number"] for _ in range(20) for fields, _ in tries(client)[:3]}

    assert len(numbers) > 1
    assert all(re.fullmatch(r"\+447700900[5-8]\d\d", number) for number in numbers)


def test_a_german_number_is_served_by_two(client):
    assert tries(client)[3][0]["number"] == "+4915228817386"


def test_the_sandbox_of_another_site_leads_there_and_nowhere_else(client, settings):
    settings.SANDBOX_SITE = "http://127.0.0.1:8000"

    answer = client.get(HOME)

    fields, _ = tries(client)[0]
    assert fields["next"] == "http://127.0.0.1:8000/accounts/signup/"
    assert client.post(HANDSET, fields)["Location"] == fields["next"]
    assert (
        "form-action 'self' http://127.0.0.1:8000"
        in (answer["Content-Security-Policy"])
    )
    evil = fields | {"next": "http://127.0.0.1:8001/"}
    assert client.post(HANDSET, evil)["Location"] == HANDSET
    assert "sandbox-2026" not in answer.content.decode()


def test_the_people_of_the_demo_are_named(client):
    page = client.get(HOME).content.decode()

    assert "sandbox-2026" in page
    assert "admin@example.com" in page


def test_the_scripts_and_styles_of_the_sandbox_are_on_its_pages_alone(client, db):
    assert b"sandbox.css" in client.get(HOME).content
    assert b"sandbox.css" in client.get(HANDSET).content
    assert b"sandbox." not in client.get("/accounts/login/").content
