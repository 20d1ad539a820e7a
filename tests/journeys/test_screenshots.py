"""Pictures of every page and ending, small and wide, light and dark, for people to look
at, and what is wrong with each: `make screenshots`."""

import os
from pathlib import Path

import pytest

from . import inspection
from .gallery import SCENES

pytestmark = pytest.mark.browser
WIDTHS = (360, 1280)
SCHEMES = ("light", "dark")


@pytest.mark.parametrize("name", SCENES)
def test_a_picture_is_taken_and_nothing_is_wrong(phone, mails, name):
    inspection.listen(phone.page)
    SCENES[name](phone, mails)
    wrong = inspection.inspect(phone)
    folder = Path(os.environ["SCREENSHOTS"])
    folder.mkdir(parents=True, exist_ok=True)
    for width in WIDTHS:
        phone.page.set_viewport_size({"width": width, "height": 740})
        for scheme in SCHEMES:
            phone.page.emulate_media(color_scheme=scheme)
            picture = folder / f"{name}-{width}-{scheme}.png"
            phone.page.screenshot(path=picture, full_page=True, animations="disabled")

    assert wrong == []
