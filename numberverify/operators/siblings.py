"""CAMARA's neighbours of Number Verification, at the same operator: One-Time-Password
SMS 1.1, SIM Swap 2.1, Number Recycling 0.2.

Each call has a token of its own, got by our credentials. Such a token stands for
nobody, so the number is named in the question (2-legged), and no network proof comes
of it. All raise OperatorError when the operator does not say.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

from ..errors import CodeOver, MalformedAnswer, NotTheirNumber, OperatorRefused
from ..msisdn import Msisdn
from . import oidc, wire
from .base import Deadline, Told
from .camara import Camara, purposes_of

LONGEST_MESSAGE = 160  # characters
LONGEST_REFERENCE = 36
DEFAULT_MAX_AGE = 240  # hours; an operator may look back no further
OTP = "ONE_TIME_PASSWORD_SMS."
# By operators that answer for their own numbers alone.
NOT_THEIRS = {"NOT_FOUND", "IDENTIFIER_NOT_FOUND", "SERVICE_NOT_APPLICABLE"}


def send_code(camara: Camara, msisdn: Msisdn, message: str, within: Deadline) -> str:
    """Have the operator send a code of its own, put in for `{{code}}`.

    The message is 160 characters at most. Return the reference under which the
    operator checks the code, 36 at most.
    """
    url = f"{camara.settings.one_time_password_sms_url}/send-code"
    body = {"phoneNumber": msisdn.e164, "message": message}
    bearer = _otp_token(camara, within)
    with _theirs():
        answer = camara.http.post_json(url, body=body, bearer=bearer, within=within)
    reference = wire.text(answer, "authenticationId")
    if len(reference) > LONGEST_REFERENCE:
        raise MalformedAnswer("reference is too long")
    return reference


def validate_code(camara: Camara, reference: str, code: str, within: Deadline) -> bool:
    """Ask whether this is the code of that message; CodeOver: no more tries at it."""
    url = f"{camara.settings.one_time_password_sms_url}/validate-code"
    body = {"authenticationId": reference, "code": code}
    bearer = _otp_token(camara, within)
    try:
        camara.http.post_for_nothing(url, body=body, bearer=bearer, within=within)
    except OperatorRefused as refused:
        if refused.said == f"{OTP}INVALID_OTP":
            return False
        if refused.said == f"{OTP}VERIFICATION_FAILED":
            raise CodeOver(was_tried=True) from None
        if refused.said in {f"{OTP}VERIFICATION_EXPIRED", "NOT_FOUND"}:
            raise CodeOver(was_tried=False) from None
        raise
    return True


def sim_swapped(
    camara: Camara, msisdn: Msisdn, *, hours: int, within: Deadline
) -> Told:
    """Say whether the number got another SIM within `hours` (1 to 2400).

    An operator that may not look back so far is asked about ten days instead: its
    "yes" holds, its "no" leaves the rest unknown.
    """
    try:
        return _yes_or_no(_swapped(camara, msisdn, hours, within))
    except OperatorRefused as refused:
        if refused.said != "OUT_OF_RANGE" or hours <= DEFAULT_MAX_AGE:
            raise
    lately = _swapped(camara, msisdn, DEFAULT_MAX_AGE, within)
    return Told.YES if lately else Told.UNKNOWN


def number_recycled(
    camara: Camara, msisdn: Msisdn, *, since: date, within: Deadline
) -> Told:
    """Say whether the number has had another subscriber after that day."""
    url = f"{camara.settings.number_recycling_url}/check"
    body = {"phoneNumber": msisdn.e164, "specifiedDate": since.isoformat()}
    answer = _check(camara, url, "number-recycling:check", body, within)
    return _yes_or_no(wire.boolean(answer, "phoneNumberRecycled"))


def _swapped(camara: Camara, msisdn: Msisdn, hours: int, within: Deadline) -> bool:
    url = f"{camara.settings.sim_swap_url}/check"
    body = {"phoneNumber": msisdn.e164, "maxAge": hours}
    return wire.boolean(_check(camara, url, "sim-swap:check", body, within), "swapped")


def _check(
    camara: Camara, url: str, scope: str, body: Mapping[str, Any], within: Deadline
) -> dict[str, Any]:
    bearer = token(camara, scope, within)
    with _theirs():
        return camara.http.post_json(url, body=body, bearer=bearer, within=within)


def _otp_token(camara: Camara, within: Deadline) -> str:
    return token(camara, "one-time-password-sms:send-validate", within)


def token(camara: Camara, scope: str, within: Deadline) -> str:
    """Get a token of ours for `scope`, with the purpose spelled as the table does."""
    (word,) = purposes_of(camara.settings.scope)
    purpose, joined, _ = word.partition("#")
    whole = f"{purpose}#{scope}" if joined else f"{purpose} {scope}"
    url = camara.provider.metadata(within).token_endpoint
    bought = oidc.client_token(camara.http, camara.settings, url, whole, within)
    return bought.access_token


@contextmanager
def _theirs() -> Iterator[None]:
    try:
        yield
    except OperatorRefused as refused:
        if refused.said in NOT_THEIRS:
            raise NotTheirNumber from None
        raise


def _yes_or_no(said: bool) -> Told:
    return Told.YES if said else Told.NO
