"""Nothing secret in a log: every journey and ending, under runserver and gunicorn.

The servers are real processes with the sandbox operator inside.
"""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.servers import GUNICORN, RUNSERVER, Server

PASSWORD = "corr3ct horse"
NEW_PASSWORD = "batt3ry staple"
FAULTS = (
    "refused",
    "consent",
    "token_error",
    "503",
    "malformed",
    "wrong_nonce",
    "wrong_sub",
)


class Site(Server):
    """The site with its sandbox, and one browser."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.mail = folder / "mail"
        self.seen: list[str] = []
        self.new_browser()
        super().__init__(
            command,
            folder,
            DEBUG="1",
            DATABASE_URL=f"sqlite:///{folder}/db.sqlite3",
            EMAIL_URL=f"filemail://{self.mail}",
        )

    def new_browser(self) -> None:
        self.browser = requests.Session()

    def submit(self, path: str, page: str = "", **fields: str) -> requests.Response:
        opened = self.browser.get(self.url + (page or path))
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', opened.text)
        assert token, f"{opened.status_code} {opened.url}"
        answer = self.browser.post(
            self.url + path,
            fields | {"csrfmiddlewaretoken": token[1]},
            headers={"Referer": opened.url},
        )
        # What passed through addresses: codes and states among it.
        for step in [*answer.history, answer]:
            self.seen += re.findall(r"(?:code|state|nonce)=([^&]+)", step.url)
        return answer

    def mailed_link(self, part: str) -> str:
        for _ in range(50):
            for message in self.mail.glob("*"):
                if found := re.search(rf"http://\S+({part}\S+)", message.read_text()):
                    return found[1]
            time.sleep(0.1)
        raise AssertionError(f"no mail with {part}")


@pytest.fixture(params=[RUNSERVER, GUNICORN], ids=["runserver", "gunicorn"])
def site(request, tmp_path) -> Iterator[Site]:
    running = Site(request.param, tmp_path)
    yield running
    running.close()


def sign_up(site: Site, email: str, phone: str) -> requests.Response:
    return site.submit(
        "/accounts/signup/",
        email=email,
        phone=phone,
        password1=PASSWORD,
        password2=PASSWORD,
    )


def walk_every_journey(site: Site) -> list[str]:
    """Return the tokens of mailed links that were used on the way."""
    assert "Your profile" in sign_up(site, "ann@example.com", "07700 900123").text
    site.submit("/accounts/password/change/")
    new = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    changed = site.submit("/accounts/password/change/", old_password=PASSWORD, **new)
    assert "Your password is changed" in changed.text
    confirm = site.mailed_link("/accounts/email/confirm/")
    assert "is confirmed" in site.submit(confirm).text
    site.new_browser()
    typed = {"username": "ann@example.com", "password": NEW_PASSWORD}
    assert "Your profile" in site.submit("/accounts/login/", **typed).text
    site.submit("/accounts/logout/", page="/")
    site.submit("/accounts/password/reset/", email="ann@example.com")
    reset = site.mailed_link("/accounts/password/reset/M")
    chosen = site.submit(reset)
    here = chosen.url.removeprefix(site.url)
    new = {"new_password1": PASSWORD, "new_password2": PASSWORD}
    assert "Log in with it" in site.submit(here, **new).text
    return [confirm.split("/")[-2], reset.split("/")[-2]]


def walk_every_ending(site: Site) -> None:
    site.new_browser()
    ending = sign_up(site, "b@example.com", "07700 900456")
    assert "does not match this SIM" in ending.text
    for n, fault in enumerate(FAULTS):
        site.submit("/sandbox/handset/", number="+447700900777", fault=fault)
        ending = sign_up(site, f"c{n}@example.com", "+447700900777")
        assert "We could not check your number" in ending.text, fault
    site.submit("/sandbox/handset/", network="wifi", fault="")
    assert "Turn Wi-Fi" in sign_up(site, "d@example.com", "+447700900777").text
    french = sign_up(site, "e@example.com", "+33639981234")
    assert "numbers of that country" in french.text
    stranger = requests.get(
        site.url + "/verify/callback/sandbox/?code=abc123&state=zzz"
    )
    assert stranger.status_code == 400


def test_the_log_holds_no_number_code_token_or_password(site):
    tokens = walk_every_journey(site)
    walk_every_ending(site)

    log = site.log.read_text()
    assert "/verify/callback/sandbox/" in log  # it is there, without its query string
    assert "POST /accounts/signup/" in log
    secrets = [*tokens, *site.seen, PASSWORD, NEW_PASSWORD, "sandbox: secret"]
    secrets += [
        "900123",
        "900456",
        "900777",
        "39981234",
        "abc123",
        "zzz",
        "code=",
        "state=",
    ]
    assert len(site.seen) > 20
    assert [secret for secret in secrets if secret in log] == []
    assert not re.search(r"Bearer|Basic |eyJ", log)
