import secrets
import time
import uuid


def uuid7(at: float | None = None) -> uuid.UUID:
    """Return a UUIDv7 for the time `at`, in seconds since the epoch, or for now.

    48 bits of milliseconds, then 74 random bits: RFC 9562, section 5.7.
    """
    milliseconds = int((time.time() if at is None else at) * 1000)
    high, low = secrets.randbits(12), secrets.randbits(62)
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)


def first_at(at: float) -> uuid.UUID:
    """Return what no UUIDv7 of the time `at` or later is smaller than: a bound for a
    search by time, in seconds since the epoch."""
    return uuid.UUID(int=int(at * 1000) << 80)
