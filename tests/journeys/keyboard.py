"""The hands of somebody who uses no mouse."""

from playwright.sync_api import Locator, Page, expect

MOST = 120  # presses of Tab: a page of rows is between the search and the filters


class Keyboard:
    def __init__(self, page: Page) -> None:
        self.page = page

    def tab_to(self, thing: Locator) -> None:
        """Press Tab until this, or one of these, has the focus, from wherever it is."""
        expect(thing.first).to_be_visible()
        for _ in range(MOST):
            self.press("Tab")
            if thing.evaluate_all("all => all.includes(document.activeElement)"):
                return
        expect(thing).to_be_focused()

    def types(self, words: str, *keys: str) -> None:
        """Type the words, then press these keys."""
        self.page.keyboard.type(words)
        for key in keys:
            self.press(key)

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
