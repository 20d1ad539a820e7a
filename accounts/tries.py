"""Limits on passwords and mails, and the cookie by which a browser counts apart.

Who knows an e-mail can type wrong passwords for it. So a browser in which the person
has logged in before has tries of its own, as OWASP's device cookies have them: others
cannot use them up. The cookie's mark is looked at first, so that a browser that has
none costs no look into the database; then the account's row of the browser, so that a
mark dies with it: at a reset, a freeze, or when all sessions are ended.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac

from numberverify.browser import client_network
from numberverify.limits import Claim, clear, take
from numberverify.windows import Taken

from .models import KNOWN_FOR, Device, digest

MOST_ACCOUNTS = 5  # of one browser, each with a mark in the cookie


def cookie_name() -> str:
    return "__Host-nv_own" if settings.SESSION_COOKIE_SECURE else "nv_own"


def before_password(
    request: HttpRequest, email: str, token: str
) -> tuple[Taken, Device | None]:
    """Before a login's password is hashed, alike for an e-mail that has no account.

    `token` is the value of the cookie by which accounts know this browser. Return what
    is handed back when the password is right, and the browser as the account knows it,
    where that was looked up; raise Limited or StoreAway.
    """
    in_a_row, known = ("login_in_a_row", email), ("login_known", email, token)
    if device := own_browser(request, email, token):
        return take([known], clears=[in_a_row, known]), device
    network = client_network(request)
    claims: list[Claim] = [in_a_row, ("login_account", email)]
    if network:
        claims.append(("login_account_address", email, network))
        claims.append(("login_address", network))
    return take(claims, clears=[in_a_row]), None


def forgive(request: HttpRequest, email: str, token: str) -> None:
    """After a reset: with the new password, the tries at the old one are over."""
    rows = ("login_in_a_row", "login_account", "password_in_a_row")
    claims: list[Claim] = [(name, email) for name in rows]
    claims.append(("login_account_address", email, client_network(request)))
    claims.append(("login_known", email, token))
    clear(claims)


def before_mail(request: HttpRequest, email: str, token: str) -> None:
    """Before a mail that anybody may ask for, alike where it goes to nobody."""
    if own_browser(request, email, token):
        take([("mail_email_address", email, token)])
        return
    network = client_network(request)
    claims: list[Claim] = [("mail_email", email)]
    if network:
        claims.append(("mail_email_address", email, network))
        claims.append(("mail_address", network))
        claims.append(("mail_email_spare", email, network))
    take(claims)


def before_signup(request: HttpRequest) -> None:
    """Before a signup's password is hashed."""
    if network := client_network(request):
        take([("signup_address", network)])


def own_browser(request: HttpRequest, email: str, token: str) -> Device | None:
    """Return the browser, if the person with this e-mail has logged in in it, as the
    account still knows it."""
    mark = _mark(email, token)
    if not token or not any(constant_time_compare(mark, m) for m in _marks(request)):
        return None
    return Device.objects.filter(user__email=email, token_digest=digest(token)).first()


def own(request: HttpRequest, response: HttpResponse, email: str, token: str) -> None:
    """Mark the browser as one in which this person has logged in."""
    mark = _mark(email, token)
    others = [each for each in _marks(request) if each != mark]
    response.set_cookie(
        cookie_name(),
        ".".join([mark, *others][:MOST_ACCOUNTS]),
        max_age=KNOWN_FOR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _marks(request: HttpRequest) -> list[str]:
    marks = request.COOKIES.get(cookie_name(), "").split(".")
    return [mark for mark in marks if mark][:MOST_ACCOUNTS]


def _mark(email: str, token: str) -> str:
    made = salted_hmac("accounts.tries", repr([email, token]), algorithm="sha256")
    return made.hexdigest()[:32]
