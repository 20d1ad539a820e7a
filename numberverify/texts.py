"""Text messages without a code: what a site has to tell a number."""

from . import conf
from .errors import SmsNotSent
from .msisdn import Msisdn


def can_be_sent() -> bool:
    """Whether the site's SMS_BACKEND carries our own words: an operator that makes the
    codes itself sends nothing but these."""
    backend = conf.sms_backend()
    return backend is not None and not backend.makes_codes


def send(msisdn: Msisdn, text: str) -> None:
    """Hand a message over, within seconds; raise SmsNotSent."""
    backend = conf.sms_backend()
    if backend is None or backend.makes_codes:
        raise SmsNotSent
    backend.send(msisdn, text)
