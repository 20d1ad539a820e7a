"""What the home page says is worth trying: a handset, and the one step to make."""

import secrets
from dataclasses import asdict, dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from numberverify.sandbox.handset import Handset, Network

# Of Ofcom's drama numbers those that nobody in the demo has.
FREE = range(500, 900)
GERMAN = "+4915228817386"  # kept for fiction, too


@dataclass(frozen=True, slots=True)
class Try:
    title: Promise
    step: Promise
    typed: str
    ending: Promise
    handset: Handset

    @property
    def fields(self) -> dict[str, str]:
        return asdict(self.handset)


def tries() -> list[Try]:
    held = _drama(secrets.choice(FREE))
    other = _drama(secrets.choice([n for n in FREE if _drama(n) != held]))
    return [
        Try(
            _("The right number"),
            _("Sign up with the number of the SIM:"),
            held.number_in_groups,
            _("A match: you are signed in."),
            held,
        ),
        Try(
            _("Another number"),
            _("Sign up with a number that is not the SIM's:"),
            other.number_in_groups,
            _("No match, and what to do about it."),
            held,
        ),
        Try(
            _("Wi-Fi"),
            _("Sign up while the network cannot see the SIM:"),
            held.number_in_groups,
            _("Could not tell. That is not a no: there are other ways."),
            Handset(held.number, Network.WIFI),
        ),
        Try(
            _("Germany"),
            _("Sign up where two networks serve one country:"),
            Handset(GERMAN).number_in_groups,
            _("Which network? Then a match."),
            Handset(GERMAN),
        ),
    ]


def _drama(last: int) -> Handset:
    # Another one each time: one number, one account.
    return Handset(f"+447700900{last:03}")
