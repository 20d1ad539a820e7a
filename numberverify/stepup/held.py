"""What the session holds of step-up: proofs, and what was typed before one was asked.

A proof here opens a page without a query. It dies with the session, a change of
password, number or factor, a freeze, its age, and in another browser.
"""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from numberverify import conf, ways
from numberverify.browser import binding_of
from numberverify.choices import Method
from numberverify.flow import Receipt

from .confirmed import Details

PROOFS, KEPT = "nv_proofs", "nv_kept"  # keys of the session
DETAILS, ADDRESSES = "nv_details", "nv_addresses"
TABS = 5
AT = "nv_at"  # in the query, in the place of one that the session keeps
MAX_ADDRESS = 4000  # characters


def stamp_of(user: Any) -> str | None:
    """Return what a proof dies with when it changes; None freezes step-up.

    The site's `NV_PROOF_STAMP` answers without a query. Without it: the session's
    hash, the number and the factors, each looked up.
    """
    if of_site := conf.proof_stamp():
        return of_site(user)
    number = conf.number_of(user)
    made = [user.get_session_auth_hash(), number and number.e164, ways.held_by(user)]
    return salted_hmac("numberverify.held", repr(made), algorithm="sha256").hexdigest()


def hold(request: HttpRequest, action: str, stamp: str, receipt: Receipt) -> None:
    """Keep a proof; the first time that it is seen, under a new session key."""
    # Staff take their time: one by them counts from when the person comes back.
    by_staff = receipt.method == Method.MANUAL
    proved_at = timezone.now() if by_staff else receipt.settled_at
    noted = request.session.get(PROOFS, {})
    proof = [proved_at.isoformat(), stamp, _mark(request)]
    if noted.get(action) != proof:
        request.session[PROOFS] = noted | {action: proof}
        renew(request)


def renew(request: HttpRequest) -> None:
    """Give the session a new key, since its person has proved to be who they are
    (OWASP ASVS 5.0.0, 7.2.4): a key that was stolen before opens nothing after it.

    Outside the transaction of the effect: one that fails must not take the key back.
    """
    request.session.cycle_key()


def is_held(request: HttpRequest, action: str, stamp: str, max_age: timedelta) -> bool:
    proved_at, of_stamp, of_browser = request.session.get(PROOFS, {}).get(
        action, ("", "", "")
    )
    return (
        bool(proved_at)
        and timezone.now() - datetime.fromisoformat(proved_at) < max_age
        and constant_time_compare(of_stamp, stamp)
        and constant_time_compare(of_browser, _mark(request))
    )


def forget(request: HttpRequest, action: str) -> None:
    noted = request.session.get(PROOFS, {})
    if action in noted:
        request.session[PROOFS] = {k: v for k, v in noted.items() if k != action}


def keep_typed(request: HttpRequest, address: str, fields: Mapping[str, str]) -> None:
    """Keep what was typed at `address`, beside that of a few other tabs."""
    others = [each for each in request.session.get(KEPT, []) if each[0] != address]
    request.session[KEPT] = [*others[1 - TABS :], [address, dict(fields)]]


def typed_at(request: HttpRequest, address: str) -> Mapping[str, str]:
    kept: dict[str, Mapping[str, str]] = dict(request.session.get(KEPT, []))
    return kept.get(address, {})


def forget_typed(request: HttpRequest, address: str) -> None:
    kept = request.session.get(KEPT, [])
    if any(each[0] == address for each in kept):
        request.session[KEPT] = [each for each in kept if each[0] != address]


def keep_address(request: HttpRequest, address: str) -> str:
    """Return the address with its query kept here: it may say whom a page is about,
    and the row of a proof is for good."""
    path, _, query = address.partition("?")
    if not query:
        return address
    if len(address) > MAX_ADDRESS:  # none is kept: what reads it must not go without
        return f"{path}?{AT}=too-long"
    kept: list[list[str]] = request.session.get(ADDRESSES, [])
    for token, known in kept:
        if known == address:
            return f"{path}?{AT}={token}"
    token = secrets.token_hex(8)
    request.session[ADDRESSES] = [*kept[1 - TABS :], [token, address]]
    return f"{path}?{AT}={token}"


def kept_address(request: HttpRequest) -> str | None:
    """Return the whole address of a page that the person comes back to."""
    token = request.GET.get(AT)
    if not token or request.method not in ("GET", "HEAD"):
        return None
    address = dict(request.session.get(ADDRESSES, [])).get(token, "")
    return address if address.partition("?")[0] == request.path else None


def keep_details(request: HttpRequest, digest: bytes, details: Details) -> None:
    """Keep what is being confirmed, to be shown on each page until it is."""
    others = [
        each for each in request.session.get(DETAILS, []) if each[0] != digest.hex()
    ]
    request.session[DETAILS] = [*others[1 - TABS :], [digest.hex(), dict(details)]]


def details_of(request: HttpRequest, digest: bytes) -> Details:
    """Return what is being confirmed, where this session began it."""
    if not digest or not hasattr(request, "session"):
        return {}
    kept: dict[str, Details] = dict(request.session.get(DETAILS, []))
    return kept.get(digest.hex(), {})


def _mark(request: HttpRequest) -> str:
    """Return what the session may know of the binding."""
    return hashlib.sha256(binding_of(request).encode()).hexdigest()[:32]
