"""The handset that a browser pretends to be. It lives in one signed cookie."""

import re
from dataclasses import asdict, dataclass

import phonenumbers
from django.core import signing
from django.db.models import TextChoices
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

COOKIE = "sandbox_handset"
SALT = "numberverify.sandbox.handset"
YEAR = 365 * 24 * 60 * 60
E164 = re.compile(r"\+[1-9][0-9]{4,14}")


class Network(TextChoices):
    MOBILE = "mobile", _("mobile data")
    WIFI = "wifi", _("Wi-Fi")


class Sim(TextChoices):
    OLD = "old", _("in this handset for years")
    FRESH = "fresh", _("put in two hours ago (a SIM swap)")


class Subscriber(TextChoices):
    SAME = "same", _("the same for years")
    NEW = "new", _("a new customer since yesterday (a recycled number)")


class Fault(TextChoices):
    """What the operator does wrong for this handset, on purpose."""

    NONE = "", _("nothing goes wrong")
    SLOW = "slow", _("the answer about the number takes too long")
    REFUSED = "refused", _("the operator refuses the person (access_denied)")
    CONSENT = "consent", _("the operator wants consent first (consent_required)")
    TOKEN_ERROR = "token_error", _("the operator refuses its own code (invalid_grant)")
    OVERLOADED = "503", _("the operator is overloaded (503)")
    MALFORMED = "malformed", _('the answer is the text "true", not a true')
    WRONG_NONCE = "wrong_nonce", _("the ID token is for another request (nonce)")
    WRONG_SUB = (
        "wrong_sub",
        _("the answer is about another customer (sub); Mobile Connect only"),
    )
    WRONG_ISS = (
        "wrong_iss",
        _("the redirect back names another issuer (iss); CAMARA only"),
    )


@dataclass(frozen=True, slots=True)
class Handset:
    # In E.164 form, or empty without a SIM. The default is one of Ofcom's drama
    # numbers, which are nobody's.
    number: str = "+447700900123"
    network: Network = Network.MOBILE
    fault: Fault = Fault.NONE
    sim: Sim = Sim.OLD
    subscriber: Subscriber = Subscriber.SAME

    @property
    def known_to_network(self) -> bool:
        """Whether an operator can tell which SIM a request comes from."""
        return bool(self.number) and self.network is Network.MOBILE

    @property
    def number_in_groups(self) -> str:
        """The number as people write it, or as it is when nobody can tell how."""
        try:
            parsed = phonenumbers.parse(self.number)
        except phonenumbers.NumberParseException:
            return self.number
        return phonenumbers.format_number(
            parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL
        )


def of(request: HttpRequest) -> Handset:
    """The handset of this browser; a fresh one when it has none that holds."""
    try:
        stored = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT)
        return Handset(
            number=stored["number"],
            network=Network(stored["network"]),
            fault=Fault(stored["fault"]),
            # Cookies from before there were these two are still about.
            sim=Sim(stored.get("sim", Sim.OLD)),
            subscriber=Subscriber(stored.get("subscriber", Subscriber.SAME)),
        )
    except (signing.BadSignature, LookupError, TypeError, ValueError):
        return Handset()


def put(response: HttpResponse, handset: Handset, *, secure: bool) -> None:
    response.set_cookie(
        COOKIE,
        signing.dumps(asdict(handset), salt=SALT),
        max_age=YEAR,
        secure=secure,
        httponly=True,
        samesite="Lax",
    )
