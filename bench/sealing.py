"""Sealing and verifying, and a purge while another process writes verifications."""

import tempfile
import time
from bisect import bisect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from django.test import override_settings
from django.utils import timezone

from numberverify import retention, seal
from numberverify.models import Verification
from numberverify.seal.sealing import A_BATCH

from . import child, databases

MOST = 60  # windows in which it purges


@dataclass(frozen=True, slots=True)
class Rate:
    """Rows a second: by the clock, and of this process's own work, which is the more
    telling of the two where others use the machine as well."""

    by_clock: float
    by_work: float


@dataclass(frozen=True, slots=True)
class Sealed:
    rows: int
    sealing: Rate
    verifying: Rate


@dataclass(slots=True)
class Purged:
    rows: int = 0
    seconds: float = 0.0
    deletes: list[float] = field(default_factory=list)  # seconds of each step
    marks: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)  # verifications a second
    meanwhile: list[float] = field(default_factory=list)

    @property
    def loses(self) -> float:
        """The share of the rate that writing loses: each window against those around
        it, of which the machine does the same."""
        around = [(a + b) / 2 for a, b in zip(self.alone, self.alone[1:], strict=False)]
        pairs = zip(self.meanwhile, around, strict=False)
        shares = [with_it / without for with_it, without in pairs if without]
        return 1 - median(shares) if shares else 0.0


def measure_sealing(alias: str) -> Sealed:
    """Seal all of a copy's rows, then check them."""
    done = seal.Checked()

    def check() -> int:
        if findings := list(seal.check(done)):
            raise RuntimeError(f"{len(findings)} findings, like {findings[0]}")
        return done.rows

    with databases.on(alias):
        batch = min(A_BATCH, Verification.objects.count() // 10)
        rows, sealing = _rate_of(lambda: seal.seal_due(seconds=86400, batch=batch))
        checked, verifying = _rate_of(check)
    if checked != rows:
        raise RuntimeError(f"{checked} of {rows} rows were checked")
    return Sealed(rows, sealing, verifying)


def _rate_of(work: Callable[[], int]) -> tuple[int, Rate]:
    began, busy = time.perf_counter(), time.process_time()
    rows = work()
    took, worked = time.perf_counter() - began, time.process_time() - busy
    return rows, Rate(rows / took, rows / worked)


def measure_purge(alias: str, *, window: float) -> Purged:
    """Purge what is sealed and older than a day, by turns with nothing, each for
    `window` seconds."""
    found = Purged()
    with (
        _writer(alias) as rate,
        override_settings(NV_RETENTION_DAYS=1),
        databases.on(alias),
        _timed("_delete_within", found.deletes),
        _timed("_mark", found.marks),
    ):
        _purge_by_turns(found, rate, window)
    return found


def _purge_by_turns(
    found: Purged, rate: Callable[[float, float], float], window: float
) -> None:
    def rest() -> None:
        time.sleep(window)

    def purge() -> None:
        found.rows += retention.purge_due(seconds=window).rows

    spans = [_span(rest)]
    for _ in range(MOST):
        spans += [_span(purge), _span(rest)]
        if not retention.due(timezone.now()):
            break
    found.alone = [rate(*span) for span in spans[::2]]
    found.meanwhile = [rate(*span) for span in spans[1::2]]
    found.seconds = sum(ends - begins for begins, ends in spans[1::2])


def _span(run: Callable[[], None]) -> tuple[float, float]:
    began = time.time()
    run()
    return began, time.time()


@contextmanager
def _timed(name: str, taken: list[float]) -> Iterator[None]:
    """Time each step that the purge commits."""
    real = getattr(retention, name)

    def timed(*args: Any, **options: Any) -> Any:
        began = time.perf_counter()
        try:
            return real(*args, **options)
        finally:
            taken.append(time.perf_counter() - began)

    setattr(retention, name, timed)
    try:
        yield
    finally:
        setattr(retention, name, real)


@contextmanager
def _writer(alias: str) -> Iterator[Callable[[float, float], float]]:
    """Let another process write verifications; yield what tells its rate between two
    times."""
    with tempfile.NamedTemporaryFile() as log:
        process = child.start(databases.url_of(alias), "writing", into=log.file)
        try:
            while not Path(log.name).stat().st_size:
                if process.poll() is not None:
                    raise RuntimeError("the writer has ended")
                time.sleep(0.1)
            time.sleep(1)  # until it is warm
            yield lambda begins, ends: _rate(Path(log.name), begins, ends)
        finally:
            process.terminate()
            process.wait()


def _rate(log: Path, begins: float, ends: float) -> float:
    lines = [line.split() for line in log.read_text().splitlines()[:-1]]
    times = [float(line[0]) for line in lines]
    first, last = bisect(times, begins), bisect(times, ends) - 1
    if first >= last:  # too short to tell
        return 0.0
    written = int(lines[last][1]) - int(lines[first][1])
    return written / (times[last] - times[first])
