"""Text messages by operators (CAMARA One-Time-Password SMS): the operator makes the
code, sends it and checks it, so that no code is ever in our hands."""

import logging
from functools import partial

from numberverify import breaker, routing
from numberverify.errors import NotTheirNumber, OperatorError, SmsNotSent
from numberverify.msisdn import Msisdn
from numberverify.operators import siblings
from numberverify.operators.base import Deadline
from numberverify.operators.camara import Camara

from .sms import SmsBackend

logger = logging.getLogger(__name__)
API = "one_time_password_sms"


class OperatorBackend(SmsBackend):
    """`SMS_BACKEND = "operator"`: by the operators whose table has
    `one_time_password_sms_url`.

    An operator sends to its own numbers alone, and says so of others: those that serve
    the country are asked in the file's order until one sends.
    """

    makes_codes = True

    def send_code(self, msisdn: Msisdn, text: str) -> str:
        def send(camara: Camara, within: Deadline) -> str:
            return siblings.send_code(camara, msisdn, fitted(text), within)

        for operator in routing.serving(msisdn.countries):
            if not operator.one_time_password_sms_url:
                continue
            ask = partial(routing.line(operator.name).ask_camara, send)
            try:
                reference = breaker.guard(operator, ask, API)
            except NotTheirNumber:
                continue
            except OperatorError as error:
                logger.warning("no text message by %s: %s", operator.name, error.code)
                raise SmsNotSent from None
            return f"{operator.name}:{reference}"
        raise SmsNotSent

    def check_code(self, reference: str, code: str) -> bool:
        name, _, theirs = reference.partition(":")
        if name not in routing.operators():  # its table was taken away meanwhile
            raise SmsNotSent

        def check(camara: Camara, within: Deadline) -> bool:
            return siblings.validate_code(camara, theirs, code, within)

        line = routing.line(name)
        ask = partial(line.ask_camara, check)
        return breaker.guard(line.settings, ask, API)


def fitted(text: str) -> str:
    """Return a message short enough for operators: if need be without the line that
    phones fill in from."""
    if len(text) > siblings.LONGEST_MESSAGE:
        text = text.partition("\n")[0]
    return text[: siblings.LONGEST_MESSAGE]
