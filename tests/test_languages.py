"""What is mailed and texted is there in each language of the site."""

import re
from datetime import timedelta
from pathlib import Path

import polib
import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from accounts.notice import Kind
from numberverify.factors import sms
from tests.accounts.steps import log_in
from tests.factories import ANN, PASSWORD, UserFactory

TRANSLATE = re.compile(r'{%\s*translate "(.*?)"\s*%}')
BLOCK = re.compile(
    r"{%\s*blocktranslate\b([^%]*)%}(.*?){%\s*endblocktranslate\s*%}", re.DOTALL
)
MAILS = sorted((settings.BASE_DIR / "templates/accounts/mail").rglob("*.txt"))
OTHERS = [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
each_language = pytest.mark.parametrize("language", OTHERS)


def folder(language: str) -> Path:
    return settings.BASE_DIR / "locale" / language / "LC_MESSAGES"


def asked_for(template: str) -> set[str]:
    """The texts of a template, as the catalogue has them."""
    found = set(TRANSLATE.findall(template))
    for options, body in BLOCK.findall(template):
        if "trimmed" in options:
            body = " ".join(line.strip() for line in body.strip().splitlines())
        found.add(re.sub(r"{{ (\w+) }}", r"%(\1)s", body))
    return found


@each_language
def test_every_text_of_every_mail_is_translated(language):
    catalogue = polib.pofile(folder(language) / "django.po")
    done = {entry.msgid for entry in catalogue.translated_entries()}

    asked = set.union(*(asked_for(mail.read_text()) for mail in MAILS))

    assert len(asked) > 30
    assert asked - done == set()
    assert {str(kind.label) for kind in Kind} - done == set()


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
    named = re.compile(r"%\(\w+\)s|{\w+}")
    for entry in polib.pofile(folder(language) / "django.po"):
        theirs = sorted(named.findall(entry.msgstr))
        assert theirs == sorted(named.findall(entry.msgid)), entry.msgid


@each_language
def test_what_is_compiled_is_what_is_written(language):
    """`make messages` compiles it."""
    written = polib.pofile(folder(language) / "django.po").to_binary()

    assert (folder(language) / "django.mo").read_bytes() == written
