"""The link in each piece of news, its page, and what its button "This wasn't me" does.

It takes no proof and no login: a person who is being robbed must be quick, and whoever
abuses it gets the account shut, not opened.
"""

from django.contrib.auth import logout as end_session
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache

from . import account, mail, places
from .models import Notice, User, digest
from .pages import form_page, signed_out


class SaidAlready(Exception):
    """By this link, or by that of earlier news."""


def find(token: str) -> Notice | None:
    """Return the news that a link is for, while it works."""
    mine = Notice.objects.good().filter(token_digest=digest(token))
    return mine.select_related("user").first()


def say(notice: Notice) -> bool | None:
    """End every session of the person and freeze the account, once; raise SaidAlready.

    Where the e-mail address was changed, it is changed back: a reset would be mailed to
    the thief. Return whether it could be, None where it was not changed.
    """
    user = notice.user
    with transaction.atomic():
        account.freeze(user)
        given_back = _give_back(user, notice.email_before)
        # Last, so that rows are locked in the order of all others.
        if not notice.take():
            raise SaidAlready
        if given_back is not False:  # else the address may be the thief's
            mail.send_frozen(user)
    return given_back


def _give_back(user: User, email: str) -> bool | None:
    if email in ("", user.email):
        return None
    if User.objects.filter(email=email).exists():
        return False
    try:
        with transaction.atomic():
            mine = User.objects.filter(pk=user.pk)
            mine.update(email=email, email_confirmed_at=timezone.now())
    except IntegrityError:  # somebody has just signed up with it
        return False
    mail.send_email_given_back(user)
    user.email = email
    return True


@never_cache
@form_page
def not_me_page(request: HttpRequest, token: str) -> HttpResponse:
    """A GET shows the news and a button: mail scanners open links."""
    notice = find(token)
    if notice is None:
        return render(request, "accounts/link_is_over.html", status=410)
    if request.method == "POST" and notice.acted_at is None:
        try:
            given_back = say(notice)
        except SaidAlready:
            return _said(request, find(token))
        else:
            if request.user == notice.user:
                end_session(request)
            done = {"given_back": given_back}
            return signed_out(render(request, "accounts/not_me_done.html", done))
    if notice.acted_at:
        return _said(request, notice)
    context = {
        "notice": notice,
        "browser": notice.user_agent and places.browser_in_words(notice.user_agent),
        "place": notice.country and places.place(notice.country),
    }
    return render(request, "accounts/not_me.html", context)


def _said(request: HttpRequest, notice: Notice | None) -> HttpResponse:
    """It was said already; or the account, and this with it, was closed just now."""
    if notice is None:
        return render(request, "accounts/link_is_over.html", status=410)
    said = {"is_frozen": notice.user.frozen_at is not None}
    return render(request, "accounts/not_me_said.html", said)
