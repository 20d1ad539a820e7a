"""Nothing secret in a log: every journey and ending, under runserver and gunicorn.

The servers are real processes with the sandbox operator inside.
"""

import base64
import json
import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from django_otp.oath import hotp

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

    def __init__(self, command: list[str], folder: Path, log_format: str) -> None:
        self.mail = folder / "mail"
        self.texts = folder / "texts"
        self.database = folder / "db.sqlite3"
        self.seen: list[str] = []
        self.new_browser()
        super().__init__(
            command,
            folder,
            DEBUG="1",
            DATABASE_URL=f"sqlite:///{self.database}",
            EMAIL_URL=f"filemail://{self.mail}",
            SMS_BACKEND="file",
            SMS_FILE_PATH=str(self.texts),
            LOG_FORMAT=log_format,
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

    def texted_code(self) -> str:
        newest = max(self.texts.glob("*"), key=lambda file: file.name)
        return newest.read_text().strip().rpartition("#")[2]

    def choose(self, page: requests.Response, method: str) -> requests.Response:
        """Choose a way on a page that offers some."""
        form = page.text.partition('class="chooser"')[0].rpartition("action=")[2]
        hidden = dict(
            re.findall(r'name="(previous|confirmed)" value="([^"]+)"', page.text)
        )
        address = form.split('"')[1]
        here = page.url.removeprefix(self.url)
        return self.submit(address, page=here, method=method, **hidden)

    def type(self, page: requests.Response, code: str) -> requests.Response:
        return self.submit(page.url.removeprefix(self.url), code=code)

    def stored(self) -> str:
        """All that stands in the database, but times and keys of rows."""
        database = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
        tables = database.execute("SELECT name FROM sqlite_master WHERE type='table'")
        cells = (
            cell.hex(" ") if isinstance(cell, bytes) else str(cell)
            for (table,) in tables.fetchall()
            for row in database.execute(f'SELECT * FROM "{table}"')
            for cell in row
        )
        noise = re.compile(r"\d\d:\d\d:\d\d(\.\d+)?|\b[0-9a-f]{32}\b")
        return noise.sub("", "\n".join(cells))

    def files_of_the_database(self) -> bytes:
        """With what was deleted, or is in the journal yet."""
        return b"".join(
            file.read_bytes() for file in self.database.parent.glob("db.sqlite3*")
        )


@pytest.fixture(
    params=[(RUNSERVER, "text"), (GUNICORN, "json")], ids=["runserver", "gunicorn"]
)
def site(request, tmp_path) -> Iterator[Site]:
    command, log_format = request.param
    running = Site(command, tmp_path, log_format)
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


def walk_with_camara(site: Site) -> None:
    """A network is chosen; each ending; an operator is checked."""
    site.new_browser()
    site.submit("/sandbox/handset/", number=GERMAN, fault="", network="mobile")
    asked = sign_up(site, "f@example.com", GERMAN)
    assert "Which network is your SIM on?" in asked.text
    here = asked.url.removeprefix(site.url)
    assert "Your profile" in site.submit(here, operator="sandbox-camara").text
    for n, fault in enumerate(["", *FAULTS, "wrong_iss"]):
        site.new_browser()
        site.submit("/sandbox/handset/", number="+46701740699", fault=fault)
        ending = sign_up(site, f"g{n}@example.com", "+46701740605")
        told = fault not in ("", "wrong_sub")
        words = "We could not check your number" if told else "does not match"
        assert words in ending.text, fault
    site.manage("check_operator", "sandbox-camara")


GERMAN = "+4915228817386"


def test_the_log_holds_no_number_code_token_or_password(site):
    tokens = walk_every_journey(site)
    walk_every_ending(site)
    walk_with_camara(site)

    log = site.log.read_text()
    assert "/verify/callback/sandbox/" in log  # it is there, without its query string
    assert "POST /accounts/signup/" in log
    if "{" in log:
        check_json(log)
    secrets = [*tokens, *site.seen, PASSWORD, NEW_PASSWORD, "sandbox: secret"]
    secrets += [
        "900123",
        "900456",
        "900777",
        "39981234",
        "28817386",
        "1740605",
        "1740699",
        "abc123",
        "zzz",
        "code=",
        "state=",
    ]
    assert len(site.seen) > 20
    assert [secret for secret in secrets if secret in log] == []
    assert not re.search(r"Bearer|Basic |eyJ", log)


def check_json(log: str) -> None:
    """Each line is an object; what is about a verification says which."""
    lines = [json.loads(line) for line in log.splitlines()]
    callbacks = [
        line
        for line in lines
        if line.get("path", "").startswith("/verify/callback/")
        and line["status"] == 303
    ]
    assert len(callbacks) > 20
    assert all(line["verification"] for line in callbacks)
    said = [line for line in lines if line["logger"] == "numberverify.exchange"]
    assert len(said) > 10
    for line in said:
        assert line["message"].startswith(f"verification {line['verification']}: ")
    # Of no verification: nothing is left over from the thread's request before.
    others = [
        line for line in lines if line.get("path", "").startswith("/sandbox/handset")
    ]
    assert others
    assert not any("verification" in line for line in others)


def key_of(typed_key: str) -> bytes:
    return base64.b32decode(typed_key.replace(" ", ""))


def app_shows(typed_key: str, used: int) -> str:
    """What an app with this key shows: the `used`th code from now on (RFC 6238)."""
    return f"{hotp(key_of(typed_key), int(time.time()) // 30 + used):06}"


def another(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def walk_every_factor(site: Site) -> dict[str, list[str]]:
    """Return what was secret on the way, by kind."""
    app, paper, other = (
        "/verify/authenticator/",
        "/verify/recovery-codes/",
        "?nv_other=1",
    )
    typed = {"username": "ann@example.com", "password": PASSWORD}
    sign_up(site, "ann@example.com", "07700 900123")
    site.submit("/sandbox/handset/", number="+447700900123", network="wifi", fault="")

    chooser = site.browser.get(site.url + app + other)
    asked = site.choose(chooser, "sms")
    codes = [site.texted_code()]
    assert "That code is not right" in site.type(asked, another(codes[0])).text
    page = site.type(asked, codes[0])
    key = re.search(r"<code>([A-Z2-7 ]{39})</code>", page.text)[1]
    signed = re.search(r'name="key" value="([^"]+)"', page.text)[1]
    shown = [app_shows(key, n) for n in (0, 1)]
    enrolled = site.submit(app, key=signed, code=shown[0])
    assert "The authenticator app is on file" in enrolled.text

    asked = site.choose(site.browser.get(site.url + paper + other), "totp")
    assert "Make ten new codes" in site.type(asked, shown[1]).text
    made = re.findall(
        r"<code>([0-9A-Z-]{19})</code>", site.submit(paper, make="1").text
    )
    assert len(made) == 10

    site.new_browser()
    site.submit("/sandbox/handset/", number="+447700900123", network="wifi", fault="")
    ended = site.submit("/accounts/login/", **typed)
    asked = site.choose(ended, "recovery_code")
    wrong = "0000-0000-0000-0000"
    assert "That code is not right" in site.type(asked, wrong).text
    assert "Your profile" in site.type(asked, made[0]).text

    change = "/accounts/email/change/"
    asked = site.choose(site.browser.get(site.url + change + other), "recovery_code")
    site.type(asked, made[1])
    site.submit(change, email="anne@example.com")
    link = site.mailed_link(change)
    assert "is changed" in site.submit(link).text

    send = "/sandbox/send-money/"
    money = {"payee": "Grandmother Weatherwax", "amount": "1234.56"}
    confirm = site.submit(send, **money)
    signed = re.search(r'name="confirmed" value="([^"]+)"', confirm.text)[1]
    chooser = site.submit(send, confirmed=signed, method="other")
    asked = site.choose(chooser, "sms")
    codes.append(site.texted_code())
    site.type(asked, codes[1])
    assert "It is a demo: no money moved" in site.submit(send, **money).text
    return {
        "text messages": codes,
        "app": shown,
        "key": [key, key.replace(" ", ""), key_of(key).hex()],
        "paper": [*made, *(code.replace("-", "") for code in made)],
        "links": [link.split("/")[-2], signed],
        "money": ["Weatherwax", "1234.56"],
    }


def test_the_log_and_the_database_hold_no_code_that_was_typed(site):
    secrets = walk_every_factor(site)

    log = site.log.read_text()
    assert "POST /verify/authenticator/" in log
    never = [*(secret for kind in secrets.values() for secret in kind), PASSWORD]
    assert [secret for secret in [*never, "900123"] if secret in log] == []

    stored = site.stored()
    digests = [*secrets["text messages"], *secrets["app"], *secrets["paper"]]
    assert "recovery_code" in stored
    assert [secret for secret in digests if secret in stored] == []
    files = site.files_of_the_database()
    assert [each for each in secrets["paper"] if each.encode() in files] == []


def test_a_number_stands_in_the_database_once(site):
    """On file in its account: the rows of the history hold a mask and an HMAC."""
    walk_every_factor(site)

    assert site.stored().count("7700900123") == 1
