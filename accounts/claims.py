"""A number that is proved by one person while another's account has it.

What happens is the policy (NV_TAKEOVER): `refuse`; `challenge`, the holder keeps it
for seven days and may prove it again, else it moves; `recycled`, as `challenge`, but at
once when the operator says that the number has had another subscriber since.
"""

from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from numberverify import subscriber
from numberverify.browser import Browser, browser_of
from numberverify.choices import Method
from numberverify.errors import VerificationNotUsable
from numberverify.flow import Receipt
from numberverify.msisdn import Msisdn
from numberverify.stepup import redeem_step_up

from . import notices, numbers
from .models import Claim, NumberEvent, Profile, User
from .notice import Kind

What = NumberEvent.What

KEPT_FOR = timedelta(days=7)


class ClaimRuns(Exception):
    """The number cannot be claimed now: another claim runs, or a freeze holds it."""


class Frozen(ClaimRuns):
    """One of the two accounts is frozen or disabled: nothing moves."""


def holder_of(phone: str) -> Profile | None:
    """Return the profile that has this number, verified."""
    return (
        Profile.objects.filter(phone=phone, phone_verified_at__isnull=False)
        .select_related("user")
        .first()
    )


def may_be_claimed(receipt: Receipt, holder: Profile) -> bool:
    """Only a SIM that has matched claims a number: a message may be read by others.
    Never that of a frozen or disabled account, whose owner cannot log in to keep it."""
    by_network = receipt.method == Method.NETWORK
    return settings.NV_TAKEOVER != "refuse" and by_network and not is_shut(holder.user)


def is_shut(user: User) -> bool:
    return user.frozen_at is not None or not user.is_active


def is_recycled(phone: str, holder: Profile) -> bool:
    """Ask whether the number has had another subscriber since its holder proved it.

    Call it outside a transaction: operators are asked. *Unknown* is no.
    """
    if settings.NV_TAKEOVER != "recycled" or holder.phone_verified_at is None:
        return False
    since = holder.phone_verified_at.date()
    return subscriber.recycled(Msisdn(phone), since=since) == "yes"


@transaction.atomic
def begin(
    claimant: User,
    phone: str,
    holder: Profile,
    receipt: Receipt,
    *,
    replaces: str = "",
    at_once: bool = False,
    browser: Browser | None = None,
) -> Claim:
    """Write a claim down, in the transaction that spends the receipt; the holder is
    told. `at_once`: it moves now. Raise ClaimRuns.

    `browser` is where it was done. The claimant is told as well, unless the account is
    new: whoever sits in somebody else's may have done it.
    """
    now = timezone.now()
    if Claim.objects.open_for(phone).exists():
        raise ClaimRuns
    try:
        with transaction.atomic():
            claim = Claim.objects.create(
                claimant=claimant,
                holder=holder.user,
                phone=phone,
                replaces=replaces,
                number_mask=str(Msisdn(phone)),
                verification=receipt.id,
                due_at=now if at_once else now + KEPT_FOR,
            )
    except IntegrityError:  # an equal one was quicker
        raise ClaimRuns from None
    Profile.objects.filter(pk=holder.pk).update(claimed_until=claim.due_at)
    numbers.note(What.CLAIMED, phone, claimant, verification=receipt.id)
    if at_once:
        if not move(claim):
            raise ClaimRuns
    else:
        _refuse_frozen(claimant, holder.user)
        _tell_both(claim, holder.user, browser)
    return claim


def _tell_both(claim: Claim, holder: User, browser: Browser | None) -> None:
    due = claim.due_at
    # No text message: it is the claimant's SIM that would get it.
    notices.tell(holder, Kind.NUMBER_CLAIMED, due=due)
    if browser or claim.replaces:
        before = Msisdn(claim.replaces) if claim.replaces else None
        kind = Kind.NUMBER_ASKED
        notices.tell_of_number(claim.claimant, kind, browser, before=before, due=due)


def move(claim: Claim) -> bool:
    """Move the number to its claimant, once; say whether it did.

    While one of the two is frozen or disabled it stays, and so does the claim.
    """
    phone = claim.phone
    try:
        with transaction.atomic():
            if not Claim.objects.filter(pk=claim.pk).end(Claim.Outcome.MOVED):
                return False
            replaced = _lock_profiles(claim)
            lost = claim.holder is not None and free(claim.holder, phone)
            _give(claim, phone, replaced)
            _refuse_frozen(claim.claimant, claim.holder if lost else None)
            _note_move(claim, phone, replaced, lost=lost)
            _tell_of_move(claim, replaced, lost=lost)
            if replaced:
                freed(replaced)
    except Frozen:
        return False
    except (IntegrityError, VerificationNotUsable):
        # A third account has it, or the claimant's own number is another one now.
        with transaction.atomic():
            if Claim.objects.filter(pk=claim.pk).end(Claim.Outcome.LAPSED):
                numbers.note(What.LAPSED, phone, claim.claimant)
            Profile.objects.filter(user=claim.holder).update(claimed_until=None)
        return False
    return True


def _lock_profiles(claim: Claim) -> str:
    """Lock both, in one order: of two who claim each other's number the database would
    break one. Return which number the claimant has now."""
    Profile.objects.get_or_create(user=claim.claimant)
    both = Profile.objects.filter(user__in=[claim.claimant_id, claim.holder_id])
    locked = list(both.order_by("pk").select_for_update(no_key=True))
    mine = [each for each in locked if each.user_id == claim.claimant_id]
    return "".join(each.phone for each in mine if each.phone_verified_at)


def _note_move(claim: Claim, phone: str, replaced: str, *, lost: bool) -> None:
    if lost:
        numbers.left(What.LOST, phone, claim.holder)
    if replaced:
        numbers.left(What.CHANGED, replaced, claim.claimant)
    proof = claim.verification
    numbers.note(What.MOVED, phone, claim.claimant, verification=proof)


def _tell_of_move(claim: Claim, replaced: str, *, lost: bool) -> None:
    before = Msisdn(replaced) if replaced else None
    notices.tell_of_number(
        claim.claimant,
        Kind.NUMBER_GOT,
        None,
        before=before,
        text=Kind.NUMBER_CHANGED,  # that is what it is to the number before
    )
    if lost and claim.holder:  # whose number is in another's phone now
        notices.tell(claim.holder, Kind.NUMBER_LOST)


def free(user: User, phone: str) -> bool:
    """Take the number off file, once; proofs by it end."""
    freed = Profile.objects.filter(
        user=user, phone=phone, phone_verified_at__isnull=False
    ).update(
        phone="",
        phone_verified_at=None,
        phone_verification=None,
        operator="",
        claimed_until=None,
    )
    if freed:
        user.end_proofs()
    return freed == 1


def _give(claim: Claim, phone: str, replaced: str) -> None:
    """Put it on the claimant's file, in place of the number that was there when the
    claim was made, or of none: that one may have gone to somebody else meanwhile."""
    if replaced not in ("", claim.replaces):
        raise VerificationNotUsable
    Profile.objects.filter(user=claim.claimant).update(
        phone=phone,
        operator="",
        phone_verified_at=claim.created_at,
        phone_verification=claim.verification,
        claimed_until=None,
    )
    claim.claimant.end_proofs()


def _refuse_frozen(*people: User | None) -> None:
    """Let no freeze come between; raise Frozen when one was before, or a disabling.

    Call it after the profiles are written: everybody locks a profile before its person.
    """
    pks = [person.pk for person in people if person]
    locked = User.objects.filter(pk__in=pks).order_by("pk")
    if any(map(is_shut, locked.select_for_update(no_key=True))):
        raise Frozen


def withdraw(user: User) -> None:
    """End the claims of an account that is being frozen, disabled or closed, or gets a
    new password: they may be a thief's."""
    mine = Q(claimant=user) | Q(holder=user)
    under_way = Claim.objects.filter(mine, ended_at=None).order_by("pk")
    for claim in list(under_way.select_for_update(no_key=True)):
        if claim.claimant_id != user.pk:
            continue  # locked all the same: before a profile, in one order
        if Claim.objects.filter(pk=claim.pk).end(Claim.Outcome.WITHDRAWN):
            numbers.note(What.LAPSED, claim.phone, user)
            holder = Profile.objects.filter(user=claim.holder_id)
            holder.update(claimed_until=None)


def begin_anew(user: User) -> None:
    """Give a holder whose account was frozen or disabled all the time once more."""
    due = timezone.now() + KEPT_FOR
    if Claim.objects.filter(holder=user, ended_at=None).update(due_at=due):
        Profile.objects.filter(user=user).update(claimed_until=due)


def against(user: User) -> Claim | None:
    """Return the open claim to this person's number, if there is one."""
    return Claim.objects.filter(holder=user, ended_at=None).first()


def of(user: User) -> Claim | None:
    """Return the open claim that this person has made, if there is one."""
    return Claim.objects.filter(claimant=user, ended_at=None).first()


def keep(request: HttpRequest, user: User) -> bool:
    """End the claim to the number that its holder has just proved again; say whether
    there was one still. Raise VerificationNotUsable."""
    with transaction.atomic():
        redeem_step_up(request)
        kept = Claim.objects.filter(holder=user).end(Claim.Outcome.KEPT)
        if kept:
            now = timezone.now()
            mine = Profile.objects.filter(user=user)
            mine.update(phone_verified_at=now, claimed_until=None)
            if number := mine.values_list("phone", flat=True).first():
                numbers.note(What.KEPT, number, user)
            notices.tell(user, Kind.NUMBER_KEPT, browser_of(request))
    return kept


def freed(phone: str) -> None:
    """Let a claim to a number that is free now have its way, after the commit."""
    transaction.on_commit(lambda: _move_all(Claim.objects.open_for(phone)))


def move_due() -> int:
    """Move the numbers that nobody proved again in time (NV_HOUSEKEEPING); how many."""
    in_reach = Q(holder__frozen_at=None, holder__is_active=True)
    due = in_reach & Q(due_at__lte=timezone.now()) | Q(holder=None)
    return _move_all(Claim.objects.filter(due, ended_at=None))


def _move_all(claims: QuerySet[Claim]) -> int:
    return sum(move(claim) for claim in claims.select_related("claimant", "holder"))
