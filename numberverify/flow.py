"""The life of a verification: start, claim, exchange and settle, redeem; and to fall
back, which is to start again by another way.

No transaction and no pooled connection is held while an operator is asked, and each
change of state is one conditional UPDATE.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from . import (
    codes,
    conf,
    handoff,
    late,
    limits,
    metrics,
    network,
    policy,
    privacy,
    seal,
    statements,
    swaps,
    ways,
)
from .browser import Browser, Way
from .choices import Because, Method, Purpose, Reason, Status
from .correlation import is_about
from .errors import OtherBrowser, UnknownState, VerificationNotUsable
from .exchange import exchange_and_settle as exchange_and_settle  # its second act
from .exchange import exchange_or_leave as exchange_or_leave
from .models import Verification, digest
from .msisdn import Msisdn
from .uuid7 import first_at, uuid7

NETWORK = Way()
CLOCKS_DIFFER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A verified verification that nobody has spent yet.

    `operator` is the one that answered, "" for another way than the network; `chosen`
    says that the person named it.
    """

    id: UUID
    method: Method
    settled_at: datetime
    operator: str = ""
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """What a receipt must be for; each part stands in the redeem's WHERE.

    `user` is None at signup; `holder` is the binding of the browser that began;
    `msisdn` the number that the journey is about, None for a person without one;
    `details` the digest of what exactly the action does; `max_age` is the receipt's,
    which lives five minutes at most (one by staff an hour).
    """

    purpose: Purpose
    user: Any | None
    holder: str = field(repr=False)
    msisdn: Msisdn | None
    action: str = ""
    max_age: timedelta = policy.RECEIPT_FOR
    details: bytes = b""


def start(
    *,
    purpose: Purpose,
    msisdn: Msisdn | None,
    user: Any | None,
    browser: Browser,
    next: str,
    action: str = "",
    details: bytes = b"",
    asked_because: Because = Because.REQUIRED,
    way: Way = NETWORK,
) -> str:
    """Write the row and return the URL to send the browser to.

    `user` is whom the receipt will serve, None at signup. `next` is the path of the
    page that goes on after a match and that, by POST, tries again or falls back: each
    is a new row, with what the one before it asked. The URL is the row's own page where
    the person has to name the network, and where the row is settled at once: the way is
    not open, no operator serves the number, or it cannot be reached. Raise Limited, or
    for a text message StoreAway.
    """
    row = Verification(
        purpose=purpose,
        action=action,
        details_digest=details,
        user=user,
        asked_because=asked_because,
        method=way.method,
        next=next,
    )
    describe(row, msisdn, browser, now=timezone.now())
    taken = limits.before_start(row, msisdn, browser, asks=not way.not_on_phone)
    url = _start(row, msisdn, browser, way)
    limits.after_start(row, taken)
    metrics.started(row)
    return url


def _start(row: Verification, msisdn: Msisdn | None, browser: Browser, way: Way) -> str:
    is_about(row.pk)
    chosen = _follow(row, way.previous, browser) if way.previous else ""
    marked = conf.is_marked(row.action or row.purpose)
    if way.not_on_phone or way.method == Method.SMS or marked:
        swaps.note(row, msisdn)
    if way.not_on_phone:
        return row.save_closed(Reason.NOT_ON_PHONE)
    if way.on_phone:
        return handoff.start(row, msisdn, browser)
    if way.method == Method.NETWORK:
        return network.start(row, msisdn, chosen, ask=way.other_network)
    return _start_another_way(row, msisdn, browser)


def claim(
    *, state: str, operator: str, device: str, viewer: Callable[[], object]
) -> tuple[Verification, bool]:
    """Take the row that `state` names for the exchange of its code.

    Return it and whether this call took it: of equal callbacks one does. `viewer`
    tells the signed-in person's key, asked only about a row that is settled: after
    a login its browser has a new binding. Raise UnknownState or OtherBrowser.
    """
    now = timezone.now()
    _demand_durable()
    taken = statements.claim(state=state, device=device, operator=operator, now=now)
    if taken:
        is_about(taken.pk)
        return taken, True
    row = Verification.objects.filter(state_digest=digest(state)).first()
    if row is None:
        raise UnknownState
    is_about(row.pk)
    if bytes(row.device_digest) != digest(device):
        if not row.is_open and row.user_id and row.user_id == viewer():
            return row, False
        late.abort(row, Reason.OTHER_BROWSER, now=now)
        handoff.aborted(row)
        raise OtherBrowser(row.pk)
    if row.operator != operator:
        # The mix-up attack: one operator's answer brought to another's address.
        late.abort(row, Reason.OTHER_OPERATOR, now=now)
        handoff.aborted(row)
        raise UnknownState(row.pk)
    if row.status in (Status.PENDING, Status.EXPIRED):  # too late, swept or not
        late.settle(row, now=now)
        raise UnknownState(row.pk)
    return row, False


def find_receipt(proof: Proof) -> Receipt | None:
    """Return the newest receipt that would pay for exactly this, or None."""
    return next(filter(None, map(receipt_of, _receipts(proof).newest())), None)


def receipt_of(row: Verification) -> Receipt | None:
    """Return what a verified row pays with: what for, and whether it is spent already,
    shows when it is redeemed. None where a "no match" came after it."""
    if row.settled_at is None or ways.is_closed(row, row.method):
        return None
    is_about(row.pk)
    return Receipt(
        row.pk,
        Method(row.method),
        row.settled_at,
        row.operator,
        row.operator_chosen,
    )


def redeem(receipt: Receipt, proof: Proof, *, new_user: Any | None = None) -> None:
    """Spend the receipt, once, for what it was opened for.

    Call it inside the transaction of the effect that it pays for, so that neither
    happens without the other. `new_user` is whom a signup has just created. Raise
    VerificationNotUsable.
    """
    columns = {} if new_user is None else {"user": new_user.pk}
    if not _receipts(proof).redeem(receipt.id, now=timezone.now(), **columns):
        raise VerificationNotUsable
    person = new_user or proof.user
    # Of a new number its journey writes it down, together with the number.
    is_of_another = proof.purpose == Purpose.PHONE_CHANGE
    if receipt.chosen and person is not None and not is_of_another:
        conf.remember_operator(person, receipt.operator)


def withdraw(user: Any, *, attention: bool = True) -> None:
    """Refuse what the person has open, and spend what is verified and unspent on
    nothing: it may be somebody else's, which `attention` flags. Call it in the
    transaction of a freeze."""
    now = timezone.now()
    why: dict[str, Any] = {"reason": Reason.WITHDRAWN, "attention": attention}
    mine = Verification.objects.filter(user_id=user.pk)
    mine.settle(Status.REFUSED, now=now, **why)
    unspent = mine.filter(
        status=Status.VERIFIED,
        redeemed_at=None,
        settled_at__gt=now - policy.MANUAL_RECEIPT_FOR,
    )
    # An older one may be sealed by now: what it says stays.
    unsealed = first_at((now - seal.BEHIND + CLOCKS_DIFFER).timestamp())
    unspent.filter(pk__gte=unsealed).update(redeemed_at=now, **why)
    unspent.update(redeemed_at=now)
    # Of a member of staff, what they have asked another to approve.
    asked = Verification.objects.filter(
        manual_requests__asked_by_id=user.pk, manual_requests__decided_at=None
    )
    asked.settle(Status.REFUSED, now=now, reason=Reason.NOT_APPROVED)


def look(verification_id: UUID) -> Verification | None:
    """Return the row as it stands now: one that nobody came back to is settled."""
    row = Verification.objects.filter(pk=verification_id).first()
    is_about(verification_id)
    if row is not None and late.settle(row, now=timezone.now()):
        row.refresh_from_db()
    return row


def sweep() -> tuple[int, int]:
    """Settle all rows that nobody came back to: (expired, interrupted)."""
    now, all_rows = timezone.now(), Verification.objects.all()
    return all_rows.expire(now=now), all_rows.interrupt(now=now)


def describe(
    row: Verification, msisdn: Msisdn | None, browser: Browser, *, now: datetime
) -> None:
    """Fill in what a new row says of the number and of the browser that began."""
    row.pk = uuid7(now.timestamp())
    row.created_at, row.expires_at = now, now + policy.PENDING_FOR
    if msisdn:
        row.number_mask = str(msisdn)
        row.number_fingerprint = conf.fingerprints(msisdn)[0]
        row.fingerprint_key = conf.fingerprint_key_id()
        row.country = next(iter(msisdn.countries), "")
    row.device_digest = row.holder_digest = digest(browser.binding)
    row.ip, row.user_agent = browser.ip, browser.user_agent
    row.browser_known = browser.is_known
    row.notice_version = privacy.version()


def _start_another_way(
    row: Verification, msisdn: Msisdn | None, browser: Browser
) -> str:
    if ways.is_closed_by_a_swap(row, Method(row.method)):
        return row.save_closed(Reason.SIM_SWAPPED)
    if not ways.is_open_to(row, Method(row.method)):
        return row.save_closed(Reason.METHOD_CLOSED)
    if row.method != Method.MANUAL:
        codes.open_row(row, msisdn, browser)
    elif waiting := _waits_for_staff(row):
        return waiting.get_absolute_url()
    else:
        row.expires_at = row.created_at + policy.MANUAL_WAITS
        row.save(force_insert=True)
    return row.get_absolute_url()


def _waits_for_staff(row: Verification) -> Verification | None:
    """Return the row that waits already: asking once more makes it no quicker."""
    person: Any = row.user_id
    waiting = Verification.objects.filter(
        purpose=row.purpose,
        action=row.action,
        details_digest=row.details_digest,
        user_id=person,
        holder_digest=row.holder_digest,
        number_fingerprint=row.number_fingerprint,
        method=Method.MANUAL,
        status=Status.PENDING,
        expires_at__gt=row.created_at,
    )
    return waiting.first()


def _demand_durable() -> None:
    """Refuse a transaction around the claim, which must stand in the database before
    the code is exchanged: as `atomic(durable=True)` does, for two statements more."""
    around: list[Any] = connection.atomic_blocks
    if around and not around[-1]._from_testcase:
        raise RuntimeError("a claim must be durable: no transaction around it")


def _accepted(purpose: str, action: str) -> frozenset[Method]:
    return conf.accepts(Purpose(purpose), action)


def _follow(row: Verification, previous: UUID, browser: Browser) -> str:
    """Take over what the row before it asked, and return the operator that the person
    named there for the same number, or "".

    The browser's word on what it follows is believed about a row of its own alone.
    """
    user_id: Any = row.user_id  # or None, at signup
    own = Verification.objects.filter(
        pk=previous,
        purpose=row.purpose,
        action=row.action,
        user_id=user_id,
        holder_digest=digest(browser.binding),
    ).first()
    if own is None:
        return ""
    row.previous, row.asked_because = own.pk, own.asked_because
    row.test = own.test
    # What the person confirmed then: a form that tries again does not repeat it.
    row.details_digest = row.details_digest or own.details_digest
    same_number = bytes(own.number_fingerprint) == row.number_fingerprint
    return own.operator if own.operator_chosen and same_number else ""


def _receipts(proof: Proof) -> statements.Receipts:
    return statements.Receipts(
        purpose=proof.purpose,
        action=proof.action,
        details=proof.details,
        methods=_accepted(proof.purpose, proof.action),
        user_id=proof.user.pk if proof.user else None,
        holder=proof.holder,
        fingerprints=conf.fingerprints(proof.msisdn) if proof.msisdn else [b""],
        now=timezone.now(),
        max_age=min(proof.max_age, policy.RECEIPT_FOR),
    )
