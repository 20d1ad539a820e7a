import time

from django.conf import settings

from numberverify.sandbox.handset import Fault

DEFAULT_SECONDS = 15.0


def wait_if_slow(fault: Fault) -> None:
    if fault is Fault.SLOW:
        time.sleep(getattr(settings, "SANDBOX_SLOW_SECONDS", DEFAULT_SECONDS))
