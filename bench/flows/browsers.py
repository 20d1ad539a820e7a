"""A browser, as far as a verification needs one: kept connections, cookies, redirects.

It plays the operator's page as well: it comes back from there at once, with a code.
"""

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit

from . import people
from .operator import code_for

CSRF = "0123456789abcdefghijABCDEFGHIJ01"
PATIENCE = 30.0  # seconds for an answer


class Wrong(Exception):
    """An answer that no verification takes; its words say which."""


@dataclass(frozen=True, slots=True)
class Steps:
    """How a verification goes at one of those measured."""

    port: int
    start: str
    posts: bool
    csrf_cookie: str
    session_cookie: str


@dataclass(frozen=True, slots=True)
class Flow:
    """What one verification is to be, and the `state` by which its row is found."""

    person: int
    is_known: bool = True
    ending: str = "verified"


@dataclass(slots=True)
class Answer:
    status: int
    location: str
    cookies: dict[str, str]


@dataclass(slots=True)
class Browser:
    """One connection at a time; each flow begins with a fresh set of cookies."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    headers: str = ""
    stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self, method: str, target: str, fields: dict[str, str] | None = None
    ) -> Answer:
        body = urlencode(fields) if fields else ""
        kind = "Content-Type: application/x-www-form-urlencoded\r\n" if fields else ""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        request = (
            f"{method} {target} HTTP/1.1\r\n{self.headers}Cookie: {cookies}\r\n"
            f"{kind}Content-Length: {len(body)}\r\n\r\n{body}"
        )
        async with asyncio.timeout(PATIENCE):
            if self.stream is None:
                self.stream = await asyncio.open_connection("127.0.0.1", self.port)
            reader, writer = self.stream
            writer.write(request.encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            answer, length, closes = _read(head)
            await reader.readexactly(length)
        if closes:
            self.close()
        self.cookies |= answer.cookies
        return answer

    def close(self) -> None:
        if self.stream:
            self.stream[1].close()
            self.stream = None


def _read(head: str) -> tuple[Answer, int, bool]:
    """Read an answer's head: the answer, its length, whether the connection closes."""
    status, *lines = head.split("\r\n")
    location, length, closes = "", 0, False
    cookies: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        match name.lower():
            case "location":
                location = value
            case "content-length":
                length = int(value)
            case "connection":
                closes = value.lower() == "close"
            case "set-cookie":
                cookie, _, rest = value.partition("=")
                cookies[cookie] = rest.partition(";")[0]
    return Answer(int(status[9:12]), location, cookies), length, closes


async def verify(
    browser: Browser, steps: Steps, flow: Flow, took: defaultdict[str, list[float]]
) -> str:
    """Go through one verification; return its `state`, or raise Wrong."""
    browser.cookies = {steps.csrf_cookie: CSRF}
    if flow.is_known:
        browser.cookies["__Host-nv_known"] = people.browser(flow.person)
    browser.headers = (
        f"Host: {people.HOST}\r\nX-Forwarded-Proto: https\r\n"
        f"X-Forwarded-For: {people.address(flow.person)}\r\n"
        f"Origin: https://{people.HOST}\r\n"
        "User-Agent: Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 "
        "(KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36\r\n"
        "Accept-Language: en-GB,en;q=0.9\r\n"
    )

    async def ask(
        step: str, method: str, target: str, fields: dict[str, str] | None = None
    ) -> str:
        began = time.perf_counter()
        answer = await browser.ask(method, target, fields)
        took[step].append(time.perf_counter() - began)
        if answer.status not in (302, 303) or not answer.location:
            raise Wrong(f"{step}: {answer.status}")
        return answer.location

    fields = {"csrfmiddlewaretoken": CSRF, "username": _name(steps, flow.person)}
    if steps.posts:
        started = await ask("start", "POST", steps.start, fields)
    else:
        started = await ask("start", "GET", steps.start)
    asked = {name: each[0] for name, each in parse_qs(urlsplit(started).query).items()}
    if "state" not in asked:
        raise Wrong("start: not sent to the operator")
    if flow.ending == "abandoned":
        return asked["state"]
    brought = {"state": asked["state"]}
    if flow.ending == "unavailable":
        brought["error"] = "server_error"
    else:
        matches = flow.ending == "verified"
        nonce = asked.get("nonce", "")
        brought["code"] = code_for(flow.person, nonce, matches=matches)
    callback = urlsplit(asked["redirect_uri"]).path
    target = await ask("callback", "GET", f"{callback}?{urlencode(brought)}")
    if flow.ending == "verified":
        if "/verify/" in target:  # the operator took longer than a request waits
            target = await _wait(browser, target)
        if steps.session_cookie not in browser.cookies or "profile" not in target:
            raise Wrong("not signed in")
    return asked["state"]


async def _wait(browser: Browser, page: str) -> str:
    """Look at the page that waits for the verdict until it leads on, and go on."""
    until = time.perf_counter() + PATIENCE
    while time.perf_counter() < until and "profile" not in page:
        answer = await browser.ask("GET", urlsplit(page).path)
        page = answer.location or page
        if not answer.location:
            await asyncio.sleep(1)
    return page


def _name(steps: Steps, person: int) -> str:
    is_ours = steps.start.startswith("/bench/")
    return people.email(person) if is_ours else people.subject(person)
