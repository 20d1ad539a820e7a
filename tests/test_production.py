"""The site with DEBUG off, in a process of its own."""

import re
from collections.abc import Iterator

import pytest
import requests

from tests.conftest import REDIS_URL
from tests.servers import GUNICORN, Server

pytestmark = pytest.mark.redis


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("production")
    running = Server(
        GUNICORN,
        folder,
        SECRET_KEY="k" * 60,
        NV_FINGERPRINT_KEYS="f" * 40,
        DATABASE_URL=f"sqlite:///{folder}/db.sqlite3",
        CACHE_URL=REDIS_URL,
        EMAIL_URL=f"filemail://{folder}/mail",
        NV_CLIENT_ID="id",
        NV_CLIENT_SECRET="secret",
        NV_API_HOST="https://operator.example",
        DJANGO_SETTINGS_MODULE="config.settings",
    )
    yield running
    running.close()


def test_pages_and_their_stylesheet_are_served_at_once(site):
    page = requests.get(site.url)
    sheet = re.search(r'href="(/static/site[\w.]*\.css)"', page.text)

    assert page.status_code == 200
    assert requests.get(site.url + sheet[1]).status_code == 200


def test_there_is_no_sandbox_and_no_demo(site):
    assert requests.get(f"{site.url}/sandbox/").status_code == 404
    assert "Sandbox" not in requests.get(f"{site.url}/accounts/signup/").text


def test_odd_requests_get_plain_answers(site):
    for path, body, kind in (
        (
            "/accounts/signup/",
            b"a=1",
            "application/x-www-form-urlencoded; charset=utf-16",
        ),
        ("/accounts/login/", b"\xff\xfe", "application/x-www-form-urlencoded"),
        ("/accounts/login/", b"{}", "application/json"),
    ):
        answer = requests.post(site.url + path, body, headers={"Content-Type": kind})
        assert answer.status_code in (400, 403)
        assert "Traceback" not in answer.text


def test_an_over_long_callback_is_ours_to_answer(site):
    address = f"{site.url}/verify/callback/default/?state=x&code={'y' * 4500}"

    assert requests.get(address).status_code == 400
