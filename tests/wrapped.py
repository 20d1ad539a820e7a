"""A language in which every translated text stands between ⟦ and ⟧: what a page says
outside of them is in English for everybody, or is data."""

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

from django.utils import translation

from numberverify import words

SAID_BY = {"aria-label", "alt", "placeholder", "title", "summary", "label"}
# What scripts say in the page's words: password.js, handoff.js.
SAID_BY |= {f"data-{name}" for name in ("hide", "hide-label", "shown", "hidden")}
SAID_BY |= {f"data-{name}" for name in words.WAITING}
UNSEEN = {"script", "style", "code", "pre", "template"}
VOID = {"input", "br", "hr", "img", "link", "meta", "source", "use", "path", "rect"}
# Of everybody's language, or of nobody's.
DATA = re.compile(
    r"[\w.+•-]+@[\w.-]+\w|[0-9a-f]{8}-[0-9a-f-]{27}|\b[0-9a-f]{16,}\b|\bUTC\b|\bms\b"
    r"|\bEnglish\b|\bDeutsch\b|\bsandbox(-\w+)?\b|\bGB\b|\bCSV\b|https?://\S+"
    # Protocols, and the countries of a network.
    r"|\bMobile Connect\b|\bCAMARA\b|\((?:[A-Z]{2}, )*[A-Z]{2}\)"
)
# What Django itself does not translate: some pictures, and permissions, which are rows.
DJANGO_S = re.compile(
    r'alt="(?:Search|True|False|None)"|<option[^>]*>[^<]*\| Can [^<]*</option>'
)
WORD = re.compile(r"[^\W\d_]{2,}")


def wrap(monkeypatch: Any) -> None:
    """Have everything that is translated say so, whatever the language."""

    def one(text: str) -> str:
        return f"⟦{text}⟧"

    def either(one_of: str, many: str, number: float) -> str:
        return f"⟦{one_of if number == 1 else many}⟧"

    catalogue = translation._trans
    replaced: dict[str, Callable[..., str]] = {
        "gettext": one,
        "ngettext": either,
        "pgettext": lambda _context, text: one(text),
        "npgettext": lambda _context, *rest: either(*rest),
    }
    for name, function in replaced.items():
        getattr(catalogue, name)  # it is looked up once, and kept
        monkeypatch.setattr(catalogue, name, function)


class Reader(HTMLParser):
    """Collects what is said outside of the brackets."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = 0  # of brackets
        self.unseen = 0  # of elements that nobody reads
        self.left: list[str] = []

    def handle_starttag(
        self, tag: str, attributes: list[tuple[str, str | None]]
    ) -> None:
        said = dict(attributes)
        if tag in UNSEEN:
            self.unseen += 1
        for name, value in said.items():
            is_button = tag == "input" and said.get("type") in ("submit", "button")
            if name in SAID_BY or (name == "value" and is_button):
                outside = Reader()
                outside.depth = self.depth
                outside.handle_data(value or "")
                self.left += outside.left

    def handle_endtag(self, tag: str) -> None:
        if tag in UNSEEN:
            self.unseen -= 1

    def handle_data(self, data: str) -> None:
        outside = "".join(self._outside(data))
        if not self.unseen and WORD.search(DATA.sub("", outside)):
            self.left.append(" ".join(outside.split()))

    def _outside(self, data: str) -> Iterator[str]:
        for letter in data:
            self.depth += {"⟦": 1, "⟧": -1}.get(letter, 0)
            if not self.depth and letter != "⟧":
                yield letter


def said_outside(page: str) -> list[str]:
    reader = Reader()
    reader.feed(DJANGO_S.sub("", page))
    reader.close()
    assert reader.depth == 0, "brackets are cut"
    return reader.left
