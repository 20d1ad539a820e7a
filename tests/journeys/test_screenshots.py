"""Pictures of every page and ending, small and wide, light and dark, for people to
look at: SCREENSHOTS=folder pytest tests/journeys/test_screenshots.py"""

import os
from pathlib import Path

import pytest

from . import (  # noqa: F401  register their scenes
    browser_scenes,
    handoff_scenes,
    more_scenes,
    network_scenes,
    notice_scenes,
    release_scenes,
    staff_scenes,
    step_up_scenes,
)
from .scenes import SCENES

pytestmark = pytest.mark.browser
WIDTHS = (360, 1280)
SCHEMES = ("light", "dark")


@pytest.mark.parametrize("name", SCENES)
def test_a_picture_is_taken(phone, mails, name):
    SCENES[name](phone, mails)
    folder = Path(os.environ["SCREENSHOTS"])
    folder.mkdir(parents=True, exist_ok=True)
    for width in WIDTHS:
        phone.page.set_viewport_size({"width": width, "height": 740})
        for scheme in SCHEMES:
            phone.page.emulate_media(color_scheme=scheme)
            picture = folder / f"{name}-{width}-{scheme}.png"
            phone.page.screenshot(path=picture, full_page=True, animations="disabled")
