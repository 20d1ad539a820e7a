"""The texts that the source asks for, and the catalogues that hold them.

`make messages` runs it: what is new in the source comes into each catalogue, without a
translation so far, what is gone leaves it, and what is written there is compiled.
Without gettext's xgettext nothing is looked for, and only compiled.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import polib

ROOT = Path(__file__).parent.parent
SOURCES = ("accounts", "config", "numberverify", "templates")
HEAD = (
    """Every text that people read. `make messages` keeps it in step with the source."""
)


def can_look() -> bool:
    return shutil.which("xgettext") is not None


def asked_for(sources: tuple[str, ...] = SOURCES) -> polib.POFile:
    """Return every text of the source. Of a copy: makemessages writes beside what it
    reads."""
    with tempfile.TemporaryDirectory() as folder:
        for name in sources:
            left_out = shutil.ignore_patterns("__pycache__", "migrations")
            shutil.copytree(ROOT / name, Path(folder, name), ignore=left_out)
        Path(folder, "locale").mkdir()
        environment = {
            name: value
            for name, value in os.environ.items()
            if name != "DJANGO_SETTINGS_MODULE"
        }
        subprocess.run(
            [sys.executable, "-m", "django", "makemessages", "-l", "de", "-v", "0"],
            cwd=folder,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return polib.pofile(str(Path(folder, "locale/de/LC_MESSAGES/django.po")))


def catalogues() -> list[Path]:
    return sorted((ROOT / "locale").glob("*/LC_MESSAGES/django.po"))


def key(entry: polib.POEntry) -> tuple[str | None, str, str]:
    return entry.msgctxt, entry.msgid, entry.msgid_plural


def in_step(written: polib.POFile, asked: polib.POFile) -> polib.POFile:
    """Return the catalogue with just what is asked for, in the order of the source."""
    done = {key(entry): entry for entry in written if not entry.obsolete}
    new = polib.POFile(wrapwidth=0)
    new.header = HEAD
    new.metadata = written.metadata
    for entry in asked:
        known = done.get(key(entry))
        entry.msgstr = known.msgstr if known else ""
        plural = dict.fromkeys((0, 1), "") if entry.msgid_plural else {}
        entry.msgstr_plural = known.msgstr_plural if known else plural
        entry.occurrences = []
        entry.flags = [flag for flag in entry.flags if flag != "fuzzy"]
        new.append(entry)
    return new


def main() -> None:
    asked = asked_for() if can_look() else None
    for path in catalogues():
        catalogue = polib.pofile(str(path), wrapwidth=0)
        if asked is not None:
            catalogue = in_step(catalogue, asked)
            catalogue.save(str(path))
        catalogue.save_as_mofile(str(path.with_suffix(".mo")))
        missing = len(catalogue.untranslated_entries())
        print(
            f"{path.relative_to(ROOT)}: {len(catalogue)} texts, {missing} untranslated"
        )
    if asked is None:
        print("xgettext is missing: the source was not looked through")


if __name__ == "__main__":
    main()
