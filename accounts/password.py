"""A new password: changed by a signed-in person, or reset by a mailed link."""

from django.contrib.auth import update_session_auth_hash
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlsafe_base64_decode

from numberverify import flow, ways
from numberverify.browser import Browser, Way, browser_of
from numberverify.choices import Method, Purpose
from numberverify.errors import VerificationNotUsable
from numberverify.stepup import redeem_step_up

from . import browsers, claims, mail, notices
from .models import Pending, User
from .notice import Kind
from .phone import msisdn_of
from .tokens import reset_tokens


def change(request: HttpRequest, user: User, new_password: str) -> None:
    """Replace the password of a person who has just proved the number, and end the
    other sessions. Raise VerificationNotUsable."""
    with transaction.atomic():
        redeem_step_up(request)
        claims.withdraw(user)  # whoever had the old one may have made it
        user.set_password(new_password)
        user.save(update_fields=["password"])
        browsers.sign_out_others(user, request.session.session_key)
        notices.tell(user, Kind.PASSWORD_CHANGED, browser_of(request))
    update_session_auth_hash(request, user)


def send_reset_link(email: str) -> bool:
    """Mail a link to the account with this e-mail, if there is one; say whether."""
    user = User.objects.filter(email=email, is_active=True).first()
    if user is None or not user.has_usable_password():
        # The same work for nobody: the time that it takes tells nothing.
        mail.send_password_reset(User(pk=0, email=email), in_earnest=False)
        return False
    mail.send_password_reset(user)
    return True


def user_of_link(uidb64: str, token: str) -> User | None:
    """Return whom a mailed link is for, or None when it is used, late or made up."""
    try:
        key = int(urlsafe_base64_decode(uidb64))
    except ValueError:
        return None
    user = User.objects.filter(pk=key, is_active=True).first()
    return user if reset_tokens.check_token(user, token) else None


def begin_reset(user: User, browser: Browser, way: Way) -> str:
    """Return where to prove it, or the form when there is nothing to prove."""
    pending = Pending.begin(Pending.Kind.PASSWORD_RESET, browser.binding, user=user)
    return ask(pending, browser, way)


def ask(pending: Pending, browser: Browser, way: Way) -> str:
    """Ask for what must be proved; raise VerificationNotUsable."""
    address = reverse("accounts:password-reset-new", args=[pending.pk])
    proof = _proof(pending, browser)
    if proof is None:
        return address
    if proof.msisdn is None and way.method == Method.NETWORK:
        way = Way(not_on_phone=True, previous=way.previous)
    return flow.start(
        purpose=proof.purpose,
        msisdn=proof.msisdn,
        user=proof.user,
        browser=browser,
        next=address,
        way=way,
    )


def is_proved(pending: Pending, browser: Browser) -> bool:
    """Say whether the new password may be asked for; raise VerificationNotUsable."""
    proof = _proof(pending, browser)
    return proof is None or flow.find_receipt(proof) is not None


def reset(pending: Pending, browser: Browser, new_password: str) -> None:
    """Set the password, which ends every session. Raise VerificationNotUsable."""
    proof = _proof(pending, browser)
    receipt = flow.find_receipt(proof) if proof else None
    user = pending.user
    if user is None or (proof and receipt is None):
        raise VerificationNotUsable
    with transaction.atomic():
        if not pending.take():
            raise VerificationNotUsable
        if proof and receipt:
            flow.redeem(receipt, proof)
        claims.withdraw(user)
        if user.frozen_at:
            claims.begin_anew(user)
        user.set_password(new_password)
        user.frozen_at = None
        user.save(update_fields=["password", "frozen_at"])
        # Whoever had the old password may sit at a browser that is known.
        user.forget_browsers()
        notices.tell(user, Kind.PASSWORD_CHANGED, browser)


def _proof(pending: Pending, browser: Browser) -> flow.Proof | None:
    """What must be proved: the number on file, or the person by a way of their own;
    nothing when there is neither.

    Raise VerificationNotUsable when the account has changed since the link.
    """
    user = pending.user
    if user is None or not pending.still_holds():
        raise VerificationNotUsable
    msisdn = msisdn_of(user)
    if msisdn is None and not ways.has_any(user):
        return None
    return flow.Proof(Purpose.PASSWORD_RESET, user, browser.binding, msisdn)
