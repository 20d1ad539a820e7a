"""What the admin shows, and what it must not."""

from django.contrib import admin
from django_otp.plugins.otp_totp.admin import TOTPDevice

from .history_admin import VerificationHistoryAdmin
from .manual_admin import ManualRequestAdmin
from .records_admin import StaffRecordAdmin

__all__ = ["ManualRequestAdmin", "StaffRecordAdmin", "VerificationHistoryAdmin"]

# Its pages show keys: whoever reads one is that person from then on.
admin.site.unregister(TOTPDevice)
