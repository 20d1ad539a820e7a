"""SQLite, the embedded default: signups at once wait for each other, and none fails."""

import re
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.factories import PASSWORD
from tests.servers import GUNICORN, RUNSERVER, Server

AT_ONCE, ROUNDS = 8, 3


@pytest.fixture(params=[RUNSERVER, GUNICORN], ids=["runserver", "gunicorn"])
def site(request, tmp_path):
    database = f"sqlite:///{tmp_path}/db.sqlite3"
    running = Server(request.param, tmp_path, DEBUG="1", DATABASE_URL=database)
    yield running
    running.close()


def submit(browser, address, **typed):
    page = browser.get(address)
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
    fields = typed | {"csrfmiddlewaretoken": token}
    return browser.post(address, fields, headers={"Referer": page.url})


def sign_up(site, number, together):
    """A whole one: the handset, the form, the operator and back."""
    browser = requests.Session()
    phone = f"+4477009002{number:02}"
    submit(browser, f"{site.url}/sandbox/handset/", number=phone, network="mobile")
    typed = {"email": f"u{number}@example.com", "phone": phone}
    typed |= {"password1": PASSWORD, "password2": PASSWORD}
    together.wait(timeout=60)
    return submit(browser, f"{site.url}/accounts/signup/", **typed)


def test_eight_signups_at_once_are_eight_accounts(site, tmp_path):
    ended = []
    for round in range(ROUNDS):
        together = threading.Barrier(AT_ONCE)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            numbers = range(round * AT_ONCE, (round + 1) * AT_ONCE)
            tries = [pool.submit(sign_up, site, each, together) for each in numbers]
            ended += [one.result() for one in tries]

    assert {answer.status_code for answer in ended} == {200}
    assert {answer.url for answer in ended} == {f"{site.url}/accounts/profile/"}
    said = site.log.read_text()
    assert "locked" not in said
    assert "Traceback" not in said
    with sqlite3.connect(tmp_path / "db.sqlite3") as database:
        accounts = database.execute(
            "SELECT count(DISTINCT phone) FROM accounts_profile "
            "WHERE phone_verified_at IS NOT NULL"
        ).fetchone()
        spent = database.execute(
            "SELECT count(*) FROM numberverify_verification "
            "WHERE status = 'verified' AND redeemed_at IS NOT NULL"
        ).fetchone()
    assert accounts == spent == (AT_ONCE * ROUNDS,)
