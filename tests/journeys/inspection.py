"""What is wrong with the page that is open: for who sees, hears, zooms or pays by the
kilobyte."""

import gzip
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from playwright.sync_api import Page

from .phone import Phone

AXE = (Path(__file__).parent / "vendor/axe-core/axe.min.js").read_text()
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Of a screen of 1280 pixels, at 400 % (WCAG 1.4.10) and at 200 %.
NARROW, AT_200 = {"width": 320, "height": 512}, {"width": 640, "height": 400}
MOST_KB, MOST_SHIFT = 60, 0.02

LISTEN = """window.shifted = 0;
new PerformanceObserver(list => {
  for (const shift of list.getEntries())
    if (!shift.hadRecentInput) window.shifted += shift.value;
}).observe({type: "layout-shift", buffered: true});"""
RUN_AXE = """rules => axe.run(document, rules).then(found => found.violations.map(
  each => `${each.id}: ` + each.nodes.map(
    node => `${node.target} ${node.any.concat(node.all, node.none)
      .map(check => check.message).join("; ")}`).join(" | ")))"""
TOO_WIDE = """() => document.documentElement.scrollWidth > innerWidth"""
# A box that hides what does not fit, or a control that reaches out of the window.
CUT = """() => [...document.querySelectorAll("main :is(a, button, input, label, p)")]
  .filter(e => { const box = e.getBoundingClientRect();
    const scrolls = e.closest(".scroll, .results");
    return box.width && box.right > innerWidth + 1 && !scrolls; })
  .map(e => e.outerHTML.slice(0, 80))"""
TRANSFERRED = """() =>
  performance.getEntriesByType("navigation")[0].transferSize"""
RESOURCES = """() => performance.getEntriesByType("resource").map(each => each.name)
  .concat([...document.querySelectorAll("link[rel=icon]")].map(icon => icon.href))
  .filter(address => !address.startsWith("data:"))"""


def listen(page: Page) -> None:
    """Before the page opens: sum up what moves by itself."""
    page.add_init_script(LISTEN)


def inspect(phone: Phone) -> list[str]:
    """Say all that is wrong with the page."""
    page, heard = phone.page, list(phone.complaints)
    wrong = _moves(page) + _weighs(phone)
    page.evaluate(AXE)
    page.set_viewport_size(NARROW)
    wrong += _is_cut(page, "at 320 pixels")
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    wrong += _axe(page, "light", {"type": "tag", "values": STANDARDS})
    page.emulate_media(color_scheme="dark")
    # All else is the same in the dark.
    wrong += _axe(page, "dark", {"type": "rule", "values": ["color-contrast"]})
    page.set_viewport_size(AT_200)
    wrong += _is_cut(page, "at 200 %")
    page.emulate_media(color_scheme="light")
    phone.complaints[:] = heard  # axe tries styles that the policy refuses
    return wrong


def _axe(page: Page, scheme: str, rules: dict[str, Any]) -> list[str]:
    found = page.evaluate(RUN_AXE, {"runOnly": rules, "resultTypes": ["violations"]})
    return [f"{scheme}: {each}" for each in found]


def _is_cut(page: Page, where: str) -> list[str]:
    wrong = ["scrolls sideways"] if page.evaluate(TOO_WIDE) else []
    wrong += [f"is cut: {each}" for each in page.evaluate(CUT)]
    return [f"{each} {where}" for each in wrong]


def _moves(page: Page) -> list[str]:
    shifted = page.evaluate("window.shifted")
    return [f"moves by itself: {shifted:.3f}"] if shifted > MOST_SHIFT else []


def _weighs(phone: Phone) -> list[str]:
    """By what a first visit brings: the page as it came, and its files as whitenoise
    keeps them, compressed. `make bench-pages` weighs a few on the wire itself."""
    addresses = phone.page.evaluate(RESOURCES)
    others = [a for a in addresses if urlsplit(a).netloc not in phone.hosts]
    wrong = [f"asks somebody else: {each}" for each in others]
    page = phone.page.evaluate(TRANSFERRED)
    whole = page + sum(_size(a) for a in set(addresses) if a not in others)
    heavy = whole > MOST_KB * 1000
    return [*wrong, f"weighs {whole / 1000:.0f} kB"] if heavy else wrong


@cache
def _size(address: str) -> int:
    answer = requests.get(address)
    headers = sum(len(k) + len(v) + 4 for k, v in answer.headers.items())
    is_text = re.match(
        r"text/|application/javascript|image/svg", answer.headers["Content-Type"]
    )
    body = gzip.compress(answer.content, 9) if is_text else answer.content
    return len(body) + headers
