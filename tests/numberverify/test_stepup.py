"""A fresh proof before a sensitive action: what opens a page, and what shuts it."""

import os
import re
import subprocess
import sys

import pytest
from django.conf import settings as project
from django.contrib.auth import HASH_SESSION_KEY
from django.core import signing
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.test import RequestFactory
from django.test.utils import override_settings
from django.urls import path
from django.utils import timezone
from django.views.generic import View

from accounts import account
from accounts.models import Profile, User
from config.urls import urlpatterns as of_the_site
from numberverify.choices import Purpose
from numberverify.errors import VerificationNotUsable
from numberverify.factors import recovery, sms, totp
from numberverify.models import Verification
from numberverify.stepup import (
    StepUpRequiredMixin,
    confirmed,
    redeem_step_up,
    step_up_required,
    typed_before,
)
from tests.conftest import Browser
from tests.factories import ANN, PASSWORD, DeviceFactory, UserFactory
from tests.numberverify.typed import app_of, later, shown_by, texted
from tests.servers import GUNICORN, ROOT, free_port

pytestmark = pytest.mark.django_db
BEN = "+447700900456"
TABLE = {
    "vault": {"label": "open the vault", "serves": "age", "max_age": 600},
    "pay": {"label": "pay"},
    "wire": {"label": "wire money"},
    "sign": {"label": "sign", "methods": ["totp"]},
}
done: list[str] = []


def form(request) -> HttpResponse:
    token = get_token(request)
    field = f'<input name="csrfmiddlewaretoken" value="{token}">'
    kept = dict(sorted(typed_before(request).items()))
    return HttpResponse(f"open {kept} {field}")


def act(request, field: str) -> HttpResponse:
    """The view of each page: a form, or the effect that its fields ask for."""
    if field not in request.POST:
        return form(request)
    with transaction.atomic():
        redeem_step_up(request)
        done.append(request.POST[field])
    return HttpResponse("done")


def transfer(request):
    named = {"payee", "amount"} <= set(request.POST)
    return (
        {"To": request.POST["payee"], "Amount": request.POST["amount"]}
        if named
        else None
    )


with override_settings(NV_STEP_UP=TABLE):

    @step_up_required("vault", form_fields=("take",))
    def vault(request):
        return act(request, "take")

    @step_up_required("vault", max_age=60, form_fields=("take",))
    def safe(request):
        return act(request, "take")

    @step_up_required("pay", form_fields=("amount",), keep=("amount", "note"))
    def pay(request):
        return act(request, "amount")

    @step_up_required("pay")
    def bell(request):
        if request.method != "POST":
            return form(request)
        with transaction.atomic():
            redeem_step_up(request)
        done.append("rang")
        return HttpResponse("done")

    @step_up_required("wire", keep=("payee", "amount"), details=transfer)
    def wire(request):
        return act(request, "amount")

    @step_up_required("sign")
    def sign(request):
        return form(request)

    class Vault(StepUpRequiredMixin, View):
        step_up_action = "vault"
        step_up_form_fields = ("take",)

        def dispatch(self, request):
            return super().dispatch(request)

        def get(self, request):
            return act(request, "take")

        post = get

    class Safe(Vault):
        step_up_max_age = 60

    class Pay(Vault):
        step_up_action = "pay"
        step_up_form_fields = ("amount",)
        step_up_keep = ("amount", "note")

        def get(self, request):
            return act(request, "amount")

        post = get

    class Wire(Pay):
        step_up_action = "wire"
        step_up_form_fields = ()
        step_up_details = transfer
        step_up_keep = ("payee", "amount")


VIEWS = {
    "vault": vault,
    "safe": safe,
    "pay": pay,
    "bell": bell,
    "wire": wire,
    "sign": sign,
    "class/vault": Vault.as_view(),
    "class/safe": Safe.as_view(),
    "class/pay": Pay.as_view(),
    "class/wire": Wire.as_view(),
}
urlpatterns = [
    *of_the_site,
    *(path(f"{name}/", view) for name, view in VIEWS.items()),
]
both = pytest.mark.parametrize("place", ["/", "/class/"], ids=["function", "class"])


@pytest.fixture(autouse=True)
def _site(settings):
    settings.NV_STEP_UP = project.NV_STEP_UP | TABLE
    settings.ROOT_URLCONF = __name__
    done.clear()


@pytest.fixture
def ann(operator):
    user = UserFactory(email="ann@example.com", phone=ANN)
    DeviceFactory(user=user)
    return user


@pytest.fixture
def signed_in(browser, ann):
    """Ann's browser, known and with a recent proof: no check just now."""
    browser.cookies["nv_known"] = "known browser"
    browser.submit("/accounts/login/", username=ann.email, password=PASSWORD)
    return browser


def prove(browser, operator, page):
    return browser.follow(browser.come_back(operator, browser.submit(page)))


def is_open(page):
    return page.text.startswith("open ")


def asks(page):
    return "Confirm it's you" in page.text


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


def test_the_other_ways_lead_back_to_the_page_without_the_link(signed_in, ann):
    page = signed_in.submit("/vault/?box=7&nv_other=1", method="sms")
    signed_in.submit(page["Location"], code=texted())

    assert Verification.objects.get().next == "/vault/?box=7"
    assert is_open(signed_in.get("/vault/?box=7"))


def test_an_address_too_long_to_keep_loses_its_query(signed_in):
    signed_in.submit(f"/vault/?box={'7' * 500}")

    assert Verification.objects.get().next == "/vault/"


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


# A proof for its age


@both
def test_it_opens_the_page_for_its_age(signed_in, operator, place):
    assert is_open(prove(signed_in, operator, f"{place}vault/"))

    row = Verification.objects.get()
    assert (row.purpose, row.action) == (Purpose.STEP_UP, "vault")
    assert row.redeemed_at
    with later(seconds=590):
        assert is_open(signed_in.get(f"{place}vault/"))
    with later(seconds=610):
        assert asks(signed_in.get(f"{place}vault/"))


@both
def test_a_view_may_want_it_fresher_than_the_table(signed_in, operator, place):
    prove(signed_in, operator, f"{place}vault/")

    assert is_open(signed_in.get(f"{place}safe/"))
    with later(seconds=61):
        assert asks(signed_in.get(f"{place}safe/"))
        assert is_open(signed_in.get(f"{place}vault/"))


@both
def test_it_pays_for_more_than_one_form(signed_in, operator, place):
    prove(signed_in, operator, f"{place}vault/")

    for what in ("gold", "silver"):
        assert signed_in.submit(f"{place}vault/", take=what).text == "done"
    assert done == ["gold", "silver"]


def password_change(user, browser):
    user.set_password("batt3ry staple")
    user.save()
    keep_session(user, browser)


def keep_session(user, browser):
    """The session lives on, so that it is not what shuts the page."""
    session = browser.session
    session[HASH_SESSION_KEY] = User.objects.get().get_session_auth_hash()
    session.save()


def new_app(user, browser):
    key = totp.new_key()
    app = totp.TOTPDevice(user=user, key=key)
    assert totp.enrol(user, key, shown_by(app))


def new_codes(user, browser):
    recovery.make(user)


def new_email(user, browser):
    assert account.change_email(user, "new@example.com")


def ended_sessions(user, browser):
    user.end_sessions()
    keep_session(user, browser)


def another_browser(user, browser):
    browser.cookies["nv_binding"] = "another browser"


def logged_out(user, browser):
    browser.submit("/accounts/logout/", page="/")
    browser.submit("/accounts/login/", username=user.email, password=PASSWORD)


@pytest.mark.parametrize(
    "change",
    [
        password_change,
        new_app,
        new_codes,
        new_email,
        ended_sessions,
        another_browser,
        logged_out,
    ],
)
@both
def test_it_dies_with(signed_in, operator, ann, place, change):
    prove(signed_in, operator, f"{place}vault/")

    change(ann, signed_in)

    page = signed_in.get(f"{place}vault/")
    assert page.status_code == 200
    assert asks(page)


def test_it_dies_with_an_app_that_goes(signed_in, operator, ann):
    app_of(ann)
    prove(signed_in, operator, "/vault/")

    totp.remove(ann)

    assert asks(signed_in.get("/vault/"))


def test_it_dies_with_a_number_that_changes(signed_in, operator, ann):
    prove(signed_in, operator, "/accounts/phone/change/")
    prove(signed_in, operator, "/vault/")
    started = signed_in.submit("/accounts/phone/change/", phone=BEN)
    operator.sim = BEN
    page = signed_in.follow(signed_in.come_back(operator, started))
    assert "Your number is confirmed" in page.text

    assert asks(signed_in.get("/vault/"))


@both
def test_a_freeze_shuts_every_action_at_once(signed_in, operator, ann, place):
    prove(signed_in, operator, f"{place}vault/")
    User.objects.update(frozen_at=timezone.now())

    for name in ("vault", "pay", "wire"):
        text = signed_in.get(f"{place}{name}/").text
        assert "Sensitive actions are frozen" in text
        assert signed_in.post(f"{place}{name}/").status_code == 403  # no token
    User.objects.update(frozen_at=None)
    assert is_open(signed_in.get(f"{place}vault/"))


def test_a_freeze_by_staff_leaves_nothing_open(signed_in, operator, ann):
    prove(signed_in, operator, "/vault/")

    ann.freeze()

    assert signed_in.get("/vault/").status_code == 302


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda ann: recovery.make(ann), id="new codes"),
        pytest.param(app_of, id="an app"),
        pytest.param(lambda ann: Profile.objects.update(phone=BEN), id="a number"),
    ],
)
def test_without_a_stamp_of_the_site_it_dies_all_the_same(
    signed_in, operator, ann, settings, change
):
    settings.NV_PROOF_STAMP = ""
    assert is_open(prove(signed_in, operator, "/vault/"))

    change(ann)

    assert asks(signed_in.get("/vault/"))


# A proof that serves once


@both
def test_once_opens_the_form_and_pays_for_one(signed_in, operator, place):
    page = f"{place}pay/"
    assert is_open(prove(signed_in, operator, page))
    assert is_open(signed_in.get(page))
    assert Verification.objects.get().redeemed_at is None

    assert signed_in.submit(page, amount="10").text == "done"

    assert Verification.objects.get().redeemed_at
    assert asks(signed_in.get(page))
    assert asks(signed_in.submit(page, amount="20"))
    assert done == ["10"]


def test_an_effect_that_fails_leaves_the_proof(signed_in, operator, monkeypatch):
    prove(signed_in, operator, "/pay/")
    monkeypatch.setattr(f"{__name__}.done", None)
    with pytest.raises(AttributeError):
        signed_in.submit("/pay/", amount="10")
    monkeypatch.undo()

    assert signed_in.submit("/pay/", amount="10").text == "done"


def test_a_session_that_remembers_a_spent_proof_pays_for_nothing(signed_in, operator):
    prove(signed_in, operator, "/pay/")
    held = signed_in.session["nv_proofs"]
    signed_in.submit("/pay/", amount="10")
    session = signed_in.session
    session["nv_proofs"] = held
    session.save()

    assert asks(signed_in.submit("/pay/", amount="20"))
    assert done == ["10"]


def test_once_runs_out_after_five_minutes(signed_in, operator):
    prove(signed_in, operator, "/pay/")

    with later(seconds=301):
        assert asks(signed_in.get("/pay/"))
        assert asks(signed_in.submit("/pay/", amount="10"))
    assert done == []


def test_outside_a_guarded_view_there_is_nothing_to_redeem(ann):
    request = RequestFactory().post("/")
    request.user = ann

    with pytest.raises(VerificationNotUsable):
        redeem_step_up(request)


# A form that comes before the proof


@both
def test_it_is_never_replayed(signed_in, operator, place):
    page = f"{place}pay/"
    asked = signed_in.submit(page, amount="10", note="rent")
    assert asks(asked)
    assert not Verification.objects.exists()

    opened = go_on(signed_in, operator, asked, page)

    assert is_open(opened)
    assert done == []


def go_on(browser, operator, asked, page, **fields):
    """Press the button of a confirm page, and come back with a match."""
    fields |= {"confirmed": asked.context["confirmed"]}
    started = browser.submit(page, **fields)
    return browser.follow(browser.come_back(operator, started))


@both
def test_what_may_be_kept_comes_back(signed_in, operator, place):
    page = f"{place}pay/"
    asked = signed_in.submit(page, amount="10", note="rent", pin="9876")

    opened = go_on(signed_in, operator, asked, page)

    assert "{'amount': '10', 'note': 'rent'}" in opened.text
    assert "{}" in signed_in.get(f"{page}?another=page").text
    signed_in.submit(page, amount="10")
    assert "rent" not in str(signed_in.session["nv_kept"])


@both
def test_a_secret_reaches_neither_page_nor_session(signed_in, operator, place):
    asked = signed_in.submit(f"{place}pay/", amount="10", pin="s3cret")
    signed = signing.loads(asked.context["confirmed"], salt=confirmed.SALT)
    go_on(signed_in, operator, asked, f"{place}pay/")

    assert "s3cret" not in asked.text + str(signed)
    assert "s3cret" not in str(dict(signed_in.session))
    assert "s3cret" not in str(list(Verification.objects.values()))


def test_the_sites_own_secrets_are_not_kept_either(signed_in, operator):
    typed = {"old_password": PASSWORD, "new_password1": "n3w", "new_password2": "n3w"}

    asked = signed_in.submit("/accounts/password/change/", **typed)

    assert asks(asked)
    assert asked.context["confirmed"] == ""
    assert PASSWORD not in asked.text
    assert "nv_kept" not in signed_in.session


def test_too_much_is_not_kept_and_the_check_goes_on(signed_in, operator):
    asked = signed_in.submit("/pay/", amount="10", note="x" * 5000)

    assert asked.context["confirmed"] == ""
    assert is_open(prove(signed_in, operator, "/pay/"))


def test_by_another_way_what_was_typed_comes_back_too(signed_in, ann):
    app = app_of(ann)
    asked = signed_in.submit("/pay/", amount="10")
    fields = {"confirmed": asked.context["confirmed"], "method": "totp"}
    page = signed_in.submit("/pay/", **fields)["Location"]

    opened = signed_in.follow(signed_in.submit(page, code=shown_by(app)))

    assert "{'amount': '10'}" in opened.text
    assert done == []


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


# Details


def wired(browser, page, **fields):
    return browser.submit(page, **{"payee": "Cat", "amount": "10"} | fields)


@both
def test_it_shows_what_exactly_is_confirmed_and_pays_for_that(
    signed_in, operator, place
):
    page = f"{place}wire/"
    asked = wired(signed_in, page)
    assert "<dt>To</dt><dd>Cat</dd><dt>Amount</dt><dd>10</dd>" in asked.text

    opened = go_on(signed_in, operator, asked, page)
    assert "{'amount': '10', 'payee': 'Cat'}" in opened.text
    assert wired(signed_in, page).text == "done"
    assert asks(wired(signed_in, page))
    assert done == ["10"]


@pytest.mark.parametrize(
    "changed",
    [{"amount": "100"}, {"payee": "Dan"}, {"payee": "Cat "}, {"amount": "10.00"}],
)
@both
def test_a_changed_detail_is_asked_for_again(signed_in, operator, place, changed):
    page = f"{place}wire/"
    go_on(signed_in, operator, wired(signed_in, page), page)

    assert asks(wired(signed_in, page, **changed))
    assert done == []
    assert wired(signed_in, page).text == "done"


def test_a_form_with_errors_is_shown_without_a_proof(signed_in):
    assert is_open(signed_in.submit("/wire/", payee="Cat"))
    assert done == []


def test_a_proof_of_no_details_pays_for_none(signed_in, operator):
    started = signed_in.submit("/wire/", method="network")
    assert started["Location"] == "/wire/"
    signed_in.submit("/wire/", previous="01a20702-06f6-7729-bbe2-8b7af59c832d")

    assert bytes(Verification.objects.get().details_digest) == b""
    signed_in.come_back(operator, started_anew(signed_in))
    assert asks(wired(signed_in, "/wire/"))


def started_anew(browser):
    fields = {"previous": str(Verification.objects.get().pk)}
    return browser.submit("/wire/", **fields)


def test_the_details_are_kept_over_another_way(signed_in, operator, ann):
    asked = wired(signed_in, "/wire/")
    fields = {"confirmed": asked.context["confirmed"], "method": "other"}
    ended = signed_in.follow(signed_in.submit("/wire/", **fields))
    row = ended.context["verification"]
    fields = {"method": "sms", "previous": str(row.pk)}
    page = signed_in.submit("/wire/", f"/verify/{row.pk}/", **fields)["Location"]

    signed_in.submit(page, code=texted())

    assert asks(wired(signed_in, "/wire/", amount="100"))
    assert wired(signed_in, "/wire/").text == "done"


@pytest.mark.parametrize(
    ("action", "is_anns", "late"),
    [
        pytest.param("pay", True, 0, id="of another action"),
        pytest.param("wire", False, 0, id="of another person"),
        pytest.param("wire", True, 61, id="of an hour ago"),
    ],
)
def test_what_another_page_of_ours_said_is_not_believed(
    signed_in, ann, action, is_anns, late
):
    person = ann if is_anns else UserFactory()
    said = confirmed.write(confirmed.Confirmed({"To": "Eve"}), action, person)

    with later(minutes=late):
        answer = signed_in.submit("/wire/", confirmed=said)

    assert answer["Location"] == "/wire/"
    assert not Verification.objects.exists()


@pytest.mark.parametrize("value", ["", "x", "x:y:z", "é", "\x00"])
def test_a_made_up_confirmation_is_none(ann, value):
    assert confirmed.read(value, "wire", ann) is None
