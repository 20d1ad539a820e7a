"""The page that asks, and when a guard is refused at the start."""

import os
import re
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.views.generic import View

from accounts.models import Profile
from numberverify.factors import recovery, sms, totp
from numberverify.models import Verification
from numberverify.stepup import (
    StepUpRequiredMixin,
    step_up_required,
)
from tests.conftest import Browser
from tests.numberverify.typed import app_of, texted
from tests.servers import GUNICORN, ROOT, free_port

from .site import (
    TABLE,
    asks,
    both,
    done,
    is_open,
    prove,
    transfer,
)

pytestmark = pytest.mark.django_db


# At the start


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        pytest.param({"action": "transfer"}, "transfer", id="unknown action"),
        pytest.param({"action": ""}, "''", id="no action"),
        pytest.param({"action": "vault", "max_age": 601}, "600", id="longer"),
        pytest.param({"action": "pay", "max_age": 301}, "300", id="longer once"),
        pytest.param({"action": "vault", "max_age": 0}, "vault", id="no time"),
        pytest.param({"action": "vault", "max_age": -1}, "vault", id="time gone by"),
        pytest.param(
            {"action": "vault", "details": transfer}, "vault", id="age with details"
        ),
    ],
)
def test_a_view_that_the_table_does_not_allow_is_refused_at_import(arguments, named):
    names = {"action": "step_up_action", "max_age": "step_up_max_age"}
    names["details"] = "step_up_details"
    attributes = {names[key]: value for key, value in arguments.items()}

    with pytest.raises(ImproperlyConfigured, match=named):
        step_up_required(**arguments)
    with pytest.raises(ImproperlyConfigured, match=named):
        type("Guarded", (StepUpRequiredMixin, View), attributes)


def test_a_bad_row_anywhere_in_the_table_is_refused_at_import(settings):
    settings.NV_STEP_UP = TABLE | {"broken": {"label": "x", "serves": "twice"}}

    with pytest.raises(ImproperlyConfigured, match="'broken'"):
        step_up_required("pay")


MODULE = """
from django.http import HttpResponse
from django.urls import path
from numberverify.stepup import step_up_required

@step_up_required({action!r})
def guarded(request):
    return HttpResponse("open")

urlpatterns = [path("guarded/", guarded)]
"""


@pytest.fixture
def site_with(tmp_path):
    """The environment of a site whose one view is guarded by `action`."""

    def written(action):
        (tmp_path / "guarded_urls.py").write_text(MODULE.format(action=action))
        (tmp_path / "guarded_site.py").write_text(
            'from config.settings import *\nROOT_URLCONF = "guarded_urls"\n'
        )
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{tmp_path}:{ROOT}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "DJANGO_SETTINGS_MODULE": "guarded_site",
            "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
            "DEBUG": "1",
        }

    return written


def run(command, environment):
    return subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    "command",
    [
        pytest.param([sys.executable, "-c", "import config.wsgi"], id="wsgi"),
        pytest.param([sys.executable, "-c", "import config.asgi"], id="asgi"),
        pytest.param([sys.executable, "manage.py", "check"], id="check"),
        pytest.param([*GUNICORN, f"127.0.0.1:{free_port()}"], id="gunicorn"),
    ],
)
def test_an_action_unknown_to_the_table_stops_the_server(site_with, command):
    ended = run(command, site_with("launch_rocket"))

    assert ended.returncode != 0
    assert "NV_STEP_UP has no action 'launch_rocket'" in ended.stdout + ended.stderr


def test_an_action_of_the_table_lets_it_start(site_with):
    ended = run([sys.executable, "-c", "import config.wsgi"], site_with("export_data"))

    assert ended.returncode == 0, ended.stderr


# The page that asks


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("/vault/", "You won't be asked again for 10 minutes."),
        ("/safe/", "You won't be asked again for 60 seconds."),
        ("/pay/", "The confirmation is good for 5 minutes, once."),
        ("/class/safe/", "You won't be asked again for 60 seconds."),
    ],
)
def test_it_names_the_action_and_how_long_it_lasts(signed_in, page, words):
    text = signed_in.get(page).text

    label = TABLE["pay" if "pay" in page else "vault"]["label"]
    assert f"Confirm it's you to {label}</h1>" in text.replace("&#x27;", "'")
    assert words in text.replace("&#x27;", "'")
    assert "•••123" in text
    assert not Verification.objects.exists()


@both
def test_it_is_kept_by_no_cache(signed_in, operator, place):
    asked = signed_in.get(f"{place}vault/")
    opened = prove(signed_in, operator, f"{place}vault/")

    for page in (asked, opened):
        assert "no-store" in page["Cache-Control"]


@both
def test_somebody_who_is_not_signed_in_is_sent_to_login(client, place):
    page = f"{place}vault/?box=7"

    assert (
        client.get(page)["Location"] == f"/accounts/login/?next={place}vault/%3Fbox%3D7"
    )
    assert client.post(page, {"take": "1"}).status_code == 303
    assert done == []


@both
def test_who_is_not_on_the_phone_finds_the_other_ways(signed_in, place):
    page = signed_in.get(f"{place}vault/?box=7")
    (link,) = re.findall(r'href="([^"]*nv_other[^"]*)"', page.text)

    others = signed_in.get(link.replace("&amp;", "&"))

    assert 'value="sms"' in others.text
    assert "Check my number" not in others.text
    assert others.context["address"] == f"{place}vault/?box=7"


def kept(browser) -> str:
    """What the row of the last proof begun leads to."""
    return Verification.objects.latest("created_at").next


@pytest.mark.parametrize("box", ["7", "7" * 900], ids=["short", "long"])
def test_the_other_ways_lead_back_to_the_page_without_the_link(signed_in, ann, box):
    page = signed_in.submit(f"/vault/?box={box}&nv_other=1", method="sms")
    signed_in.submit(page["Location"], code=texted())

    back = signed_in.get(kept(signed_in))

    assert (back.status_code, back["Location"]) == (303, f"/vault/?box={box}")


def test_v5_0_0_14_2_1_a_query_string_gets_into_no_row(signed_in):
    """It may say whom a page is about, and rows are for good."""
    for _ in range(2):
        signed_in.submit("/vault/?box=7", method="sms")

    assert {row.next[:14] for row in Verification.objects.all()} == {"/vault/?nv_at="}
    assert len(signed_in.session["nv_addresses"]) == 1


@pytest.mark.parametrize("what", ["unknown", "of another page", "too long"])
def test_a_query_that_is_not_known_leads_nowhere_else(signed_in, monkeypatch, what):
    if what == "too long":
        monkeypatch.setattr("numberverify.stepup.held.MAX_ADDRESS", 9)
    signed_in.submit("/vault/?box=7", method="sms")
    back = kept(signed_in)
    if what == "unknown":
        back = "/vault/?nv_at=0123456789abcdef"
    elif what == "of another page":
        back = back.replace("/vault/", "/transfer/")

    assert signed_in.get(back).get("Location", "") == ""


def test_without_a_number_or_another_way_the_page_says_what_to_add(signed_in, ann):
    Profile.objects.all().delete()

    text = signed_in.get("/vault/").text

    assert "Add a number first" in text
    assert "Add an authenticator app" in text


@pytest.mark.parametrize("way", [totp, recovery])
def test_without_a_number_a_way_of_ones_own_is_offered(signed_in, ann, way):
    Profile.objects.all().delete()
    app_of(ann) if way is totp else recovery.make(ann)

    page = signed_in.get("/vault/")

    assert [each["value"] for each in page.context["ways"]] in (
        ["totp"],
        ["recovery_code"],
    )


def test_an_action_by_app_alone_says_to_add_an_app(signed_in):
    text = signed_in.get("/sign/").text

    assert "Open this page on the phone" not in text
    assert "Add an authenticator app" in text


# Tabs


def test_begun_in_one_tab_and_finished_in_another(signed_in, operator):
    one = signed_in.submit("/pay/")
    two = signed_in.submit("/pay/")

    signed_in.come_back(operator, two)

    assert is_open(signed_in.get("/pay/"))
    assert signed_in.submit("/pay/", amount="10").text == "done"
    opened = signed_in.follow(signed_in.come_back(operator, one))
    assert is_open(opened)


def test_a_code_asked_for_in_one_tab_opens_the_page_in_another(signed_in):
    page = signed_in.submit("/vault/", method="sms")["Location"]
    assert asks(signed_in.get("/vault/"))

    signed_in.submit(page, code=texted())

    assert is_open(signed_in.get("/vault/"))


@pytest.mark.parametrize("name", ["vault", "pay", "class/pay"])
def test_the_button_of_an_old_confirm_page_is_no_effect(signed_in, operator, name):
    prove(signed_in, operator, f"/{name}/")

    for method in ("network", "other", "sms"):
        pressed = signed_in.submit(f"/{name}/", method=method)
        assert pressed["Location"] == f"/{name}/"
    assert Verification.objects.count() == 1
    assert len(sms.outbox) == 0
    assert done == []


def test_the_network_button_of_an_old_tab_rings_no_bell(signed_in, operator):
    old_tab = signed_in.get("/bell/")
    main = old_tab.text.split("<main")[1]
    button = re.search(r"<form.*?Check my number", main, re.DOTALL)[0]
    names = re.findall(r'name="(\w+)" value="([^"]*)"', button)
    address = re.search(r'action="([^"]+)"', button)[1]
    prove(signed_in, operator, "/bell/")

    signed_in.post(address, dict(names))

    assert done == []


def test_another_browser_of_the_same_person_is_asked_for_itself(
    signed_in, operator, ann
):
    prove(signed_in, operator, "/vault/")
    prove(signed_in, operator, "/pay/")
    other = Browser()
    other.force_login(ann)

    assert asks(other.get("/vault/"))
    assert asks(other.get("/pay/"))
