"""People who sign up, and the books that must agree afterwards."""

import itertools
import json
import os
import re
import signal
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests

from tests.fake_operator import MATCH, TOKEN, FakeOperator
from tests.faults.machines import Cluster, Redis, tree
from tests.servers import GUNICORN, Server

PASSWORD = "corr3ct horse battery"
PATIENCE = 30  # seconds, that nobody waits here unless something is broken
NUMBERS = {"fake": "+4477009{:05}", "other": "+336399{:05}"}
LIMITS = (
    "signup_address=100000/h,start_address=100000/10m,"
    "start_dialling_code=100000/10m,login_address=100000/h"
)
# Loaded before it forks, so that a worker that was killed is back in a moment.
COMMAND = [*GUNICORN[:-1], "--preload", GUNICORN[-1]]
_numbers = itertools.count(100)


class Site(Server):
    """gunicorn with one worker, DEBUG off, and two operators that are quick to give up:
    two seconds for a leg, three failures, a pause of two."""

    def __init__(
        self,
        folder: Path,
        database: Cluster,
        cache: Redis,
        operators: dict[str, FakeOperator],
    ) -> None:
        self.database, self.cache, self.operators = database, cache, operators
        self.secrets = [PASSWORD]
        tables = folder / "operators.toml"
        tables.write_text(
            _toml("fake", operators["fake"], "GB")
            + _toml("other", operators["other"], "FR")
        )
        super().__init__(
            COMMAND,
            folder,
            SECRET_KEY="k" * 60,
            NV_FINGERPRINT_KEYS="f" * 40,
            DATABASE_URL=database.url,
            CACHE_URL=cache.url,
            EMAIL_URL=f"filemail://{folder}/mail",
            NV_OPERATORS_FILE=str(tables),
            NV_LIMITS=LIMITS,
            WEB_CONCURRENCY="1",
            DJANGO_SETTINGS_MODULE="config.settings",
        )

    def worker(self) -> int:
        """The process that answers; gunicorn's first one starts it again."""
        for _ in range(500):
            found = tree(self.process.pid)[1:]
            if found:
                return found[0]
            time.sleep(0.02)
        raise AssertionError("no worker")

    def kill(self) -> None:
        os.kill(self.worker(), signal.SIGKILL)

    def wait(self) -> None:
        """Wait until it answers as it should."""
        for _ in range(300):
            try:
                if requests.get(self.url, timeout=PATIENCE).status_code == 200:
                    return
            except requests.RequestException:
                pass
            time.sleep(0.1)
        raise AssertionError("the site does not come back")

    def metric(self, line: str) -> float:
        """Return a figure of /metrics, by its name and labels; 0 if it is not there."""
        text = requests.get(f"{self.url}/metrics", timeout=PATIENCE).text
        found = re.search(rf"^{re.escape(line)} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    def lines(self, logger: str) -> list[dict[str, Any]]:
        """What one logger has said; not all that is printed is ours."""
        said = [line for line in self.log.read_text().splitlines() if line[:1] == "{"]
        return [each for each in map(json.loads, said) if each["logger"] == logger]


def _toml(name: str, operator: FakeOperator, country: str) -> str:
    table = operator.table(
        countries=[country],
        deadline=2.0,
        threads=4,
        breaker_failures=3,
        breaker_seconds=2,
    )
    return f"[{name}]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in table.items())


class Person:
    """Somebody who signs up. `signed_in` is what they have seen with their own eyes."""

    def __init__(self, site: Site, operator: str, name: str) -> None:
        self.site, self.operator = site, site.operators[operator]
        self.callback = f"/verify/callback/{operator}/"
        self.email = f"{name}@example.com"
        self.number = NUMBERS[operator].format(next(_numbers))
        self.browser = requests.Session()
        self.brought: dict[str, str] = {}
        self.signed_in = False
        site.secrets += [self.number[1:], self.email]

    def get(self, path: str) -> requests.Response:
        return self.browser.get(
            self.site.url + path, allow_redirects=False, timeout=PATIENCE
        )

    def begin(self) -> requests.Response:
        """Post the signup's form, and be sent away."""
        page = self.get("/accounts/signup/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        if not token:
            return page
        fields = {
            "csrfmiddlewaretoken": token[1],
            "email": self.email,
            "phone": self.number,
            "password1": PASSWORD,
            "password2": PASSWORD,
        }
        answer = self.browser.post(
            f"{self.site.url}/accounts/signup/",
            fields,
            allow_redirects=False,
            timeout=PATIENCE,
        )
        if answer.headers.get("Location", "").startswith(self.operator.base_url):
            self.brought = self.operator.authorize(answer.headers["Location"])
            self.site.secrets += self.brought.values()
        return answer

    def come_back(self) -> requests.Response:
        return self.get(f"{self.callback}?{urlencode(self.brought)}")

    def go_on(self, answer: requests.Response) -> requests.Response:
        """Follow the site's own redirects, wait where it asks to, and look whether one
        is in."""
        for _ in range(100):
            if answer.status_code in (302, 303):
                answer = self.get(answer.headers["Location"])
            elif 'id="asking"' in answer.text:
                time.sleep(0.2)
                answer = self.get(urlsplit(answer.url).path)
            else:
                break
        self.signed_in = answer.status_code == 200 and "Your profile" in answer.text
        return answer

    def sign_up(self) -> requests.Response:
        begun = self.begin()
        if not self.brought:
            return self.go_on(begun) if begun.status_code == 303 else begun
        return self.go_on(self.come_back())

    def row(self) -> dict[str, Any]:
        """The verification that this person's last redirect began."""
        columns = "id, status, reason, number, redeemed_at, user_id"
        rows = self.site.database.ask(
            f"SELECT {columns} FROM numberverify_verification "
            "WHERE state_digest = sha256(convert_to(%s, 'UTF8'))",
            self.brought["state"],
        )
        return dict(zip(columns.split(", "), rows[0], strict=True))

    def has_account(self) -> bool:
        sql = "SELECT 1 FROM accounts_user WHERE email = %s"
        return bool(self.site.database.ask(sql, self.email))


class Ledger:
    """What the operators were asked, what the accounts hold, what the history says."""

    def __init__(self, site: Site) -> None:
        ask = site.database.ask
        self.spent = ask(
            "SELECT id, user_id FROM numberverify_verification "
            "WHERE status = 'verified' AND redeemed_at IS NOT NULL"
        )
        self.accounts = ask(
            "SELECT phone_verification, user_id FROM accounts_profile "
            "WHERE phone_verified_at IS NOT NULL"
        )
        self.users = ask("SELECT count(*) FROM accounts_user")[0][0]
        self.held = ask(
            "SELECT id FROM numberverify_verification "
            "WHERE number <> '' AND status NOT IN ('pending', 'exchanging')"
        )
        self.site = site

    def check(self) -> None:
        # No account without its receipt, no receipt without its effect.
        assert sorted(self.spent) == sorted(self.accounts)
        assert self.users == len(self.accounts)
        assert self.held == []
        for operator in self.site.operators.values():
            # Of whom we died while we sent it, there is no body, and nothing to answer.
            calls = [call for call in operator.calls_to(TOKEN) if call.body]
            codes = [call.form["code"] for call in calls]
            assert len(codes) == len(set(codes)), "a code was exchanged twice"
            assert len(operator.calls_to(MATCH)) <= len(codes)
