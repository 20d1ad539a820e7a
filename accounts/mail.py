"""Mail and text messages: written and sent after the commit, outside the request.

Outside, so that the time an answer takes tells nobody whether an account exists.
"""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.crypto import constant_time_compare
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from numberverify import texts
from numberverify.msisdn import Msisdn

from .models import User
from .queues import Queue
from .tokens import reset_tokens

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

logger = logging.getLogger(__name__)
CONFIRM_SALT = "accounts.mail.confirm"
CONFIRM_FOR = 7 * 24 * 60 * 60  # seconds
CHANGE_SALT = "accounts.mail.change"
CHANGE_FOR = 24 * 60 * 60  # seconds
# Apart, so that no amount of news keeps back the link that a person waits for.
_waited_for, _news = Queue("mail", 2), Queue("news", 2)


def send_confirmation(user: User) -> None:
    """Ask a new account's e-mail to confirm it, or to close the account."""
    token = _confirmation(user)
    confirm = _absolute("accounts:email-confirm", token)
    close = _absolute("accounts:email-close", token)
    urls = {"confirm_url": confirm, "close_url": close}
    _send(user.email, "confirmation", urls, user.language)


def confirmed_by(token: str) -> User | None:
    """Return the account that a confirmation's token is for, while it still is, and is
    neither frozen nor disabled."""
    try:
        key, email = signing.loads(token, salt=CONFIRM_SALT, max_age=CONFIRM_FOR)
    except signing.BadSignature:
        return None
    people = User.objects.filter(is_active=True, frozen_at=None)
    return people.filter(pk=key, email=email).first()


def send_email_taken(user: User) -> None:
    """Tell the owner that somebody tried to sign up with this address. While it is
    not confirmed, the account may be another's: then it can be closed from here."""
    urls = {
        "login_url": _absolute("accounts:login"),
        "reset_url": _absolute("accounts:password-reset"),
    }
    if user.email_confirmed_at is None:
        urls["close_url"] = _absolute("accounts:email-close", _confirmation(user))
    _send(user.email, "email_taken", urls, user.language)


def send_password_reset(user: User, *, in_earnest: bool = True) -> None:
    """Mail a link; not in earnest, do the work alone: its time tells nothing."""
    key = urlsafe_base64_encode(force_bytes(user.pk))
    token = reset_tokens.make_token(user)
    url = _absolute("accounts:password-reset-link", key, token)
    to = user.email if in_earnest else None
    _send(to, "password_reset", {"reset_url": url}, user.language)


def send_email_change(user: User, email: str) -> None:
    """Ask the new address to confirm that it is theirs. One that has an account is told
    so instead, and the person who asked learns nothing of it."""
    owner = User.objects.filter(email=email).first()
    if owner is None:
        said = [user.pk, email, user.state_hash()[:16]]
        token = signing.dumps(said, salt=CHANGE_SALT)
        url = _absolute("accounts:email-change-confirm", token)
        _send(email, "email_change", {"url": url}, user.language)
    elif owner != user:
        send_email_wanted(owner)


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


def send_notice(
    user: User, kind: str, token: str, said: dict[str, Any], *, to: str
) -> None:
    """Tell a person what has happened, by the kind's own template if it has one."""
    urls = {"not_me_url": _absolute("accounts:not-me", token)}
    _send(to, f"news/{kind}", said | urls, user.language, _news)


def send_email_wanted(owner: User) -> None:
    """Tell the owner of an address that somebody has asked for it."""
    _send(owner.email, "email_wanted", {}, owner.language)


def send_email_given_back(user: User) -> None:
    """Tell the address that a change had brought that it is undone."""
    _send(user.email, "email_given_back", {}, user.language, _news)


def send_frozen(user: User) -> None:
    """Tell a person that the account is frozen, and how to go on."""
    urls = {"reset_url": _absolute("accounts:password-reset")}
    _send(user.email, "frozen", urls, user.language)


def send_closed(user: User) -> None:
    """Tell a person that the account is no more."""
    _send(user.email, "closed", {}, user.language, _news)


def text(msisdn: Msisdn, words: "StrOrPromise", language: str = "") -> None:
    """Send a text message, where the site can; leave it where it cannot.

    The number is in nothing but the message: not in the log either.
    """
    if texts.can_be_sent():
        _hand_over(_news, _deliver_text, msisdn, words, language)


def wait() -> None:
    """Wait until what was handed over has left."""
    _waited_for.wait()
    _news.wait()


def _confirmation(user: User) -> str:
    return signing.dumps([user.pk, user.email], salt=CONFIRM_SALT)


def _absolute(name: str, *args: str) -> str:
    return settings.SITE_URL + reverse(name, args=args)


def _send(
    to: str | None,
    template: str,
    context: dict[str, Any],
    language: str,
    queue: Queue = _waited_for,
) -> None:
    _hand_over(queue, _deliver, to, template, context, language)


def _hand_over(queue: Queue, deliver: Callable[..., None], *what: Any) -> None:
    transaction.on_commit(lambda: queue.put(deliver, *what))


def _deliver(
    to: str | None, template: str, context: dict[str, Any], language: str
) -> None:
    """Write a mail in the person's language; the template's first line is its subject.

    News without a template of its own is told by that of all news.
    """
    templates = [f"accounts/mail/{template}.txt", "accounts/mail/news.txt"]
    try:
        with translation.override(language or settings.LANGUAGE_CODE):
            written = render_to_string(templates, context | _of_the_site())
        subject, _, body = written.partition("\n")
        if to:
            EmailMessage(subject.strip(), body.strip("\n"), to=[to]).send()
    except Exception as error:  # nobody waits for it; its words may quote the address
        logger.error("mail %s was not sent: %s", template, type(error).__name__)


def _deliver_text(msisdn: Msisdn, words: "StrOrPromise", language: str) -> None:
    try:
        with translation.override(language or settings.LANGUAGE_CODE):
            texts.send(msisdn, str(words))
    except Exception as error:  # its words may quote the number
        logger.error("a text message was not sent: %s", type(error).__name__)


def _of_the_site() -> dict[str, str]:
    return {"site": settings.NV_SITE_NAME, "site_url": settings.SITE_URL}
