"""A function of the benchmarks in a process of its own: `python -m bench.child writing
main`."""

import os
import subprocess
import sys
from importlib import import_module
from typing import IO, Any

import django


def start(url: str, module: str, *arguments: str, into: IO[Any] | int) -> Any:
    """Start it on the database of that DATABASE_URL; its output goes `into` there."""
    command = [sys.executable, "-m", "bench.child", module, *arguments]
    return subprocess.Popen(  # noqa: S603
        command, env=os.environ | {"DATABASE_URL": url}, stdout=into, text=True
    )


if __name__ == "__main__":
    django.setup()
    import_module(f"bench.{sys.argv[1]}").main(*sys.argv[2:])
