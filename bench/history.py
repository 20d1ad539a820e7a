"""How the history does at so many rows, beside Django's own list of the same rows.

    DATABASE_URL=postgres://… python -m bench.history --rows 1000000

makes databases beside the one of DATABASE_URL, fills them (what is filled stays, for
the next run), prints the figures, and with `--write` puts them into bench/history.md.
"""

import argparse
import os
import signal
import sys

import django

PARTS = ("pages", "export", "sealing", "writing")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument(
        "--small", type=int, default=10_000, help="Of the pages that are compared."
    )
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=PARTS, help="All, without it."
    )
    parser.add_argument("--write", action="store_true", help="Into bench/history.md.")
    asked = parser.parse_args()
    # So that what was begun is tidied up: the copies, the writer.
    signal.signal(signal.SIGTERM, lambda *args: sys.exit(1))
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.settings"
    django.setup()
    from . import report

    report.run(asked.rows, small=asked.small, parts=asked.parts, write=asked.write)


if __name__ == "__main__":
    main()
