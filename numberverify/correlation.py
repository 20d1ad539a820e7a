"""Which verification a request is about, so that each line it logs can say so."""

from contextvars import ContextVar
from uuid import UUID

KEY = "numberverify.verification"  # in the request's environment, when it is over
_about: ContextVar[str] = ContextVar("verification", default="")


def is_about(verification_id: UUID | str) -> None:
    _about.set(str(verification_id))


def is_over() -> str:
    """Return what it was about. The thread's next request is about something else."""
    was = _about.get()
    _about.set("")
    return was


def current() -> str:
    return _about.get()
