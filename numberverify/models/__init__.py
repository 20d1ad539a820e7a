from .factors import ManualRequest, RecoveryCode
from .verification import Verification, VerificationQuerySet, digest, new_salt

__all__ = [
    "ManualRequest",
    "RecoveryCode",
    "Verification",
    "VerificationQuerySet",
    "digest",
    "new_salt",
]
