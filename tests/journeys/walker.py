"""A browser without a screen and without scripts: it walks the site over real HTTP.

It speaks like `Phone`, as far as journeys need it, and takes a fraction of its time.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from django.test import Client

from .phone import A_NUMBER

SILENT = {"script", "style", "template"}
TYPED = {"input", "textarea", "select"}


@dataclass
class Form:
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    radios: dict[str, tuple[str, str]] = field(default_factory=dict)  # by their id
    options: dict[str, list[str]] = field(default_factory=dict)  # by their select
    buttons: dict[str, dict[str, str]] = field(default_factory=dict)  # by their words


class Page(HTMLParser):
    """What a person finds on a page: its words, and forms to fill in."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.labels: dict[str, str] = {}  # by the id of what they are for
        self.heading, self.main = "", ""
        self._open: list[tuple[str, dict[str, str], list[str]]] = []
        self.feed(html)
        self.main = " ".join(self.main.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(has.get("action", ""), has.get("method", "get")))
        if tag in TYPED:
            assert "form" not in has, "of another form: not known here"
            self._put_in(tag, has)
        if tag == "option" and self.forms:
            self._offer(has)
        if tag not in {"input", "link", "meta", "br", "hr", "img"}:
            self._open.append((tag, has, []))

    def _put_in(self, tag: str, has: dict[str, str]) -> None:
        kind, name = has.get("type", "text"), has.get("name", "")
        if not name or not self.forms:
            return
        form = self.forms[-1]
        if kind == "radio":
            form.radios[has.get("id", "")] = (name, has["value"])
        if kind not in {"radio", "checkbox"} or "checked" in has:
            form.fields[name] = has.get("value", "on" if kind == "checkbox" else "")

    def _offer(self, has: dict[str, str]) -> None:
        """An option of the open select: its first counts until one is chosen."""
        form, name = self.forms[-1], self._selects
        offered = form.options.setdefault(name, [])
        if not offered or "selected" in has:
            form.fields[name] = has.get("value", "")
        offered.append(has.get("value", ""))

    @property
    def _selects(self) -> str:
        return next(has["name"] for tag, has, _ in self._open if tag == "select")

    def handle_data(self, data: str) -> None:
        tags = [tag for tag, _, _ in self._open]
        if SILENT & set(tags):
            return
        if "main" in tags:
            self.main += data
        for _, _, words in self._open:
            words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag not in [each for each, _, _ in self._open]:
            return
        while True:
            closed, has, said = self._open.pop()
            words = " ".join("".join(said).split())
            if closed == "h1":
                self.heading = words
            elif closed == "label":
                self.labels[has.get("for", "")] = words
            elif closed == "button" and self.forms:
                self.forms[-1].buttons[words] = has
            if closed == tag:
                return


class Walker:
    """One browser with cookies of its own, that stays on the site."""

    def __init__(self, site: str) -> None:
        self.site = site
        self.session = requests.Session()
        self.session.headers["User-Agent"] = "Tests/1.0"
        self.addresses: list[str] = []

    def open(self, address: str, *, status: int = 200) -> None:
        self._arrived(self.session.get(urljoin(self.site, address)), status)

    def press(self, words: str, *, status: int = 200) -> None:
        """Press a button, and be at the page that all its redirects end at."""
        (form,) = [each for each in self.page.forms if words in each.buttons]
        button, here = form.buttons[words], self.answer.url
        to = urljoin(here, button.get("formaction") or form.action or here)
        sent = dict(form.fields)
        if "name" in button:
            sent[button["name"]] = button.get("value", "")
        said = {"Referer": here}
        if form.method.lower() == "post":
            said["Origin"] = self.site
            self._arrived(self.session.post(to, sent, headers=said), status)
        else:
            self._arrived(self.session.get(to, params=sent, headers=said), status)

    def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            (form,) = [each for each in self.page.forms if name in each.fields]
            form.fields[name] = value

    def choose(self, words: str) -> None:
        """Check the radio with that label."""
        (ident,) = [of for of, label in self.page.labels.items() if label == words]
        (form,) = [each for each in self.page.forms if ident in each.radios]
        name, value = form.radios[ident]
        form.fields[name] = value

    def asks_for(self, name: str) -> bool:
        return any(name in form.fields for form in self.page.forms)

    def sees(self, heading: str) -> None:
        assert self.page.heading == heading

    def reads(self, words: str) -> None:
        assert words in self.page.main

    def shows(self, words: str) -> bool:
        return words in self.page.main

    @property
    def at(self) -> str:
        return self.answer.url.removeprefix(self.site)

    @property
    def is_signed_in(self) -> bool:
        return any("Log out" in form.buttons for form in self.page.forms)

    def become(self, user: Any) -> None:
        """Be signed in as `user` without the journey, which other tests are about."""
        client = Client()
        client.force_login(user)
        session = client.cookies["sessionid"].value
        self.session.cookies.set(
            "sessionid", session, domain=urlsplit(self.site).hostname
        )

    def hold(self, **handset: str) -> None:
        """Change the simulated handset on its page: `number`, `network`, `fault`."""
        self.open("/sandbox/handset/")
        (form,) = [each for each in self.page.forms if "network" in each.fields]
        for name, value in handset.items():
            offered = [(name, each) for each in form.options.get(name, [])]
            assert name == "number" or (name, value) in [
                *form.radios.values(),
                *offered,
            ]
            self.fill(**{name: value})
        self.press("Use this handset")

    def close(self) -> None:
        """Go, and see that nothing was wrong with any address."""
        self.session.close()
        visited = {urlsplit(address).netloc for address in self.addresses}
        assert visited <= {urlsplit(self.site).netloc}
        assert [each for each in self.addresses if A_NUMBER.search(each)] == []

    def _arrived(self, answer: requests.Response, status: int) -> None:
        steps = [*answer.history, answer]
        self.addresses += [step.url for step in steps]
        assert answer.status_code == status, answer.url
        self.answer, self.page = answer, Page(answer.text)
