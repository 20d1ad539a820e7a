"""Desktops that wait for a phone: their links made, and their pages' questions asked.

python -m bench.flows.desktops make 500           prints a key and a binding a line
python -m bench.flows.desktops ask 8000 3 10 < lines  until it is told to stop
"""

import asyncio
import json
import random
import signal
import sys
import time
from dataclasses import dataclass, field
from statistics import median

from . import people
from .browsers import Browser

CLIENT = "Mozilla/5.0 (X11; Linux x86_64) Firefox/133.0"


def make(count: int) -> None:
    """Begin so many logins that wait for a phone, and show the desktop's page once."""
    import django

    django.setup()
    from accounts.models import User
    from numberverify import flow, waiting
    from numberverify.browser import Browser as Desktop
    from numberverify.browser import Way
    from numberverify.choices import Purpose
    from numberverify.models import Handoff
    from numberverify.msisdn import Msisdn

    for n in range(count):
        person = n % people.COUNT
        binding = f"desktop-{n}-{random.getrandbits(128):032x}"
        page = flow.start(
            purpose=Purpose.LOGIN,
            msisdn=Msisdn(people.phone(person)),
            user=User.objects.get(email=people.email(person)),
            browser=Desktop(binding, user_agent=CLIENT),
            next="/accounts/profile/",
            way=Way(on_phone=True),
        )
        link = Handoff.objects.get(pk=page.strip("/").rpartition("/")[2])
        waiting.remember(link, waiting.State.WAITING)
        print(link.pk, binding)


@dataclass(slots=True)
class Asked:
    took: list[float] = field(default_factory=list)
    wrong: int = 0


def ask(port: int, soon: float, later: float) -> None:
    """Ask as static/handoff.js does, each desktop at a time of its own; say `ready`
    once all have been answered, and in the end what it took.

    A link lives five minutes: of five desktops one is in its first, and asks `soon`.
    """
    desktops = [line.split() for line in sys.stdin]
    asked = asyncio.run(_ask_all(port, soon, later, desktops))
    took = median(asked.took) * 1000 if asked.took else 0
    print(json.dumps({"asked": len(asked.took), "wrong": asked.wrong, "ms": took}))


async def _ask_all(
    port: int, soon: float, later: float, desktops: list[list[str]]
) -> Asked:
    asked, over = Asked(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    waiting = [
        asyncio.create_task(
            _wait(port, later if n % 5 else soon, key, binding, asked, over)
        )
        for n, (key, binding) in enumerate(desktops)
    ]
    await asyncio.sleep(later)  # by then each has asked once
    asked.took.clear()
    print("ready", flush=True)
    await over.wait()
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    return asked


async def _wait(
    port: int, every: float, key: str, binding: str, asked: Asked, over: asyncio.Event
) -> None:
    browser = Browser(port, {"__Host-nv_binding": binding})
    browser.headers = (
        f"Host: {people.HOST}\r\nX-Forwarded-Proto: https\r\n"
        f"X-Forwarded-For: 10.200.0.1\r\nUser-Agent: {CLIENT}\r\n"
        "Accept: application/json\r\n"
    )
    await asyncio.sleep(random.random() * every)
    while not over.is_set():
        began = time.perf_counter()
        try:
            answer = await browser.ask("GET", f"/verify/{key}/handoff/")
            asked.wrong += answer.status != 200
        except (OSError, EOFError, TimeoutError, ValueError):
            browser.close()
            asked.wrong += 1
        asked.took.append(time.perf_counter() - began)
        await asyncio.sleep(max(0.0, every - (time.perf_counter() - began)))


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(int(sys.argv[2]))
    else:
        ask(int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))
