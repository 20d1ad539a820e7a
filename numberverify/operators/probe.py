"""Does an operator work? Walked step by step, without a phone and without a proof.

What is made up on purpose, a code and a token, must be refused: how it is refused tells
whether the operator knows us.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urljoin, urlsplit

from ..errors import OperatorError, OperatorRefused
from ..msisdn import Msisdn
from . import oidc, siblings
from .base import Deadline, Question
from .camara import Camara
from .http import ERROR_NAME
from .mobile_connect import MobileConnect
from .registry import Line

Speaker = Camara | MobileConnect
Look = Callable[[Speaker, Question, Deadline], str]
MOST_HOPS = 8  # within the operator, as a browser would follow them
NOBODY = Msisdn("+447700900000")  # of the numbers that are kept for drama
# What an operator says to a request that is in order, of a machine that is no phone.
NO_PHONE = {
    "login_required",
    "access_denied",
    "interaction_required",
    "consent_required",
}
SCOPES = {
    "one_time_password_sms_url": "one-time-password-sms:send-validate",
    "sim_swap_url": "sim-swap:check",
    "number_recycling_url": "number-recycling:check",
}


@dataclass(frozen=True, slots=True)
class Step:
    """`said` holds no secret and no token, and of the operator's words error names."""

    name: str
    works: bool
    said: str


class Fails(Exception):
    """Says what is wrong."""


def walk(line: Line, redirect_uri: str) -> Iterator[Step]:
    """Yield each step when it is done; those that do not apply say so."""
    operator = line.operator
    assert isinstance(operator, Camara | MobileConnect)  # noqa: S101  no other dialect
    nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    question = Question(NOBODY, redirect_uri, nonce, verifier)
    for name, look in STEPS.items():

        def ask(within: Deadline, look: Look = look) -> str:
            return look(operator, question, within)

        try:
            yield Step(name, True, line.run(ask))
        except Fails as wrong:
            yield Step(name, False, str(wrong))
        except OperatorError as error:
            said = f"{error.code}, {error}" if str(error) else error.code
            yield Step(name, False, said)


def _description(operator: Speaker, _: Question, within: Deadline) -> str:
    if isinstance(operator, MobileConnect):
        return "not published in this dialect: the table says where everything is"
    found, ours = operator.provider.metadata(within), operator.settings.client_auth
    if found.auth_methods and ours not in found.auth_methods:
        raise Fails(f"it takes no {ours}: see token_endpoint_auth_methods_supported")
    names = "carry its name" if found.names_itself else "do not carry its name"
    return f"the issuer is the table's; redirects back {names} (RFC 9207)"


def _keys(operator: Speaker, _: Question, within: Deadline) -> str:
    if isinstance(operator, Camara):
        keys = operator.provider.keys(within)
    elif operator.keys:
        keys = operator.keys
    else:
        return "the table has no jwks_uri: signatures will not be checked"
    keys.fetch(within)
    if not keys.keys:
        raise Fails("no RSA or EC key with a kid among them")
    return f"{len(keys.keys)} can be used"


def _authorization(operator: Speaker, question: Question, within: Deadline) -> str:
    operator.prepare(within)
    address = operator.authorization_url(question, state=secrets.token_urlsafe(32))
    host, asked = urlsplit(address).netloc, address
    for _ in range(MOST_HOPS):
        status, location = operator.http.look(asked, within=within)
        if status not in (302, 303):
            if asked == address:
                said = "client id or redirect URI are not registered"
                raise Fails(f"status {status}: {said}")
            break
        asked = urljoin(asked, location)
        if "error" in parse_qs(urlsplit(asked).query) or urlsplit(asked).netloc != host:
            break
    return _judged(asked, question.redirect_uri)


def _judged(address: str, redirect_uri: str) -> str:
    """What it means that the operator's redirects have led there."""
    brought = parse_qs(urlsplit(address).query)
    if not address.startswith(redirect_uri) and "error" not in brought:
        return "not refused so far; what comes next only a phone can tell"
    if "code" in brought and "error" not in brought:
        return "taken; it takes even this machine for a phone of its network"
    error = brought.get("error", [""])[0]
    if error in NO_PHONE:
        return f"taken; this machine is no phone of its network ({error})"
    name = error if ERROR_NAME.fullmatch(error) else "no error named"
    raise Fails(f"refused: {name}")


def _client_authentication(
    operator: Speaker, question: Question, within: Deadline
) -> str:
    url, code = operator.token_endpoint(within), secrets.token_urlsafe(32)
    http, table, pkce = operator.http, operator.settings, operator.pkce
    try:
        oidc.exchange_code(http, table, url, code, question, within, pkce=pkce)
    except OperatorRefused as refused:
        if refused.said == "invalid_grant":
            return "we are known; a code that we made up is refused (invalid_grant)"
        said = refused.said or "no error named"
        raise Fails(f"status {refused.status}, {said}: credentials?") from None
    raise Fails("it sells a token for a code that we made up")


def _error_handling(operator: Speaker, question: Question, within: Deadline) -> str:
    made_up = oidc.SubscriberToken(secrets.token_urlsafe(32), "")
    try:
        operator.put(made_up, question, within)
    except OperatorRefused as refused:
        if refused.status == 401:
            return "a token that we made up is refused (401)"
        raise Fails(f"status {refused.status} instead of 401: base_url?") from None
    raise Fails("it answers to a token that we made up")


def _siblings(operator: Speaker, _: Question, within: Deadline) -> str:
    table = operator.settings
    wanted = [scope for key, scope in SCOPES.items() if getattr(table, key)]
    if not wanted or isinstance(operator, MobileConnect):
        return "none in the table"
    for scope in wanted:
        try:
            siblings.token(operator, scope, within)
        except OperatorRefused as refused:
            said = refused.said or "no error named"
            raise Fails(f"no token for {scope}: {said}") from None
    return f"tokens are sold for {', '.join(wanted)}"


STEPS: dict[str, Look] = {
    "Description": _description,
    "Signing keys": _keys,
    "Authorization request": _authorization,
    "Client authentication": _client_authentication,
    "Error handling": _error_handling,
    "Neighbouring APIs": _siblings,
}
