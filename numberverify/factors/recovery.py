"""Recovery codes: ten on paper, each good once (NIST SP 800-63B-4, 4.2.1.1)."""

import re
import secrets
from typing import Any

from django.db import transaction
from django.utils import timezone

from numberverify import conf
from numberverify.choices import Event
from numberverify.models import RecoveryCode

HOW_MANY = 10
LENGTH = 16  # of 32 characters: 80 bits
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's, without I, L, O, U
AS_MEANT = str.maketrans("OIL", "011")
FILLING = re.compile(r"[\W_]+")


def left(user_id: Any) -> int:
    return RecoveryCode.objects.filter(user_id=user_id, used_at=None).count()


def make(user: Any) -> list[str]:
    """Replace the person's codes, inside a transaction; return the new ones.

    They are returned here and never again: only their HMACs are kept.
    """
    codes = [
        "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        for _ in range(HOW_MANY)
    ]
    with transaction.atomic():
        RecoveryCode.objects.filter(user=user).delete()
        RecoveryCode.objects.bulk_create(
            RecoveryCode(user=user, digest=_digests(user.pk, code)[0]) for code in codes
        )
        conf.tell(user, Event.RECOVERY_CODES_MADE)
    return ["-".join(code[n : n + 4] for n in range(0, LENGTH, 4)) for code in codes]


def find(user_id: Any, typed: str) -> RecoveryCode | None:
    """Return the unspent code that the person has typed."""
    digests = _digests(user_id, normal(typed))
    mine = RecoveryCode.objects.filter(user_id=user_id, used_at=None)
    return mine.filter(digest__in=digests).first()


def spend(code: RecoveryCode) -> bool:
    """Spend it, once, inside the transaction of what it proves."""
    unspent = RecoveryCode.objects.filter(pk=code.pk, used_at=None)
    if not unspent.update(used_at=timezone.now()):
        return False
    is_last = left(code.user_id) == 0
    news = Event.RECOVERY_CODES_GONE if is_last else Event.RECOVERY_CODE_USED
    conf.tell(code.user, news)
    return True


def normal(typed: str) -> str:
    """Return the code as it was made: nothing between, capitals, 0 for O."""
    return FILLING.sub("", typed).upper().translate(AS_MEANT)


def _digests(user_id: Any, code: str) -> list[bytes]:
    return conf.code_digests(f"recovery:{user_id}:{code}")
