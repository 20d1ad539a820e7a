"""How soon a phone shows our pages, on a first visit over a slow network.

    python -m bench.pages --write

The site runs as in production, its files collected and compressed, behind no proxy. The
phone is Chromium with a processor four times slower and a network like slow 4G, and its
cache is empty each time.
"""

import argparse
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parent.parent
FILE = Path(__file__).with_suffix(".md")
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
SLOW_4G = {
    "offline": False,
    "latency": 150,  # milliseconds there and back
    "downloadThroughput": 1_600_000 / 8,
    "uploadThroughput": 750_000 / 8,
}
SLOWER = 4
MOST_KB, MOST_SHIFT, MOST_PAINT = 60, 0.02, 2500
LISTEN = """window.painted = 0; window.shifted = 0;
new PerformanceObserver(list => {
  for (const paint of list.getEntries()) window.painted = paint.startTime;
}).observe({type: "largest-contentful-paint", buffered: true});
new PerformanceObserver(list => {
  for (const shift of list.getEntries())
    if (!shift.hadRecentInput) window.shifted += shift.value;
}).observe({type: "layout-shift", buffered: true});"""
MAKE_ANN = """from accounts.models import User
User.objects.create_user("ann@bench.example", "bench w0rd of Ann")"""


@dataclass(slots=True)
class Load:
    """What one first visit cost."""

    paint: float = 0.0  # milliseconds
    shift: float = 0.0
    bytes: int = 0
    requests: int = 0
    addresses: list[str] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help=f"Into {FILE.name}.")
    asked = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if chromium is None:
        sys.exit("Chromium is not installed")
    with (
        tempfile.TemporaryDirectory() as folder,
        _site(Path(folder)) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        lines = list(_lines(browser, address, asked.rounds))
        version = browser.version
        browser.close()
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    said = (
        f"Chromium {version}, medians of {asked.rounds} first visits; "
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, load {load}."
    )
    text = "\n".join([said, "", *lines])
    print(text)
    if asked.write:
        FILE.write_text(f"# First visits of a phone\n\n{__doc__}\n{text}\n")


def _lines(browser: Browser, site: str, rounds: int) -> Iterator[str]:
    yield (
        "| page | largest paint, ms | kB over the wire | requests | layout shift "
        "| not reached |"
    )
    yield "|---|--:|--:|--:|--:|---|"
    for name, go in PAGES.items():
        loads = [_first_visit(browser, site, go) for _ in range(rounds)]
        paint = median(each.paint for each in loads)
        shift = max(each.shift for each in loads)
        kilobytes = max(each.bytes for each in loads) / 1000
        missed = [
            *(["60 kB"] if kilobytes > MOST_KB else []),
            *(["layout shift"] if shift > MOST_SHIFT else []),
            *(["2.5 s"] if paint > MOST_PAINT else []),
            *{a for each in loads for a in each.addresses if not a.startswith(site)},
        ]
        cells = [name, f"{paint:,.0f}", f"{kilobytes:.1f}", str(loads[-1].requests)]
        yield f"| {' | '.join(cells)} | {shift:.3f} | {', '.join(missed)} |"


def _first_visit(
    browser: Browser, site: str, go: Callable[[Page, str], Callable[[], Any]]
) -> Load:
    """Come to a page as its step says, and take the last step with an empty cache."""
    context = browser.new_context(base_url=site, locale="en-GB", **PHONE)
    page = context.new_page()
    page.add_init_script(LISTEN)
    last = go(page, site)
    wire, load = context.new_cdp_session(page), Load()

    def finished(event: dict[str, Any]) -> None:
        load.bytes += int(event["encodedDataLength"])
        load.requests += 1

    wire.send("Network.enable")
    wire.send("Network.clearBrowserCache")
    wire.send("Network.emulateNetworkConditions", SLOW_4G)
    wire.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    wire.on("Network.loadingFinished", finished)
    page.on("request", lambda request: load.addresses.append(request.url))
    last()
    page.wait_for_load_state("networkidle")
    load.paint = page.evaluate("window.painted")
    load.shift = page.evaluate("window.shifted")
    context.close()
    return load


def _at(path: str) -> Callable[[Page, str], Callable[[], Any]]:
    return lambda page, site: lambda: page.goto(path)


def _sign_up(page: Page, site: str) -> None:
    page.goto("/accounts/signup/")
    page.fill("[name=email]", f"{secrets.token_hex(6)}@bench.example")
    page.fill("[name=phone]", "07700 900123")


def _errors(page: Page, site: str) -> Callable[[], Any]:
    _sign_up(page, site)
    return lambda: _press(page, "I am not on my phone")


def _ending(page: Page, site: str) -> Callable[[], Any]:
    _sign_up(page, site)
    for name in ("password1", "password2"):
        page.fill(f"[name={name}]", "bench w0rd of somebody")
    return lambda: _press(page, "I am not on my phone")


def _profile(page: Page, site: str) -> Callable[[], Any]:
    page.goto("/accounts/login/")
    page.fill("[name=username]", "ann@bench.example")
    page.fill("[name=password]", "bench w0rd of Ann")
    _press(page, "Log in")
    return lambda: page.goto("/accounts/profile/")


def _press(page: Page, words: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=words, exact=True).click()


PAGES: dict[str, Callable[[Page, str], Callable[[], Any]]] = {
    "home": _at("/"),
    "signup": _at("/accounts/signup/"),
    "signup, with errors": _errors,
    "login": _at("/accounts/login/"),
    "an ending, with other ways": _ending,
    "profile": _profile,
    "privacy": _at("/privacy/"),
}


@contextmanager
def _site(folder: Path) -> Iterator[str]:
    """Our site as in production, with files of its own."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{found.getsockname()[1]}"
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG")}
    environment = kept | {
        "SITE_URL": f"http://{address}",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "NV_FINGERPRINT_KEYS": secrets.token_urlsafe(48),
        "DATABASE_URL": f"sqlite:///{folder}/pages.sqlite3",
        "CACHE_URL": os.environ.get("CACHE_URL", "redis://127.0.0.1:6379/3"),
        "EMAIL_URL": f"filemail://{folder}/mail",
        "NV_CLIENT_ID": "id",
        "NV_CLIENT_SECRET": "secret",
        "NV_API_HOST": "https://operator.example",
    }

    def manage(*arguments: str) -> None:
        run = [sys.executable, "manage.py", *arguments]
        subprocess.run(run, check=True, env=environment, cwd=ROOT)  # noqa: S603

    manage("migrate", "-v0")
    manage("collectstatic", "--no-input", "-v0")
    manage("shell", "-v0", "-c", MAKE_ANN)
    command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.conf.py"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(  # noqa: S603
            [*command, "--bind", address],
            env=environment,
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
    try:
        _wait(f"http://{address}/livez")
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait(timeout=20)


def _wait(address: str) -> None:
    for _ in range(300):
        try:
            urlopen(address, timeout=5).close()  # noqa: S310
            return
        except (URLError, ConnectionError):
            time.sleep(0.1)
    raise RuntimeError("the site does not start")


if __name__ == "__main__":
    main()
