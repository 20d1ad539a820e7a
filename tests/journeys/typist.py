"""Somebody who uses no mouse, at 200 % zoom, with as little motion as can be."""

from typing import Any

from playwright.sync_api import Locator, expect

from .inspection import AT_200
from .keyboard import Keyboard
from .phone import Phone


class Typist(Phone):
    """Nothing but keys in the site's own forms; the handset is set as ever."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.keys = Keyboard(self.page)

    def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            self.keys.tab_to(self.field(name))
            self.keys.press("ControlOrMeta+A")
            self.keys.press("Delete")
            self.keys.types(value)

    def choose(self, words: str) -> None:
        """A group of radios is one stop; its arrows choose."""
        wanted = self.main.get_by_role("radio", name=words, exact=True)
        group = self.page.locator(f'[name="{wanted.get_attribute("name")}"]')
        self.keys.tab_to(group)
        if self.page.locator(":focus").is_checked() is False:
            self.keys.press("Space")
        for _ in range(group.count()):
            if wanted.is_checked():
                break
            self.keys.press("ArrowDown")
        expect(wanted).to_be_checked()

    def tick(self, name: str) -> None:
        self.keys.tab_to(self.field(name))
        self.keys.press("Space")
        expect(self.field(name)).to_be_checked()

    def _go_by(self, thing: Locator, status: int) -> None:
        self.keys.tab_to(thing)
        assert thing.evaluate("e => e.matches(':focus-visible')")
        with self.page.expect_navigation() as navigation:
            self.keys.press("Enter")
        self._arrived(navigation.value, status)
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= AT_200["width"], self.page.url
