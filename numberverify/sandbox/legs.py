"""The exchanges of a flow in words, by the three legs that the tutorial has."""

from dataclasses import dataclass, replace

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from numberverify.sandbox.cut import in_words, lines_in_words
from numberverify.sandbox.trace import Flow, Step


@dataclass(frozen=True, slots=True)
class Leg:
    number: int
    name: Promise
    way: Promise
    words: Promise


_DEVICE = (1, _("Client-side authentication"), _("Browser to operator"))
_SERVER = (2, _("Server-side authentication"), _("Site's server to operator"))
_QUESTION = (3, _("Server-side number verification"), _("Site's server to operator"))
_APP = (1, _("Client-side authentication"), _("App to operator"))

_NETWORK = Leg(
    *_DEVICE,
    _(
        "A redirect inside the operator. On mobile data the network adds the number of"
        " the SIM to it, which neither the browser nor the site ever sees."
    ),
)
_LOGIN = Leg(
    *_DEVICE,
    _(
        "The operator knows whose SIM it is, and sends the browser back to the site"
        " with a code. By its state the site knows that it asked for this itself."
    ),
)
LEGS = {
    "authorize": Leg(
        *_DEVICE,
        _(
            "The site sends the device to the operator with its client id. The number"
            " is not among what it sends."
        ),
    ),
    "camara-authorize": Leg(
        *_DEVICE,
        _(
            "The site sends the device to the operator with its client id and the"
            " digest of a secret of this one flow (PKCE). The number is not among it."
        ),
    ),
    "network": _NETWORK,
    "login": _LOGIN,
    "token": Leg(
        *_SERVER,
        _(
            "The server shows its client id and secret, and gets an access token for"
            " the code. A code is good once. The ID token says by whom, for whom and"
            " for which request."
        ),
    ),
    "camara-token": Leg(
        *_SERVER,
        _(
            "The server proves itself by something it signs with its private key, shows"
            " the secret of the flow, and gets an access token for the code. No shared"
            " secret travels."
        ),
    ),
    "match": Leg(
        *_QUESTION,
        _(
            "The server asks, with the token, whether the number that the person typed"
            " is that of the SIM. The answer is a true or a false, and never a number."
        ),
    ),
    "camara-verify": Leg(
        *_QUESTION,
        _(
            "The server asks, with the token, whether the number that the person typed"
            " is that of the SIM. Its correlator is the reference of the verification."
        ),
    ),
    "camara-share": Leg(
        *_QUESTION, _("The server asks, with the token, which number the SIM has.")
    ),
    "operator-token": Leg(
        *_APP,
        _(
            "The phone's operating system gets a token from the SIM itself, over any"
            " connection, and an app hands it to the site's server."
        ),
    ),
}
VERDICTS = {"device_msisdn_verified", "devicePhoneNumberVerified"}


@dataclass(frozen=True, slots=True)
class Told:
    step: Step
    leg: Leg


def told(flow: Flow) -> list[Told]:
    return [Told(_in_words(step), LEGS[step.leg]) for step in flow.steps]


def _in_words(step: Step) -> Step:
    return replace(
        step,
        path=in_words(step.path),
        sent=lines_in_words(step.sent),
        noted=lines_in_words(step.noted),
        answered=lines_in_words(step.answered),
    )


def ending(flow: Flow) -> Promise | str:
    """How far it came, or what the operator said in the end."""
    last = flow.steps[-1]
    for name, value in last.answered:
        if name in VERDICTS:
            verdicts = {"true": _("match"), "false": _("no match")}
            return verdicts.get(value, _("an answer that is neither"))
        # In quotes an error's name of CAMARA, without a code to come back with.
        if name == "error" or (name == "code" and value.startswith('"')):
            return value.strip('"')
    return _("went no further")
