from .factors import ManualRequest, RecoveryCode
from .seals import Seal
from .totals import HourDuration, HourTotal
from .verification import Verification, VerificationQuerySet, digest, new_salt

__all__ = [
    "HourDuration",
    "HourTotal",
    "ManualRequest",
    "RecoveryCode",
    "Seal",
    "Verification",
    "VerificationQuerySet",
    "digest",
    "new_salt",
]
