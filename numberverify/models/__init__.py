from .factors import ManualRequest, RecoveryCode
from .handoffs import Ended, Handoff
from .records import StaffRecord
from .seals import Seal
from .totals import DayDuration, DayTotal, HourDuration, HourTotal
from .verification import Verification, VerificationQuerySet, digest, new_salt

__all__ = [
    "DayDuration",
    "DayTotal",
    "Ended",
    "Handoff",
    "HourDuration",
    "HourTotal",
    "ManualRequest",
    "RecoveryCode",
    "Seal",
    "StaffRecord",
    "Verification",
    "VerificationQuerySet",
    "digest",
    "new_salt",
]
