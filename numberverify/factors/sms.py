"""Text messages with a code, and the backends that send them (`SMS_BACKEND`)."""

import sys
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from numberverify import conf
from numberverify.errors import SmsNotSent
from numberverify.msisdn import Msisdn
from numberverify.uuid7 import uuid7

CODE = "{{code}}"  # as CAMARA One Time Password SMS 1.1, send-code, has it


class SmsBackend:
    """How a code gets to a phone.

    One that carries our text implements `send`. One whose operator makes the codes and
    checks them sets `makes_codes` and implements `send_code` and `check_code` instead.
    All raise SmsNotSent, or its kin, when nobody can say that the message left.
    """

    makes_codes = False

    def send(self, msisdn: Msisdn, text: str) -> None:
        """Hand a text message over, within seconds."""
        raise NotImplementedError

    def send_code(self, msisdn: Msisdn, text: str) -> str:
        """Have the operator put its code in for `{{code}}`, and send it.

        Return the reference under which it checks the code, 100 characters at most.
        """
        raise NotImplementedError

    def check_code(self, reference: str, code: str) -> bool:
        """Ask whether this is the code of that message; CodeOver: it can be tried no
        more."""
        raise NotImplementedError


class ConsoleBackend(SmsBackend):
    """Prints: for development."""

    def send(self, msisdn: Msisdn, text: str) -> None:
        sys.stdout.write(f"\n-- text message to {msisdn}\n{text}\n--\n")
        sys.stdout.flush()


class FileBackend(SmsBackend):
    """Writes each message into a file of its own in SMS_FILE_PATH."""

    def send(self, msisdn: Msisdn, text: str) -> None:
        folder = Path(settings.SMS_FILE_PATH)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            written = f"To: {msisdn.e164}\n\n{text}\n"
            (folder / f"{uuid7()}.txt").write_text(written, "utf-8")
        except OSError as error:
            raise SmsNotSent from error


@dataclass(frozen=True, slots=True)
class Message:
    msisdn: Msisdn
    text: str


outbox: list[Message] = []


class MemoryBackend(SmsBackend):
    """Keeps them in `outbox`: for tests."""

    def send(self, msisdn: Msisdn, text: str) -> None:
        outbox.append(Message(msisdn, text))


def code_message(code: str) -> str:
    """Write the message. Its last line binds the code to our host, so that a phone
    fills it in there and nowhere else (WICG, origin-bound one-time codes)."""
    first = _("%(code)s is your %(site)s security code. Never pass it on.")
    words = first % {"code": code, "site": conf.site_name()}
    return f"{words}\n\n@{conf.site_host()} #{code}"
