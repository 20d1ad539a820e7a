"""Mail: written and sent after the commit and outside the request.

Outside, so that the time an answer takes tells nobody whether an account exists.
"""

import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext_lazy as _

from .models import User
from .tokens import reset_tokens

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

logger = logging.getLogger(__name__)
CONFIRM_SALT = "accounts.mail.confirm"
# Seconds: writing a mail takes processor time, which an answer under way would feel.
AFTER_THE_ANSWER = 0.1
CONFIRM_FOR = 7 * 24 * 60 * 60  # seconds
CHANGE_SALT = "accounts.mail.change"
CHANGE_FOR = 24 * 60 * 60  # seconds
_threads = ThreadPoolExecutor(2, "mail")
_under_way: set[Future[None]] = set()


def send_confirmation(user: User) -> None:
    """Ask a new account's e-mail to confirm it, or to close the account."""
    token = _confirmation(user)
    confirm = _absolute("accounts:email-confirm", token)
    close = _absolute("accounts:email-close", token)
    _send(user.email, "confirmation", {"confirm_url": confirm, "close_url": close})


def confirmed_by(token: str) -> User | None:
    """Return the account that a confirmation's token is for, while it still is."""
    try:
        key, email = signing.loads(token, salt=CONFIRM_SALT, max_age=CONFIRM_FOR)
    except signing.BadSignature:
        return None
    return User.objects.filter(pk=key, email=email).first()


def send_email_taken(user: User) -> None:
    """Tell the owner that somebody tried to sign up with this address. While it is
    not confirmed, the account may be another's: then it can be closed from here."""
    urls = {
        "login_url": _absolute("accounts:login"),
        "reset_url": _absolute("accounts:password-reset"),
    }
    if user.email_confirmed_at is None:
        urls["close_url"] = _absolute("accounts:email-close", _confirmation(user))
    _send(user.email, "email_taken", urls)


def send_password_reset(user: User, *, in_earnest: bool = True) -> None:
    """Mail a link; not in earnest, do the work alone: its time tells nothing."""
    key = urlsafe_base64_encode(force_bytes(user.pk))
    token = reset_tokens.make_token(user)
    url = _absolute("accounts:password-reset-link", key, token)
    to = user.email if in_earnest else None
    _send(to, "password_reset", {"reset_url": url})


def send_email_change(user: User, email: str) -> None:
    """Ask the new address to confirm that it is theirs. One that has an account is told
    so instead, and the person who asked learns nothing of it."""
    owner = User.objects.filter(email=email).first()
    if owner is None:
        said = [user.pk, email, user.state_hash()[:16]]
        token = signing.dumps(said, salt=CHANGE_SALT)
        url = _absolute("accounts:email-change-confirm", token)
        _send(email, "email_change", {"url": url})
    elif owner != user:
        what = _("Somebody asked to use your e-mail address for another account.")
        send_notice(owner, what)


def change_of(token: str) -> tuple[User, str] | None:
    """Return whose e-mail a token changes, and to what, while it may still."""
    try:
        said = signing.loads(token, salt=CHANGE_SALT, max_age=CHANGE_FOR)
    except signing.BadSignature:
        return None
    key, new, state = said
    user = User.objects.filter(pk=key, is_active=True).first()
    if user is None or user.frozen_at:
        return None
    is_same = constant_time_compare(user.state_hash()[:16], state)
    return (user, new) if is_same else None


def send_notice(user: User, what: "StrOrPromise") -> None:
    """Tell a person what has happened to the account."""
    urls = {"reset_url": _absolute("accounts:password-reset")}
    _send(user.email, "notice", {"what": str(what)} | urls)


def send_email_changed(user: User, old: str) -> None:
    """Tell the old address; a reset would go to the new one."""
    _send(old, "email_changed", {})


def send_claimed(user: User, due_at: datetime) -> None:
    """Tell the holder of a number that somebody else has proved it."""
    urls = {
        "keep_url": _absolute("accounts:phone-claim"),
        "reset_url": _absolute("accounts:password-reset"),
    }
    _send(user.email, "claimed", {"due": f"{due_at:%-d %B %Y, %H:%M} UTC"} | urls)


def send_number_moved(user: User) -> None:
    """Tell a claimant that the number is theirs."""
    send_notice(user, _("The mobile number that you proved is yours now."))


def send_number_lost(user: User) -> None:
    """Tell who had the number that it is on another account now."""
    _send(user.email, "number_lost", {"add_url": _absolute("accounts:phone")})


def send_closed(user: User) -> None:
    """Tell a person that the account is no more."""
    _send(user.email, "closed", {})


def wait() -> None:
    """Wait until what was handed over has left."""
    wait_for(list(_under_way))


def _confirmation(user: User) -> str:
    return signing.dumps([user.pk, user.email], salt=CONFIRM_SALT)


def _absolute(name: str, *args: str) -> str:
    return settings.SITE_URL + reverse(name, args=args)


def _send(to: str | None, template: str, context: dict[str, str]) -> None:
    def hand_over() -> None:
        future = _threads.submit(_deliver, to, template, context)
        _under_way.add(future)
        future.add_done_callback(_under_way.discard)

    transaction.on_commit(hand_over)


def _deliver(to: str | None, template: str, context: dict[str, str]) -> None:
    """The template's first line is the subject."""
    time.sleep(AFTER_THE_ANSWER)
    try:
        written = render_to_string(f"accounts/mail/{template}.txt", context)
        subject, _, body = written.partition("\n")
        if to:
            EmailMessage(subject.strip(), body.lstrip("\n"), to=[to]).send()
    except Exception as error:  # nobody waits for it; its words may quote the address
        logger.error("mail %s was not sent: %s", template, type(error).__name__)
