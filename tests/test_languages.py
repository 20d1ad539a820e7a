"""What people read is there in each language of the site."""

import os
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polib
import pytest
import time_machine
from django.conf import settings
from django.utils import timezone, translation

from accounts import places
from config.send_money import pounds
from numberverify.factors import sms
from numberverify.history import figures, one
from tests import texts
from tests.accounts.steps import log_in
from tests.factories import ANN, PASSWORD, UserFactory

OTHERS = [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
each_language = pytest.mark.parametrize("language", OTHERS)


def folder(language: str) -> Path:
    return settings.BASE_DIR / "locale" / language / "LC_MESSAGES"


@pytest.fixture(scope="module")
def asked():
    """Every text that the source asks for."""
    if not texts.can_look():
        if os.environ.get("NO_SKIPS"):
            pytest.fail("xgettext is missing and skips are forbidden")
        pytest.skip("needs xgettext, of gettext")
    return texts.asked_for()


@each_language
def test_every_text_of_the_source_is_translated(asked, language):
    catalogue = polib.pofile(folder(language) / "django.po")
    done = {texts.key(entry) for entry in catalogue.translated_entries()}

    wanted = {texts.key(entry) for entry in asked}

    assert len(wanted) > 1000
    assert wanted - done == set(), "see `make messages`"


@each_language
def test_no_translation_is_of_a_text_that_is_gone(asked, language):
    catalogue = polib.pofile(folder(language) / "django.po")

    assert {texts.key(one) for one in catalogue} == {texts.key(one) for one in asked}
    assert not catalogue.obsolete_entries()


@each_language
def test_no_translation_is_a_guess(language):
    assert not polib.pofile(folder(language) / "django.po").fuzzy_entries()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("on_file", "asked", "words"),
    [
        ("de", "en-gb", "ist Ihr Sicherheitscode"),
        ("en-gb", "de", "is your"),
        ("", "de-AT,de;q=0.9", "ist Ihr Sicherheitscode"),
        ("", "", "is your"),
    ],
)
def test_a_code_is_texted_in_the_language_on_file(browser, on_file, asked, words):
    """A stranger's browser does not choose it; where none is on file, the browser."""
    ann = UserFactory(email="ann@example.com", phone=ANN, language=on_file)
    if asked:
        browser.defaults["HTTP_ACCEPT_LANGUAGE"] = asked

    started = log_in(browser, ann, method="sms")
    with time_machine.travel(timezone.now() + timedelta(seconds=40)):
        browser.submit(started["Location"], resend="1")

    assert len(sms.outbox) == 2
    for sent in sms.outbox:
        assert words in sent.text
        assert re.search(r"\n\n@testserver #\d{6}$", sent.text)


@pytest.mark.django_db
def test_at_a_signup_a_code_is_texted_in_the_browsers_language(browser):
    browser.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"
    fields = {"email": "a@example.com", "phone": ANN, "method": "sms"}
    fields |= {"password1": PASSWORD, "password2": PASSWORD}

    browser.submit("/accounts/signup/", **fields)

    assert "ist Ihr Sicherheitscode" in sms.outbox[-1].text


@each_language
def test_a_translation_names_what_its_original_names(language):
    """What is filled in, and the marks around it."""
    named = re.compile(r"%\(\w+\)[sd]|%[sd]|{\w+}|</?\w+[^>]*>")
    for entry in polib.pofile(folder(language) / "django.po"):
        original = sorted(named.findall(entry.msgid_plural or entry.msgid))
        for said in (
            entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]
        ):
            assert sorted(named.findall(said)) == original, entry.msgid


@each_language
def test_a_translation_ends_as_its_original(language):
    """Sentences are whole, and what is put in front of something ends with a colon."""
    for entry in polib.pofile(folder(language) / "django.po"):
        for said in (
            entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]
        ):
            ends = [text.strip()[-1:] for text in (entry.msgid, said)]
            marks = [end if end in ".:?!…" else "" for end in ends]
            assert marks[0] == marks[1], entry.msgid
            assert said[:1].isspace() == entry.msgid[:1].isspace(), entry.msgid


@each_language
def test_what_is_compiled_is_what_is_written(language):
    """`make messages` compiles it."""
    written = polib.pofile(folder(language) / "django.po").to_binary()

    assert (folder(language) / "django.mo").read_bytes() == written


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en-gb", "5 May 2026, 14:32 · 12,345 · 33.3 % · < 0.1 % · 1.5 s · £12.50"),
        ("de", "5. Mai 2026, 14:32 · 12.345 · 33,3 % · < 0,1 % · 1,5 s · £12,50"),
    ],
)
def test_dates_and_numbers_are_written_as_the_language_does(language, said):
    with translation.override(language):
        assert said.split(" · ") == [
            places.when(datetime(2026, 5, 5, 14, 32, tzinfo=UTC)),
            figures.number_of(12345),
            figures.share(1, 3),
            figures.share(1, 9999),
            one.seconds(timedelta(seconds=1.5)),
            pounds(Decimal("12.5")),
        ]


def test_an_operator_s_name_fits_into_every_german_sentence():
    """What a network is called is the same as nominative and accusative, no more."""
    bends = re.compile(
        r"\b(von|zu|bei|mit|aus|nach|vom|zum|beim|des) %\((network|operator)\)s"
    )
    catalogue = polib.pofile(folder("de") / "django.po")

    assert [one.msgstr for one in catalogue if bends.search(one.msgstr)] == []
