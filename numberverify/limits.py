"""Limits, before the password is hashed and before an operator is asked.

docs/decisions/0018-limits.md says what counts against whom. A store that is away
closes what can be guessed and what reaches other people, and opens the rest.
"""

import logging
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from math import ceil
from typing import Any

from django.utils.crypto import salted_hmac

from . import conf, metrics
from .browser import Browser, network_of
from .choices import Method, Status
from .errors import Limited, StoreAway
from .models import Verification
from .msisdn import Msisdn
from .policy import NEW_NUMBERS
from .windows import Hit, StoreDown, Taken, store

logger = logging.getLogger(__name__)
# The name of a limit, and whom it counts: parts that tell one from another.
Claim = tuple[str, ...]
# Stays counted if nobody could tell: that can be brought about, by bringing an error
# back instead of a code, and would be a way around all limits.
STAYS = {"start_address"}
COUNTS_AGAINST_A_PERSON = {Status.MISMATCHED, Status.REFUSED}
# Handed back with the next move of this process, which is the person's own next try at
# the latest if there is no other: so it costs no round trip.
_owed: deque[Hit] = deque()


def take(
    claims: Iterable[Claim],
    *,
    looks: Iterable[Claim] = (),
    clears: Iterable[Claim] = (),
    back: Taken | None = None,
) -> Taken:
    """Count one against each claim, or against none if one has no room.

    `looks` need room and count nothing. `back` was right: it is handed back in the
    same round trip. `clears` are cleared when what is returned is handed back. Raise
    Limited, or StoreAway.
    """
    claims = list(claims)
    hits = _hits(claims)
    returned, cleared = back.empty() if back else ([], [])
    if not hits and not returned and not cleared:
        return Taken()
    returned = returned + _owed_until_now()
    try:
        full = store().move(
            hits + _hits(looks, counts=False), back=returned, clear=cleared
        )
    except StoreDown as error:
        _go_on_without_a_store(claims, error)
        return Taken()
    if full:
        logger.warning("the limit %s is reached", full.hit.limit)
        metrics.LIMITS_HIT.labels(full.hit.limit).inc()
    if full and full.seconds:
        raise Limited(full.hit.limit, ceil(full.seconds))
    return Taken(hits, _hits(clears))


def hand_back(taken: Taken) -> None:
    """It was right, or nobody could tell. Costs nothing the second time."""
    if taken:
        take((), back=taken)


def clear(claims: Iterable[Claim]) -> None:
    """Let it begin anew: whom these count has proved to be who it is."""
    hand_back(Taken(clear=_hits(claims)))


def before_own_password(user: Any) -> Taken:
    """Before somebody who is signed in types the password once more. In a row of its
    own: a stranger's guesses at the login must not use it up."""
    name = user.get_username()
    in_a_row = ("password_in_a_row", name)
    clears = [in_a_row, ("login_in_a_row", name)]
    return take([("password_account", name), in_a_row], clears=clears)


def before_start(
    row: Verification, msisdn: Msisdn | None, browser: Browser, *, asks: bool
) -> Taken:
    """Before a described row goes to an operator or a text message leaves.

    `asks` is False for a row that is closed at once, as the person says. Takes along
    what `browser` has to hand back. Return what an ending without a verdict hands back.
    """
    claims = _of_a_start(row, msisdn) if asks else []
    if browser.network and not row.browser_known:
        person = _account(row) if row.user_id else _number(row)
        claims.append(("start_address", browser.network))
        claims.append(("start_address_spare", browser.network, *person))
    if row.method == Method.SMS and msisdn:
        claims += _of_a_text(row, msisdn, browser)
    # Codes have limits of their own: too many "no match" leave an app open.
    by_network = asks and row.method == Method.NETWORK
    looks = _of_verdicts(row, browser.ip) if by_network else []
    taken = take(claims, looks=looks, back=browser.tries)
    stays = [hit for hit in taken.back if hit.limit in STAYS or hit.is_spare]
    taken.back = [hit for hit in taken.back if hit not in stays]
    return taken


def after_start(row: Verification, taken: Taken) -> None:
    """A row that is over at once has asked nobody."""
    if not row.is_open:
        _owed.extend(taken.empty()[0])


def before_text(row: Verification, browser: Browser) -> None:
    """Before one more text message of an open row."""
    take(_of_a_text(row, Msisdn(row.number), browser))


def before_code(row: Verification, browser: Browser) -> Taken:
    """Before a typed code is looked at."""
    claims: list[Claim] = [("code_number", *_number(row))]
    if row.user_id:
        claims = [("code_account", *_account(row))]
    if browser.network and not row.browser_known:
        claims.append(("code_address", browser.network))
    return take(claims)


def before_link(browser: Browser) -> Taken:
    """Before the link for a phone is looked up."""
    return take([("phone_address", browser.network)] if browser.network else [])


def settled(row: Verification, status: str) -> None:
    """Count a verdict against the person; hand back a start that brought none.

    Never raises: what was settled is settled.
    """
    if status in COUNTS_AGAINST_A_PERSON:
        with suppress(Limited):  # counted full meanwhile
            take(_of_verdicts(row, row.ip))
    elif status == Status.UNAVAILABLE:
        msisdn = Msisdn(row.number) if row.number else None
        begun = _hits(_of_a_start(row, msisdn))
        hand_back(Taken([hit for hit in begun if not hit.is_spare]))


def _of_a_start(row: Verification, msisdn: Msisdn | None) -> list[Claim]:
    """The number counts where it is not on file: nobody else's start may use up the
    owner's. Known browsers count apart from others, for the same reason."""
    claims: list[Claim] = []
    if row.user_id:
        claims.append(("start_account", *_account(row)))
    if row.purpose in NEW_NUMBERS and msisdn:
        network = network_of(row.ip)
        if network:
            claims.append(("start_number_address", *_number(row), network))
        claims.append(("start_number", *_number(row)))
        claims += _of_a_dialling_code("start", msisdn, network)
    return claims


def _of_a_dialling_code(what: str, msisdn: Msisdn, network: str) -> list[Claim]:
    name, code = f"{what}_dialling_code", msisdn.calling_code
    spare: list[Claim] = [(f"{name}_spare", code, network)] if network else []
    return [(name, code), *spare]


def _of_a_text(row: Verification, msisdn: Msisdn, browser: Browser) -> list[Claim]:
    claims: list[Claim] = []
    if row.user_id:
        claims.append(("text_account", *_account(row)))
    if row.purpose in NEW_NUMBERS:
        claims.append(("text_number", *_number(row)))
        claims += _of_a_dialling_code("text", msisdn, browser.network)
    if browser.network and not row.browser_known:
        claims.append(("text_address", browser.network))
    return claims


def _of_verdicts(row: Verification, address: str | None) -> list[Claim]:
    """Of a number that no account has here, by address too: a stranger with another
    SIM must not close it to its owner."""
    if row.user_id:
        return [("no_account", *_account(row))]
    if row.number_fingerprint:
        return [("no_number", *_number(row), network_of(address))]
    return []


def _account(row: Verification) -> tuple[str, str]:
    return str(row.user_id), "known" if row.browser_known else ""


def _number(row: Verification) -> tuple[str]:
    return (bytes(row.number_fingerprint).hex(),)


def _hits(claims: Iterable[Claim], *, counts: bool = True) -> list[Hit]:
    rates = conf.limits()
    if rates is None:
        return []
    return [
        Hit(window, key, counts)
        for key, name in ((_key(claim), claim[0]) for claim in claims)
        for window in rates[name].windows
    ]


def _key(claim: Claim) -> str:
    """Name the limit; of whom it counts, the store learns no e-mail and no number."""
    name, *whom = claim
    made = salted_hmac("numberverify.limits", repr(whom), algorithm="sha256")
    return f"{name}/{made.hexdigest()[:32]}"


def _owed_until_now() -> list[Hit]:
    found: list[Hit] = []
    with suppress(IndexError):
        while True:
            found.append(_owed.popleft())
    return found


def _go_on_without_a_store(claims: list[Claim], error: StoreDown) -> None:
    rates = conf.limits() or {}
    closed = any(rates[name].closed for name, *_ in claims)
    logger.error(
        "limits cannot be counted, %s: %s",
        type(error.__cause__).__name__,
        "refused" if closed else "let through",
    )
    if closed:
        raise StoreAway
