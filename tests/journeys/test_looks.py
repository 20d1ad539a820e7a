"""Each page, once in its richest state, through the eyes of everybody. `make
screenshots` looks at every scene there is in the same way."""

from collections.abc import Iterator

import pytest
from django.core import mail as django_mail
from django.core.cache import cache
from django.test.signals import template_rendered

from numberverify import limits, windows
from tests.conftest import empty_tables

from . import inspection
from .gallery import BRIEF, SCENES, pages

pytestmark = pytest.mark.browser


@pytest.fixture
def rendered() -> Iterator[set[str]]:
    names: set[str] = set()

    def note(template, **more):
        names.add(template.name)

    template_rendered.connect(note)
    yield names
    template_rendered.disconnect(note)


def begin_anew(phone) -> None:
    """As if nobody had been here before."""
    phone.context.clear_cookies()
    django_mail.outbox.clear()
    cache.clear()
    windows.in_process.storage.reset()
    limits._owed.clear()
    empty_tables()


@pytest.mark.parametrize("folder", BRIEF)
def test_each_page_is_right_for_everybody(phone, mails, rendered, folder):
    inspection.listen(phone.page)
    wrong = {}
    for name in BRIEF[folder]:
        begin_anew(phone)
        SCENES[name](phone, mails)
        if found := inspection.inspect(phone):
            wrong[name] = found

    assert wrong == {}
    assert pages(folder) - rendered == set(), "no scene shows these"
