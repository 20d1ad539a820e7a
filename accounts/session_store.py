"""Sessions in the database, each change of one by one statement (SESSION_ENGINE).

Django's own looks first whether a random key is taken, writes a new session twice, and
opens a transaction for each write: ten statements at a login, of which this needs one.
Sessions that Django's own has written stay good, and the other way round.
"""

import secrets
from functools import cache
from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.utils import timezone

from numberverify.prepared import Delete, insert

KEY_BYTES = 20  # 160 bits, which no other key has


class SessionStore(db.SessionStore):
    # Why it can be read and not changed just now (cached_sessions.py).
    cannot_change: Exception | None = None

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._is_new = False
        self._written: bytes | None = None

    def create(self) -> None:
        """Take a new key. Its row is written with what is in the session by then."""
        self._session_key = secrets.token_hex(KEY_BYTES)
        self._is_new = self.modified = True

    def save(self, must_create: bool = False) -> None:
        """Raise UpdateError where the row was deleted meanwhile: it stays deleted."""
        if self.session_key is None:
            self.create()
        is_new = must_create or self._is_new
        data = self._get_session(no_load=is_new)  # type: ignore[attr-defined]
        as_written = self.serializer().dumps(data)
        if as_written == self._written and not is_new:
            return  # saved a moment ago, by this request
        row = self.create_model_instance(data)
        if is_new:
            insert(row)
        elif not self.model.objects.filter(pk=row.pk).update(
            session_data=row.session_data, expire_date=row.expire_date
        ):
            raise UpdateError
        self._is_new, self._written = False, as_written

    def delete(self, session_key: str | None = None) -> None:
        if key := session_key or self.session_key:
            _delete().ask(session_key=key)

    @classmethod
    def clear_expired(cls) -> Any:
        """Delete what is over; return how many."""
        late = cls.get_model_class().objects.filter(expire_date__lt=timezone.now())
        return late.delete()[0]


@cache
def _delete() -> Delete[Any]:
    """One statement, and no transaction. Made late: the model is not there before."""
    model: Any = SessionStore.get_model_class()
    return Delete(model, lambda gap: model.objects.filter(pk=gap("session_key")))
