"""Whole verifications a second, beside what people would pick instead.

    DATABASE_URL=postgres://… CACHE_URL=redis://… python -m bench.flow

starts ours and the peers, each in a gunicorn of its own, has browsers verify at each of
them by turns, prints the figures, and with `--write` puts them into bench/flow.md.
"""

import argparse
import os
import signal
import sys

from .flows import servers
from .flows.report import LOADS, Load, Section, run


def load(text: str) -> Load:
    """Read `150:64`: milliseconds that the operator takes, and how many at once."""
    latency, at_once = text.split(":")
    return Load(int(latency), int(at_once))


def asked_for() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    names = list(servers.KINDS)
    parser.add_argument("--servers", nargs="+", choices=names, default=names)
    parser.add_argument("--loads", nargs="+", type=load, default=LOADS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="Of each turn.")
    parser.add_argument(
        "--new", type=int, default=0, help="Percent who come with a new browser."
    )
    parser.add_argument(
        "--keep", action="store_true", help="The databases, for the next run."
    )
    parser.add_argument(
        "--engine",
        choices=list(servers.ENGINES),
        default="django",
        help="What the peers reach PostgreSQL by.",
    )
    parser.add_argument(
        "--http",
        action="store_true",
        help="Operators over http, as none is: what is left where TLS plays no part.",
    )
    parser.add_argument("--write", action="store_true", help="Into bench/flow.md.")
    return parser.parse_args()


def main() -> None:
    asked = asked_for()
    # So that what was begun is stopped and dropped.
    signal.signal(signal.SIGTERM, lambda *args: sys.exit(1))
    with servers.running(
        asked.servers,
        base=os.environ["DATABASE_URL"],
        cache=os.environ["CACHE_URL"],
        keep=asked.keep,
        engine=asked.engine,
        over_tls=not asked.http,
    ) as (operator, started):
        run(
            operator,
            started,
            loads=asked.loads,
            rounds=asked.rounds,
            seconds=asked.seconds,
            new=asked.new,
            section=Section.HTTP if asked.http else Section.TLS,
            write=asked.write,
        )


if __name__ == "__main__":
    main()
